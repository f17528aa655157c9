//! What the rules of this check are.

use std::borrow::Cow;

use crate::rule::{Doors, Enforcement, Minors, Reference, RuleId, RuleMeta, Scope, Severity};

/// The id of the rule for kinds whose schema is not known; see [`super::one_per_kind`].
pub const UNVERIFIED: RuleId = RuleId::known("coverage/unknown-kind");

/// The rule for places with schemas that are not read.
pub fn remote_schema() -> RuleMeta {
    RuleMeta {
        severity: Severity::Low,
        enforcement: Enforcement::Warn,
        scope: Scope::Run,
        doors: Doors::Repository,
        ..rule(
            RuleId::known("coverage/remote-schema"),
            "Place with schemas lies on another host",
            "Schemas are to come from another host, and no connection is opened unless \
             `--schema-network` allows it, and never for an address in the configuration. Kinds \
             that only this place knows are not checked. The places that publish the schemas of \
             Kubernetes and of common custom resources are answered without a connection, and do \
             not count. Where the network is allowed and a host gives no schema and does not say \
             that it has none either, what needs the schema cannot be judged: exit code 2.",
            "Keep the schemas in a folder and name that, allow the network with \
             `--schema-network`, or name the folder in which kubeconform keeps what it fetched \
             with `--schema-cache`.",
            [CUSTOM_RESOURCES, THE_API],
        )
    }
}

/// The rules, each by its name.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) unknown_field: RuleMeta,
    pub(super) wrong_type: RuleMeta,
    pub(super) missing_field: RuleMeta,
    pub(super) invalid_value: RuleMeta,
    pub(super) duplicate_item: RuleMeta,
    pub(super) repeated_item: RuleMeta,
    pub(super) deprecated_kind: RuleMeta,
    pub(super) disabled_api: RuleMeta,
    pub(super) broken_rule: RuleMeta,
    pub(super) unknown_custom_field: RuleMeta,
    pub(super) unproven_defect: RuleMeta,
    pub(super) unserved_version: RuleMeta,
    pub(super) unknown_kind: RuleMeta,
    pub(super) unverified: RuleMeta,
}

