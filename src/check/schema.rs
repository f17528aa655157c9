//! Holds objects against the schemas of their kinds, as the API server's strict decoder does.
//!
//! Says nothing of what the server's own validation asks beyond the schema.

mod builtin;
mod defect;
mod format;
mod lookup;
mod rules;
mod served;
mod table;
mod walk;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use builtin::{newest, plural, scope, served, versions};
pub use lookup::{Schema, SchemaSource};
pub use rules::UNVERIFIED;

use builtin::{Builtin, Standing};
use defect::{Breach, Defect};
use rules::Rules;

use super::{Check, Context, KindScope, Kinds, Results};
use crate::document::{FieldPath, ObjectRef, Part};
use crate::environment::KubernetesVersion;
use crate::finding::{Failure, Finding};
use crate::review::{Apply, Review};
use crate::rule::{Doors, RuleMeta};
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

    fn meta(&self, breach: Breach, apply: Apply) -> &RuleMeta {
        match breach {
            Breach::DuplicateItem if apply == Apply::Client => &self.rules.repeated_item,
            Breach::DuplicateItem => &self.rules.duplicate_item,
            Breach::UnknownField => &self.rules.unknown_field,
            Breach::WrongType => &self.rules.wrong_type,
            Breach::MissingField => &self.rules.missing_field,
            Breach::InvalidValue => &self.rules.invalid_value,
        }
    }
}

impl SchemaCheck {
    /// Says what a version of Kubernetes has against a kind that it serves.
    fn stand(
        &self,
        cx: Context<'_>,
        review: &Review<'_>,
        object: &ObjectRef,
        standing: &Standing,
        results: &mut Results,
    ) {
        let said = [
            (&self.rules.deprecated_kind, served::deprecated(object, standing)),
            (&self.rules.disabled_api, served::disabled(object, standing)),
        ];
        for (meta, said) in said {
            if let Some((message, help)) = said {
                let told = Told { field: "apiVersion", message, help };
                tell(cx, review, object, meta, told, results);
            }
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
            if defects.len() >= defect::LIMIT {
                let reason =
                    format!("an object has {} defects or more; not all are told", defect::LIMIT);
                let span = Some(review.object.span);
                results.failures.push(Failure { span, ..failure(reason) });
            }
            for defect in defects {
                let meta = self.meta(defect.breach, review.apply);
                if cx.selection.allows(&meta.id) {
                    results.findings.push(finding(meta, object, defect));
                }
            }
            if let Some(standing) = builtin.standing(kubernetes, group, version, &object.kind) {
                self.stand(cx, review, object, &standing, results);
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
        let (meta, (field, message, help)) = if builtin.has_group(group) {
            (&self.rules.unknown_kind, served::unknown_kind(builtin, bit, kubernetes, object))
        } else {
            let message = format!(
                "the schema of {} in {} is not known, so its fields are not checked",
                wording::code(&object.kind),
                wording::code(&object.api_version)
            );
            (&self.rules.unverified, ("apiVersion", message, None))
        };
        tell(cx, review, object, meta, Told { field, message, help }, results);
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

/// What is to be said of a field of the object itself.
struct Told {
    field: &'static str,
    message: String,
    help: Option<String>,
}

fn tell(
    cx: Context<'_>,
    review: &Review<'_>,
    object: &ObjectRef,
    meta: &RuleMeta,
    told: Told,
    results: &mut Results,
) {
    let applies = review.asked.is_none() || meta.doors == Doors::Both;
    if applies && cx.selection.allows(&meta.id) {
        let path = FieldPath::from([told.field]);
        let span = review.object.root.locate(&path, Part::Value);
        let mut finding = Finding::new(meta, span, told.message)
            .with_object(Some(object.clone()))
            .with_path(path);
        finding.help = told.help;
        results.findings.push(finding);
    }
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

#[cfg(test)]
mod tests;
