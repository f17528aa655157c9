//! What a policy sees: the review as Rego's `input`.

use crate::document::{Document, ObjectRef};
use crate::engine::rego::Value;
use crate::environment::Environment;
use crate::review::{Operation, Provenance, Review};

/// The fields of `input`. Policies that read others are refused.
pub(super) const FIELDS: [&str; 13] = [
    "change",
    "dryRun",
    "environment",
    "kind",
    "name",
    "namespace",
    "object",
    "oldObject",
    "operation",
    "options",
    "source",
    "subResource",
    "userInfo",
];

/// Returns the input for a review.
///
/// As in an `AdmissionRequest`, `object` is null at DELETE and what goes away is `oldObject`, so
/// that no policy denies the removal of what it denies.
pub(super) fn of(review: &Review<'_>) -> Value {
    let tree = |document: &Document| Value::from(&document.root);
    let (object, old_object) = match review.operation {
        Operation::Delete => (Value::null(), tree(review.object)),
        Operation::Create | Operation::Update | Operation::Connect => {
            (tree(review.object), review.old_object.map_or_else(Value::null, tree))
        }
    };
    let reference = review.object.object.as_ref();
    let text = |text: Option<&str>| Value::string(text.unwrap_or_default());
    Value::object([
        ("operation", Value::string(review.operation.as_str())),
        ("object", object),
        ("oldObject", old_object),
        (
            "kind",
            Value::object([
                ("group", text(reference.map(ObjectRef::group))),
                ("version", text(reference.map(ObjectRef::version))),
                ("kind", text(reference.map(|it| &*it.kind))),
            ]),
        ),
        ("name", text(reference.map(|it| &*it.name))),
        ("namespace", text(reference.and_then(|it| it.namespace.as_deref()))),
        ("userInfo", review.asked.map_or_else(Value::null, |it| Value::from(&it.user_info))),
        ("subResource", text(review.asked.map(|it| &*it.sub_resource))),
        ("options", review.asked.map_or_else(Value::null, |it| Value::from(&it.options))),
        ("dryRun", Value::bool(review.dry_run)),
        ("environment", review.environment.map_or_else(Value::null, environment)),
        ("source", review.provenance.map_or_else(Value::null, source)),
        ("change", Value::null()),
    ])
}

/// Returns the input of an object of which nothing is known, to try policies on.
pub(super) fn empty() -> Value {
    let empty = || Value::object([]);
    Value::object([
        ("operation", Value::string(Operation::Create.as_str())),
        ("object", empty()),
        ("oldObject", Value::null()),
        ("kind", empty()),
        ("name", Value::string("")),
        ("namespace", Value::string("")),
        ("userInfo", Value::null()),
        ("subResource", Value::string("")),
        ("options", Value::null()),
        ("dryRun", Value::bool(false)),
        ("environment", Value::null()),
        ("source", Value::null()),
        ("change", Value::null()),
    ])
}

fn environment(environment: &Environment) -> Value {
    let labels = environment.labels.iter();
    Value::object([
        ("name", Value::string(&environment.name)),
        ("tier", Value::string(environment.tier.as_str())),
        ("cluster", environment.cluster.as_deref().map_or_else(Value::null, Value::string)),
        ("kubernetes", Value::string(&environment.kubernetes.to_string())),
        ("labels", Value::object(labels.map(|(key, value)| (&**key, Value::string(value))))),
    ])
}

fn source(provenance: &Provenance) -> Value {
    let root = provenance.root.as_ref();
    Value::object([
        ("path", Value::string(provenance.path.as_str())),
        ("root", root.map_or_else(Value::null, |root| Value::string(root.as_str()))),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Node, NodeKind};
    use crate::source::{Origin, RepoPath, Source, SourceMap, Span};

    fn review(document: &Document, operation: Operation) -> Review<'_> {
        Review {
            operation,
            object: document,
            old_object: None,
            apply: crate::review::Apply::Client,
            dry_run: false,
            environment: None,
            provenance: None,
            asked: None,
        }
    }

    fn document() -> Document {
        let mut sources = SourceMap::default();
        let id = sources.add(Source::new(RepoPath::new("a.yaml"), Origin::File, vec![]));
        Document::new(Node { span: Span::start_of(id), kind: NodeKind::Mapping(Vec::new()) })
    }

    #[test]
    fn every_field_that_is_promised_is_there() {
        let document = document();
        assert_eq!(of(&review(&document, Operation::Create)).keys().unwrap(), FIELDS);
        assert_eq!(empty().keys().unwrap(), FIELDS);
    }

    #[test]
    fn an_object_that_goes_away_is_the_old_object() {
        let document = document();
        let input = of(&review(&document, Operation::Delete));
        assert_eq!(input.get("object"), Some(Value::null()));
        assert_eq!(input.get("oldObject"), Some(Value::object([])));
    }
}