impl Rules {
    pub(super) fn new() -> Self {
        Self {
            unknown_field: rule(
                RuleId::known("schema/unknown-field"),
                "Field that the kind does not have",
                "The API server refuses an object with a field that its kind does not have, or, \
                 where validation is not strict, drops the field without a word. Either way what \
                 was written does not take effect. Most are misspelt or indented one level too \
                 far or too little.",
                "Correct the name or the indentation, or remove the field.",
                [API_CONVENTIONS, FIELD_VALIDATION],
            ),
            wrong_type: rule(
                RuleId::known("schema/wrong-type"),
                "Value of the wrong type",
                "The API server cannot decode an object in which a value has another type than \
                 its field: a number where a string is wanted, a string where a list is. In YAML \
                 quotes decide: `8080` is a number and `\"8080\"` a string; `yes` is a boolean to \
                 kubectl.",
                "Write the value in the type that the field has.",
                [API_CONVENTIONS, FIELD_VALIDATION],
            ),
            missing_field: rule(
                RuleId::known("schema/missing-field"),
                "Required field is missing",
                "The API server refuses an object that lacks a required field. A field that is \
                 `null` counts as missing.",
                "Add the field.",
                [API_CONVENTIONS, THE_API],
            ),
            invalid_value: rule(
                RuleId::known("schema/invalid-value"),
                "Value that the field does not take",
                "The value has the right type and still is none that the API server takes: it is \
                 not among the values of the field, or not in its format (a quantity such as \
                 `128Mi`, base64, a date and time of RFC 3339), or too large for it.",
                "Use a value that the field takes.",
                [API_CONVENTIONS, THE_API],
            ),
            duplicate_item: RuleMeta {
                // What an API server asks about, it has judged by its own definitions.
                doors: Doors::Repository,
                ..rule(
                    RuleId::known("schema/duplicate-item"),
                    "Item that its list has already",
                    "Some lists are sets, and some are maps whose items are told apart by one or more \
                 of their fields. The API server refuses a second item of the same value, or of \
                 the same key, because nobody could say later which of the two is meant.",
                    "Remove one of the two, or give it a value or a key of its own.",
                    [CUSTOM_RESOURCES, MERGING],
                )
            },
            repeated_item: RuleMeta {
                severity: Severity::Medium,
                enforcement: Enforcement::Warn,
                ..rule(
                    RuleId::known("schema/repeated-item"),
                    "Item twice in a list whose items are told apart",
                    "The list is a map or a set to the API server: a second item of the same key \
                     takes the place of the first one, or both stay and only one has an effect. A \
                     plain request is accepted; server-side apply, which Flux uses, refuses the \
                     object.",
                    "Remove one of the two.",
                    [MERGING, API_CONVENTIONS],
                )
            },
            deprecated_kind: RuleMeta {
                severity: Severity::Medium,
                enforcement: Enforcement::Warn,
                // An API server warns of it itself.
                doors: Doors::Repository,
                ..rule(
                    RuleId::known("schema/deprecated-kind"),
                    "API version that is deprecated",
                    "This version of Kubernetes still serves the kind in this API version and warns \
                     of it at each request: a later version serves it no more, and the object can \
                     then be neither applied nor read by its manifest.",
                    "Move to the API version that takes its place; the server converts what it \
                     has stored.",
                    [DEPRECATIONS, DEPRECATION_POLICY],
                )
            },
            disabled_api: RuleMeta {
                severity: Severity::Low,
                enforcement: Enforcement::Warn,
                // What an API server asks about, it serves.
                doors: Doors::Repository,
                ..rule(
                    RuleId::known("schema/disabled-api"),
                    "API version that is off by default",
                    "An API server serves alpha versions, and beta versions that came with \
                     Kubernetes 1.24 or later, only where `--runtime-config` switches them on. \
                     Elsewhere the object cannot be applied.",
                    "Make sure that the cluster has the API switched on, or move to a version that \
                     is served by default.",
                    [THE_API, DEPRECATION_POLICY],
                )
            },
            broken_rule: RuleMeta {
                // What an API server asks about, it has judged by its own definitions.
                doors: Doors::Repository,
                ..rule(
                    RuleId::known("schema/broken-rule"),
                    "Rule of the custom resource definition that does not hold",
                    "A custom resource definition may bring rules in the Common Expression Language, \
                 and the API server refuses an object for which one of them does not hold: fields \
                 that exclude each other, say, or a field that must not change.",
                    "Change the object so that the rule holds.",
                    [VALIDATION_RULES, CUSTOM_RESOURCES],
                )
            },
            unknown_custom_field: RuleMeta {
                // As above.
                doors: Doors::Repository,
                severity: Severity::Medium,
                enforcement: Enforcement::Warn,
                ..rule(
                    RuleId::known("schema/unknown-custom-field"),
                    "Field that the known definition of a custom resource does not have",
                    "The definition of this kind that comes with the program has no such field. \
                     The cluster's own may be newer or older, so this is no proof: but if its \
                     definition lacks the field too, the API server refuses the object or drops \
                     the field without a word.",
                    "Correct the name or the indentation; or keep the definition that the cluster \
                     has in the repository, which is then the one that counts.",
                    [CUSTOM_RESOURCES, FIELD_VALIDATION],
                )
            },
            unproven_defect: RuleMeta {
                // As above.
                doors: Doors::Repository,
                severity: Severity::Medium,
                enforcement: Enforcement::Warn,
                ..rule(
                    RuleId::known("schema/unproven-defect"),
                    "Value that an incomplete definition of a custom resource does not allow",
                    "The definition of this kind that comes with the program was derived from the \
                     types of a client library, because its project publishes no other. It says \
                     nearly the same as the cluster's own, and may be wrong in a detail: this is \
                     likely a defect, but no proven one.",
                    "Compare with the reference of the custom resource; or keep its definition in \
                     the repository, which is then the one that counts.",
                    [CUSTOM_RESOURCES, THE_API],
                )
            },
            unserved_version: RuleMeta {
                // What an API server asks about, it serves.
                doors: Doors::Repository,
                ..rule(
                    RuleId::known("schema/unserved-version"),
                    "Version that the custom resource definition does not serve",
                    "The custom resource definition in this repository defines the kind, but not \
                     in the version that the object names, or no longer serves it. The object \
                     cannot be applied.",
                    "Move to a version that the definition serves.",
                    [CRD_VERSIONS, CUSTOM_RESOURCES],
                )
            },
            unknown_kind: RuleMeta {
                // What an API server asks about, it serves.
                doors: Doors::Repository,
                ..rule(
                    RuleId::known("schema/unknown-kind"),
                    "Kind that this version of Kubernetes does not serve",
                    "The API group belongs to Kubernetes, and Kubernetes of this version serves no \
                 such kind in it: the name is misspelt, or the API version was removed or came \
                 later. The object cannot be applied.",
                    "Correct `apiVersion` and `kind`, or move to an API version that is served.",
                    [DEPRECATIONS, THE_API],
                )
            },
            unverified: RuleMeta {
                severity: Severity::Low,
                enforcement: Enforcement::Warn,
                // The API server validates custom resources against their own schema.
                doors: Doors::Repository,
                ..rule(
                    UNVERIFIED,
                    "Kind whose schema is not known",
                    "No schema of this custom resource is at hand, so its fields are not \
                     checked: a misspelt one passes. Other rules still judge the object.",
                    "check objects of this kind where its definition is installed, e.g. with \
                     `kubectl apply --dry-run=server`",
                    [CUSTOM_RESOURCES, THE_API],
                )
            },
        }
    }

