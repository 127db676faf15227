{{/* The release's own name for its objects. */}}
{{- define "qwen-operator.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name }}{{ end }}
{{- end }}

{{/* What the Deployment selects its pods by; never changes in the life of a release. */}}
{{- define "qwen-operator.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The metadata of an object: (dict "root" $ "name" … "namespace" … "labels" … "annotations" …), the last three optional. */}}
{{- define "qwen-operator.metadata" -}}
{{- $chart := printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" -}}
{{- $version := .root.Chart.AppVersion | replace "+" "_" -}}
{{- $labels := include "qwen-operator.selector" .root | fromYaml -}}
{{- $labels = merge $labels (dict "app.kubernetes.io/version" $version "app.kubernetes.io/managed-by" .root.Release.Service "helm.sh/chart" $chart) -}}
{{- $metadata := dict "name" .name "labels" (merge $labels (.labels | default dict) .root.Values.labels) -}}
{{- with .namespace }}{{ $_ := set $metadata "namespace" . }}{{ end -}}
{{- with merge (dict) (.annotations | default dict) .root.Values.annotations }}{{ $_ := set $metadata "annotations" . }}{{ end -}}
{{- toYaml $metadata }}
{{- end }}

{{/* The namespaces in which QwenModels are served, as a JSON list; empty means all. */}}
{{- define "qwen-operator.namespaces" -}}
{{- if and .Values.clusterWide .Values.watchNamespaces }}
{{- fail "clusterWide serves every namespace, so watchNamespaces must be empty: remove one of the two." }}
{{- end }}
{{- if .Values.clusterWide }}{{ list | toJson }}{{ else }}{{ .Values.watchNamespaces | default (list .Release.Namespace) | toJson }}{{ end }}
{{- end }}

{{/* The operator's image by digest or by tag. */}}
{{- define "qwen-operator.image" -}}
{{- $repository := required "image.repository is empty: push the images with 'make images REGISTRY=registry.example.com' and set image.repository=registry.example.com/qwen-operator/operator." .Values.image.repository -}}
{{- if .Values.image.digest }}{{ $repository }}@{{ .Values.image.digest }}{{ else }}{{ $repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{/* The operator's ServiceAccount as the subject of a binding. */}}
{{- define "qwen-operator.subjects" -}}
- kind: ServiceAccount
  name: {{ include "qwen-operator.name" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{/* What an image must match, as a regular expression (RE2): the release's own repositories and admissionPolicy.images. */}}
{{- define "qwen-operator.images" -}}
{{- $own := list (include "qwen-operator.image" .) .Values.serverImages.gpu .Values.serverImages.cpu -}}
{{- $places := list -}}
{{- range $own }}
{{- if and $.Values.admissionPolicy.requireDigest (not (contains "@" .)) }}
{{- fail (printf "admissionPolicy.requireDigest is true, but %s has no digest: set image.digest, and write serverImages as repository@sha256:…" .) }}
{{- end }}
{{- $places = append $places (. | regexFind "^[^@]*" | regexFind "^(.*/)?[^:]*" | regexQuoteMeta) }}
{{- end }}
{{- range .Values.admissionPolicy.images }}{{ $places = append $places (printf "%s(/[a-z0-9._-]+)*" (regexQuoteMeta .)) }}{{ end -}}
{{- $digest := "(@sha256:[a-f0-9]{64})" -}}
^({{ $places | uniq | join "|" }})(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?{{ $digest }}{{ if not .Values.admissionPolicy.requireDigest }}?{{ end }}$
{{- end }}
