# METADATA
# title: Role allows every verb
# description: |
#   The verb `*` allows what the resource has now and what it will have: `escalate`, `bind` and
#   `impersonate` are verbs, too. Nobody who reviews the role can say what it allows. Medium where all
#   groups are those of products, not of Kubernetes.
# related_resources:
#   - description: RBAC good practices
#     ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: high
#   enforcement: warn
#   since: 0.1.0
#   help: list the verbs that are used
#   kinds: [rbac.authorization.k8s.io/ClusterRole, rbac.authorization.k8s.io/Role]
package tidewaiter.rbac.wildcard_verb

import data.tidewaiter.lib.k8s
import data.tidewaiter.lib.rbac

deny contains violation if {
	some rule in rbac.rules
	role := rule.value
	not rbac.is_full_wildcard(role)
	some index, verb in rbac.texts(rule.value, "verbs")
	verb == "*"
	violation := {
		"msg": sprintf("%s allows every verb on %s", [k8s.label, rbac.targets(rule.value)]),
		"path": array.concat(rule.path, ["verbs", index]),
		"severity": rbac.wildcard_severity(rule.value),
	}
}
