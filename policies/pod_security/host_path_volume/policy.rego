# METADATA
# title: Volume mounts a path of the node
# description: |
#   A path of the node in a pod is a way out of the container: through sockets, through files that root
#   on the node reads or runs, and through the volumes of other pods. It also ties the pod to what
#   happens to lie on that node.
# related_resources:
#   - description: Pod Security Standards
#     ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   severity: high
#   enforcement: warn
#   since: 0.1.0
#   help: use a volume of the cluster (`emptyDir`, a claim, `csi`); for agents that work on nodes, turn the rule off for their path in `tidewaiter.yaml`
#   kinds: [
#     Pod, PodTemplate, ReplicationController, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job,
#     CronJob, argoproj.io/Rollout, apps.openshift.io/DeploymentConfig, serving.knative.dev/Service,
#     serving.knative.dev/Configuration,
#   ]
package tidewaiter.pod_security.host_path_volume

import data.tidewaiter.lib.k8s
import data.tidewaiter.lib.pods

deny contains violation if {
	some pod in pods.specs
	some index, volume in k8s.items(object.get(pod.value, "volumes", null))
	is_object(volume)
	source := object.get(volume, "hostPath", null)
	is_object(source)
	violation := {
		"msg": sprintf("volume `%v` mounts `%v` of the node", [
			object.get(volume, "name", index),
			object.get(source, "path", ""),
		]),
		"path": array.concat(pod.path, ["volumes", index, "hostPath", "path"]),
	}
}
