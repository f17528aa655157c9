# METADATA
# title: Role reaches the kubelet through the API server
# description: |
#   `nodes/proxy` reaches the kubelet's own API, which runs commands in every container of the node.
#   `get` is enough, because that API is reached by a WebSocket, and neither admission nor the audit
#   log sees what is done.
# related_resources:
#   - description: RBAC good practices
#     ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: critical
#   since: 0.1.0
#   help: use `nodes/metrics`, `nodes/stats` or `nodes/log`, which are what most agents need
#   kinds: [rbac.authorization.k8s.io/ClusterRole, rbac.authorization.k8s.io/Role]
package tidewaiter.rbac.nodes_proxy

import data.tidewaiter.lib.k8s
import data.tidewaiter.lib.rbac

deny contains violation if {
	some rule in rbac.rules
	rbac.covers(rule.value, "apiGroups", {""})
	some index, resource in rbac.texts(rule.value, "resources")
	resource == "nodes/proxy"
	count(rbac.texts(rule.value, "verbs")) > 0
	violation := {
		"msg": sprintf("%s reaches every kubelet through `nodes/proxy`", [k8s.label]),
		"path": array.concat(rule.path, ["resources", index]),
	}
}
