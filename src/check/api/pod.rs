//! Pods and the templates of pods.
//!
//! [`Spec`] is what the parts know of the whole; each part of a spec has a file of its own.

mod annotations;
mod containers;
mod environment;
mod handlers;
mod mounts;
mod network;
mod placement;
mod ports;
mod profiles;
mod projections;
mod requirements;
mod security;
mod spread;
mod system;
mod update;
mod volume_sources;
mod volumes;
mod warnings;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::forms::INVALID;
use super::rule::Rule;
use super::selector;
use crate::naming;

pub(super) use placement::{check_terms, check_tolerations};
pub(super) use requirements::check_overhead;
pub(super) use volume_sources::check as check_volume_source;
pub(super) use warnings::{name as warn_of_name, template as warn_of_template};

pub(super) const KINDS: &[Kind] = &[
    Kind { group: "", name: "Pod", validate, update: Some(update::pod) },
    Kind { group: "", name: "PodTemplate", validate: validate_pod_template, update: None },
];

/// The rules of all parts.
pub(super) const RULES: &[&[&Rule]] = &[
    &[&TEMPLATE_METADATA, &EPHEMERAL, &GATES, &DEADLINE],
    annotations::RULES,
    containers::RULES,
    environment::RULES,
    handlers::RULES,
    mounts::RULES,
    network::RULES,
    placement::RULES,
    ports::RULES,
    profiles::RULES,
    projections::RULES,
    requirements::RULES,
    security::RULES,
    spread::RULES,
    system::RULES,
    update::RULES,
    volumes::RULES,
    warnings::RULES,
];

const TEMPLATE_METADATA: Rule = Rule::new(
    "api/invalid-template-metadata",
    "Label or annotation that the pods of a template cannot have",
    "The labels and annotations of a template become those of its pods, so they have the same \
     forms: keys are names with an optional domain, values of labels are short and plain.",
    "mend the key or the value",
    &["ValidatePodTemplateSpec", "ValidateLabels", "ValidateAnnotations"],
);

const EPHEMERAL: Rule = Rule::new(
    "api/ephemeral-container-at-creation",
    "Ephemeral container in a pod that does not run yet",
    "Ephemeral containers are added to a running pod, to look into it; a new pod or a template \
     cannot have any.",
    "remove `ephemeralContainers`; `kubectl debug` adds one",
    &["ValidatePodCreate", "ValidatePodTemplateSpec"],
);

const GATES: Rule = Rule::new(
    "api/node-despite-gates",
    "Pod is bound to a node and waits to be scheduled",
    "Scheduling gates keep a pod from being placed, so it cannot have a node yet.",
    "remove `nodeName` or the gates",
    &["ValidatePodCreate"],
);

const DEADLINE: Rule = Rule::new(
    "api/invalid-deadline",
    "Deadline of a pod that cannot be kept",
    "A pod may run for a number of seconds between one and 2147483647, and end in a number that is \
     not negative.",
    "use a number of seconds in that range",
    &["ValidatePodSpec", "validatePodMetadataAndSpec"],
);

/// The grace period of pods that name none, in seconds.
const GRACE_PERIOD: i64 = 30;

/// What parts of a spec know of the whole.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "fields of a pod, each of which is a boolean")]
struct Spec<'a> {
    /// The spec of the pod or the template.
    field: Field<'a>,
    /// The spec as it is, at updates.
    old: Option<Field<'a>>,
    /// The lists of containers, in the order in which the server visits them.
    lists: [Field<'a>; 3],
    /// The annotations of the pod or the template.
    annotations: Field<'a>,
    /// Where the server says that they stand: it leaves `metadata` out in templates.
    named_annotations: Field<'a>,
    /// Whether this is a pod itself, not a template.
    is_pod: bool,
    /// `restartPolicy`.
    restart_policy: &'a str,
    /// How long the pod has to end, in seconds.
    grace_period: i64,
    host_network: bool,
    /// Whether the users of the pod are those of its node.
    host_users: bool,
    /// `os.name`, where the pod names its operating system.
    os: Option<&'a str>,
    /// The names of `resourceClaims`.
    claims: BTreeSet<&'a str>,
    /// The volumes by name. Those that a `StatefulSet` makes from its claims are among them.
    volumes: BTreeMap<&'a str, volumes::Source>,
    /// Whether a name of a volume is filled in later.
    has_open_volume: bool,
    /// What the old spec had that the server would refuse in a new one, once it was looked for.
    before: Before,
}

