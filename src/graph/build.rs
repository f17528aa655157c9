//! Puts the graph together: reach, roles, environments.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::classify::{self, Charts};
use super::edges::{Edges, Target, Uses};
use super::environments::{Environments, Placement, SaidBy};
use super::reconcilers::{self, Artifacts, Entry, Folders, Outside};
use super::{Dialect, Graph, Other, PlainManifest, Role, Root, client, rules, template};
use crate::config::EnvironmentRule;
use crate::discover;
use crate::environment::KubernetesVersion;
use crate::finding::Finding;
use crate::load::{self, Parsed, Repository};
use crate::rule::{RuleId, RuleMeta};
use crate::source::{Origin, RepoPath, Span};

pub(super) fn build(
    repository: &Repository,
    rules: &[EnvironmentRule],
    kubernetes: KubernetesVersion,
) -> Graph {
    let mut environments = Environments::new(repository, rules, kubernetes);
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
        let files = read_files(repository, &edges, &charts, &reach, &claimed);
        let (entries, outside) = applied(repository, &files);
        let before = claimed.len();
        claimed.extend(
            entries
                .iter()
                .filter(|entry| entry.verbatim || is_test_folder(&entry.folder))
                .map(|entry| entry.folder.clone()),
        );
        if claimed.len() == before {
            let view = View { repository, edges: &edges, charts: &charts, reach: &reach };
            return view.assemble(&files, &entries, &outside, &mut environments);
        }
    }
}

fn is_test_folder(folder: &RepoPath) -> bool {
    folder.join("x").is_some_and(|inside| classify::is_test_data(&inside))
}

/// Which kustomizations count, and which of them are reached from where.
struct Reach<'a> {
    leaves: BTreeSet<&'a RepoPath>,
    /// The leaves of which a part was asked for.
    judged: BTreeSet<&'a RepoPath>,
    /// Everything that a judged leaf builds on.
    read: BTreeSet<&'a RepoPath>,
    uses: Uses<'a>,
    /// What components use that nobody uses.
    unused: Uses<'a>,
    /// Folders of which kustomizations use at least one file.
    governed: BTreeSet<RepoPath>,
    /// Kustomizations that are templates or test data, with what they are.
    set_aside: BTreeMap<&'a RepoPath, Role>,
}

impl<'a> Reach<'a> {
    fn of(
        repository: &'a Repository,
        edges: &'a Edges,
        charts: &Charts,
        claimed: &BTreeSet<RepoPath>,
    ) -> Self {
        let referenced = edges.referenced(edges.folders.keys());
        let mut set_aside = BTreeMap::new();
        for (folder, node) in &edges.folders {
            let Some(path) = node.files.first() else { continue };
            let is_claimed = claimed.iter().any(|claimed| folder.is_within(claimed));
            if classify::is_test_data(path) && !is_claimed {
                set_aside.insert(folder, Role::TestData);
            } else if node.kustomization.references().iter().any(|it| is_braced(&it.text)) {
                set_aside.insert(folder, Role::Template);
            } else if referenced.contains(folder) {
                // Whoever builds on it wants it rendered.
            } else if charts.role(path) == Some(Role::ChartTemplate) {
                set_aside.insert(folder, Role::ChartTemplate);
            } else if is_template(repository, path, Dialect::Kubectl) {
                set_aside.insert(folder, Role::Template);
            }
        }
        // What a kustomization builds on is no test, and what only a test builds on is a leaf.
        let used = edges
            .referenced(edges.folders.keys().filter(|folder| !set_aside.contains_key(*folder)));
        set_aside.retain(|folder, _| !used.contains(*folder));
        let candidates = || {
            edges
                .folders
                .iter()
                .filter(|(folder, node)| !node.component && !set_aside.contains_key(folder))
                .map(|(folder, _)| folder)
        };
        let mut leaves: BTreeSet<&RepoPath> =
            candidates().filter(|folder| !used.contains(*folder)).collect();
        let mut reached = BTreeSet::new();
        for leaf in &leaves {
            edges.reach(leaf, &mut reached);
        }
        // A cycle has no leaf, and a base of a component that nobody uses has no user: each is
        // rendered by itself, so that nothing is passed over.
        for folder in candidates() {
            if !reached.contains(folder) {
                leaves.insert(folder);
                edges.reach(folder, &mut reached);
            }
        }
        let unused_components: BTreeSet<&RepoPath> = edges
            .folders
            .iter()
            .filter(|(folder, node)| {
                node.component && !reached.contains(folder) && !set_aside.contains_key(folder)
            })
            .map(|(folder, _)| folder)
            .collect();
        let mut judged = BTreeSet::new();
        let mut read = BTreeSet::new();
        for leaf in &leaves {
            let mut closure = BTreeSet::new();
            edges.reach(leaf, &mut closure);
            if closure.iter().any(|folder| is_asked_for(repository, edges, folder)) {
                judged.insert(*leaf);
                read.append(&mut closure);
            }
        }
        let uses = edges.uses(&reached);
        let unused = edges.uses(&unused_components);
        let governed = reached
            .iter()
            .chain(&unused_components)
            .filter(|folder| edges.folders.get(**folder).is_some_and(|node| node.readable))
            .map(|folder| (*folder).clone())
            .chain(uses.keys().chain(unused.keys()).map(|path| path.parent()))
            .collect();
        Self { leaves, judged, read, uses, unused, governed, set_aside }
    }
}

