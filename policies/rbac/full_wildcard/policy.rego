# METADATA
# title: Role allows everything
# description: |
#   Every verb on every resource of every API group is `cluster-admin` under another name, which no
#   search for `cluster-admin` finds. In a Role it is everything in the namespace, its Secrets and
#   role bindings among it.
# related_resources:
#   - description: RBAC good practices
#     ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: critical
#   since: 0.1.0
#   help: list the API groups, resources and verbs that are used
#   kinds: [rbac.authorization.k8s.io/ClusterRole, rbac.authorization.k8s.io/Role]
package tidewaiter.rbac.full_wildcard

import data.tidewaiter.lib.k8s
import data.tidewaiter.lib.rbac

deny contains violation if {
	some rule in rbac.rules
	rbac.is_full_wildcard(rule.value)
	some index, verb in rbac.texts(rule.value, "verbs")
	verb == "*"
	violation := {
		"msg": sprintf("%s allows everything%s", [k8s.label, _where]),
		"path": array.concat(rule.path, ["verbs", index]),
	}
}

_where := " in its namespace" if input.kind.kind == "Role"

_where := ", as `cluster-admin` does" if input.kind.kind != "Role"
