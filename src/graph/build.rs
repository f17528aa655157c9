//! Puts the graph together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use super::classify::{self, Charts};
use super::edges::{Edges, Target};
use super::environments::Environments;
use super::files::{self, FileRole, Reconciled};
use super::found::Found;
use super::placed::Placed;
use super::reach::Reach;
use super::reconcilers::Entry;
use super::sources::OtherRepository;
use super::{Graph, PlainManifest, Role, Root, rules};
use crate::config::EnvironmentRule;
use crate::environment::KubernetesVersion;
use crate::finding::Finding;
use crate::load::{Dialect, Repository};
use crate::source::{RepoPath, Span};

pub(super) fn build(
    repository: &Repository,
    rules: &[EnvironmentRule],
    others: &[OtherRepository],
    kubernetes: KubernetesVersion,
) -> Graph {
    let environments = Environments::new(repository, rules, kubernetes);
    let edges = Edges::read(repository);
    let charts = Charts::of(repository);
    // What a reconciler applies is no test data, wherever it lies, and where it applies files as
    // they stand no kustomization is asked. The reconcilers are known after a first look.
    let mut claimed = BTreeSet::new();
    // Who asks for nothing but test data wants it judged.
    let mut asked = repository.files().filter(|(_, file)| file.in_scope);
    if asked.all(|(path, _)| classify::is_test_data(path)) {
        claimed.insert(RepoPath::root());
    }
    loop {
        let reach = Reach::of(repository, &edges, &charts, &claimed);
        let files = files::read_files(repository, &edges, &charts, &reach, &claimed);
        let reconciled = files::applied(repository, others, &files);
        let before = claimed.len();
        claimed.extend(
            reconciled
                .entries
                .iter()
                .filter(|entry| entry.verbatim || is_test_folder(&entry.folder))
                .map(|entry| entry.folder.clone()),
        );
        if claimed.len() == before {
            let view = View { repository, edges: &edges, charts: &charts, reach: &reach };
            return view.assemble(&files, reconciled, environments);
        }
    }
}

fn is_test_folder(folder: &RepoPath) -> bool {
    folder.join("x").is_some_and(|inside| classify::is_test_data(&inside))
}

/// Everything that is known before environments and findings.
struct View<'a> {
    repository: &'a Repository,
    edges: &'a Edges,
    charts: &'a Charts,
    reach: &'a Reach<'a>,
}

impl View<'_> {
    fn assemble(
        &self,
        files: &[FileRole<'_>],
        reconciled: Reconciled,
        mut environments: Environments,
    ) -> Graph {
        let Reconciled { sources, mut entries } = reconciled;
        let mut roles: BTreeMap<Role, usize> = BTreeMap::new();
        let mut found = Found::default();
        for file in files {
            let role = found.sort(self.repository, self.reach, file);
            if self.repository.file(file.path).is_some_and(|it| it.in_scope) {
                *roles.entry(role).or_default() += 1;
            }
        }
        found.notices();
        self.unrendered_charts(&mut found.findings);
        let placed = Placed::of(self.edges, &self.reach.leaves, &entries, &mut environments);
        let roots = self.roots(&entries, &placed, &mut environments);
        let plain: Vec<PlainManifest> = found
            .plain
            .iter()
            .map(|(path, document)| PlainManifest {
                path: path.clone(),
                document: *document,
                environments: placed.of_file(path, &mut environments),
                applied: placed.is_applied(path, false),
            })
            .collect();
        for entry in &mut entries {
            entry.environments = placed.of_entry(entry, &mut environments);
        }
        let mut known = BTreeMap::new();
        let placements = roots
            .iter()
            .flat_map(|root| &root.environments)
            .chain(plain.iter().flat_map(|manifest| &manifest.environments));
        for placement in placements {
            let environment = &placement.environment;
            known.insert(Arc::clone(&environment.name), Arc::clone(environment));
        }
        found.findings.sort_by(|a, b| {
            (self.repository.sources().path(a.primary.span), a.primary.span, &a.rule).cmp(&(
                self.repository.sources().path(b.primary.span),
                b.primary.span,
                &b.rule,
            ))
        });
        let mut missing = BTreeSet::new();
        for node in self.reach.read.iter().filter_map(|folder| self.edges.folders.get(*folder)) {
            for edge in &node.edges {
                if let Target::Missing(path) = &edge.target {
                    missing.insert(path.clone());
                }
            }
        }
        Graph {
            applied: entries.iter().map(|it| (it.folder.clone(), it.apply)).collect(),
            roots,
            plain,
            others: found.others,
            resources: found.resources,
            missing: missing.into_iter().collect(),
            findings: found.findings,
            environments: known.into_values().collect(),
            files: roles,
            entries,
            sources,
            places: Mutex::new(environments),
        }
    }

    fn unrendered_charts(&self, findings: &mut Vec<Finding>) {
        let Some(rule) = rules::rule(&rules::CHART_NOT_RENDERED) else { return };
        for chart in self.charts.top() {
            let Some(path) = chart.join("Chart.yaml") else { continue };
            let Some(file) = self.repository.file(&path).filter(|file| file.in_scope) else {
                continue;
            };
            let Some(templates) = chart.join("templates") else { continue };
            if !self.repository.is_folder(&templates) || classify::is_test_data(&path) {
                continue;
            }
            let root = self
                .repository
                .parsed(&path, Dialect::Kubectl)
                .and_then(|parsed| parsed.documents.first())
                .map(|document| &document.root);
            let text = |key| root.and_then(|root| root.get(key)).and_then(|node| node.as_str());
            // A library makes no objects.
            if text("type") == Some("library") {
                continue;
            }
            let name = text("name").unwrap_or_else(|| chart.name());
            let span = root
                .and_then(|root| root.get("name"))
                .map_or(Span::start_of(file.source), |node| node.span);
            let message =
                format!("the chart `{name}` is not rendered, so its objects are not judged");
            findings.push(Finding::new(&rule, span, message));
        }
    }

    fn roots(
        &self,
        entries: &[Entry],
        placed: &Placed,
        environments: &mut Environments,
    ) -> Vec<Root> {
        let mut applied_by: BTreeMap<&RepoPath, Vec<Span>> = BTreeMap::new();
        for entry in entries {
            applied_by.entry(&entry.folder).or_default().push(entry.span);
        }
        let mut roots = Vec::new();
        for (folder, node) in &self.edges.folders {
            let leaf = self.reach.leaves.contains(folder);
            let applied = applied_by.get(folder).filter(|_| !node.component);
            if !leaf && applied.is_none() {
                continue;
            }
            let judged = if leaf {
                self.reach.judged.contains(folder)
            } else {
                self.reach.read.contains(folder)
            };
            if !judged {
                continue;
            }
            roots.push(Root {
                folder: folder.clone(),
                span: node.span,
                leaf,
                applied: applied.is_some() || placed.is_applied(folder, true),
                applied_by: applied.cloned().unwrap_or_default(),
                environments: placed.of_root(folder, environments),
            });
        }
        roots
    }
}