impl Reach<'_> {
    /// Returns the role of a file beside a kustomization that tells nothing of it.
    fn beside(&self, edges: &Edges, path: &RepoPath) -> Option<Role> {
        let folder = path.parent();
        if edges.folders.get(&folder)?.readable {
            return None;
        }
        Some(match self.set_aside.get(&folder) {
            Some(role) => *role,
            None => Role::Unplaced,
        })
    }
}

/// Says whether a kustomization or one of its files was asked for.
fn is_asked_for(repository: &Repository, edges: &Edges, folder: &RepoPath) -> bool {
    let asked = |path: &RepoPath| repository.file(path).is_some_and(|file| file.in_scope);
    edges.folders.get(folder).is_some_and(|node| {
        node.files.iter().any(asked)
            || node.edges.iter().any(|edge| match &edge.target {
                Target::File(path) => asked(path),
                _ => false,
            })
    })
}

/// Says whether a reference is filled in by something else.
fn is_braced(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

fn is_template(repository: &Repository, path: &RepoPath, dialect: Dialect) -> bool {
    let fatal = repository
        .parsed(path, dialect)
        .is_some_and(|parsed| parsed.problems.iter().any(load::Problem::is_fatal));
    fatal && repository.source(path).is_some_and(|source| template::is_template(source.text()))
}

/// What a file is, and in which dialect its documents were read, if they were.
struct FileRole<'a> {
    path: &'a RepoPath,
    role: Role,
    dialect: Option<Dialect>,
}

/// Gives every file that Kubernetes might read its role, and parses those whose content matters.
fn read_files<'a>(
    repository: &'a Repository,
    edges: &'a Edges,
    charts: &Charts,
    reach: &Reach<'_>,
    claimed: &BTreeSet<RepoPath>,
) -> Vec<FileRole<'a>> {
    let kustomizations: BTreeMap<&RepoPath, Role> = edges
        .folders
        .iter()
        .flat_map(|(folder, node)| {
            let role = reach.set_aside.get(folder).copied().unwrap_or(Role::Kustomization);
            node.files.iter().map(move |path| (path, role))
        })
        .collect();
    let read_by_roots = edges.uses(&reach.read);
    let paths: Vec<&RepoPath> = repository
        .files()
        .map(|(path, _)| path)
        .filter(|path| {
            // What comes over standard input has no name to tell by.
            let unnamed = || repository.source(path).is_some_and(|it| it.origin() == Origin::Stdin);
            discover::is_manifest(path) || reach.uses.contains_key(*path) || unnamed()
        })
        .collect();
    paths
        .into_par_iter()
        .map(|path| {
            let used = reach.uses.get(path).and_then(classify::by_use);
            let is_claimed = claimed.iter().any(|folder| path.is_within(folder));
            let role = match (used, kustomizations.get(path)) {
                (Some(Role::Object), _) => Role::Object,
                (_, Some(role)) => *role,
                (Some(role), None) => role,
                (None, None) if classify::is_test_data(path) && !is_claimed => Role::TestData,
                (None, None) => charts
                    .role(path)
                    .or_else(|| classify::by_place(path))
                    .or_else(|| {
                        let used = reach.unused.get(path).and_then(classify::by_use)?;
                        Some(if used == Role::Object { Role::UnusedComponent } else { used })
                    })
                    .or_else(|| reach.beside(edges, path))
                    .or_else(|| {
                        (!is_claimed && reach.governed.contains(&path.parent()))
                            .then_some(Role::Unreferenced)
                    })
                    .unwrap_or(Role::Other),
            };
            let in_scope = repository.file(path).is_some_and(|file| file.in_scope);
            let wanted = in_scope || read_by_roots.contains_key(path);
            let text = repository.source(path).map(crate::source::Source::text).unwrap_or_default();
            let dialect = match role {
                Role::Object | Role::Patch => Some(Dialect::Kustomize),
                Role::Other | Role::Unreferenced if may_be_object(text) => Some(Dialect::Kubectl),
                _ => None,
            };
            let dialect = dialect.filter(|_| wanted || reconcilers::may_apply(text));
            if let Some(dialect) = dialect {
                // The parse is kept in the repository; here it is only done early, in parallel.
                let _ = repository.parsed(path, dialect);
            }
            FileRole { path, role, dialect }
        })
        .collect()
}

