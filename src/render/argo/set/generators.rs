//! What each generator makes parameters of.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::clusters;
use super::files::{Paths, relative};
use super::parameters::{self, flat, is_empty, merge_over, set};
use super::replace::Templates;
use super::selector;
use crate::config::Cluster;
use crate::document::{Document, Entry, Node, NodeKind};
use crate::load::Dialect;
use crate::render::deliver::Shared;
use crate::render::kustomize::inline;
use crate::render::{GapKind, RenderError};
use crate::source::{RepoPath, Span};

/// How deep generators may stand in each other: Argo CD allows one `matrix` or `merge` in another.
pub(super) const DEPTH: usize = 3;

/// How many sets of parameters one generator may make.
const MOST: usize = 10_000;

/// Generators that are made of nothing but the repository and the clusters.
const KNOWN: [&str; 5] = ["list", "clusters", "git", "matrix", "merge"];

/// Generators that ask somebody.
const ASKING: [&str; 5] =
    ["scmProvider", "clusterDecisionResource", "pullRequest", "plugin", "oci"];

/// Why a generator makes nothing.
pub(super) enum Stop {
    /// It needs something that is not here.
    LeftOut(GapKind, Span, String),
    /// Argo CD refuses it.
    Broken(RenderError),
}

impl From<RenderError> for Stop {
    fn from(error: RenderError) -> Self {
        Self::Broken(error)
    }
}

/// An `ApplicationSet` on its way.
pub(super) struct Expansion<'a> {
    shared: &'a Shared<'a>,
    document: &'a Document,
    clusters: Vec<&'a Cluster>,
    templates: Templates,
    /// The files that gave parameters.
    pub(super) read: BTreeSet<RepoPath>,
}

impl<'a> Expansion<'a> {
    pub(super) fn new(
        shared: &'a Shared<'a>,
        document: &'a Document,
        clusters: &'a [Cluster],
        templates: Templates,
    ) -> Self {
        let mut all: Vec<&Cluster> = shared.known.clusters.iter().collect();
        for cluster in clusters {
            if !all.iter().any(|it| it.name == cluster.name) {
                all.push(cluster);
            }
        }
        Self { shared, document, clusters: all, templates, read: BTreeSet::new() }
    }

    /// Returns the sets of parameters of a generator (`Transform`); `outer` are those of the
    /// generator before it in a matrix.
    pub(super) fn generate(
        &mut self,
        generator: &Node,
        outer: Option<&Node>,
        depth: usize,
    ) -> Result<Vec<Node>, Stop> {
        if depth >= DEPTH {
            let message = "generators stand too deep in each other";
            return Err(RenderError::broken(generator.span, message).into());
        }
        let filled = match outer {
            Some(outer) => Cow::Owned(self.interpolated(generator, outer)?),
            None => Cow::Borrowed(generator),
        };
        let own = |key| filled.get(key).filter(|node| !node.is_null());
        for key in ASKING {
            if let Some(entry) = filled.entry(key).filter(|entry| !entry.value.is_null()) {
                let text = format!("the generator `{key}` asks another service");
                return Err(Stop::LeftOut(GapKind::NotExpanded, entry.key_span, text));
            }
        }
        let mut found = Vec::new();
        for key in KNOWN {
            let Some(node) = own(key) else { continue };
            found.extend(match key {
                "list" => self.list(node)?,
                "clusters" => self.clusters(generator, node)?,
                "git" => self.git(node)?,
                "matrix" => self.matrix(node, depth)?,
                _ => self.merge(node, depth)?,
            });
        }
        if found.len() > MOST {
            let message = format!("the generator makes more than {MOST} sets of parameters");
            return Err(RenderError::unsupported(generator.span, message).into());
        }
        let selector = own("selector");
        if selector.is_some() {
            found.retain(|parameters| {
                let flat = flat(parameters);
                let label = |name: &str| {
                    let value = flat.iter().find(|(key, _)| key == name)?;
                    value.1.as_str().map(str::to_owned)
                };
                selector::chooses(selector, &label)
            });
        }
        Ok(found)
    }