/// Says of an old spec, once it was looked for, what it had.
#[derive(Debug, Default)]
struct Before {
    admin: OnceCell<bool>,
    broken_pages: OnceCell<bool>,
    foreign_tokens: OnceCell<bool>,
    invalid_selectors: OnceCell<bool>,
    relaxed_names: OnceCell<bool>,
    restarts_at_resize: OnceCell<bool>,
}

impl<'a> Spec<'a> {
    fn new(cx: &Cx<'a>, owner: Field<'a>) -> Self {
        let field = owner.get("spec");
        let annotations = owner.at(&["metadata", "annotations"]);
        let os = field.get("os");
        let claims = field.get("resourceClaims").items().map(|it| it.get("name").text());
        let grace_period = field.get("terminationGracePeriodSeconds").int();
        let host_users = field.get("hostUsers").bool() != Some(false);
        Self {
            field,
            old: None,
            lists: LISTS.map(|list| field.get(list)),
            annotations,
            named_annotations: owner.get("annotations"),
            is_pod: false,
            restart_policy: some_or(field.get("restartPolicy"), "Always"),
            grace_period: grace_period.unwrap_or(GRACE_PERIOD),
            host_network: field.get("hostNetwork").is_true(),
            host_users: host_users || cx.minor < 33,
            os: os.exists().then(|| os.get("name").text()),
            claims: claims.filter(|it| !it.is_empty()).collect(),
            volumes: BTreeMap::new(),
            has_open_volume: false,
            before: Before::default(),
        }
    }

    /// Returns all containers, in the order in which the server visits them.
    fn containers(&self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        self.lists.into_iter().flat_map(Field::items)
    }

    /// Says whether the old spec had something already, which may then stay as it is.
    fn had(&self, has: impl Fn(Field<'a>) -> bool) -> bool {
        self.old.is_some_and(has)
    }

    /// As [`Spec::had`], and looks only once.
    fn had_before(
        &self,
        answer: fn(&Before) -> &OnceCell<bool>,
        has: impl Fn(Field<'a>) -> bool,
    ) -> bool {
        *answer(&self.before).get_or_init(|| self.had(has))
    }
}

/// The lists of containers, in the order in which the server visits them.
const LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// Returns all containers of a spec, in the order in which the server visits them.
fn containers_of(spec: Field<'_>) -> impl Iterator<Item = Field<'_>> + use<'_> {
    LISTS.into_iter().flat_map(move |list| spec.get(list).items())
}

/// Returns a text, or what stands for one that is missing or empty.
fn some_or<'a>(field: Field<'a>, default: &'a str) -> &'a str {
    match field.text() {
        "" => default,
        text => text,
    }
}

/// Looks at a pod (`ValidatePodCreate`).
fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let mut spec = Spec::new(cx, object);
    let field = spec.field;
    spec.is_pod = true;
    spec.named_annotations = spec.annotations;
    spec.old = cx.old.map(|it| it.get("spec"));
    if spec.grace_period < 0 {
        // The server sets it to one second before it looks.
        spec.grace_period = 1;
    }
    annotations::check(cx, &spec);
    check_spec(cx, &mut spec, &[]);
    for container in spec.field.get("containers").items().chain(field.get("initContainers").items())
    {
        containers::check_image_of_pod(cx, container);
    }
    if cx.old.is_none() {
        let ephemeral = field.get("ephemeralContainers");
        if !ephemeral.is_empty() {
            cx.forbidden(&EPHEMERAL, ephemeral, "when a pod is created");
        }
        let gates = field.get("schedulingGates");
        if !field.get("nodeName").is_empty() && !gates.is_empty() && cx.minor >= 27 {
            cx.forbidden(&GATES, field.get("nodeName"), "while the pod has scheduling gates");
        }
        profiles::check_annotations_match(cx, &spec);
    }
    warnings::pod(cx, &spec);
}

fn validate_pod_template<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let old = cx.old.map(|it| it.get("template"));
    check_template(cx, object.get("template"), old, &[]);
    warn_of_template(cx, object.get("template"));
}

