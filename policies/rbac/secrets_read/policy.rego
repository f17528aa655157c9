# METADATA
# title: ClusterRole reads every Secret
# description: |
#   `get`, `list` and `watch` all return the content of Secrets. In a ClusterRole without
#   `resourceNames` they are the Secrets of every namespace, the tokens and certificates of the
#   control plane among them, as soon as a ClusterRoleBinding gives it.
# related_resources:
#   - description: RBAC good practices
#     ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: high
#   enforcement: warn
#   since: 0.1.0
#   help: use a Role per namespace, or name the Secrets with `resourceNames`
#   kinds: [rbac.authorization.k8s.io/ClusterRole]
package tidewaiter.rbac.secrets_read

import data.tidewaiter.lib.k8s
import data.tidewaiter.lib.rbac

# A wildcard for the resource is a rule of its own.
deny contains violation if {
	some rule in rbac.rules
	rbac.covers(rule.value, "apiGroups", {""})
	rbac.covers(rule.value, "verbs", {"get", "list", "watch"})
	count(rbac.resource_names(rule.value)) == 0
	some index, resource in rbac.texts(rule.value, "resources")
	resource == "secrets"
	violation := {
		"msg": sprintf("%s reads the Secrets of every namespace", [k8s.label]),
		"path": array.concat(rule.path, ["resources", index]),
	}
}
