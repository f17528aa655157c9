# METADATA
# title: Pod shares the memory of its node
# description: |
#   A pod that shares the IPC namespace of its node reads and writes the shared memory of the processes
#   there, databases and graphics among them.
# related_resources:
#   - description: Pod Security Standards
#     ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   severity: high
#   since: 0.1.0
#   help: remove `hostIPC`, and share an `emptyDir` in memory between containers
#   kinds: [
#     Pod, PodTemplate, ReplicationController, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job,
#     CronJob, argoproj.io/Rollout, apps.openshift.io/DeploymentConfig, serving.knative.dev/Service,
#     serving.knative.dev/Configuration,
#   ]
package tidewaiter.pod_security.host_ipc

import data.tidewaiter.lib.k8s
import data.tidewaiter.lib.pods

deny contains violation if {
	some pod in pods.specs
	object.get(pod.value, "hostIPC", null) == true
	violation := {
		"msg": sprintf("%s shares the IPC namespace of its node", [k8s.label]),
		"path": array.concat(pod.path, ["hostIPC"]),
	}
}