/// Says whether a text can hold a document with an `apiVersion`.
///
/// The key stands in the text as it is, unless escapes spell it.
fn may_be_object(text: &str) -> bool {
    text.contains("apiVersion") || text.contains('\\')
}

/// Finds what the Flux and Argo CD objects of the repository apply.
fn applied(repository: &Repository, files: &[FileRole<'_>]) -> (Vec<Entry>, Vec<Outside>) {
    let documents = || {
        files
            .iter()
            .filter(|file| matches!(file.role, Role::Object | Role::Other))
            .filter_map(|file| {
                let parsed = repository.parsed_before(file.path, file.dialect?)?;
                Some(parsed.documents.iter().map(|document| (file.path, document)))
            })
            .flatten()
    };
    let mut artifacts = Artifacts::default();
    for (path, document) in documents() {
        artifacts.add(path, document);
    }
    let folders = Folders::of(repository);
    let mut entries = Vec::new();
    let mut outside = Vec::new();
    for (path, document) in documents() {
        let in_scope = repository.file(path).is_some_and(|file| file.in_scope);
        let mut applied = reconcilers::applied(path, document, &artifacts, &folders);
        entries.append(&mut applied.entries);
        if in_scope {
            outside.append(&mut applied.outside);
        }
    }
    (entries, outside)
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
        entries: &[Entry],
        outside: &[Outside],
        environments: &mut Environments,
    ) -> Graph {
        let mut roles: BTreeMap<Role, usize> = BTreeMap::new();
        let mut found = Found::default();
        for file in files {
            let role = self.classify(file, &mut found);
            if self.repository.file(file.path).is_some_and(|it| it.in_scope) {
                *roles.entry(role).or_default() += 1;
            }
        }
        found.notices();
        self.unrendered_charts(&mut found.findings);
        leads_out(outside, &mut found.findings);
        let placed = Placed::of(self, entries, environments);
        let roots = self.roots(entries, &placed, environments);
        let plain: Vec<PlainManifest> = found
            .plain
            .iter()
            .map(|(path, document)| PlainManifest {
                path: path.clone(),
                document: *document,
                environments: placed.of_file(path, environments),
            })
            .collect();
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
            roots,
            plain,
            others: found.others,
            resources: found.resources,
            missing: missing.into_iter().collect(),
            findings: found.findings,
            environments: known.into_values().collect(),
            files: roles,
        }
    }

    /// Sorts the documents of a file, and returns the role of the file.
    fn classify(&self, file: &FileRole<'_>, found: &mut Found) -> Role {
        let Some(entry) = self.repository.file(file.path) else { return file.role };
        let start = Span::start_of(entry.source);
        let asked = entry.in_scope || self.reach.uses.contains_key(file.path);
        let mut role = file.role;
        let parsed =
            file.dialect.and_then(|dialect| self.repository.parsed_before(file.path, dialect));
        match (role, parsed) {
            (Role::Object, Some(parsed)) => {
                found.resources.push(file.path.clone());
                self.problems(file, parsed, found);
            }
            (Role::Patch, Some(parsed)) => {
                for document in &parsed.documents {
                    found.other(file.path, document, role);
                }
                self.problems(file, parsed, found);
            }
            (Role::Other | Role::Unreferenced, Some(parsed)) if entry.in_scope => {
                role = self.plain(file, parsed, found);
            }
            (Role::Unreferenced, _) => role = Role::Other,
            (Role::Other | Role::Object | Role::Patch, _) => {}
            (Role::Kustomization, _) => {
                found.file(file.path, start, role);
                if let Some(parsed) = self.repository.parsed_before(file.path, Dialect::Kubectl)
                    && asked
                {
                    self.problems(file, parsed, found);
                }
            }
            (Role::Template, _) => {
                found.file(file.path, start, role);
                if asked {
                    found.notice(rules::UNRENDERED_TEMPLATE, file.path, start);
                }
            }
            _ if asked => found.file(file.path, start, role),
            _ => {}
        }
        role
    }

    /// Sorts the documents of a file that no kustomization uses.
    fn plain(&self, file: &FileRole<'_>, parsed: &Parsed, found: &mut Found) -> Role {
        let text = self.repository.source(file.path).map(crate::source::Source::text);
        let text = text.unwrap_or_default();
        let start = parsed.documents.first().map(|document| document.span);
        let broken = parsed.problems.iter().any(load::Problem::is_fatal);
        if broken && template::is_template(text) {
            if let Some(entry) = self.repository.file(file.path) {
                let start = Span::start_of(entry.source);
                found.file(file.path, start, Role::Template);
                if template::looks_like_manifest(text) {
                    found.notice(rules::UNRENDERED_TEMPLATE, file.path, start);
                }
            }
            return Role::Template;
        }
        let mut objects = false;
        let mut file_role = None;
        for (index, document) in parsed.documents.iter().enumerate() {
            if document.object.is_none() {
                continue;
            }
            let role = client::role(document).unwrap_or_else(|| {
                if client::is_placeholder(document) { Role::Template } else { Role::Object }
            });
            if role == Role::Object && file.role != Role::Unreferenced {
                objects = true;
                found.plain.push((file.path.clone(), index));
                continue;
            }
            let role = if role == Role::Object { Role::Unreferenced } else { role };
            file_role.get_or_insert(role);
            found.other(file.path, document, role);
            let rule = match role {
                Role::Template => rules::UNRENDERED_TEMPLATE,
                Role::Unreferenced => rules::UNREFERENCED_FILE,
                _ => continue,
            };
            found.notice(rule, file.path, start.unwrap_or(document.span));
        }
        // A text of which nothing is an object is none of Kubernetes' business, unless it claims
        // to be one and cannot be read.
        let claims = || broken && file_role.is_none() && template::looks_like_manifest(text);
        if objects || (file.role == Role::Other && claims()) {
            self.problems(file, parsed, found);
            return Role::Object;
        }
        file_role.unwrap_or(Role::Other)
    }

    /// Reports what a manifest's text gets wrong.
    fn problems(&self, file: &FileRole<'_>, parsed: &Parsed, found: &mut Found) {
        let text = self.repository.source(file.path).map(crate::source::Source::text);
        let broken = parsed.problems.iter().any(load::Problem::is_fatal);
        if broken && text.is_some_and(template::is_template) {
            if let Some(entry) = self.repository.file(file.path) {
                let start = Span::start_of(entry.source);
                found.notice(rules::UNRENDERED_TEMPLATE, file.path, start);
            }
            return;
        }
        for problem in &parsed.problems {
            if let Some(rule) = found.yaml.iter().find(|rule| rule.id == problem.kind.rule()) {
                found.findings.push(problem.to_finding(rule));
            }
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
                applied_by: applied.cloned().unwrap_or_default(),
                environments: placed.of_root(folder, environments),
            });
        }
        roots
    }
}

