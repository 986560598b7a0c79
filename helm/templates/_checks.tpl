{{/* What no schema can see to be wrong, because it takes two values. Each message names the value and what to do. */}}
{{- define "ultimo-gateway.checks" -}}
{{- if and (empty .Values.config) (not .Values.sandbox.enabled) -}}
{{- fail "\nconfig: is empty. Give the gateway's configuration, as in values-development.yaml of this chart; or try it with --set sandbox.enabled=true." -}}
{{- end -}}
{{- include "ultimo-gateway.checkConfiguration" . -}}
{{- include "ultimo-gateway.checkStore" . -}}
{{- $names := include "ultimo-gateway.secretFolders" . | fromJsonArray -}}
{{- if ne (len $names) (len (uniq $names)) -}}
{{- fail (printf "\nsecrets: two of them have the same name (%s); each is a folder under /run/secrets." (join ", " (sortAlpha $names))) -}}
{{- end -}}
{{- if and .Values.ingress.enabled (empty .Values.ingress.hosts) -}}
{{- fail "\ningress.hosts: is empty. Name the host under which the API is reached." -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (empty .Values.httpRoute.parentRefs) -}}
{{- fail "\nhttpRoute.parentRefs: is empty. Name the Gateway that the route belongs to." -}}
{{- end -}}
{{- end }}

{{- define "ultimo-gateway.checkConfiguration" -}}
{{- range $name, $tenant := .Values.config.tenants -}}
{{- if and (kindIs "map" $tenant.adapters) (gt (len ($tenant.adapters | default dict)) 1) -}}
{{- fail (printf "\nconfig.tenants.%s.adapters: Helm does not keep the order of a mapping, and it is their order of preference. Write a list: [rest, {connector: {...}}]." $name) -}}
{{- end -}}
{{- end -}}
{{- $server := (include "ultimo-gateway.settings" . | fromYaml).server -}}
{{- if regexMatch "^(localhost|127\\..*|::1)$" $server.host -}}
{{- fail (printf "\nconfig.server.host: nobody reaches a pod at '%s'. Leave it out." $server.host) -}}
{{- end -}}
{{- if or (empty $server.port) (empty $server.operations_port) (eq (int $server.port) (int $server.operations_port)) -}}
{{- fail "\nconfig.server: 'port' and 'operations_port' must be two ports above 0: what is let in to one is not let in to the other." -}}
{{- end -}}
{{- end }}

{{- define "ultimo-gateway.checkStore" -}}
{{- $kind := include "ultimo-gateway.storeKind" . -}}
{{- $given := .Values.config.store | default dict -}}
{{- if and .Values.valkey.enabled (ne ($given.kind | default "valkey") "valkey") -}}
{{- fail (printf "\nconfig.store.kind: is '%s' while valkey.enabled installs a Valkey for it. Leave config.store out." $given.kind) -}}
{{- end -}}
{{- if and (ne $kind "valkey") (or .Values.autoscaling.enabled (gt (int .Values.replicas) 1)) -}}
{{- fail (printf "\nreplicas, autoscaling: several pods cannot share a store of the kind '%s', and each would spend the whole quota. Set valkey.enabled, or give config.store.valkey.address." $kind) -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail "\nautoscaling.minReplicas: is more than maxReplicas." -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (empty .Values.autoscaling.cpuPercent) (empty .Values.autoscaling.queueWaitSeconds) -}}
{{- fail "\nautoscaling: neither cpuPercent nor queueWaitSeconds says what the number of pods follows." -}}
{{- end -}}
{{- if and (eq $kind "sqlite") $given.file (not (hasPrefix "/var/lib/ultimo-gateway/" $given.file)) -}}
{{- fail "\nconfig.store.file: is outside of the volume. Leave it out, or name a file in /var/lib/ultimo-gateway." -}}
{{- end -}}
{{- if and (eq $kind "valkey") (not .Values.valkey.enabled) (empty ($given.valkey).address) -}}
{{- fail "\nconfig.store.valkey.address: is missing. Say where your Valkey is, as host:port, or set valkey.enabled for one of the chart's." -}}
{{- end -}}
{{- if and (eq $kind "valkey") (not .Values.valkey.enabled) .Values.networkPolicy.enabled (empty .Values.networkPolicy.store.to) -}}
{{- fail "\nnetworkPolicy.store.to: is empty, so that no pod would reach config.store.valkey.address. Say where it is: [{ipBlock: {cidr: 192.0.2.10/32}}]." -}}
{{- end -}}
{{- end }}