    /// Fills in a generator with the parameters of the one before it (`RenderGeneratorParams`).
    ///
    /// What its `values` do not find there, its own parameters may give.
    fn interpolated(&self, generator: &Node, outer: &Node) -> Result<Node, RenderError> {
        let mut template = generator.clone();
        let mut values = Vec::new();
        for key in KNOWN {
            if let Some(own) = template.get_mut(key).and_then(|node| node.get_mut("values")) {
                for entry in own.entries() {
                    let text = entry.value.as_str().unwrap_or_default();
                    let templates = self.templates.strict();
                    let filled = templates.text(text, entry.value.span, outer);
                    let value = filled.unwrap_or_else(|_| text.to_owned());
                    let value = Node::string(value, entry.value.span);
                    values.push((key, Entry { value, ..entry.clone() }));
                }
                own.kind = NodeKind::Mapping(Vec::new());
            }
        }
        let mut filled = self.templates.fill(&template, outer)?;
        for (key, entry) in values {
            if let Some(own) = filled.get_mut(key).and_then(|node| node.get_mut("values"))
                && let NodeKind::Mapping(entries) = &mut own.kind
            {
                entries.push(entry);
            }
        }
        Ok(filled)
    }

    /// Adds the `values` of a generator, which may use its own parameters.
    fn add_values(&self, generator: &Node, parameters: &mut Node) -> Result<(), RenderError> {
        let values = generator.get("values").map_or(&[][..], Node::entries);
        let mut filled = Vec::with_capacity(values.len());
        for entry in values {
            let text = match entry.value.as_str() {
                Some(text) => self.templates.text(text, entry.value.span, parameters)?,
                None => parameters::shown(&entry.value),
            };
            filled.push((&entry.key, Node::string(text, entry.value.span)));
        }
        let mut group = parameters.get("values").cloned();
        for (key, value) in filled {
            if self.templates.go {
                set(group.get_or_insert_with(|| Node::mapping(generator.span)), key, value);
            } else {
                set(parameters, &format!("values.{key}"), value);
            }
        }
        if let Some(group) = group {
            set(parameters, "values", group);
        }
        Ok(())
    }

    fn list(&self, node: &Node) -> Result<Vec<Node>, Stop> {
        let mut found = Vec::new();
        for element in node.get("elements").map_or(&[][..], Node::items) {
            if self.templates.go {
                found.push(element.clone());
                continue;
            }
            let mut parameters = Node::mapping(element.span);
            for entry in element.entries() {
                let is_values = &*entry.key == "values";
                let inner =
                    if is_values { entry.value.entries() } else { std::slice::from_ref(entry) };
                for inner in inner {
                    if inner.value.as_str().is_none() {
                        let message =
                            format!("the value of `{}` in a list must be a string", inner.key);
                        return Err(RenderError::broken(inner.value.span, message)
                            .with_help("quote it, or set `goTemplate: true`")
                            .into());
                    }
                    let key = if is_values {
                        format!("values.{}", inner.key)
                    } else {
                        inner.key.to_string()
                    };
                    set(&mut parameters, &key, inner.value.clone());
                }
            }
            found.push(parameters);
        }
        if let Some(node) = node.get("elementsYaml")
            && let Some(text) = node.as_str().filter(|text| !text.trim().is_empty())
        {
            let sources = self.shared.repository.sources();
            let parsed = inline::parse(text, node.span, sources, Dialect::Kubectl);
            let read = parsed.documents.into_iter().next().map(|it| it.root.kind);
            let Some(NodeKind::Sequence(items)) = read else {
                let message = "`elementsYaml` is not a list";
                return Err(RenderError::broken(node.span, message).into());
            };
            found.extend(items);
        }
        Ok(found)
    }