/// Reports what reconcilers apply from elsewhere.
fn leads_out(outside: &[Outside], findings: &mut Vec<Finding>) {
    for outside in outside {
        let (rule, span, what) = match outside {
            Outside::Chart(span, name) => (
                rules::REMOTE_CHART,
                span,
                format!("the chart `{name}` lies outside the repository"),
            ),
            Outside::Path(span, path) => (
                rules::OTHER_REPOSITORY,
                span,
                format!("the path `{path}` is not in this repository"),
            ),
            Outside::Source(span, name) => (
                rules::OTHER_REPOSITORY,
                span,
                format!("the source `{name}` is another repository"),
            ),
        };
        if let Some(rule) = rules::rule(&rule) {
            let message = format!("{what}, so its objects are not judged");
            findings.push(Finding::new(&rule, *span, message));
        }
    }
}

/// What the documents turned out to be.
struct Found {
    plain: Vec<(RepoPath, usize)>,
    others: Vec<Other>,
    resources: Vec<RepoPath>,
    findings: Vec<Finding>,
    /// Files of which the same is to be said, by rule and folder.
    notices: BTreeMap<(RuleId, RepoPath), BTreeMap<RepoPath, Span>>,
    yaml: Vec<RuleMeta>,
}

impl Default for Found {
    fn default() -> Self {
        Self {
            plain: Vec::new(),
            others: Vec::new(),
            resources: Vec::new(),
            findings: Vec::new(),
            notices: BTreeMap::new(),
            yaml: load::rules(),
        }
    }
}