    pub(super) fn all(&self) -> Vec<RuleMeta> {
        vec![
            remote_schema(),
            self.unverified.clone(),
            self.broken_rule.clone(),
            self.deprecated_kind.clone(),
            self.disabled_api.clone(),
            self.duplicate_item.clone(),
            self.invalid_value.clone(),
            self.missing_field.clone(),
            self.repeated_item.clone(),
            self.unknown_custom_field.clone(),
            self.unknown_field.clone(),
            self.unknown_kind.clone(),
            self.unproven_defect.clone(),
            self.unserved_version.clone(),
            self.wrong_type.clone(),
        ]
    }
}

type Page = (&'static str, &'static str);

const API_CONVENTIONS: Page =
    ("Kubernetes API reference", "https://kubernetes.io/docs/reference/kubernetes-api/");
const FIELD_VALIDATION: Page = (
    "Field validation",
    "https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation",
);
const THE_API: Page =
    ("The Kubernetes API", "https://kubernetes.io/docs/concepts/overview/kubernetes-api/");
const DEPRECATIONS: Page = (
    "Deprecated API migration guide",
    "https://kubernetes.io/docs/reference/using-api/deprecation-guide/",
);
const DEPRECATION_POLICY: Page = (
    "Kubernetes deprecation policy",
    "https://kubernetes.io/docs/reference/using-api/deprecation-policy/",
);
const CUSTOM_RESOURCES: Page = (
    "Custom resources",
    "https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/custom-resources/",
);
const MERGING: Page = (
    "Merge strategy of lists",
    "https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy",
);
const VALIDATION_RULES: Page = (
    "Validation rules of custom resources",
    "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules",
);
const CRD_VERSIONS: Page = (
    "Versions in CustomResourceDefinitions",
    "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/",
);

fn rule(
    id: RuleId,
    title: &'static str,
    description: &'static str,
    help: &'static str,
    pages: [Page; 2],
) -> RuleMeta {
    RuleMeta {
        id,
        title: title.into(),
        description: description.into(),
        help: help.into(),
        severity: Severity::High,
        enforcement: Enforcement::Deny,
        scope: Scope::Object,
        doors: Doors::Both,
        minors: Minors::ALL,
        since: "0.1.0".into(),
        references: pages
            .into_iter()
            .map(|(title, url)| Reference { title: Cow::Borrowed(title), url: Cow::Borrowed(url) })
            .collect(),
    }
}