    fn clusters(&self, generator: &Node, node: &Node) -> Result<Vec<Node>, Stop> {
        let span = generator.entry("clusters").map_or(node.span, |entry| entry.key_span);
        if self.clusters.is_empty() {
            let name = self.document.object.as_ref().map(|it| &*it.name).unwrap_or_default();
            let text = format!("the clusters of the ApplicationSet `{name}` are not known");
            return Err(Stop::LeftOut(GapKind::NotExpanded, span, text));
        }
        let selector = node.get("selector").filter(|it| !it.is_null());
        let own = clusters::own();
        let mut chosen: Vec<&Cluster> = Vec::new();
        for cluster in &self.clusters {
            let label = |name: &str| cluster.labels.get(name).cloned();
            if selector::chooses(selector, &label) {
                chosen.push(cluster);
            }
        }
        // The cluster that Argo CD runs in has no Secret, so no labels.
        if !selector::asks(selector) && !chosen.iter().any(|it| it.server == own.server) {
            chosen.push(&own);
        }
        let mut found = Vec::with_capacity(chosen.len());
        for cluster in chosen {
            let mut parameters = clusters::parameters(cluster, self.templates.go, span);
            self.add_values(node, &mut parameters)?;
            found.push(parameters);
        }
        if node.get("flatList").and_then(Node::as_bool) == Some(true) {
            let mut all = Node::mapping(span);
            set(&mut all, "clusters", Node { span, kind: NodeKind::Sequence(found) });
            found = vec![all];
        }
        Ok(found)
    }

    fn git(&mut self, node: &Node) -> Result<Vec<Node>, Stop> {
        let repository = self.shared.repository;
        let file = repository.sources().path(self.document.span);
        let url = node.get("repoURL").and_then(Node::as_str).unwrap_or_default();
        let sources = self.shared.graph.sources();
        let bases: Vec<RepoPath> = match sources.root_of(url) {
            Some(root) => vec![root.clone()],
            None => repository.bases(&file).collect(),
        };
        let items = |key| node.get(key).map_or(&[][..], Node::items);
        let (folders, files) = (Paths::of(items("directories")), Paths::of(items("files")));
        let prefix = node.get("pathParamPrefix").and_then(Node::as_str).filter(|it| !it.is_empty());
        let go = self.templates.go;
        for base in bases {
            let mut found = Vec::new();
            // Folders come before files, as Argo CD has it.
            if items("directories").is_empty() {
                for path in files.files(repository, &base) {
                    self.file(node, &path, &relative(&path, &base), prefix, &mut found)?;
                }
            } else {
                for (path, by) in folders.folders(repository, &base) {
                    let mut parameters = Node::mapping(by.span);
                    parameters::of_path(&mut parameters, go, prefix, (&path, None), by.span);
                    self.add_values(node, &mut parameters)?;
                    found.push(parameters);
                }
            }
            if !found.is_empty() {
                return Ok(found);
            }
        }
        if sources.root_of(url).is_some() || url.is_empty() {
            return Ok(Vec::new());
        }
        // A repository of which nothing is here is another one.
        let span = node.get("repoURL").map_or(node.span, |it| it.span);
        Err(Stop::LeftOut(GapKind::OtherRepository, span, url.to_owned()))
    }

    /// Adds the parameters of a file: one set, or one for each item of a list.
    fn file(
        &mut self,
        node: &Node,
        path: &RepoPath,
        name: &str,
        prefix: Option<&str>,
        found: &mut Vec<Node>,
    ) -> Result<(), RenderError> {
        let repository = self.shared.repository;
        let Some(file) = repository.file(path) else { return Ok(()) };
        let start = Span::start_of(file.source);
        let root = repository
            .parsed(path, Dialect::Kubectl)
            .and_then(|parsed| parsed.documents.first())
            .map_or_else(|| Node::mapping(start), |document| document.root.clone());
        let objects = match root.kind {
            NodeKind::Sequence(items) => items,
            NodeKind::Mapping(_) => vec![root],
            NodeKind::Scalar(_) => {
                let message = format!("`{path}` holds no parameters: it is not a map");
                return Err(RenderError::broken(start, message));
            }
        };
        self.read.insert(path.clone());
        let (folder, base) = name.rsplit_once('/').unwrap_or((".", name));
        for object in objects {
            let mut parameters = if self.templates.go {
                object
            } else {
                let mut parameters = Node::mapping(object.span);
                for (key, value) in flat(&object).into_iter().filter(|(key, _)| !key.is_empty()) {
                    set(&mut parameters, &key, value);
                }
                parameters
            };
            let go = self.templates.go;
            parameters::of_path(&mut parameters, go, prefix, (folder, Some(base)), start);
            self.add_values(node, &mut parameters)?;
            found.push(parameters);
        }
        Ok(())
    }

