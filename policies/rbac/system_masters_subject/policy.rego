# METADATA
# title: Binding names system:masters
# description: |
#   The group `system:masters` is allowed everything before any role is looked at, admission webhooks
#   excepted, and no binding takes that away. A binding that names it gives nothing, and tells that
#   somebody is meant to be in it.
# related_resources:
#   - description: RBAC good practices
#     ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: critical
#   since: 0.1.0
#   help: bind a group of your own, which can be taken away again
#   kinds: [rbac.authorization.k8s.io/ClusterRoleBinding, rbac.authorization.k8s.io/RoleBinding]
package tidewaiter.rbac.system_masters_subject

import data.tidewaiter.lib.k8s
import data.tidewaiter.lib.rbac

deny contains violation if {
	some subject in rbac.subjects
	object.get(subject.value, "kind", "") == "Group"
	object.get(subject.value, "name", "") == "system:masters"
	violation := {
		"msg": sprintf("%s names the group `system:masters`", [k8s.label]),
		"path": array.concat(subject.path, ["name"]),
	}
}
