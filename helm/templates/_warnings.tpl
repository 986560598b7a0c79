{{/* For NOTES.txt: what is allowed and yet looks like a mistake. */}}
{{- define "ultimo-gateway.warnings" -}}
{{- $kind := include "ultimo-gateway.storeKind" . -}}
{{- $settings := include "ultimo-gateway.settings" . | fromYaml -}}
{{- $most := ternary .Values.autoscaling.maxReplicas .Values.replicas .Values.autoscaling.enabled | int -}}
{{- if .Values.sandbox.enabled }}
WARNING: the sandbox is a look-alike with made-up records and a password that everybody knows. It belongs in test clusters only.
{{- end }}
{{- if eq $kind "memory" }}
WARNING: the store is in memory. A restart forgets what was used of the quota and every idempotency key.
{{- else if and (eq $kind "sqlite") (not .Values.persistence.enabled) }}
WARNING: SQLite has no volume (persistence.enabled). A restart forgets what was used of the quota and every idempotency key.
{{- else if eq $kind "sqlite" }}
WARNING: there is one pod, with SQLite on a volume. Each upgrade interrupts the service for some seconds; several pods need Valkey.
{{- end }}
{{- if and (gt $most 1) (empty $settings.server.cursor_secret) }}
WARNING: config.server.cursor_secret is not set. A list that one pod began, another one cannot continue: give all of them one secret.
{{- end }}
{{- range $environment, $its := $settings.environments }}
{{- $share := ($its.quota | default dict).local_share | default 0.1 }}
{{- if gt (mulf $share (add1 $most)) 1.0 }}
WARNING: config.environments.{{ $environment }}.quota.local_share ({{ $share }}) times {{ add1 $most }} pods is more than 1: without the store they would send more than the quota allows.
{{- end }}
{{- end }}
{{- if not .Values.networkPolicy.enabled }}
WARNING: there is no NetworkPolicy. Whoever reaches a pod reaches its metrics and, with the sandbox or Valkey, those too.
{{- end }}
{{- $outside := or .Values.ingress.enabled .Values.httpRoute.enabled (ne .Values.service.type "ClusterIP") }}
{{- if and $outside .Values.networkPolicy.enabled (eq (toJson .Values.networkPolicy.api.from) `[{"podSelector":{}}]`) }}
WARNING: the API is opened to others and networkPolicy.api.from lets in this namespace alone. Name there who calls: the controller's namespace, or addresses.
{{- end }}
{{- include "ultimo-gateway.unreached" . }}
{{- if and .Values.monitoring.rules.enabled (not .Values.monitoring.serviceMonitor.enabled) }}
WARNING: the alerts know the gateway by job="{{ include "ultimo-gateway.fullname" . }}-operations", as a ServiceMonitor names it (monitoring.serviceMonitor.enabled). Under another name UltimoGatewayDown does not end.
{{- end }}
{{- if and $settings.server.tracing .Values.networkPolicy.enabled (empty .Values.networkPolicy.tracing.to) }}
WARNING: config.server.tracing is set and networkPolicy.tracing.to is empty. Traces arrive only if networkPolicy.upstream lets them out.
{{- end }}
{{- if and (eq (include "ultimo-gateway.demo" .) "false") (not $outside) }}
NOTE: only the cluster itself reaches the API; ingress.enabled or httpRoute.enabled open it to others.
{{- end }}
{{- end }}

{{/* Upstreams at ports that the NetworkPolicy does not let out. With a proxy, that is what the pods connect to. */}}
{{- define "ultimo-gateway.unreached" -}}
{{- $policy := .Values.networkPolicy }}
{{- if and $policy.enabled (empty $policy.extraEgress) }}
{{- range $environment, $its := .Values.config.environments }}
{{- $addresses := ternary (list $its.proxy) (concat (list $its.rest $its.site) (values ($its.addresses | default dict))) (not (empty $its.proxy)) }}
{{- range compact $addresses }}
{{- $url := urlParse . }}
{{- $port := regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (ternary "443" "80" (eq $url.scheme "https")) }}
{{- if not (has $port (toStrings $policy.upstream.ports)) }}
WARNING: config.environments.{{ $environment }} is reached at port {{ $port }}, which is not in networkPolicy.upstream.ports.
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
