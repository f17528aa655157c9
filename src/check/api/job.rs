//! Jobs, and the specs of jobs in `CronJobs`.

use super::cx::Cx;
use super::field::Field;
use super::forms::IMMUTABLE;
use super::rollout::{self, EMPTY_SELECTOR};
use super::rule::Rule;
use super::selector::{self, Labels};
use super::shared::UNSUPPORTED;
use super::{Kind, change, job_policies, pod};
use crate::naming;

pub(super) const KINDS: &[Kind] =
    &[Kind { group: "batch", name: "Job", validate, update: Some(update) }];

pub(super) const RULES: &[&Rule] = &[&COMPLETIONS, &GENERATED, &MANAGER, &TEMPLATE, &UNTRACKED];

const COMPLETIONS: Rule = Rule::new(
    "api/invalid-completions",
    "Completions of a Job that cannot be counted",
    "Indexed Jobs name how many completions they need, and only they count failures by index. Large \
     ones are limited, so that the server can keep the state of all indexes.",
    "set `completionMode: Indexed` and `completions`, or leave out what depends on them",
    &["validateJobSpec", "validateNameAllowsCompletions"],
);

const GENERATED: Rule = Rule::new(
    "api/job-selector-set",
    "Selector or label of a Job that the server itself makes",
    "The server selects the pods of a Job by a UID that it gives to the Job, and puts the labels \
     for it and for the Job's name into the template; others are refused, and so is a name that no \
     label can have.",
    "remove the selector and these labels, which come from a Job that was exported from a cluster; \
     or choose a name of at most 63 characters",
    &["validateGeneratedSelector", "ValidateJobTemplateSpec"],
);

const MANAGER: Rule = Rule::new(
    "api/invalid-managed-by",
    "Job is managed by nobody",
    "The manager of a Job is named by a domain and a path, such as `example.com/manager`, of at most \
     63 characters.",
    "name the manager in that form",
    &["validateJobSpec", "IsDomainPrefixedPath"],
);

const TEMPLATE: Rule = Rule::new(
    "api/job-changed",
    "Field of a Job changes that is fixed at creation",
    "A Job keeps its template, its selector, its completions and its policies. While it is \
     suspended, where its pods are placed may change, and since 1.36 their resources too.",
    "delete the Job and create another, or give it a new name",
    &["ValidateJobSpecUpdate", "validatePodTemplateUpdate"],
);

const UNTRACKED: Rule = Rule::new(
    "api/job-too-large",
    "Indexed Job is too large to keep account of",
    "With more than 100000 completions and 10000 pods at a time the server may lose account of the \
     indexes that failed.",
    "make several Jobs of it",
    &["WarningsForJobSpec"],
)
.warning();

const MODES: &[&str] = &["Indexed", "NonIndexed"];
/// The most pods at a time, and failed indexes, of an indexed Job.
const INDEXED_MAX: i64 = 100_000;
/// Above so many completions the two are limited further.
const MANY_COMPLETIONS: i64 = 100_000;
/// The most pods at a time, and failed indexes, of a Job with many completions.
const MANY_MAX: i64 = 10_000;
/// The longest name of a manager.
const MANAGER_MAX: usize = 63;

/// The minors in which fields came on by default; before, the server drops them.
const BY_INDEX: u32 = 29;
const MANAGED: u32 = 32;

/// Labels that the server puts into the template: which it is, and since which minor.
const LABELS: &[(&str, bool, u32)] = &[
    ("controller-uid", true, 0),
    ("job-name", false, 0),
    ("batch.kubernetes.io/controller-uid", true, 27),
    ("batch.kubernetes.io/job-name", false, 27),
];

/// Stands for the UID that the server will give; nobody can write it as a label.
const UID: &str = "\u{0}";

/// Numbers that are not negative.
const COUNTS: &[&str] = &[
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
];

