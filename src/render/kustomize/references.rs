//! References to names: where a name changed, what refers to it changes too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::budget::Budget;
use super::config::NameReference;
use super::field::{self, Create, Field, Kinds};
use super::object::{Id, Object, set, text};
use crate::document::{Node, NodeKind, Scalar};
use crate::render::RenderError;

type Result<T> = std::result::Result<T, RenderError>;

/// What is known of an object that may be referred to.
struct Candidate {
    id: Id,
    original: Id,
    previous: Vec<Id>,
    name: Node,
    namespace: Option<Node>,
    prefixes: Vec<Arc<str>>,
    suffixes: Vec<Arc<str>>,
}

/// What a reference consists of.
#[derive(Debug, Clone, Copy)]
enum Scope<'a> {
    /// A name alone.
    Name,
    /// A map with a name, and a namespace where it has one.
    Map(Option<&'a Arc<str>>),
}

/// Everything that may be referred to, by former names.
struct Candidates {
    all: Vec<Candidate>,
    by_name: BTreeMap<Arc<str>, Vec<usize>>,
    original_namespaces: BTreeSet<Arc<str>>,
}

/// Renames what refers to objects whose names or namespaces changed.
pub(super) fn fix(
    objects: &mut [Object],
    tables: &[NameReference],
    budget: &mut Budget,
) -> Result<()> {
    let candidates = Candidates::new(objects);
    let is_binding = |object: &Object| &*object.kind() == "RoleBinding";
    if candidates.by_name.is_empty() && !objects.iter().any(is_binding) {
        return Ok(());
    }
    for object in objects {
        let original = object.original_id();
        for table in tables {
            for field in &table.referrers {
                if !field.kinds.has_id(&original) {
                    continue;
                }
                blank_namespace(object, field)?;
                let referrer = Referrer::new(object, field.path.ends_with("roleRef/name"));
                // The field was looked up by the first kind; the object may have another by now.
                let mut field = field.clone();
                field.kinds = Kinds::default();
                let span = object.node.span;
                field::visit(&mut object.node, &field, Create::Nothing, span, &mut |node| {
                    candidates.update(&referrer, &table.target, node, budget)
                })?;
            }
        }
    }
    Ok(())
}

/// Refuses a service account of a role binding whose namespace is left empty, as kustomize does
/// where it looks for what the binding refers to.
fn blank_namespace(object: &Object, field: &Field) -> Result<()> {
    if &*object.kind() != "RoleBinding" || object.id().is_cluster_scoped() {
        return Ok(());
    }
    let top = field.path.split('/').next().unwrap_or_default();
    if object.node.get(top).is_none() {
        return Ok(());
    }
    for subject in object.node.get("subjects").map(Node::items).unwrap_or_default() {
        let is_account = subject.get("kind").and_then(Node::as_str) == Some("ServiceAccount");
        if let Some(entry) = subject.entry("namespace").filter(|_| is_account)
            && entry.value.as_str().is_none()
        {
            let message = "the service account has a `namespace` that is no text";
            return Err(RenderError::broken(entry.key_span, message)
                .with_help("name the namespace, or leave the field out"));
        }
    }
    Ok(())
}

/// The object that refers to another.
struct Referrer {
    id: Id,
    prefixes: Vec<Arc<str>>,
    suffixes: Vec<Arc<str>>,
    /// The group and kind that a role binding names.
    role: Option<(Arc<str>, Arc<str>)>,
    /// The namespaces of the service accounts that a role binding names.
    account_namespaces: BTreeSet<Arc<str>>,
}

impl Referrer {
    fn new(object: &Object, is_role: bool) -> Self {
        let role_field = |key| object.node.at(&["roleRef", key]).map(text);
        let role = is_role.then(|| role_field("apiGroup").zip(role_field("kind"))).flatten();
        let subjects = match &*object.kind() {
            "RoleBinding" => object.node.get("subjects").map(Node::items).unwrap_or_default(),
            _ => &[],
        };
        Self {
            id: object.id(),
            prefixes: object.prefixes.clone(),
            suffixes: object.suffixes.clone(),
            role,
            account_namespaces: subjects
                .iter()
                .filter(|subject| {
                    subject.get("kind").and_then(Node::as_str) == Some("ServiceAccount")
                })
                .filter_map(|subject| subject.get("namespace").map(text))
                .collect(),
        }
    }
}

impl Candidates {
    fn new(objects: &[Object]) -> Self {
        let mut all = Vec::with_capacity(objects.len());
        let mut by_name: BTreeMap<Arc<str>, Vec<usize>> = BTreeMap::new();
        let mut original_namespaces = BTreeSet::new();
        for (at, object) in objects.iter().enumerate() {
            let previous: Vec<Id> = object.previous_ids().collect();
            let names: BTreeSet<Arc<str>> =
                previous.iter().map(|id| Arc::clone(&id.name)).collect();
            for name in names {
                by_name.entry(name).or_default().push(at);
            }
            let original = object.original_id();
            if !original.is_cluster_scoped() {
                original_namespaces.insert(Arc::clone(&original.namespace));
            }
            let metadata = |key| object.node.at(&["metadata", key]).cloned();
            all.push(Candidate {
                id: object.id(),
                original,
                previous,
                name: metadata("name").unwrap_or_else(|| Node::string("", object.node.span)),
                namespace: metadata("namespace").filter(|it| !text(it).is_empty()),
                prefixes: object.prefixes.clone(),
                suffixes: object.suffixes.clone(),
            });
        }
        Self { all, by_name, original_namespaces }
    }

