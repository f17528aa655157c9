{{- define "mailcatcher.labels" -}}
app.kubernetes.io/name: mailcatcher
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
