# METADATA
# title: Production runs whatever `latest` is today
# description: |
#   The tag `latest`, and an image without a tag, which is the same, name another image after every
#   push. Two pods of one Deployment may run different code, what was tested is not what runs, and a
#   rollback rolls nothing back. Judged in production only.
# related_resources:
#   - description: Images
#     ref: https://kubernetes.io/docs/concepts/containers/images/
# custom:
#   severity: high
#   since: 0.1.0
#   help: name the version and, better, its digest
#   kinds: [
#     Pod, PodTemplate, ReplicationController, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job,
#     CronJob, argoproj.io/Rollout, apps.openshift.io/DeploymentConfig, serving.knative.dev/Service,
#     serving.knative.dev/Configuration,
#   ]
package tidewaiter.production.latest_image_tag

import data.tidewaiter.lib.pods

deny contains violation if {
	input.environment.tier == "production"
	some container in pods.containers
	image := object.get(container.value, "image", null)
	is_string(image)
	not _is_settled(image)
	some complaint in _complaints(image)
	violation := {
		"msg": sprintf("%s runs `%s`%s in production", [container.label, image, complaint]),
		"path": array.concat(container.path, ["image"]),
	}
}

# Nothing to judge: no image (an injector sets it), a digest, or a text that is filled in later.
_is_settled(image) if image == ""

_is_settled(image) if contains(image, "@")

_is_settled(image) if {
	some mark in ["$", "{{", "<", "%", "://"]
	contains(image, mark)
}

# A registry may have a port, so only what follows the last slash can be a tag.
_complaints(image) := {complaint |
	parts := split(image, "/")
	name := parts[count(parts) - 1]
	complaint := _complaint(split(name, ":"))
}

_complaint([_]) := " without a tag"

_complaint([_, "latest"]) := ""
