//! Holds objects against the schemas of their kinds, as the API server's strict decoder does.
//!
//! Says nothing of what the server's own validation asks beyond the schema.

mod builtin;
pub mod embedded;
mod format;
mod lookup;
mod rules;
mod table;
mod walk;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use builtin::{newest, plural, scope, served, versions};
pub use lookup::{Schema, SchemaSource};
pub use rules::UNVERIFIED;

use builtin::Builtin;
use rules::Rules;
use walk::{Defect, Rule};

use super::{Check, Context, KindScope, Kinds, Results};
use crate::document::{FieldPath, ObjectRef, Part};
use crate::environment::KubernetesVersion;
use crate::finding::{Failure, Finding};
use crate::review::Review;
use crate::rule::{Doors, RuleMeta, closest};
use crate::wording;

/// Judges objects by the schemas of their kinds.
#[derive(Debug)]
pub struct SchemaCheck {
    rules: Rules,
    sources: Vec<Arc<dyn SchemaSource>>,
}

impl Default for SchemaCheck {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl SchemaCheck {
    /// Returns a check that asks `sources` first, in this order, and the built-in kinds last.
    pub fn new(sources: Vec<Arc<dyn SchemaSource>>) -> Self {
        Self { rules: Rules::new(), sources }
    }

    fn meta(&self, rule: Rule) -> &RuleMeta {
        match rule {
            Rule::UnknownField => &self.rules.unknown_field,
            Rule::WrongType => &self.rules.wrong_type,
            Rule::MissingField => &self.rules.missing_field,
            Rule::InvalidValue => &self.rules.invalid_value,
        }
    }
}

impl Check for SchemaCheck {
    fn rules(&self) -> Vec<RuleMeta> {
        self.rules.all()
    }

