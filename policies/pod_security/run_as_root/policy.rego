# METADATA
# title: Container runs as root
# description: |
#   Root in a container is root on the node as soon as anything lets it out: a mounted path, a kernel
#   bug, a capability too many. This rule reports what is said outright, by `runAsUser: 0` or
#   `runAsNonRoot: false`; it does not ask for a setting where there is none.
# related_resources:
#   - description: Pod Security Standards
#     ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   severity: high
#   since: 0.1.0
#   help: 'set `runAsNonRoot: true` and a `runAsUser` other than 0'
#   kinds: [
#     Pod, PodTemplate, ReplicationController, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job,
#     CronJob, argoproj.io/Rollout, apps.openshift.io/DeploymentConfig, serving.knative.dev/Service,
#     serving.knative.dev/Configuration,
#   ]
package tidewaiter.pod_security.run_as_root

import data.tidewaiter.lib.k8s
import data.tidewaiter.lib.pods

deny contains violation if {
	some container in pods.containers
	user := _effective(container, "runAsUser")
	user.value == 0
	violation := {
		"msg": sprintf("%s runs as root: `runAsUser` is 0", [user.label]),
		"path": user.path,
	}
}

# With a user that is not root, `runAsNonRoot: false` allows nothing.
deny contains violation if {
	some container in pods.containers
	user := _effective(container, "runAsUser")
	user.value == null
	non_root := _effective(container, "runAsNonRoot")
	non_root.value == false
	violation := {
		"msg": sprintf("%s may run as root: `runAsNonRoot` is false", [non_root.label]),
		"path": non_root.path,
	}
}

# What holds for a container: its own setting, else the one of its pod.
_effective(container, name) := {
	"value": value,
	"label": container.label,
	"path": array.concat(container.path, ["securityContext", name]),
} if {
	value := pods.security(container.value, name)
	value != null
}

_effective(container, name) := {
	"value": value,
	"label": k8s.label,
	"path": array.concat(container.pod.path, ["securityContext", name]),
} if {
	pods.security(container.value, name) == null
	value := pods.security(container.pod.value, name)
}
