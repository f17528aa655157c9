# METADATA
# title: Role may raise roles above itself
# description: |
#   The API server lets nobody write a role that allows more than its author may do, unless the author
#   has the verb `escalate`. Whoever has it gives itself everything.
# related_resources:
#   - description: Restrictions on role creation and binding
#     ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
# custom:
#   severity: critical
#   since: 0.1.0
#   help: 'remove `escalate`: the roles that a controller writes may not exceed its own'
#   kinds: [rbac.authorization.k8s.io/ClusterRole, rbac.authorization.k8s.io/Role]
package tidewaiter.rbac.escalate_verb

import data.tidewaiter.lib.k8s
import data.tidewaiter.lib.rbac

deny contains violation if {
	some rule in rbac.rules
	rbac.covers_roles(rule.value)
	some index, verb in rbac.texts(rule.value, "verbs")
	verb == "escalate"
	violation := {
		"msg": sprintf("%s may write roles that allow more than it does", [k8s.label]),
		"path": array.concat(rule.path, ["verbs", index]),
	}
}