/// Looks at a Job (`ValidateJobCreate`).
fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    let old = cx.old.map(|it| it.get("spec"));
    check_spec(cx, spec, old);
    check_selector(cx, spec);
    let count = completions(spec).unwrap_or_default();
    let name = object.at(&["metadata", "name"]);
    if is_indexed(spec) && count > 0 && !name.is_empty() && cx.minor >= 27 {
        let host = format!("{}-{}", name.text(), count - 1);
        if naming::dns_label(&host).is_some() {
            let problem = "must be a DNS label, with the number of each pod at its end";
            cx.invalid(&COMPLETIONS, name, problem);
        }
    }
    pod::warn_of_name(cx, object);
    warn(cx, spec);
}

/// Warns of the spec of a job.
pub(super) fn warn<'a>(cx: &mut Cx<'a>, spec: Field<'a>) {
    let number = |key| spec.get(key).int().unwrap_or_default();
    if is_indexed(spec)
        && number("completions") > MANY_COMPLETIONS
        && number("parallelism") > MANY_MAX
    {
        cx.invalid(&UNTRACKED, spec.get("completions"), "is too large for so many pods at a time");
    }
    pod::warn_of_template(cx, spec.get("template"));
}

/// Says whether the completions of a Job are numbered.
pub(super) fn is_indexed(spec: Field<'_>) -> bool {
    spec.get("completionMode").text() == "Indexed"
}

/// Returns how many completions a Job needs; one where it says nothing at all.
fn completions(spec: Field<'_>) -> Option<i64> {
    let (count, parallelism) = (spec.get("completions"), spec.get("parallelism"));
    count.int().or_else(|| (!count.exists() && !parallelism.exists()).then_some(1))
}

/// Looks at the spec of a job (`validateJobSpec`).
pub(super) fn check_spec<'a>(cx: &mut Cx<'a>, spec: Field<'a>, old: Option<Field<'a>>) {
    rollout::check_counts(cx, spec, COUNTS);
    let mode = spec.get("completionMode");
    cx.one_of(mode, MODES);
    if cx.minor >= BY_INDEX {
        rollout::check_counts(cx, spec, &["backoffLimitPerIndex", "maxFailedIndexes"]);
        if spec.get("maxFailedIndexes").exists() && !spec.get("backoffLimitPerIndex").exists() {
            let why = "`maxFailedIndexes` needs it";
            cx.required(&COMPLETIONS, spec.get("backoffLimitPerIndex"), why);
        }
    }
    if cx.minor >= MANAGED {
        check_manager(cx, spec.get("managedBy"));
    }
    check_completions(cx, spec);
    job_policies::check(cx, spec);
    let template = spec.get("template");
    pod::check_template(cx, template, old.map(|it| it.get("template")), &[]);
    let has_policy = spec.get("podFailurePolicy").exists() && cx.minor >= job_policies::FAILURES;
    rollout::check_restart_of_job(cx, template, has_policy);
}

fn check_manager<'a>(cx: &mut Cx<'a>, manager: Field<'a>) {
    let Some(text) = manager.str() else { return };
    let in_path = |it: u8| it.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&it);
    let right = text.split_once('/').is_some_and(|(domain, path)| {
        naming::dns_subdomain(domain).is_none() && !path.is_empty() && path.bytes().all(in_path)
    });
    if text.is_empty() {
        cx.required(&MANAGER, manager, "");
    } else if !right {
        cx.invalid(&MANAGER, manager, "must be a domain and a path, such as `example.com/manager`");
    }
    if text.len() > MANAGER_MAX {
        cx.too_long(&MANAGER, manager, MANAGER_MAX, "characters");
    }
}

