# METADATA
# title: Binding gives rights to anybody
# description: |
#   `system:anonymous` and `system:unauthenticated` are whoever reaches the API server without
#   credentials. Two roles of Kubernetes are made for them: `system:public-info-viewer`, which shows the
#   version and the health, and `system:service-account-issuer-discovery`, which shows public keys.
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
	role := rbac.role_ref.name
	not role in {"system:public-info-viewer", "system:service-account-issuer-discovery"}
	violation := {
		"msg": sprintf("%s gives `%v` to everybody without credentials", [k8s.label, role]),
		"path": array.concat(subject.path, ["name"]),
	}
}
