{{/* The parts of the gateway's pod that are lists: where secrets come from, and where the pod may run. */}}

{{- define "ultimo-gateway.secretVolumes" -}}
{{- range .Values.secrets.existing }}
- name: secret-{{ .name }}
  secret:
    secretName: {{ .secretName | default .name }}
    defaultMode: 0440
    {{- with .items }}
    items:
      {{- toYaml . | nindent 6 }}
    {{- end }}
{{- end }}
{{- range .Values.secrets.external }}
- name: secret-{{ .name }}
  secret:
    secretName: {{ include "ultimo-gateway.fullname" $ }}-{{ .name }}
    defaultMode: 0440
{{- end }}
{{- range .Values.secrets.csi }}
- name: secret-{{ .name }}
  csi:
    driver: {{ .driver | default "secrets-store.csi.k8s.io" }}
    readOnly: true
    volumeAttributes:
      secretProviderClass: {{ .secretProviderClass }}
{{- end }}
{{- if .Values.valkey.enabled }}
- name: secret-valkey
  secret:
    secretName: {{ .Values.valkey.auth.existingSecret }}
    defaultMode: 0440
    items:
      - key: {{ .Values.valkey.auth.key }}
        path: password
{{- end }}
{{- end }}

{{- define "ultimo-gateway.placement" -}}
{{- $keys := dict "topology.kubernetes.io/zone" .Values.topologySpread.zone "kubernetes.io/hostname" .Values.topologySpread.host }}
{{- if or .Values.topologySpread.zone .Values.topologySpread.host }}
topologySpreadConstraints:
  {{- range $key, $unsatisfiable := $keys }}
  {{- if $unsatisfiable }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: {{ $unsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "ultimo-gateway.selectorLabels" $ | nindent 8 }}
        app.kubernetes.io/component: gateway
    # The old pods of a rollout do not count: the new ones are spread among themselves.
    matchLabelKeys: [pod-template-hash]
    # Nor do nodes that no pod may run on: with them, all others would be full at one pod each.
    nodeTaintsPolicy: Honor
  {{- end }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
