# METADATA
# title: Role may act as somebody else
# description: |
#   Whoever may impersonate users, groups or service accounts has all of their rights, and the audit
#   log names the wrong one first. Without `resourceNames` that is anybody, `system:masters` included;
#   with them it is high, because it is as bad as what the named ones may do.
# related_resources:
#   - description: User impersonation
#     ref: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
# custom:
#   severity: critical
#   since: 0.1.0
#   help: restrict it with `resourceNames`, or remove it
#   kinds: [rbac.authorization.k8s.io/ClusterRole, rbac.authorization.k8s.io/Role]
package tidewaiter.rbac.impersonate_verb

import data.tidewaiter.lib.k8s
import data.tidewaiter.lib.rbac

deny contains violation if {
	some rule in rbac.rules
	some index, verb in rbac.texts(rule.value, "verbs")
	verb == "impersonate"
	names := rbac.resource_names(rule.value)
	violation := {
		"msg": sprintf("%s may impersonate %s%s", [
			k8s.label,
			rbac.targets(rule.value),
			_named(names),
		]),
		"path": array.concat(rule.path, ["verbs", index]),
		"severity": _severity(names),
	}
}

_named([]) := ""

_named(names) := sprintf(" named %s", [rbac.list(names)]) if count(names) > 0

_severity([]) := "critical"

_severity(names) := "high" if count(names) > 0