/// Looks at what depends on the completions being numbered.
fn check_completions<'a>(cx: &mut Cx<'a>, spec: Field<'a>) {
    let (count, parallelism) = (spec.get("completions"), spec.get("parallelism"));
    let (per_index, failed) = (spec.get("backoffLimitPerIndex"), spec.get("maxFailedIndexes"));
    if !is_indexed(spec) {
        let plain = matches!(spec.get("completionMode").text(), "" | "NonIndexed");
        for field in [per_index, failed] {
            if cx.minor >= BY_INDEX && plain && field.exists() {
                cx.invalid(&COMPLETIONS, field, "is for indexed Jobs only");
            }
        }
        return;
    }
    // A Job, unlike the template of one, needs one completion where it says nothing.
    let defaults = &*cx.object.kind == "Job" && !parallelism.exists();
    if !count.exists() && !defaults {
        cx.required(&COMPLETIONS, count, "an indexed Job needs it");
    }
    if parallelism.int().is_some_and(|it| it > INDEXED_MAX) {
        cx.invalid(&COMPLETIONS, parallelism, "must be at most 100000 in an indexed Job");
    }
    if cx.minor < BY_INDEX {
        return;
    }
    let count = count.int();
    if let (Some(failed_max), Some(count)) = (failed.int(), count)
        && failed_max > count
    {
        cx.invalid(&COMPLETIONS, failed, "must not be more than `completions`");
    }
    if failed.int().is_some_and(|it| it > INDEXED_MAX) {
        cx.invalid(&COMPLETIONS, failed, "must be at most 100000");
    }
    if per_index.exists() && count.is_some_and(|it| it > MANY_COMPLETIONS) {
        if !failed.exists() {
            cx.required(&COMPLETIONS, failed, "more than 100000 completions need it");
        }
        for field in [parallelism, failed] {
            if field.int().is_some_and(|it| it > MANY_MAX) {
                cx.invalid(&COMPLETIONS, field, "must be at most 10000 with so many completions");
            }
        }
    }
}

/// Looks at the selector of a Job, which the server makes unless it is told not to.
fn check_selector<'a>(cx: &mut Cx<'a>, spec: Field<'a>) {
    let (labels, template) = (spec.get("selector"), spec.get("template"));
    let own = template.at(&["metadata", "labels"]);
    let keep = cx.old.is_some_and(|it| selector::has_invalid_value(it.at(&["spec", "selector"])));
    selector::check_leniently(cx, labels, keep);
    if spec.get("manualSelector").is_true() {
        if !labels.exists() {
            // At an update the selector stays that the server once made.
            if cx.old.is_none() {
                cx.required(&EMPTY_SELECTOR, labels, "`manualSelector` needs one");
            }
        } else if selector::is_valid(labels) {
            rollout::check_match(cx, labels, template);
        }
        return;
    }
    if cx.old.is_some() {
        return;
    }
    let name_field = cx.root.at(&["metadata", "name"]);
    let name = name_field.text();
    if name.len() > naming::LABEL_MAX && !own.get("job-name").exists() {
        cx.invalid(&GENERATED, name_field, "is too long for the label that the pods get");
        cx.named(template.get("labels"));
    }
    for (key, is_uid, since) in LABELS {
        let label = own.get(key);
        let right = !label.exists() || (!is_uid && label.text() == name);
        if cx.minor >= *since && !right {
            cx.invalid(&GENERATED, label, "is made by the server");
        }
    }
    if labels.exists() && selector::is_valid(labels) {
        let mut generated: Vec<(&str, &str)> = vec![("controller-uid", UID), ("job-name", name)];
        if cx.minor >= 27 {
            generated.push(("batch.kubernetes.io/controller-uid", UID));
            generated.push(("batch.kubernetes.io/job-name", name));
        }
        if !Labels::from(&generated).match_selector(labels) {
            cx.invalid(&GENERATED, labels, "is made by the server");
        }
        if !Labels::of(own).and(&generated).match_selector(labels) {
            rollout::mismatch(cx, own);
        }
    }
}

