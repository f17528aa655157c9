# METADATA
# title: Container adds a capability beyond the baseline
# description: |
#   The baseline of the Pod Security Standards has the thirteen capabilities that container runtimes
#   give anyway. Most of the others (`SYS_ADMIN`, `SYS_PTRACE`, `NET_ADMIN`, `DAC_READ_SEARCH`, `ALL`)
#   lead out of the container or into the network of the node.
# related_resources:
#   - description: Pod Security Standards
#     ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   severity: high
#   since: 0.1.0
#   help: remove the capability; `NET_BIND_SERVICE` is enough for a low port
#   kinds: [
#     Pod, PodTemplate, ReplicationController, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job,
#     CronJob, argoproj.io/Rollout, apps.openshift.io/DeploymentConfig, serving.knative.dev/Service,
#     serving.knative.dev/Configuration,
#   ]
package tidewaiter.pod_security.added_capability

import data.tidewaiter.lib.k8s
import data.tidewaiter.lib.pods

# Compared as the Pod Security admission does: exactly, without a `CAP_` in front.
_baseline := {
	"AUDIT_WRITE",
	"CHOWN",
	"DAC_OVERRIDE",
	"FOWNER",
	"FSETID",
	"KILL",
	"MKNOD",
	"NET_BIND_SERVICE",
	"SETFCAP",
	"SETGID",
	"SETPCAP",
	"SETUID",
	"SYS_CHROOT",
}

deny contains violation if {
	some container in pods.containers
	capabilities := pods.security(container.value, "capabilities")
	is_object(capabilities)
	some index, name in k8s.items(object.get(capabilities, "add", null))
	is_string(name)
	not name in _baseline
	violation := {
		"msg": sprintf("%s adds the capability `%s`", [container.label, name]),
		"path": array.concat(container.path, ["securityContext", "capabilities", "add", index]),
	}
}