/// Looks at the template of a workload's pods (`ValidatePodTemplateSpec`).
///
/// `claims` are the names of the volumes that a `StatefulSet` makes for each pod.
pub(super) fn check_template<'a>(
    cx: &mut Cx<'a>,
    template: Field<'a>,
    old: Option<Field<'a>>,
    claims: &[&'a str],
) {
    check_template_metadata(cx, template);
    let mut spec = Spec::new(cx, template);
    spec.old = old.map(|it| it.get("spec"));
    annotations::check(cx, &spec);
    check_spec(cx, &mut spec, claims);
    profiles::check_annotations_match(cx, &spec);
    let ephemeral = spec.field.get("ephemeralContainers");
    if !ephemeral.is_empty() {
        cx.forbidden(&EPHEMERAL, ephemeral, "in a template");
    }
}

/// Looks only at what servers before 1.34 looked at in the template of a `StatefulSet`.
pub(super) fn check_template_metadata_only<'a>(cx: &mut Cx<'a>, template: Field<'a>) {
    check_template_metadata(cx, template);
    annotations::check(cx, &Spec::new(cx, template));
}

/// The server names labels and annotations as if they stood in the template itself.
fn check_template_metadata<'a>(cx: &mut Cx<'a>, template: Field<'a>) {
    let labels = template.at(&["metadata", "labels"]);
    for (key, value) in labels.entries() {
        if let Some(wrong) = naming::qualified_name(key) {
            cx.invalid_key_of(&TEMPLATE_METADATA, labels, key, wrong);
            cx.named(template.get("labels"));
        }
        if let Some(wrong) = naming::label_value(value.text()) {
            cx.invalid_value_of(&TEMPLATE_METADATA, labels, value, wrong);
            cx.named(template.get("labels"));
        }
    }
    annotations::check_form(cx, &TEMPLATE_METADATA, template);
}

/// Looks at a spec (`ValidatePodSpec`), in the server's order.
fn check_spec<'a>(cx: &mut Cx<'a>, spec: &mut Spec<'a>, claims: &[&'a str]) {
    let field = spec.field;
    volumes::check(cx, spec, claims);
    requirements::check_pod_claims(cx, spec);
    containers::check(cx, spec);
    requirements::check_pod(cx, spec);
    ports::check_host_network(cx, spec);
    cx.one_of_if_any(field.get("restartPolicy"), &["Always", "OnFailure", "Never"]);
    network::check(cx, spec);
    placement::check_node_selector(cx, field);
    security::check_pod(cx, spec);
    placement::check(cx, spec);
    spread::check(cx, spec);
    system::check(cx, spec);
    check_names(cx, field);
    check_deadline(cx, field);
    cx.one_of(field.get("preemptionPolicy"), &["PreemptLowerPriority", "Never"]);
    requirements::check_overhead(cx, field.get("overhead"), field.get("overhead"));
}

fn check_names<'a>(cx: &mut Cx<'a>, field: Field<'a>) {
    let (account, old_name) = (field.get("serviceAccountName"), field.get("serviceAccount"));
    cx.name_if_any(account, naming::dns_subdomain);
    if account.is_empty() && naming::dns_subdomain(old_name.text()).is_some() {
        cx.name_if_any(old_name, naming::dns_subdomain);
        if !old_name.is_empty() {
            cx.named(account);
        }
    }
    cx.name_if_any(field.get("nodeName"), naming::dns_subdomain);
    cx.name_if_any(field.get("priorityClassName"), naming::dns_subdomain);
    cx.name(field.get("runtimeClassName"), naming::dns_subdomain);
    for gate in field.get("readinessGates").items() {
        selector::check_key(cx, &INVALID, gate.get("conditionType"));
    }
}

fn check_deadline<'a>(cx: &mut Cx<'a>, field: Field<'a>) {
    let deadline = field.get("activeDeadlineSeconds");
    if deadline.int().is_some_and(|it| it < 1 || it > i64::from(i32::MAX)) {
        cx.invalid(&DEADLINE, deadline, "must be between 1 and 2147483647");
    }
}