/// Looks at what changes (`ValidateJobSpecUpdate`).
fn update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let status = old.get("status");
    let (new, old) = (new.get("spec"), old.get("spec"));
    check_count(cx, new, old);
    for key in ["selector", "completionMode"] {
        if let Some(field) = change::first_in(new, old, key) {
            cx.immutable(&TEMPLATE, field);
            cx.named(new.get(key));
        }
    }
    let dropped = [
        ("podFailurePolicy", job_policies::FAILURES),
        ("backoffLimitPerIndex", BY_INDEX),
        ("managedBy", MANAGED),
        ("successPolicy", job_policies::SUCCESS),
    ];
    for (key, since) in dropped {
        let differs = new.get(key).exists() != old.get(key).exists()
            || change::first_in(new, old, key).is_some();
        if cx.minor >= since && differs {
            cx.immutable(&TEMPLATE, new.get(key));
        }
    }
    let suspended = old.get("suspend").is_true();
    let started = status.get("startTime").exists();
    check_template(cx, new.get("template"), old.get("template"), suspended && !started);
}

fn check_count<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let field = new.get("completions");
    let before = completions(old);
    // What the server filled in stays.
    let after =
        if field.exists() || old.get("completions").exists() { field.int() } else { before };
    if before == after {
        return;
    }
    let parallelism = new.get("parallelism").int().or(old.get("parallelism").int()).unwrap_or(1);
    if !is_indexed(new) {
        cx.immutable(&IMMUTABLE, field);
    } else if after.is_some_and(|it| it != parallelism) {
        cx.invalid(&TEMPLATE, field, "may change together with `parallelism` only");
    }
}

/// Where pods are placed, which may change while a Job is suspended.
const PLACEMENT: &[&str] = &["affinity", "nodeSelector", "tolerations", "schedulingGates"];

fn check_template<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>, open: bool) {
    let may_resize = open && cx.minor >= 36;
    let may_place = open && cx.minor >= 22;
    let metadata = if may_place {
        change::first_beside(new.get("metadata"), old.get("metadata"), &["labels", "annotations"])
    } else {
        change::first_in(new, old, "metadata")
    };
    let (new_spec, old_spec) = (new.get("spec"), old.get("spec"));
    let mut ignored = Vec::new();
    if may_place {
        ignored.extend(PLACEMENT);
    }
    if may_resize {
        ignored.extend(["containers", "initContainers"]);
    }
    let mut changed = metadata.or_else(|| change::first_beside(new_spec, old_spec, &ignored));
    // The server fills these in for pods, not for templates.
    for key in ["enableServiceLinks", "preemptionPolicy"] {
        let field = new_spec.get(key);
        if changed.is_none() && field.exists() != old_spec.get(key).exists() {
            changed = Some(field);
        }
    }
    if may_place {
        let (new, old) = (new_spec.get("affinity"), old_spec.get("affinity"));
        changed = changed.or_else(|| change::first_beside(new, old, &["nodeAffinity"]));
    }
    for list in ["containers", "initContainers"] {
        let (new, old) = (new_spec.get(list), old_spec.get(list));
        if changed.is_some() || !may_resize {
            break;
        }
        let same_name =
            |new: Field<'a>, old: Field<'a>| new.get("name").text() == old.get("name").text();
        changed = if new.len() == old.len() {
            new.items().zip(old.items()).find_map(|(new, old)| {
                let ignored: &[&str] = if same_name(new, old) { &["resources"] } else { &[] };
                change::first_beside(new, old, ignored)
            })
        } else {
            Some(new)
        };
    }
    if let Some(field) = changed {
        cx.immutable(&TEMPLATE, field);
        cx.named(if may_resize { new.get("spec") } else { new });
    }
}

