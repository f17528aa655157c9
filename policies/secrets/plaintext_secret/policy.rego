# METADATA
# title: Secret is readable in the repository
# description: |
#   The values of a Secret are only encoded, not encrypted: whoever reads the repository, or any clone
#   of it, has them, and history keeps them. Critical where the key or the value says that it is a
#   credential, medium for other values (a user name, a host), which a ConfigMap could hold.
#
#   Encrypted values (SOPS), placeholders that are filled in later, certificates and public keys are
#   fine. The value itself is never shown.
#
#   In the cluster every Secret is readable, so there the rule asks where it came from. It reports one
#   that a person wrote and that no controller owns. What controllers and reconcilers write is fine,
#   because a reconciler decrypts; where it does not, because a team uses sealed or external Secrets
#   alone, the label `decryption: none` of the environment says so, and a Secret that comes from the
#   repository without an owner is reported, too. Records of Helm releases are left out.
# related_resources:
#   - description: Good practices for Secrets
#     ref: https://kubernetes.io/docs/concepts/security/secrets-good-practices/
#   - description: Flux and SOPS
#     ref: https://fluxcd.io/flux/guides/mozilla-sops/
# custom:
#   severity: critical
#   since: 0.1.0
#   help: rotate the value, then commit it encrypted (SOPS), as a SealedSecret, or as an ExternalSecret
#   kinds: [core/Secret]
package tidewaiter.secrets.plaintext_secret

import data.tidewaiter.lib.k8s

# A repository holds it.
deny contains violation if {
	input.source != null
	some value in _readable
	violation := {
		"msg": sprintf("%s holds `%s` in plain text", [k8s.label, value.key]),
		"path": [value.field, value.key],
		"severity": _severity(value),
	}
}

# The cluster is asked to store it: there every value is readable, and the question is who wrote it.
deny contains violation if {
	input.source == null
	count(_readable) > 0
	count(k8s.items(_metadata("ownerReferences"))) == 0
	k8s.field("type") != "helm.sh/release.v1"
	not _is_unchanged
	_user != ""
	not _is_component
	violation := {
		"msg": sprintf("%s is written by `%s`, and no controller owns it", [k8s.label, _user]),
		"path": ["data"],
		"help": "create it from the repository: encrypted (SOPS), sealed, or as an ExternalSecret",
	}
}

# What a reconciler applies was decrypted on its way, unless the environment says that nothing is.
deny contains violation if {
	input.source == null
	count(_readable) > 0
	count(k8s.items(_metadata("ownerReferences"))) == 0
	not _is_unchanged
	_is_reconciled
	_decryption == "none"
	violation := {
		"msg": sprintf("%s is applied from a repository that encrypts nothing", [k8s.label]),
		"path": ["data"],
		"help": "commit it as a SealedSecret or an ExternalSecret, whose controller then owns it",
	}
}

default _user := ""

_user := name if {
	is_object(input.userInfo)
	name := object.get(input.userInfo, "username", "")
	is_string(name)
}

# Controllers, reconcilers and the control plane write Secrets all day. `system:admin` is a person
# with the certificate of a cluster's creator.
_is_component if {
	startswith(_user, "system:")
	_user != "system:admin"
}

# The values are what they were: a label or an annotation changes.
_is_unchanged if {
	is_object(input.oldObject)
	object.get(input.oldObject, "data", null) == k8s.field("data")
	k8s.field("stringData") == null
}

_is_reconciled if {
	some name in ["kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name"]
	labels := _metadata("labels")
	is_object(labels)
	object.get(labels, name, null) != null
}

_is_reconciled if {
	annotations := _metadata("annotations")
	is_object(annotations)
	object.get(annotations, "argocd.argoproj.io/tracking-id", null) != null
}

default _decryption := ""

_decryption := value if {
	is_object(input.environment)
	value := object.get(input.environment, ["labels", "decryption"], "")
}

_metadata(name) := object.get(metadata, name, null) if {
	metadata := k8s.field("metadata")
	is_object(metadata)
}

# The values that anybody can read and that are worth reading.
_readable contains {"field": field, "key": key, "text": text} if {
	k8s.field("type") != "kubernetes.io/service-account-token"
	some field in ["data", "stringData"]
	values := k8s.field(field)
	is_object(values)
	some key, value in values
	text := _text(field, value)
	text != ""
	not _is_encrypted(text)
	not _is_placeholder(text)
	not _is_public(key, text)
	not _is_argocd_setting(key, text)
}

# What the value says, base64 undone. What is no base64 is read as it stands: the API server
# refuses it, but it has been committed all the same.
_text("data", value) := trim_space(base64.decode(compact)) if {
	is_string(value)
	compact := _compact(value)
	base64.is_valid(compact)
}

_text("data", value) := trim_space(value) if {
	is_string(value)
	compact := _compact(value)
	not base64.is_valid(compact)
}

_text("stringData", value) := trim_space(value) if is_string(value)

_text(_, value) := sprintf("%v", [value]) if is_number(value)

_text(_, value) := sprintf("%v", [value]) if is_boolean(value)

_compact(value) := replace(replace(replace(value, "\n", ""), "\r", ""), " ", "")

# A value that SOPS encrypted: its initialization vector has 32 bytes, its tag 16. The metadata is
# not asked for, because it stands beside the items of an encrypted List.
_is_encrypted(text) if {
	startswith(text, "ENC[")
	regex.match(
		`^ENC\[AES256_GCM,data:[A-Za-z0-9+/=]*,iv:[A-Za-z0-9+/]{43}=,tag:[A-Za-z0-9+/]{22}==,type:[a-z]+\]$`,
		text,
	)
}

