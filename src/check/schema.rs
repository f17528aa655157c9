//! Holds objects against the schemas of their kinds, as the API server's strict decoder does.
//!
//! Says nothing of what the server's own validation asks beyond the schema.

mod builtin;
mod carried;
mod defect;
mod definitions;
pub mod embedded;
mod format;
mod json_schema;
mod lookup;
mod rules;
mod served;
mod source;
mod structural;
mod suggest;
mod table;
mod walk;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use builtin::{newest, plural, scope, served, versions};
pub use defect::{Breach, Defect};
pub use definitions::{Definitions, defines};
pub use json_schema::{Beside, JsonSchema, schema_of};
pub use lookup::Schema;
pub use rules::{UNVERIFIED, remote_schema};
pub use source::{Answer, Authority, Found, ObjectSchema, SchemaSource, Sources, Wanted};
pub use structural::{Judgement, NotStructural, Options, Structural, Subject};

use builtin::{Builtin, Standing};
use embedded::Fidelity;
use rules::Rules;

use super::{Check, Context, KindScope, Kinds, Results, SchemaUse};
use crate::document::{FieldPath, ObjectRef, Part, Step};
use crate::environment::KubernetesVersion;
use crate::finding::{Failure, Finding};
use crate::review::{Apply, Review};
use crate::rule::{Doors, RuleMeta, closest};
use crate::wording;

/// Judges objects by the schemas of their kinds.
#[derive(Debug)]
pub struct SchemaCheck {
    rules: Rules,
    sources: Arc<Sources>,
}

impl Default for SchemaCheck {
    fn default() -> Self {
        Self::new(Arc::default())
    }
}

/// Returns the rules of this check.
pub fn rules() -> Vec<RuleMeta> {
    Rules::new().all()
}

impl SchemaCheck {
    /// Returns a check by the schemas of these sources.
    pub fn new(sources: Arc<Sources>) -> Self {
        Self { rules: Rules::new(), sources }
    }

    fn meta(&self, defect: &Defect, authority: &Authority, apply: Apply) -> &RuleMeta {
        // Metadata is the same in every version of a definition.
        let in_metadata =
            matches!(defect.path.first(), Some(Step::Key(key)) if &**key == "metadata");
        if let (Authority::Embedded(_, fidelity), false) = (authority, in_metadata) {
            if defect.breach == Breach::UnknownField {
                return &self.rules.unknown_custom_field;
            }
            if *fidelity == Fidelity::Partial {
                return &self.rules.unproven_defect;
            }
        }
        match defect.breach {
            Breach::DuplicateItem
                if (in_metadata || matches!(authority, Authority::BuiltIn))
                    && apply == Apply::Client =>
            {
                &self.rules.repeated_item
            }
            Breach::UnknownField => &self.rules.unknown_field,
            Breach::WrongType => &self.rules.wrong_type,
            Breach::MissingField => &self.rules.missing_field,
            Breach::InvalidValue => &self.rules.invalid_value,
            Breach::DuplicateItem => &self.rules.duplicate_item,
            Breach::BrokenRule => &self.rules.broken_rule,
        }
    }

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

    /// Judges an object by what a source knows of its kind.
    fn judge(
        &self,
        cx: Context<'_>,
        review: &Review<'_>,
        object: &ObjectRef,
        kubernetes: KubernetesVersion,
        answer: Answer<'_>,
        results: &mut Results,
    ) {
        let Answer { found, authority } = answer;
        let root = &review.object.root;
        // What an API server asks about, it has judged by its own definition already, which may be
        // another one.
        if review.asked.is_some() && matches!(authority, Authority::Embedded(..)) {
            return;
        }
        let defects = match found {
            Found::BuiltIn(schema) => walk::walk(root, &object.kind, schema, review.apply),
            Found::Structural(schema) => {
                let judgement = schema.check(&Subject {
                    kind: &object.kind,
                    object: root,
                    old: review.old_object.map(|it| &it.root),
                    apply: review.apply,
                    kubernetes,
                });
                self.rules_of(cx, review, object, &authority, judgement, results)
            }
            Found::Other(schema) => schema.check(&object.kind, root),
            Found::Open => Vec::new(),
            Found::NotServed(versions) => {
                let (message, help) = unserved(object, &versions);
                let told = Told { field: "apiVersion", message, help };
                tell(cx, review, object, &self.rules.unserved_version, told, results);
                Vec::new()
            }
            Found::Unusable(failure) => {
                results.failures.push(*failure);
                Vec::new()
            }
        };
        if defects.len() >= defect::LIMIT {
            let reason =
                format!("an object has {} defects or more; not all are told", defect::LIMIT);
            let span = Some(review.object.span);
            results.failures.push(Failure { span, ..failure(reason) });
        }
        for defect in defects {
            let meta = self.meta(&defect, &authority, review.apply);
            let applies = review.asked.is_none() || meta.doors == Doors::Both;
            if applies && cx.selection.allows(&meta.id) {
                results.findings.push(finding(meta, object, defect));
            }
        }
        results.schemas.push(SchemaUse {
            api_version: Arc::clone(&object.api_version),
            kind: Arc::clone(&object.kind),
            authority: Some(authority),
        });
    }
}