    fn update(
        &self,
        referrer: &Referrer,
        target: &Kinds,
        node: &mut Node,
        budget: &mut Budget,
    ) -> Result<()> {
        match &mut node.kind {
            NodeKind::Scalar(Scalar::Null) => Ok(()),
            NodeKind::Scalar(_) => self.update_name(referrer, target, node, budget),
            NodeKind::Mapping(_) => self.update_map(referrer, target, node, budget),
            NodeKind::Sequence(items) => {
                for item in items {
                    match &item.kind {
                        NodeKind::Scalar(Scalar::Null) | NodeKind::Sequence(_) => {}
                        NodeKind::Scalar(_) => self.update_name(referrer, target, item, budget)?,
                        NodeKind::Mapping(_) => self.update_map(referrer, target, item, budget)?,
                    }
                }
                Ok(())
            }
        }
    }

    fn update_name(
        &self,
        referrer: &Referrer,
        target: &Kinds,
        node: &mut Node,
        budget: &mut Budget,
    ) -> Result<()> {
        let old = text(node);
        let found = self.find(referrer, target, &old, Scope::Name, node, budget)?;
        if let Some(found) = found
            && text(&found.name) != old
        {
            *node = found.name.clone();
        }
        Ok(())
    }

    fn update_map(
        &self,
        referrer: &Referrer,
        target: &Kinds,
        node: &mut Node,
        budget: &mut Budget,
    ) -> Result<()> {
        let Some(name) = node.get("name") else {
            return Err(RenderError::broken(
                node.span,
                "the reference has no `name`, so kustomize cannot follow it",
            ));
        };
        let old = text(name);
        let namespace = node.get("namespace").map(text);
        let found =
            self.find(referrer, target, &old, Scope::Map(namespace.as_ref()), node, budget)?;
        let Some(found) = found else { return Ok(()) };
        if text(&found.name) != old {
            set(node, "name", found.name.clone());
        }
        if let Some(new) = &found.namespace
            && namespace.as_ref() != Some(&text(new))
        {
            set(node, "namespace", new.clone());
        }
        Ok(())
    }

    /// Finds the object that a name stands for; `None` where there is none that changed.
    ///
    fn find(
        &self,
        referrer: &Referrer,
        target: &Kinds,
        name: &Arc<str>,
        scope: Scope<'_>,
        node: &Node,
        budget: &mut Budget,
    ) -> Result<Option<&Candidate>> {
        let Some(named) = self.by_name.get(name) else { return Ok(None) };
        budget.work(100 * named.len(), node.span)?;
        let mut found: Vec<&Candidate> = named
            .iter()
            .filter_map(|at| self.all.get(*at))
            .filter(|it| reachable(referrer, it))
            .filter(|it| self.in_namespace(it, scope))
            .filter(|it| it.previous.iter().any(|id| target.has_id(id)))
            .filter(|it| {
                referrer.role.as_ref().is_none_or(|(group, kind)| {
                    it.previous.iter().any(|id| {
                        (group.is_empty() || id.group() == &**group)
                            && (kind.is_empty() || id.kind == *kind)
                    })
                })
            })
            .filter(|it| {
                referrer.id.is_cluster_scoped()
                    || it.id.is_cluster_scoped()
                    || &*it.id.kind == "ServiceAccount"
                    || it.id.namespace == referrer.id.namespace
            })
            .collect();
        if found.len() > 1 {
            found.retain(|it| same_affixes(referrer, it, true));
        }
        if found.len() > 1 {
            found.retain(|it| same_affixes(referrer, it, false));
        }
        let Some(first) = found.first() else { return Ok(None) };
        let same = found.iter().all(|it| {
            text(&it.name) == text(&first.name)
                && (matches!(scope, Scope::Name)
                    || it.namespace.as_ref().map(text) == first.namespace.as_ref().map(text))
        });
        if !same {
            return Err(RenderError::broken(
                node.span,
                format!("`{name}` may stand for several objects whose names were changed"),
            ));
        }
        Ok(Some(first))
    }

    fn in_namespace(&self, candidate: &Candidate, scope: Scope<'_>) -> bool {
        let Scope::Map(Some(namespace)) = scope else { return true };
        if candidate.id.is_cluster_scoped() {
            return false;
        }
        if self.original_namespaces.contains(namespace) {
            candidate.original.namespace == *namespace
        } else {
            candidate.id.namespace == *namespace
        }
    }
}

/// Says whether an object can be referred to at all: kustomize's
/// `SubsetThatCouldBeReferencedByResource`.
fn reachable(referrer: &Referrer, candidate: &Candidate) -> bool {
    referrer.id.is_cluster_scoped()
        || candidate.id.is_cluster_scoped()
        || candidate.id.namespace == referrer.id.namespace
        || candidate
            .namespace
            .as_ref()
            .is_some_and(|namespace| referrer.account_namespaces.contains(&text(namespace)))
}

/// Says whether two objects got the same prefixes and suffixes, from the outside in.
fn same_affixes(referrer: &Referrer, candidate: &Candidate, allow_empty: bool) -> bool {
    let same = |a: &[Arc<str>], b: &[Arc<str>]| {
        if a.is_empty() || b.is_empty() {
            return allow_empty || a.len() == b.len();
        }
        a.iter().rev().zip(b.iter().rev()).all(|(a, b)| a == b)
    };
    same(&referrer.prefixes, &candidate.prefixes) && same(&referrer.suffixes, &candidate.suffixes)
}
