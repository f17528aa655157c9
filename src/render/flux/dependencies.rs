//! Who waits for whom: `dependsOn` of Kustomizations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::document::{Document, Node, ObjectRef};
use crate::render::{Gap, GapKind};
use crate::source::Span;

/// The Kustomizations of all clusters, and what they wait for.
#[derive(Debug, Default)]
pub(in crate::render) struct Dependencies {
    /// The index of each delivery, by cluster and name.
    places: BTreeMap<(Arc<str>, Name), usize>,
    names: BTreeSet<Name>,
    waiting: Vec<Waiting>,
}

/// A Kustomization by its namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    namespace: Option<Arc<str>>,
    name: Arc<str>,
}

#[derive(Debug)]
struct Waiting {
    delivery: usize,
    cluster: Arc<str>,
    name: Name,
    span: Span,
}

impl Name {
    fn of(object: &ObjectRef) -> Self {
        Self { namespace: object.namespace.clone(), name: Arc::clone(&object.name) }
    }

    fn shown(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}/{}", self.name),
            None => self.name.to_string(),
        }
    }
}

/// Returns the Kustomizations that one waits for, and where it says so.
pub(in crate::render) fn dependencies(
    document: &Document,
) -> impl Iterator<Item = (ObjectRef, Span)> {
    let own = document.object.clone();
    let all = document.root.at(&["spec", "dependsOn"]).map_or(&[][..], Node::items);
    all.iter().filter_map(move |item| {
        let own = own.clone()?;
        let text = |key| item.get(key).and_then(Node::as_str).filter(|it| !it.is_empty());
        let namespace = text("namespace").map(Arc::from).or(own.namespace);
        let name = item.get("name")?;
        let object = ObjectRef { name: Arc::from(name.as_str()?), namespace, ..own };
        Some((object, name.span))
    })
}

/// Takes away the edges to what has no edge of its own, over and over.
fn without_ends(mut edges: BTreeSet<(usize, usize)>) -> BTreeSet<(usize, usize)> {
    let mut to: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut left: BTreeMap<usize, usize> = BTreeMap::new();
    for (from, end) in &edges {
        to.entry(*end).or_default().push(*from);
        *left.entry(*from).or_default() += 1;
        left.entry(*end).or_default();
    }
    let mut ends: Vec<usize> =
        left.iter().filter(|(_, count)| **count == 0).map(|(node, _)| *node).collect();
    while let Some(end) = ends.pop() {
        for from in to.remove(&end).unwrap_or_default() {
            edges.remove(&(from, end));
            if let Some(count) = left.get_mut(&from) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    ends.push(from);
                }
            }
        }
    }
    edges
}

impl Dependencies {
    /// Adds the Kustomization that a delivery is of.
    pub(in crate::render) fn add(
        &mut self,
        delivery: usize,
        cluster: &Arc<str>,
        document: &Document,
    ) {
        let Some(object) = &document.object else { return };
        let name = Name::of(object);
        self.places.entry((Arc::clone(cluster), name.clone())).or_insert(delivery);
        self.names.insert(name);
        for (object, span) in dependencies(document) {
            let (cluster, name) = (Arc::clone(cluster), Name::of(&object));
            self.waiting.push(Waiting { delivery, cluster, name, span });
        }
    }

    /// Returns what is wrong with them, each with the delivery that it is about.
    pub(in crate::render) fn defects(&self) -> Vec<(usize, Gap)> {
        let mut defects = Vec::new();
        let mut edges: BTreeSet<(usize, usize)> = BTreeSet::new();
        for it in &self.waiting {
            match self.places.get(&(Arc::clone(&it.cluster), it.name.clone())) {
                Some(other) => {
                    edges.insert((it.delivery, *other));
                }
                // Which cluster a Kustomization is in is not always known.
                None if self.names.contains(&it.name) => {}
                None => {
                    let (kind, text) = (GapKind::UnknownDependency, it.name.shown());
                    defects.push((it.delivery, Gap { kind, span: it.span, text }));
                }
            }
        }
        // What waits for nothing, and what nobody waits for, is in no circle.
        let mut edges = without_ends(edges);
        let turned = edges.iter().map(|(from, to)| (*to, *from)).collect();
        edges = without_ends(turned).into_iter().map(|(to, from)| (from, to)).collect();
        for it in &self.waiting {
            let other = self.places.get(&(Arc::clone(&it.cluster), it.name.clone()));
            if other.is_some_and(|other| edges.contains(&(it.delivery, *other))) {
                let (kind, text) = (GapKind::DependencyCircle, it.name.shown());
                defects.push((it.delivery, Gap { kind, span: it.span, text }));
            }
        }
        defects
    }
}