# A line with a variable in it is a template. A text of several lines is judged as it stands,
# because one variable says nothing of the other lines.
_is_placeholder(text) if {
	not contains(text, "\n")
	_has_mark(text)
	regex.match(_variable, text)
}

_is_placeholder(text) if {
	_has_mark(text)
	regex.match(_reference, text)
}

_is_placeholder(text) if regex.match(_filler, lower(text))

# A filler that is encoded once more, as generators of Secrets are often given it.
_is_placeholder(text) if {
	count(text) <= 64
	base64.is_valid(text)
	regex.match(_filler, lower(trim_space(base64.decode(text))))
}

_is_placeholder(text) if {
	_is_vault_template
	regex.match(`<[^<>]+>`, text)
}

# Whether the costlier patterns are worth a try.
_has_mark(text) if {
	some mark in ["$", "<", "{", "%", ":", "/"]
	contains(text, mark)
}

# `${NAME}` (a default makes it a value), `$(NAME)`, `{{ … }}`, `<path:…>`, `<NAME>`.
_variable := `\$\{[A-Za-z_][A-Za-z0-9_.-]*(:[=-]|:?\?[^}]*)?\}|\$\([A-Za-z_][A-Za-z0-9_.-]*\)|\{\{.*\}\}|<path:[^<>]+>|<[A-Z][A-Z0-9_-]+>`

# Values that say where the value is: in Vault, 1Password, a cloud's secret manager, a variable.
_reference := `^(<[^<>]+>|\$[A-Za-z_][A-Za-z0-9_-]*(:[A-Za-z0-9_.-]+)?|%[A-Za-z_][A-Za-z0-9_]*%|\{env:[A-Za-z0-9_]+\}|ref\+[a-z0-9]+://.*|vault:[A-Za-z0-9_/.-]+#.*|op://.*|arn:aws:secretsmanager:.*|projects/[^/]+/secrets/.*)$`

# What people write when they mean that somebody else shall write something.
_filler := `^(change[ _-]?(me|it|this)|replace[ _-]?(me|this|with[ _-].*)|_+replace_me_+|(update|insert)[_-][a-z0-9_-]+|your[ _-][a-z0-9_ -]+|my[_-][a-z0-9_-]+[_-]key|example([ _-][a-z0-9_ -]+)?|placeholder|redacted|todo|tbd|x{3,}|\*{3,}|\.{3})$`

# argocd-vault-plugin fills in whatever stands in angle brackets of an object annotated so.
_is_vault_template if {
	annotations := _metadata("annotations")
	is_object(annotations)
	some name, _ in annotations
	startswith(name, "avp.kubernetes.io/")
}

_public_keys := {"ca-bundle.crt", "ca.crt", "ca.pem", "known_hosts", "namespace", "tls.crt"}

_is_public(key, text) if {
	key in _public_keys
	not contains(text, "PRIVATE KEY")
}

_is_public(key, text) if {
	endswith(key, ".pub")
	not contains(text, "PRIVATE KEY")
}

_is_public(_, text) if {
	some start in ["-----BEGIN CERTIFICATE", "-----BEGIN PUBLIC KEY", "ssh-rsa ", "ssh-ed25519 ", "ecdsa-sha2-"]
	startswith(text, start)
	not contains(text, "PRIVATE KEY")
}

# The Secrets in which Argo CD keeps its repositories and clusters hold settings, too.
_argocd_settings := {
	"clusterResources",
	"enableOCI",
	"forceHttpBasicAuth",
	"insecure",
	"name",
	"namespaces",
	"noProxy",
	"project",
	"server",
	"shard",
	"type",
}

_is_argocd_setting(key, _) if {
	_is_argocd_secret
	key in _argocd_settings
}

_is_argocd_setting("url", text) if {
	_is_argocd_secret
	not contains(text, "@")
}

# `git@host:path` names the user that everybody has.
_is_argocd_setting("url", text) if {
	_is_argocd_secret
	regex.match(`^(ssh://)?git@[^@]+$`, text)
}

_is_argocd_setting("config", text) if {
	_is_argocd_secret
	every word in ["bearerToken", "keyData", "password", "env"] {
		not contains(text, word)
	}
}

_is_argocd_secret if {
	labels := _metadata("labels")
	is_object(labels)
	labels["argocd.argoproj.io/secret-type"]
}

# Words in a key that say that its value is a credential, and endings that say that it is not: a
# path, a name, the public half of a pair.
_words := {
	"apikey",
	"auth",
	"connection",
	"cookie",
	"cred",
	"dsn",
	"encryption",
	"hmac",
	"identity",
	"jwt",
	"key",
	"pass",
	"private",
	"pwd",
	"salt",
	"secret",
	"token",
}

_endings := {"enabled", "file", "host", "id", "name", "path", "port", "type", "ttl", "user"}

_severity(value) := "critical" if _is_credential(value)

_severity(value) := "medium" if not _is_credential(value)

_is_credential(value) if contains(value.text, "PRIVATE KEY")

# A URL with a password in it.
_is_credential(value) if regex.match(`://[^/@\s]+:[^/@\s]+@`, value.text)

_is_credential(value) if {
	key := lower(value.key)
	some word in _words
	contains(key, word)
	count({ending | some ending in _endings; endswith(key, ending)}) == 0
}
