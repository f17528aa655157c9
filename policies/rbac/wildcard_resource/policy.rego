# METADATA
# title: Role covers every resource of a group
# description: |
#   The resource `*` covers Secrets, tokens and roles in the core groups, and in any group whatever
#   resource is added later. Medium where all groups are those of products, not of Kubernetes.
# related_resources:
#   - description: RBAC good practices
#     ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: high
#   enforcement: warn
#   since: 0.1.0
#   help: list the resources that are used
#   kinds: [rbac.authorization.k8s.io/ClusterRole, rbac.authorization.k8s.io/Role]
package tidewaiter.rbac.wildcard_resource

import data.tidewaiter.lib.k8s
import data.tidewaiter.lib.rbac

deny contains violation if {
	some rule in rbac.rules
	role := rule.value
	not rbac.is_full_wildcard(role)
	some index, resource in rbac.texts(rule.value, "resources")
	resource == "*"
	verbs := [verb | some verb in rbac.texts(rule.value, "verbs")]
	violation := {
		"msg": sprintf("%s allows %s on %s", [k8s.label, _verbs(verbs), rbac.targets(rule.value)]),
		"path": array.concat(rule.path, ["resources", index]),
		"severity": rbac.wildcard_severity(rule.value),
	}
}

_verbs(verbs) := "every verb" if "*" in verbs

_verbs(verbs) := rbac.list(verbs) if not "*" in verbs
