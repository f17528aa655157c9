# METADATA
# title: Role covers every resource of a group
# description: |
#   The resource `*` covers Secrets, tokens and roles in the core groups, and in any group whatever
#   resource is added later. Medium where the groups are named and none of Kubernetes' own core group
#   is among them: then it is the API of one product.
# related_resources:
#   - description: RBAC good practices
#     ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: high
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
	groups := [group | some group in rbac.texts(rule.value, "apiGroups")]
	verbs := [verb | some verb in rbac.texts(rule.value, "verbs")]
	violation := {
		"msg": sprintf("%s allows %s on every resource of %s", [
			k8s.label,
			_verbs(verbs),
			_groups(groups),
		]),
		"path": array.concat(rule.path, ["resources", index]),
		"severity": _severity(groups),
	}
}

_verbs(verbs) := "every verb" if "*" in verbs

_verbs(verbs) := rbac.list(verbs) if not "*" in verbs

_groups(groups) := "every API group" if "*" in groups

_groups(groups) := sprintf("the API groups %s", [rbac.list(named)]) if {
	not "*" in groups
	named := [_group(group) | some group in groups]
}

_group("") := "core"

_group(group) := group if group != ""

_severity(groups) := "high" if _is_core(groups)

_severity(groups) := "medium" if not _is_core(groups)

_is_core(groups) if {
	some group in groups
	group in {"*", "", "rbac.authorization.k8s.io"}
}
