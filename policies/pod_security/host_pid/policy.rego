# METADATA
# title: Pod sees the processes of its node
# description: |
#   A pod that shares the process namespace of its node sees every process there, with its arguments
#   and environment, and can signal or trace those of its own user.
# related_resources:
#   - description: Pod Security Standards
#     ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   severity: high
#   since: 0.1.0
#   help: remove `hostPID`
#   kinds: [
#     Pod, PodTemplate, ReplicationController, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job,
#     CronJob, argoproj.io/Rollout, apps.openshift.io/DeploymentConfig, serving.knative.dev/Service,
#     serving.knative.dev/Configuration,
#   ]
package tidewaiter.pod_security.host_pid

import data.tidewaiter.lib.k8s
import data.tidewaiter.lib.pods

deny contains violation if {
	some pod in pods.specs
	object.get(pod.value, "hostPID", null) == true
	violation := {
		"msg": sprintf("%s sees the processes of its node", [k8s.label]),
		"path": array.concat(pod.path, ["hostPID"]),
	}
}
