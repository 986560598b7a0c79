{{/* Names, labels, the image, and what all pods have in common. */}}

{{/* The beginning of all names. At most 50 characters, so that what follows it fits; longer ones end in a hash, so that two stay two. */}}
{{- define "ultimo-gateway.fullname" -}}
{{- $name := .Release.Name -}}
{{- if not (contains "ultimo-gateway" .Release.Name) -}}
{{- $name = printf "%s-ultimo-gateway" .Release.Name -}}
{{- end -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if gt (len $name) 50 -}}
{{- printf "%s-%s" (trunc 41 $name | trimSuffix "-") (sha256sum $name | trunc 8) -}}
{{- else -}}
{{- $name -}}
{{- end -}}
{{- end }}

{{/* What the pods of a release are known by; with app.kubernetes.io/component for the kind of pod. */}}
{{- define "ultimo-gateway.selectorLabels" -}}
app.kubernetes.io/name: ultimo-gateway
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "ultimo-gateway.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "ultimo-gateway.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "ultimo-gateway.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end }}

{{- define "ultimo-gateway.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "ultimo-gateway.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end }}

{{/* What Pod Security "restricted" asks of a pod, and of the account: no token, no list of the namespace's services. */}}
{{- define "ultimo-gateway.podDefaults" -}}
serviceAccountName: {{ include "ultimo-gateway.serviceAccountName" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  {{- with .Values.runAsUser }}
  runAsUser: {{ int . }}
  runAsGroup: {{ int . }}
  fsGroup: {{ int . }}
  {{- end }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{/* What it asks of a container. */}}
{{- define "ultimo-gateway.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}