impl Found {
    fn other(&mut self, path: &RepoPath, document: &crate::document::Document, role: Role) {
        let Some(object) = &document.object else { return };
        self.others.push(Other {
            path: path.clone(),
            span: document.span,
            api_version: Arc::clone(&object.api_version),
            kind: Arc::clone(&object.kind),
            role,
        });
    }

    fn file(&mut self, path: &RepoPath, span: Span, role: Role) {
        let empty: Arc<str> = Arc::from("");
        self.others.push(Other {
            path: path.clone(),
            span,
            api_version: Arc::clone(&empty),
            kind: empty,
            role,
        });
    }

    fn notice(&mut self, rule: RuleId, path: &RepoPath, span: Span) {
        let files = self.notices.entry((rule, path.parent())).or_default();
        files.entry(path.clone()).or_insert(span);
    }

    /// Reports what is the same for several files of a folder, once a folder.
    fn notices(&mut self) {
        for ((rule, _), files) in std::mem::take(&mut self.notices) {
            let more = files.len() - 1;
            let mut files = files.into_iter();
            let (Some((path, span)), Some(rule)) = (files.next(), rules::rule(&rule)) else {
                continue;
            };
            let what = if rule.id == rules::UNREFERENCED_FILE {
                "not listed by the kustomization beside which it lies"
            } else {
                "a template that is not filled in"
            };
            let and = match more {
                0 => String::new(),
                1 => " (like one more file of its folder)".to_owned(),
                more => format!(" (like {more} more files of its folder)"),
            };
            let message = format!("`{}` is {what}{and}, so it is not judged", path.name());
            let finding = Finding::new(&rule, span, message);
            self.findings.push(files.fold(finding, |finding, (path, span)| {
                finding.with_related(span, format!("the same holds for `{}`", path.name()))
            }));
        }
    }
}

type Said = BTreeMap<Arc<str>, SaidBy>;

/// The environments of folders, as far as the configuration and reconcilers know them.
struct Placed {
    folders: BTreeMap<RepoPath, Said>,
    /// Folders without a kustomization that a reconciler applies, and whether all below them.
    plain: BTreeMap<RepoPath, bool>,
}

