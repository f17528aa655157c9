//! The annotation of a policy, read strictly: a misspelt key would be a setting that is lost.

use crate::document::{Node, NodeKind, ObjectRef};
use crate::engine::rego::Annotation;
use crate::rule::{Doors, Enforcement, Minors, Reference, RuleId, RuleMeta, Scope, closest};
use crate::source::Span;

use super::bundle::{BundleError, Owner};

/// A kind that a policy is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KindPattern {
    /// The API group, empty for the core group; any where there is none.
    pub(super) group: Option<String>,
    pub(super) kind: String,
}

impl KindPattern {
    /// Reads `Kind` (of any group), `group/Kind`, or `core/Kind` for the core group.
    fn parse(text: &str) -> Option<Self> {
        let (group, kind) = match text.split_once('/') {
            Some(("core", kind)) => (Some(""), kind),
            Some((group, kind)) => (Some(group), kind),
            None => (None, text),
        };
        let is_kind = kind.starts_with(|c: char| c.is_ascii_uppercase())
            && kind.chars().all(|c| c.is_ascii_alphanumeric());
        let is_group = |group: &str| {
            group.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c))
        };
        let empty = text.starts_with('/');
        (is_kind && !empty && group.is_none_or(is_group))
            .then(|| Self { group: group.map(str::to_owned), kind: kind.to_owned() })
    }

    pub(super) fn matches(&self, object: &ObjectRef) -> bool {
        *self.kind == *object.kind
            && self.group.as_deref().is_none_or(|group| group == object.group())
    }
}

/// Reads the annotation of the policy `id`.
pub(super) fn read(
    annotation: &Annotation,
    id: RuleId,
    owner: Owner,
    errors: &mut Vec<BundleError>,
) -> Option<(RuleMeta, Vec<KindPattern>)> {
    let mut reader = Reader { annotation, errors: Vec::new() };
    let top = reader.mapping(
        &annotation.root,
        "the annotation",
        &["title", "description", "related_resources", "custom"],
    );
    let title = reader.text(top, "title");
    let description = reader.text(top, "description");
    let references = reader.references(top);
    let (mut custom, mut kinds) = (None, Vec::new());
    if let Some(node) = reader.required(top, "custom") {
        let known = ["severity", "enforcement", "scope", "since", "help", "kinds"];
        custom = reader.mapping(node, "`custom`", &known);
        kinds = reader.kinds(custom);
    }
    let severity = reader.required(custom, "severity").and_then(|node| {
        let severity = node.as_str().and_then(|text| text.parse().ok());
        reader.some(severity, node.span, "is `low`, `medium`, `high` or `critical`", "severity")
    });
    let enforcement = match custom.and_then(|custom| custom.get("enforcement")) {
        None => Some(Enforcement::Deny),
        Some(node) => {
            let all = [Enforcement::Warn, Enforcement::Deny];
            let found = all.into_iter().find(|it| node.as_str() == Some(it.as_str()));
            reader.some(found, node.span, "is `warn` or `deny`", "enforcement")
        }
    };
    let scope = match custom.and_then(|custom| custom.get("scope")) {
        None => Some(Scope::Object),
        Some(node) => {
            let all = [Scope::Object, Scope::Environment, Scope::Change];
            let found = all.into_iter().find(|it| node.as_str() == Some(it.as_str()));
            // A rule of the user that nothing evaluates would be one that silently never fires.
            if owner == Owner::User && found.is_some_and(|scope| scope != Scope::Object) {
                let expected = "is `object`: no other is evaluated for policies of your own";
                reader.some(None, node.span, expected, "scope")
            } else {
                reader.some(found, node.span, "is `object`, `environment` or `change`", "scope")
            }
        }
    };
    // The version of the program says nothing of a rule of the user.
    let no_since = owner == Owner::User && custom.is_some_and(|it| it.get("since").is_none());
    let since = if no_since { None } else { reader.required(custom, "since") };
    let since = since.and_then(|node| {
        let is_version = |text: &&str| {
            text.split('.').count() == 3 && text.split('.').all(|part| part.parse::<u32>().is_ok())
        };
        let since = node.as_str().filter(is_version).map(str::to_owned);
        reader.some(since, node.span, "is a version such as `0.1.0`", "since")
    });
    let help = reader.text(custom, "help");
    let Reader { errors: found, .. } = reader;
    if !found.is_empty() {
        errors.extend(found);
        return None;
    }
    let meta = RuleMeta {
        id,
        title: title?.into(),
        description: description?.into(),
        help: help?.into(),
        severity: severity?,
        enforcement: enforcement?,
        scope: scope?,
        // What an environment or a change holds, a request does not say.
        doors: if scope? == Scope::Object { Doors::Both } else { Doors::Repository },
        minors: Minors::ALL,
        since: if no_since { "".into() } else { since?.into() },
        references,
    };
    Some((meta, kinds))
}

