# METADATA
# title: Pod runs in the network of its node
# description: |
#   A pod in the network of its node reaches whatever listens on the node's own addresses, the kubelet
#   among it, hears its traffic, and is not subject to network policies.
# related_resources:
#   - description: Pod Security Standards
#     ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   severity: high
#   since: 0.1.0
#   help: remove `hostNetwork`, and publish ports with a Service
#   kinds: [
#     Pod, PodTemplate, ReplicationController, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job,
#     CronJob, argoproj.io/Rollout, apps.openshift.io/DeploymentConfig, serving.knative.dev/Service,
#     serving.knative.dev/Configuration,
#   ]
package tidewaiter.pod_security.host_network

import data.tidewaiter.lib.k8s
import data.tidewaiter.lib.pods

deny contains violation if {
	some pod in pods.specs
	object.get(pod.value, "hostNetwork", null) == true
	violation := {
		"msg": sprintf("%s runs in the network of its node", [k8s.label]),
		"path": array.concat(pod.path, ["hostNetwork"]),
	}
}
