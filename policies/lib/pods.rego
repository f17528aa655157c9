# What policies share about objects that run pods.
package tidewaiter.lib.pods

import data.tidewaiter.lib.k8s

# Where the pod specification stands, by kind. Which groups a kind may be of is said by the
# policies: a core Service has no pods, one of Knative has.
_pod_spec_paths := {
	"Configuration": ["spec", "template", "spec"],
	"CronJob": ["spec", "jobTemplate", "spec", "template", "spec"],
	"DaemonSet": ["spec", "template", "spec"],
	"Deployment": ["spec", "template", "spec"],
	"DeploymentConfig": ["spec", "template", "spec"],
	"Job": ["spec", "template", "spec"],
	"Pod": ["spec"],
	"PodTemplate": ["template", "spec"],
	"ReplicaSet": ["spec", "template", "spec"],
	"ReplicationController": ["spec", "template", "spec"],
	"Rollout": ["spec", "template", "spec"],
	"Service": ["spec", "template", "spec"],
	"StatefulSet": ["spec", "template", "spec"],
}

# The pod specification of the object: `path` and `value`.
specs contains {"path": path, "value": spec} if {
	is_object(input.object)
	path := _pod_spec_paths[input.kind.kind]
	spec := object.get(input.object, path, null)
	is_object(spec)
}

# All containers, whatever they are called: `path`, `value`, the `pod` that they are in, and the
# `label` that messages use.
containers contains {"path": path, "value": container, "label": name, "pod": pod} if {
	some pod in specs
	some list, noun in _container_lists
	some index, container in k8s.items(object.get(pod.value, list, null))
	is_object(container)
	path := array.concat(pod.path, [list, index])
	name := _container_label(noun, object.get(container, "name", null), index)
}

_container_lists := {
	"containers": "container",
	"ephemeralContainers": "ephemeral container",
	"initContainers": "init container",
}

_container_label(noun, name, _) := sprintf("%s `%s`", [noun, name]) if is_string(name)

_container_label(noun, name, index) := sprintf("%s %d", [noun, index + 1]) if not is_string(name)

# A field of the security context of a pod or a container; null where there is none.
security(spec, name) := value if {
	context := object.get(spec, "securityContext", null)
	value := _field(context, name)
}

_field(value, name) := object.get(value, name, null) if is_object(value)

_field(value, _) := null if not is_object(value)
