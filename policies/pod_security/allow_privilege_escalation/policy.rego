# METADATA
# title: Container may gain privileges
# description: |
#   With `allowPrivilegeEscalation: true`, a process gains the rights of the owner of a program that it
#   starts (`setuid`, file capabilities), so a user other than root is no barrier. This rule reports
#   where it is asked for; it does not ask for `false`.
# related_resources:
#   - description: Pod Security Standards
#     ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   severity: high
#   enforcement: warn
#   since: 0.1.0
#   help: 'set `allowPrivilegeEscalation: false`'
#   kinds: [
#     Pod, PodTemplate, ReplicationController, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job,
#     CronJob, argoproj.io/Rollout, apps.openshift.io/DeploymentConfig, serving.knative.dev/Service,
#     serving.knative.dev/Configuration,
#   ]
package tidewaiter.pod_security.allow_privilege_escalation

import data.tidewaiter.lib.pods

deny contains violation if {
	some container in pods.containers
	pods.security(container.value, "allowPrivilegeEscalation") == true
	violation := {
		"msg": sprintf("%s may gain more privileges than it starts with", [container.label]),
		"path": array.concat(container.path, ["securityContext", "allowPrivilegeEscalation"]),
	}
}
