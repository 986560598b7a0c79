{{/* The gateway's configuration, as the chart completes it, and what is computed from it. */}}

{{/* The whole file, which is also data for looking things up. Each section's own keys win over the chart's. */}}
{{- define "ultimo-gateway.settings" -}}
{{- $settings := deepCopy .Values.config -}}
{{- if eq (include "ultimo-gateway.demo" .) "true" -}}
{{- $settings = include "ultimo-gateway.demoConfiguration" . | fromYaml -}}
{{- end -}}
{{- $given := $settings.server | default dict -}}
{{- $server := dict "host" "0.0.0.0" "port" 8080 "operations_port" 9090 "drain_delay" 10 -}}
{{- /* A call that came in the last moment of the delay still has all of its time. */ -}}
{{- $_ := set $server "shutdown_timeout" (add 5 (ceil ($given.default_timeout | default 30))) -}}
{{- if eq .Values.configReload "restart" -}}
{{- /* Else the pods that are yet to be replaced would take the file over themselves. */ -}}
{{- $_ := set $server "reload" 0 -}}
{{- end -}}
{{- range $key, $value := $given -}}
{{- $_ := set $server $key $value -}}
{{- end -}}
{{- $_ := set $settings "server" $server -}}
{{- if .Values.valkey.enabled -}}
{{- $valkey := dict "address" (printf "%s:6379" (include "valkey.fullname" .)) "password" (dict "file" "/run/secrets/valkey/password") -}}
{{- range $key, $value := ($settings.store | default dict).valkey | default dict -}}
{{- $_ := set $valkey $key $value -}}
{{- end -}}
{{- $_ := set $settings "store" (dict "kind" "valkey" "valkey" $valkey) -}}
{{- end -}}
{{- toYaml $settings -}}
{{- end }}

{{/* "true" when the configuration is the chart's own, for the sandbox. */}}
{{- define "ultimo-gateway.demo" -}}
{{- and .Values.sandbox.enabled (empty .Values.config) -}}
{{- end }}

{{/* The keys are 'demo-key' and 'demo-read-key', those of the demo: no secrets. */}}
{{- define "ultimo-gateway.demoConfiguration" -}}
{{- $sandbox := printf "http://%s-sandbox:8081" (include "ultimo-gateway.fullname" .) -}}
environments:
  sandbox:
    rest: {{ $sandbox }}/api/v1
    site: {{ $sandbox }}
    zone: Europe/Amsterdam
    allow_http: true
    quota: {cold_start: trust}
tenants:
  demo:
    environment: sandbox
    credentials: {api_key: {env: SANDBOX_KEY}}
    adapters: [rest, batch]
clients:
  demo:
    keys: ["sha256:c48a01f49fd0f2cc404bc3cbbc80e91457a3d41bb429a695243de4c61794155c"]
    scopes: [read, write]
    tenants: ["*"]
  demo-read:
    keys: ["sha256:99f1603c02aad2436dc904ca99e9630155ad4a9ce0fa047a986363be602030df"]
    scopes: [read]
    tenants: ["*"]
store: {kind: memory}
{{- end }}

{{/* What a running gateway cannot take over; all of it where it never looks at its file. */}}
{{- define "ultimo-gateway.checksum" -}}
{{- $settings := include "ultimo-gateway.settings" . | fromYaml -}}
{{- if or (eq .Values.configReload "restart") (eq (toString $settings.server.reload) "0") -}}
{{- toYaml $settings | sha256sum -}}
{{- else -}}
{{- pick $settings "server" "store" | toYaml | sha256sum -}}
{{- end -}}
{{- end }}

{{/* Seconds: the delay, the calls under way, and ten for the rest. */}}
{{- define "ultimo-gateway.gracePeriod" -}}
{{- $server := (include "ultimo-gateway.settings" . | fromYaml).server -}}
{{- add (ceil $server.drain_delay | int) (int $server.shutdown_timeout) 10 -}}
{{- end }}

{{/* memory, sqlite or valkey. */}}
{{- define "ultimo-gateway.storeKind" -}}
{{- ((include "ultimo-gateway.settings" . | fromYaml).store | default dict).kind | default "sqlite" -}}
{{- end }}

{{/* "true" when a volume keeps the SQLite file. */}}
{{- define "ultimo-gateway.persistent" -}}
{{- and .Values.persistence.enabled (eq (include "ultimo-gateway.storeKind" .) "sqlite") -}}
{{- end }}

{{/* The names of all folders under /run/secrets. */}}
{{- define "ultimo-gateway.secretFolders" -}}
{{- $names := list -}}
{{- range concat .Values.secrets.existing .Values.secrets.external .Values.secrets.csi -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- if .Values.valkey.enabled -}}
{{- $names = append $names "valkey" -}}
{{- end -}}
{{- toJson $names -}}
{{- end }}