impl Placed {
    fn of(view: &View<'_>, entries: &[Entry], environments: &mut Environments) -> Self {
        let mut placed = Self { folders: BTreeMap::new(), plain: BTreeMap::new() };
        // Which roots reach the files that hold reconcilers' objects.
        let mut holders: BTreeMap<&RepoPath, Vec<&RepoPath>> =
            entries.iter().map(|entry| (&entry.file, Vec::new())).collect();
        let starts: BTreeSet<&RepoPath> = view
            .reach
            .leaves
            .iter()
            .copied()
            .chain(entries.iter().map(|entry| &entry.folder))
            .collect();
        for start in starts {
            let said = environments.configured(start);
            if !said.is_empty() {
                let said = said.into_iter().map(|name| (name, SaidBy::Configuration)).collect();
                placed.folders.insert(start.clone(), said);
            }
            let mut closure = BTreeSet::new();
            view.edges.reach(start, &mut closure);
            for path in view.edges.uses(&closure).into_keys() {
                if let Some(roots) = holders.get_mut(path) {
                    roots.push(start);
                }
            }
        }
        for entry in entries {
            if !view.edges.folders.contains_key(&entry.folder) {
                let all = placed.plain.entry(entry.folder.clone()).or_default();
                *all |= entry.recursive;
            }
        }
        // Reconcilers apply reconcilers: at most as often as there are entries.
        for _ in 0..=entries.len() {
            let mut changed = false;
            for entry in entries {
                let own = placed.folders.get(&entry.folder);
                if own.is_some_and(|said| said.values().any(|by| *by == SaidBy::Configuration)) {
                    continue;
                }
                let roots = holders.get(&entry.file).map_or(&[][..], Vec::as_slice);
                let names = placed.of_holder(&entry.file, roots, environments);
                let said = placed.folders.entry(entry.folder.clone()).or_default();
                for name in names {
                    said.entry(name).or_insert_with(|| {
                        changed = true;
                        SaidBy::Reconciler(entry.span)
                    });
                }
            }
            if !changed {
                break;
            }
        }
        placed
    }

    /// Returns the environments of a file that holds a reconciler's object.
    fn of_holder(
        &self,
        file: &RepoPath,
        roots: &[&RepoPath],
        environments: &mut Environments,
    ) -> BTreeSet<Arc<str>> {
        let configured = environments.configured(file);
        if !configured.is_empty() {
            return configured;
        }
        let mut names: BTreeSet<Arc<str>> = BTreeSet::new();
        for root in roots {
            match self.folders.get(*root).filter(|said| !said.is_empty()) {
                Some(said) => names.extend(said.keys().cloned()),
                None => names.extend(environments.by_path(root, false)),
            }
        }
        if let Some(said) = self.around(file, false) {
            names.extend(said.keys().cloned());
        }
        if names.is_empty() { environments.by_path(file, true) } else { names }
    }

    /// Returns what is said of the nearest applied folder without a kustomization around a path.
    ///
    /// `is_folder` says whether the path is a folder, which is applied only with everything below.
    fn around(&self, path: &RepoPath, is_folder: bool) -> Option<&Said> {
        let parent = path.parent();
        let mut folder = parent.clone();
        loop {
            if let Some(all) = self.plain.get(&folder)
                && (*all || (folder == parent && !is_folder))
                && let Some(said) = self.folders.get(&folder).filter(|said| !said.is_empty())
            {
                return Some(said);
            }
            if folder.is_root() {
                return None;
            }
            folder = folder.parent();
        }
    }

    fn of_root(&self, folder: &RepoPath, environments: &mut Environments) -> Vec<Placement> {
        let said = self.folders.get(folder).filter(|said| !said.is_empty());
        if let Some(said) = said.or_else(|| self.around(folder, true)) {
            return placements(said.clone(), environments);
        }
        let names = environments.by_path(folder, false);
        placements(names.into_iter().map(|name| (name, SaidBy::Path)).collect(), environments)
    }

    fn of_file(&self, path: &RepoPath, environments: &mut Environments) -> Vec<Placement> {
        let configured = environments.configured(path);
        if !configured.is_empty() {
            let said = configured.into_iter().map(|name| (name, SaidBy::Configuration));
            return placements(said.collect(), environments);
        }
        if let Some(said) = self.around(path, false) {
            return placements(said.clone(), environments);
        }
        let names = environments.by_path(path, true);
        placements(names.into_iter().map(|name| (name, SaidBy::Path)).collect(), environments)
    }
}

fn placements(said: Said, environments: &Environments) -> Vec<Placement> {
    said.into_iter()
        .filter_map(|(name, said_by)| {
            Some(Placement { environment: Arc::clone(environments.get(&name)?), said_by })
        })
        .collect()
}
