# METADATA
# title: Container runs privileged
# description: |
#   A privileged container has every capability of the node and all of its devices. Whoever gets into
#   the container has the node, and with it the credentials of every pod that runs there.
# related_resources:
#   - description: Pod Security Standards
#     ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   severity: critical
#   since: 0.1.0
#   help: remove `privileged`, and add the one capability that is needed
#   kinds: [
#     Pod, PodTemplate, ReplicationController, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job,
#     CronJob, argoproj.io/Rollout, apps.openshift.io/DeploymentConfig, serving.knative.dev/Service,
#     serving.knative.dev/Configuration,
#   ]
package tidewaiter.pod_security.privileged_container

import data.tidewaiter.lib.pods

deny contains violation if {
	some container in pods.containers
	pods.security(container.value, "privileged") == true
	violation := {
		"msg": sprintf("%s runs privileged", [container.label]),
		"path": array.concat(container.path, ["securityContext", "privileged"]),
	}
}