    fn check_object(&self, cx: Context<'_>, review: &Review<'_>, results: &mut Results) {
        let Some(object) = &review.object.object else { return };
        if !review.stores_object() {
            return;
        }
        let kubernetes = review.environment.map_or(cx.kubernetes, |it| it.kubernetes);
        let (group, version) = (object.group(), object.version());
        let builtin = match Builtin::new() {
            Ok(builtin) => builtin,
            Err(err) => {
                results.failures.push(failure(err.to_string()));
                return;
            }
        };
        let Some(bit) = builtin.bit(kubernetes) else {
            results.failures.push(failure(unknown_version(kubernetes)));
            return;
        };
        let own = self.sources.iter().map(AsRef::as_ref);
        let schema = own
            .chain([&builtin as &dyn SchemaSource])
            .find_map(|source| source.lookup(kubernetes, group, version, &object.kind));
        if let Some(schema) = schema {
            let defects = walk::walk(&review.object.root, &object.kind, schema);
            if defects.len() >= walk::LIMIT {
                let reason =
                    format!("an object has {} defects or more; not all are told", walk::LIMIT);
                let span = Some(review.object.span);
                results.failures.push(Failure { span, ..failure(reason) });
            }
            for defect in defects {
                let meta = self.meta(defect.rule);
                if cx.selection.allows(&meta.id) {
                    results.findings.push(finding(meta, object, defect));
                }
            }
            return;
        }
        // An empty `List` of anything has nothing in it to judge.
        let is_list = (group, version, &*object.kind) == ("", "v1", "List");
        let is_template =
            [&object.api_version, &object.kind].iter().any(|it| wording::is_placeholder(it));
        if is_list || is_template {
            return;
        }
        let at_admission = review.asked.is_some();
        let (meta, (field, message, help)) = if builtin.has_group(group) {
            (&self.rules.unknown_kind, unknown_kind(builtin, bit, kubernetes, object))
        } else {
            let message = format!(
                "the schema of {} in {} is not known, so its fields are not checked",
                wording::code(&object.kind),
                wording::code(&object.api_version)
            );
            (&self.rules.unverified, ("apiVersion", message, None))
        };
        let applies = !at_admission || meta.doors == Doors::Both;
        if applies && cx.selection.allows(&meta.id) {
            let path = FieldPath::from([field]);
            let span = review.object.root.locate(&path, Part::Value);
            let mut finding =
                Finding::new(meta, span, message).with_object(Some(object.clone())).with_path(path);
            finding.help = help;
            results.findings.push(finding);
        }
    }
}

/// The kinds that Kubernetes itself serves.
#[derive(Debug, Clone, Copy)]
pub struct BuiltinKinds;

impl Kinds for BuiltinKinds {
    fn scope(&self, kubernetes: KubernetesVersion, object: &ObjectRef) -> Option<KindScope> {
        scope(kubernetes, object.group(), object.version(), &object.kind)
    }
}

/// Keeps one finding per `apiVersion` and kind of those that say that a schema is not known.
///
/// The first one stays, with the environments of all and a note of how many more there are.
pub fn one_per_kind(findings: Vec<Finding>) -> Vec<Finding> {
    let mut out: Vec<Finding> = Vec::new();
    let mut first: BTreeMap<(Arc<str>, Arc<str>), (usize, usize)> = BTreeMap::new();
    for finding in findings {
        if let (true, Some(object)) = (finding.rule == UNVERIFIED, &finding.object) {
            let key = (Arc::clone(&object.api_version), Arc::clone(&object.kind));
            if let Some((at, more)) = first.get_mut(&key) {
                *more += 1;
                if let Some(kept) = out.get_mut(*at) {
                    kept.environments.extend(finding.environments);
                }
                continue;
            }
            first.insert(key, (out.len(), 0));
        }
        out.push(finding);
    }
    for (at, more) in first.into_values().filter(|(_, more)| *more > 0) {
        if let Some(kept) = out.get_mut(at) {
            let s = if more == 1 { "" } else { "s" };
            kept.primary.note = format!("and {more} more object{s} of this kind");
        }
    }
    out
}

fn finding(meta: &RuleMeta, object: &ObjectRef, defect: Defect) -> Finding {
    let mut finding = Finding::new(meta, defect.span, defect.message)
        .with_object(Some(object.clone()))
        .with_path(defect.path);
    finding.help = defect.help;
    finding
}

fn failure(reason: String) -> Failure {
    Failure { rule: None, span: None, reason, help: None }
}

fn unknown_version(kubernetes: KubernetesVersion) -> String {
    match versions() {
        [oldest, .., newest] => format!(
            "the schemas of Kubernetes {kubernetes} are not known, only those of {oldest} to {newest}"
        ),
        _ => format!("the schemas of Kubernetes {kubernetes} are not known"),
    }
}

/// Returns the field that is wrong, what is wrong, and how to mend it.
fn unknown_kind(
    builtin: Builtin,
    bit: u64,
    kubernetes: KubernetesVersion,
    object: &ObjectRef,
) -> (&'static str, String, Option<String>) {
    let (group, version, kind) = (object.group(), object.version(), &*object.kind);
    let message = format!(
        "Kubernetes {kubernetes} has no kind {} in {}",
        wording::code(kind),
        wording::code(&object.api_version)
    );
    let homes = builtin.homes(bit, group, kind);
    let home = homes.first().map(|home| format!("use `{home}`"));
    match served(group, version, kind) {
        Some((first, _)) if first > kubernetes => {
            let help = format!("Kubernetes {first} is the first version that serves it");
            ("apiVersion", message, Some(join(help, home)))
        }
        Some((_, last)) => {
            let help = format!("Kubernetes {last} was the last version that served it");
            ("apiVersion", message, Some(join(help, home)))
        }
        None if home.is_some() => ("apiVersion", message, home),
        None => {
            let near = if kind.len() > 64 {
                None
            } else {
                closest(kind, builtin.kinds(bit, group, Some(version)))
                    .or_else(|| closest(kind, builtin.kinds(bit, group, None)))
            };
            ("kind", message, near.map(|near| format!("did you mean `{near}`?")))
        }
    }
}

fn join(help: String, more: Option<String>) -> String {
    match more {
        Some(more) => format!("{help}; {more}"),
        None => help,
    }
}

#[cfg(test)]
mod tests;
