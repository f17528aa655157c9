# What policies share about roles and bindings.
package tidewaiter.lib.rbac

import data.tidewaiter.lib.k8s

# The rules of a role: `path` and `value`.
rules contains {"path": ["rules", index], "value": rule} if {
	some index, rule in k8s.items(k8s.field("rules"))
	is_object(rule)
}

# The subjects of a binding: `path` and `value`.
subjects contains {"path": ["subjects", index], "value": subject} if {
	some index, subject in k8s.items(k8s.field("subjects"))
	is_object(subject)
}

# The role that a binding gives: its kind and its name.
role_ref := {"kind": object.get(ref, "kind", ""), "name": object.get(ref, "name", "")} if {
	ref := k8s.field("roleRef")
	is_object(ref)
}

# The texts of a list of a rule, by position; other elements are left to the schema check.
texts(rule, name) := {index: text |
	some index, text in k8s.items(object.get(rule, name, null))
	is_string(text)
}

# Whether a rule names one of `wanted`, or all there is, in a list.
covers(rule, name, wanted) if {
	some text in texts(rule, name)
	text in (wanted | {"*"})
}

# Whether a rule is about RBAC's own roles, which `escalate` and `bind` are about.
covers_roles(rule) if {
	covers(rule, "apiGroups", {"rbac.authorization.k8s.io"})
	covers(rule, "resources", {"clusterroles", "roles"})
}

# Whether a rule allows everything.
is_full_wildcard(rule) if {
	every name in ["apiGroups", "resources", "verbs"] {
		"*" in {text | some text in texts(rule, name)}
	}
}

# The names to which a rule is restricted.
resource_names(rule) := [name | some name in texts(rule, "resourceNames")]

# The API groups of a rule.
groups(rule) := [group | some group in texts(rule, "apiGroups")]

# How bad a wildcard is: high in the groups of Kubernetes itself, medium in the API of a product.
wildcard_severity(rule) := "medium" if _is_product(rule)

wildcard_severity(rule) := "high" if not _is_product(rule)

# The groups of Kubernetes have no dot in their name, or end in `k8s.io`.
_is_product(rule) if {
	count(groups(rule)) > 0
	every group in groups(rule) {
		contains(group, ".")
		not endswith(group, "k8s.io")
	}
}

# What a rule is about, as messages name it.
targets(rule) := sprintf("every resource of %s", [_groups(groups(rule))]) if _is_any(rule)

targets(rule) := list(array.concat(
	[name | some name in texts(rule, "resources")],
	[name | some name in texts(rule, "nonResourceURLs")],
)) if {
	not _is_any(rule)
}

_is_any(rule) if "*" in [name | some name in texts(rule, "resources")]

_groups([]) := "no API group"

_groups(names) := "every API group" if "*" in names

_groups([name]) := sprintf("the API group `%s`", [_group(name)]) if name != "*"

_groups(names) := sprintf("the API groups %s", [list([_group(name) | some name in names])]) if {
	count(names) > 1
	not "*" in names
}

_group("") := "core"

_group(name) := name if name != ""

# Names as messages list them, the first few of many.
list([]) := "nothing"

list(names) := concat(", ", [sprintf("`%s`", [name]) | some name in names]) if {
	count(names) > 0
	count(names) <= 4
}

list(names) := sprintf("%s and %d more", [shown, count(names) - 3]) if {
	count(names) > 4
	shown := concat(", ", [sprintf("`%s`", [name]) | some name in array.slice(names, 0, 3)])
}

# A subject as messages name it.
subject_label(subject) := sprintf("%v `%v%v`", [kind, _prefix(namespace), name]) if {
	kind := object.get(subject, "kind", "subject")
	name := object.get(subject, "name", "")
	namespace := object.get(subject, "namespace", "")
}

_prefix("") := ""

_prefix(namespace) := sprintf("%v/", [namespace]) if namespace != ""