impl SchemaCheck {
    /// Tells what became of the rules of a definition, and returns the defects.
    fn rules_of(
        &self,
        cx: Context<'_>,
        review: &Review<'_>,
        object: &ObjectRef,
        authority: &Authority,
        judgement: Judgement,
        results: &mut Results,
    ) -> Vec<Defect> {
        let of = authority.name().unwrap_or("this repository");
        let rule = &self.rules.broken_rule;
        for reason in judgement.failures {
            let reason = format!("{reason} (in the definition of {})", wording::code(of));
            results.failures.push(Failure { rule: Some(rule.id.clone()), ..failure(reason) });
        }
        if judgement.too_expensive {
            let what = wording::code(&object.kind);
            if matches!(authority, Authority::Repository(_) | Authority::User(_)) {
                let message = format!(
                    "the rules of the definition of {what} cost more for this object than the API \
                     server allows"
                );
                let told = Told { field: "kind", message, help: None };
                tell(cx, review, object, rule, told, results);
            } else {
                let reason = format!("the rules of the definition of {what} cost too much");
                let span = Some(review.object.span);
                let rule = Some(rule.id.clone());
                results.failures.push(Failure { rule, span, ..failure(reason) });
            }
        }
        judgement.defects
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
        let group = object.group();
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
        let environment = review.environment.map(|it| &*it.name);
        let wanted = Wanted::of(object, kubernetes, environment);
        if let Some(answer) = self.sources.lookup(&builtin, &wanted) {
            // Where a user's schema stands for a built-in kind, the kind is still what it is.
            let is_built_in = matches!(answer.authority, Authority::BuiltIn | Authority::User(_));
            self.judge(cx, review, object, kubernetes, answer, results);
            if let Some(standing) = builtin
                .standing(kubernetes, group, object.version(), &object.kind)
                .filter(|_| is_built_in)
            {
                self.stand(cx, review, object, &standing, results);
            }
            return;
        }
        // An empty `List` of anything has nothing in it to judge.
        let is_list = (group, object.version(), &*object.kind) == ("", "v1", "List");
        let is_template =
            [&object.api_version, &object.kind].iter().any(|it| wording::is_placeholder(it));
        if is_list || is_template {
            return;
        }
        let (meta, (field, message, help)) = if builtin.has_group(group) {
            (&self.rules.unknown_kind, served::unknown_kind(builtin, bit, kubernetes, object))
        } else {
            (&self.rules.unverified, self.unverified(object))
        };
        tell(cx, review, object, meta, Told { field, message, help }, results);
        results.schemas.push(SchemaUse {
            api_version: Arc::clone(&object.api_version),
            kind: Arc::clone(&object.kind),
            authority: None,
        });
    }
}

impl SchemaCheck {
    /// Returns the field of a kind whose schema is not known, what to say, and what is known.
    fn unverified(&self, object: &ObjectRef) -> (&'static str, String, Option<String>) {
        let (group, kind) = (object.group(), &*object.kind);
        let message = format!(
            "the schema of {} in {} is not known, so its fields are not checked",
            wording::code(kind),
            wording::code(&object.api_version)
        );
        let versions = self.sources.known(group, Some(kind));
        if !versions.is_empty() {
            let versions: Vec<String> =
                versions.iter().map(|(version, _)| format!("`{group}/{version}`")).collect();
            return ("apiVersion", message, Some(format!("known are {}", versions.join(", "))));
        }
        let kinds = self.sources.known(group, None);
        let near = match kind.len() {
            ..=64 => closest(kind, kinds.iter().map(|(_, kind)| kind.as_str())),
            _ => None,
        };
        match near {
            Some(near) => ("kind", message, Some(format!("did you mean `{near}`?"))),
            None => ("apiVersion", message, None),
        }
    }
}

/// Says that a definition does not serve a version, and which it serves.
fn unserved(object: &ObjectRef, versions: &[String]) -> (String, Option<String>) {
    let message = format!(
        "the definition of {} does not serve version {}",
        wording::code(&object.kind),
        wording::code(object.version())
    );
    let named: Vec<String> = versions.iter().map(|it| wording::code(it)).collect();
    let help = (!named.is_empty()).then(|| format!("it serves {}", named.join(", ")));
    (message, help)
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