struct Reader<'a> {
    annotation: &'a Annotation,
    errors: Vec<BundleError>,
}

impl<'a> Reader<'a> {
    fn error(&mut self, span: Span, message: String) {
        self.errors.push(BundleError::new(&self.annotation.place_of(span), message));
    }

    /// Passes a value on, or says what the key has to be.
    fn some<T>(&mut self, value: Option<T>, span: Span, expected: &str, key: &str) -> Option<T> {
        if value.is_none() {
            self.error(span, format!("`{key}` {expected}"));
        }
        value
    }

    /// Returns a mapping after looking for keys that are not known.
    fn mapping(&mut self, node: &'a Node, name: &str, known: &[&str]) -> Option<&'a Node> {
        if !node.is_mapping() {
            self.error(node.span, format!("{name} is no mapping"));
            return None;
        }
        for entry in node.entries() {
            if !known.contains(&&*entry.key) {
                let mut message = format!("{name} has the unknown key `{}`", entry.key);
                if let Some(meant) = closest(&entry.key, known.iter().copied()) {
                    message = format!("{message}; did you mean `{meant}`?");
                }
                self.error(entry.key_span, message);
            }
        }
        Some(node)
    }

    fn required(&mut self, mapping: Option<&'a Node>, key: &str) -> Option<&'a Node> {
        let mapping = mapping?;
        let node = mapping.get(key);
        if node.is_none() {
            self.error(mapping.span, format!("the annotation has no `{key}`"));
        }
        node
    }

    fn text(&mut self, mapping: Option<&'a Node>, key: &str) -> Option<String> {
        let node = self.required(mapping, key)?;
        let text = node.as_str().map(str::trim).filter(|text| !text.is_empty());
        self.some(text.map(str::to_owned), node.span, "is a text", key)
    }

    fn list(&mut self, mapping: Option<&'a Node>, key: &str) -> &'a [Node] {
        match mapping.and_then(|mapping| mapping.get(key)) {
            None => &[],
            Some(Node { kind: NodeKind::Sequence(items), .. }) => items,
            Some(node) => {
                self.error(node.span, format!("`{key}` is no list"));
                &[]
            }
        }
    }

    fn references(&mut self, top: Option<&'a Node>) -> Vec<Reference> {
        let mut references = Vec::new();
        for item in self.list(top, "related_resources") {
            let item = self.mapping(item, "a related resource", &["description", "ref"]);
            let title = self.text(item, "description");
            let url = self.text(item, "ref");
            if let (Some(title), Some(url)) = (title, url) {
                references.push(Reference { title: title.into(), url: url.into() });
            }
        }
        references
    }

    fn kinds(&mut self, custom: Option<&'a Node>) -> Vec<KindPattern> {
        let mut kinds = Vec::new();
        for item in self.list(custom, "kinds") {
            let pattern = item.as_str().and_then(KindPattern::parse);
            kinds.extend(self.some(pattern, item.span, "lists `Kind` or `group/Kind`", "kinds"));
        }
        if kinds.is_empty()
            && let Some(node) = custom.and_then(|custom| custom.get("kinds"))
        {
            self.error(node.span, "`kinds` is empty: leave it out for all kinds".to_owned());
        }
        kinds
    }
}
