# METADATA
# title: Role may bind roles above itself
# description: |
#   The API server lets nobody bind a role that allows more than the author of the binding may do,
#   unless the author has the verb `bind`. Whoever has it binds itself to `cluster-admin`. Medium where
#   `resourceNames` says which roles it is about: then they are the ones to look at.
# related_resources:
#   - description: Restrictions on role creation and binding
#     ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
# custom:
#   severity: critical
#   since: 0.1.0
#   help: restrict it with `resourceNames` to the roles that are bound
#   kinds: [rbac.authorization.k8s.io/ClusterRole, rbac.authorization.k8s.io/Role]
package tidewaiter.rbac.bind_verb

import data.tidewaiter.lib.k8s
import data.tidewaiter.lib.rbac

deny contains violation if {
	some rule in rbac.rules
	rbac.covers_roles(rule.value)
	some index, verb in rbac.texts(rule.value, "verbs")
	verb == "bind"
	names := rbac.resource_names(rule.value)
	violation := {
		"msg": sprintf("%s may bind roles that allow more than it does%s", [k8s.label, _named(names)]),
		"path": array.concat(rule.path, ["verbs", index]),
		"severity": _severity(names),
	}
}

_named([]) := ""

_named(names) := sprintf(": %s", [rbac.list(names)]) if count(names) > 0

_severity([]) := "critical"

_severity(names) := "medium" if count(names) > 0