/// The spec of a job in a template has no selector (`ValidateJobTemplateSpec`).
pub(super) fn check_job_template<'a>(cx: &mut Cx<'a>, template: Field<'a>, old: Option<Field<'a>>) {
    let spec = template.get("spec");
    check_spec(cx, spec, old.map(|it| it.get("spec")));
    let labels = spec.get("selector");
    if labels.exists() {
        cx.invalid(&GENERATED, labels, "is made by the server");
    }
    let manual = spec.get("manualSelector");
    if manual.is_true() {
        cx.not_supported(&UNSUPPORTED, manual, &["false"]);
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_refused, assert_update};

    fn job(fields: &str) -> String {
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: a}}\nspec:\n  \
             template: {{spec: {{restartPolicy: Never, containers: [{{name: c, image: i}}]}}}}\n  {fields}\n"
        )
    }

    fn assert_fields(cases: &[(&str, &[&str])]) {
        for (fields, refused) in cases {
            let refused: Vec<String> = refused.iter().map(|it| format!("spec.{it}")).collect();
            let refused: Vec<&str> = refused.iter().map(String::as_str).collect();
            assert_refused(&job(&fields.replace("; ", "\n  ")), &refused);
        }
    }

    #[test]
    fn completions_are_counted_by_index() {
        assert_fields(&[
            ("completionMode: Indexed; completions: 3; backoffLimitPerIndex: 1", &[]),
            ("completionMode: Indexed; parallelism: 3", &["completions"]),
            ("completionMode: Each", &["completionMode"]),
            ("backoffLimitPerIndex: 1", &["backoffLimitPerIndex"]),
            (
                "completionMode: Indexed; completions: 3; maxFailedIndexes: 1",
                &["backoffLimitPerIndex"],
            ),
            ("backoffLimit: -1", &["backoffLimit"]),
            ("managedBy: me", &["managedBy"]),
        ]);
        let name = job("completionMode: Indexed\n  completions: 3")
            .replace("name: a", &format!("name: {}", "a".repeat(62)));
        assert_refused(&name, &["metadata.name"]);
    }

    #[test]
    fn the_server_makes_the_selector() {
        assert_fields(&[
            ("selector: {matchLabels: {a: b}}", &["selector", "template.metadata.labels"]),
            ("selector: {matchLabels: {job-name: a}}", &[]),
            ("manualSelector: true", &["selector"]),
            (
                "manualSelector: true; selector: {matchLabels: {a: b}}",
                &["template.metadata.labels"],
            ),
        ]);
        let label = |label: &str| {
            job("parallelism: 1")
                .replace("{spec:", &format!("{{metadata: {{labels: {{{label}}}}}, spec:"))
        };
        assert_refused(&label("job-name: a"), &[]);
        assert_refused(&label("job-name: b"), &["spec.template.metadata.labels.job-name"]);
        assert_refused(
            &label("controller-uid: b"),
            &["spec.template.metadata.labels.controller-uid"],
        );
    }

    #[test]
    fn pods_of_jobs_end() {
        assert_refused(
            &job("parallelism: 1").replace("restartPolicy: Never, ", ""),
            &["spec.template.spec.restartPolicy"],
        );
        assert_refused(
            &job("parallelism: 1").replace("Never", "Always"),
            &["spec.template.spec.restartPolicy"],
        );
        assert_refused(
            &job("podFailurePolicy: {rules: []}").replace("Never", "OnFailure"),
            &["spec.template.spec.restartPolicy"],
        );
    }

    #[test]
    fn a_job_keeps_its_template() {
        let old = job("completions: 1");
        assert_update(&old, &job("completions: 1\n  parallelism: 2"), &[]);
        assert_update(&old, &job("completions: 2"), &["spec.completions"]);
        assert_update(&old, &old.replace("image: i", "image: j"), &["spec.template"]);
        let filled_in = old.replace("containers:", "dnsPolicy: ClusterFirst, containers:");
        assert_update(&old, &filled_in, &[]);
        let not_filled_in = old.replace("containers:", "enableServiceLinks: true, containers:");
        assert_update(&old, &not_filled_in, &["spec.template"]);
        let indexed = job("completions: 3\n  parallelism: 3\n  completionMode: Indexed");
        assert_update(&indexed, &indexed.replace(": 3", ": 4"), &[]);
        let suspended = job("suspend: true");
        assert_update(
            &suspended,
            &suspended.replace("containers:", "nodeSelector: {a: b}, containers:"),
            &[],
        );
        assert_update(
            &suspended,
            &suspended.replace("image: i", "image: i, resources: {limits: {cpu: 1}}"),
            &[],
        );
        assert_update(
            &suspended,
            &suspended.replace("image: i", "image: j"),
            &["spec.template.spec"],
        );
    }
}
