{{/* The rules for what may leave the gateway's pods. A rule without peers would allow everything, so it is left out. */}}
{{- define "ultimo-gateway.egress" -}}
{{- with .Values.networkPolicy.dns.to }}
- to:
    {{- toYaml . | nindent 4 }}
  ports:
    {{- range $.Values.networkPolicy.dns.ports }}
    - port: {{ int . }}
      protocol: UDP
    - port: {{ int . }}
      protocol: TCP
    {{- end }}
{{- end }}
{{- with .Values.networkPolicy.upstream.to }}
- to:
    {{- toYaml . | nindent 4 }}
  ports:
    {{- include "ultimo-gateway.ports" $.Values.networkPolicy.upstream.ports | nindent 4 }}
{{- end }}
{{- if .Values.valkey.enabled }}
- to:
    - podSelector:
        matchLabels:
          {{- include "valkey.selectorLabels" . | nindent 10 }}
  ports:
    {{- include "ultimo-gateway.ports" (list 6379) | nindent 4 }}
{{- else if eq (include "ultimo-gateway.storeKind" .) "valkey" }}
- to:
    {{- toYaml .Values.networkPolicy.store.to | nindent 4 }}
  ports:
    {{- include "ultimo-gateway.ports" (list (regexFind "[0-9]+$" ((.Values.config.store.valkey).address | default ""))) | nindent 4 }}
{{- end }}
{{- with .Values.networkPolicy.tracing.to }}
- to:
    {{- toYaml . | nindent 4 }}
  ports:
    {{- include "ultimo-gateway.ports" $.Values.networkPolicy.tracing.ports | nindent 4 }}
{{- end }}
{{- if .Values.sandbox.enabled }}
- to:
    - podSelector:
        matchLabels:
          {{- include "ultimo-gateway.selectorLabels" . | nindent 10 }}
          app.kubernetes.io/component: sandbox
  ports:
    {{- include "ultimo-gateway.ports" (list 8081) | nindent 4 }}
{{- end }}
{{- with .Values.networkPolicy.extraEgress }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "ultimo-gateway.ports" -}}
{{- range . }}
- port: {{ int . }}
  protocol: TCP
{{- end }}
{{- end }}
