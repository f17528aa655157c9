# METADATA
# title: Binding gives cluster-admin
# description: |
#   `cluster-admin` allows everything on every object, Secrets and roles among them. Whoever has one
#   of its subjects has the cluster. Reconcilers are often installed with it; they can work with less,
#   and by impersonating a service account per tenant. High where a RoleBinding keeps it to one
#   namespace.
# related_resources:
#   - description: User-facing roles
#     ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles
#   - description: RBAC good practices
#     ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: critical
#   since: 0.1.0
#   help: bind a role that allows what the subject does
#   kinds: [rbac.authorization.k8s.io/ClusterRoleBinding, rbac.authorization.k8s.io/RoleBinding]
package tidewaiter.rbac.cluster_admin_binding

import data.tidewaiter.lib.k8s
import data.tidewaiter.lib.rbac

deny contains violation if {
	rbac.role_ref.name == "cluster-admin"
	rbac.role_ref.kind == "ClusterRole"
	violation := {
		"msg": sprintf("%s gives `cluster-admin`%s to %s", [k8s.label, _where, _subjects]),
		"path": ["roleRef", "name"],
		"severity": _severity,
	}
}

_where := " in its namespace" if input.kind.kind == "RoleBinding"

_where := "" if input.kind.kind != "RoleBinding"

_severity := "high" if input.kind.kind == "RoleBinding"

_severity := "critical" if input.kind.kind != "RoleBinding"

_labels := [rbac.subject_label(subject.value) | some subject in rbac.subjects]

_subjects := "nobody yet" if count(_labels) == 0

_subjects := concat(", ", _labels) if {
	count(_labels) > 0
	count(_labels) <= 3
}

_subjects := sprintf("%d subjects", [count(_labels)]) if count(_labels) > 3