    fn matrix(&mut self, node: &Node, depth: usize) -> Result<Vec<Node>, Stop> {
        let [first, second] = node.get("generators").map_or(&[][..], Node::items) else {
            let message = "a matrix needs two generators";
            return Err(RenderError::broken(node.span, message).into());
        };
        let mut found = Vec::new();
        for a in self.generate(first, None, depth + 1)? {
            for b in self.generate(second, Some(&a), depth + 1)? {
                if found.len() == MOST {
                    let message = format!("a matrix makes more than {MOST} sets of parameters");
                    return Err(RenderError::unsupported(node.span, message).into());
                }
                found.push(self.combined(&a, b, node.span)?);
            }
        }
        Ok(found)
    }

    fn combined(&self, a: &Node, b: Node, span: Span) -> Result<Node, RenderError> {
        let mut both = b;
        if self.templates.go {
            merge_over(&mut both, a);
            return Ok(both);
        }
        for entry in a.entries() {
            match both.get(&entry.key) {
                Some(other) if parameters::shown(other) != parameters::shown(&entry.value) => {
                    let message = format!(
                        "both generators of the matrix set `{}`, to different values",
                        entry.key
                    );
                    return Err(RenderError::broken(span, message));
                }
                _ => set(&mut both, &entry.key, entry.value.clone()),
            }
        }
        Ok(both)
    }

    fn merge(&mut self, node: &Node, depth: usize) -> Result<Vec<Node>, Stop> {
        let generators = node.get("generators").map_or(&[][..], Node::items);
        let Some((first, others)) = generators.split_first().filter(|(_, it)| !it.is_empty())
        else {
            let message = "a merge needs two generators or more";
            return Err(RenderError::broken(node.span, message).into());
        };
        let keys: BTreeSet<&str> = node
            .get("mergeKeys")
            .map_or(&[][..], Node::items)
            .iter()
            .filter_map(Node::as_str)
            .collect();
        if keys.is_empty() {
            return Err(RenderError::broken(node.span, "a merge needs `mergeKeys`").into());
        }
        // Only keys at the top count, as Argo CD compares them.
        let key = |parameters: &Node| -> Vec<Option<String>> {
            keys.iter().map(|key| parameters.get(key).map(|it| it.to_json().to_string())).collect()
        };
        let mut base = self.generate(first, None, depth + 1)?;
        unique(&base, &key, first.span)?;
        for generator in others {
            let over = self.generate(generator, None, depth + 1)?;
            unique(&over, &key, generator.span)?;
            for parameters in &mut base {
                let own = key(parameters);
                let Some(over) = over.iter().find(|it| key(it) == own) else { continue };
                if self.templates.go {
                    merge_over(parameters, over);
                } else {
                    for entry in over.entries() {
                        set(parameters, &entry.key, entry.value.clone());
                    }
                }
            }
        }
        Ok(base)
    }
}

/// Fails where two sets of parameters have the same keys, as Argo CD then does not choose.
fn unique(
    all: &[Node],
    key: &dyn Fn(&Node) -> Vec<Option<String>>,
    span: Span,
) -> Result<(), RenderError> {
    let mut seen = BTreeSet::new();
    if all.iter().all(|parameters| seen.insert(key(parameters))) {
        return Ok(());
    }
    Err(RenderError::broken(span, "two sets of parameters have the same `mergeKeys`"))
}

/// Returns the template of a generator: its own, completed by that of the `ApplicationSet`.
pub(super) fn template_of<'t>(generator: &Node, template: &'t Node) -> Cow<'t, Node> {
    let own =
        KNOWN.iter().find_map(|key| generator.at(&[key, "template"])).filter(|own| !is_empty(own));
    match own {
        Some(own) => {
            let mut merged = template.clone();
            merge_over(&mut merged, own);
            Cow::Owned(merged)
        }
        None => Cow::Borrowed(template),
    }
}
