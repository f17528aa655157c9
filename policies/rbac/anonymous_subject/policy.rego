# METADATA
# title: Binding gives rights to anybody
# description: |
#   `system:anonymous` and `system:unauthenticated` are whoever reaches the API server without
#   credentials. Kubernetes itself binds one role to them, `system:public-info-viewer`, which shows the
#   version and the health.
# related_resources:
#   - description: RBAC good practices
#     ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: critical
#   since: 0.1.0
#   help: bind a group of users who are known
#   kinds: [rbac.authorization.k8s.io/ClusterRoleBinding, rbac.authorization.k8s.io/RoleBinding]
package tidewaiter.rbac.anonymous_subject

import data.tidewaiter.lib.k8s
import data.tidewaiter.lib.rbac

deny contains violation if {
	some subject in rbac.subjects
	name := object.get(subject.value, "name", "")
	name in {"system:anonymous", "system:unauthenticated"}
	rbac.role_ref.name != "system:public-info-viewer"
	violation := {
		"msg": sprintf("%s gives `%v` to everybody without credentials", [
			k8s.label,
			rbac.role_ref.name,
		]),
		"path": array.concat(subject.path, ["name"]),
	}
}
