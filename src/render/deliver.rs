//! The walk along Flux and Argo CD objects: each is applied by another one, or by nobody here.
//!
//! A parent may change its children, their paths and variables included, so a child is read from
//! the render that holds it. The walk begins with what no object of the repository applies. What
//! then was not reached applies itself, in a circle: a cluster begins there, as after
//! `flux bootstrap`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::{Cache, RenderError, Rendered, argo, flux, kustomize};
use crate::config::Cluster;
use crate::document::{Document, ObjectRef};
use crate::graph::{Entry, Graph, Placement, Root};
use crate::load::{Dialect, Repository, objects};
use crate::review::Apply;
use crate::source::{RepoPath, Span};

/// How many objects of reconcilers one walk goes through.
const DELIVERIES: usize = 50_000;

/// How many objects all renders of one walk may have.
const OBJECTS: usize = 500_000;

/// How many objects are followed at once.
const WAVE: usize = 256;

/// How many objects of reconcilers may be applied one by the other.
const LEVELS: usize = 50;

/// What whoever runs the gate knows, and the repository does not.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The objects of clusters whose values fill in variables.
    pub values: Vec<flux::Values>,
    /// Whether objects are wanted as the library of Flux renders them, and not as they are judged.
    ///
    /// An object whose values are not known then counts as one that is not there, and
    /// `commonMetadata`, which is set when objects are applied, is left out.
    pub as_rendered: bool,
    /// The clusters that Argo CD puts objects into.
    pub clusters: Vec<Cluster>,
}

/// Who applies something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applier {
    /// Nobody that the repository names.
    Nobody,
    /// A `Kustomization` of Flux.
    Flux(ObjectRef),
    /// An `Application` of Argo CD.
    ArgoCd(ObjectRef),
}

/// Something that is applied as a whole.
#[derive(Debug)]
pub struct Delivery {
    /// Who applies it.
    pub by: Applier,
    /// Where that is said: the object, or the start of the kustomization.
    pub span: Span,
    /// The folder; none where it lies elsewhere.
    pub folder: Option<RepoPath>,
    /// The delivery whose objects include the one that applies this.
    pub parent: Option<usize>,
    /// Where it is applied; empty where nothing says so.
    pub environments: Vec<Placement>,
    /// How it is applied.
    pub apply: Apply,
    /// Its objects.
    pub rendered: Result<Rendered, RenderError>,
}

/// Everything that is applied.
#[derive(Debug, Default)]
pub struct Deliveries {
    /// The deliveries, parents before children.
    pub all: Vec<Delivery>,
    /// The files that a delivery reads.
    pub read: BTreeSet<RepoPath>,
    /// The values of Secrets that were filled into objects.
    pub withheld: BTreeSet<Arc<str>>,
}

/// Follows the reconcilers of a repository; `progress` is told of each render.
pub fn deliver(
    repository: &Repository,
    graph: &Graph,
    known: &Known,
    progress: &(dyn Fn() + Sync),
) -> Deliveries {
    let mut walk = Walk::new(repository, graph, known, progress);
    walk.starts(|root| !root.applied);
    walk.plain();
    walk.circles();
    walk.left_over();
    walk.finish()
}

/// Follows the reconcilers from one folder, as if it were applied.
pub fn deliver_from(
    repository: &Repository,
    graph: &Graph,
    known: &Known,
    folder: &RepoPath,
) -> Deliveries {
    let mut walk = Walk::new(repository, graph, known, &|| ());
    walk.entry(folder);
    // Whoever asks for a folder gets it, whether or not one of its objects applies it again.
    let read = walk.read();
    Deliveries { all: walk.all, read, withheld: walk.withheld }
}

/// What all deliveries of a walk share.
pub(super) struct Shared<'a> {
    pub(super) repository: &'a Repository,
    pub(super) graph: &'a Graph,
    pub(super) known: &'a Known,
    pub(super) cache: Cache,
}

/// An object that is to be followed.
#[derive(Debug)]
struct Pending {
    document: Document,
    parent: Option<usize>,
    scope: Arc<str>,
    environments: Vec<Placement>,
}

/// What an object makes.
pub(super) struct Made {
    pub(super) by: Applier,
    pub(super) folder: Option<RepoPath>,
    pub(super) environments: Vec<Placement>,
    /// The cluster that gets the objects, where it is not the one that the object is in.
    pub(super) cluster: Option<Arc<str>>,
    pub(super) apply: Apply,
    pub(super) rendered: Result<Rendered, RenderError>,
    /// The values of Secrets that were filled in.
    pub(super) withheld: BTreeSet<Arc<str>>,
}

struct Walk<'a> {
    shared: Shared<'a>,
    progress: &'a (dyn Fn() + Sync),
    all: Vec<Delivery>,
    /// How many objects of reconcilers lead to each delivery.
    levels: Vec<usize>,
    /// The number of objects in all deliveries.
    objects: usize,
    /// The objects that were followed, by cluster, name and place.
    followed: BTreeSet<(Arc<str>, ObjectRef, Span)>,
    /// The places of the objects that were followed in any cluster.
    seen: BTreeSet<Span>,
    pending: Vec<Pending>,
    /// The `ConfigMap`s and Secrets of each cluster.
    values: BTreeMap<Arc<str>, flux::Values>,
    /// The clusters that Secrets of each cluster declare.
    clusters: BTreeMap<Arc<str>, Vec<Cluster>>,
    withheld: BTreeSet<Arc<str>>,
    dependencies: flux::Dependencies,
}

impl<'a> Walk<'a> {
    fn new(
        repository: &'a Repository,
        graph: &'a Graph,
        known: &'a Known,
        progress: &'a (dyn Fn() + Sync),
    ) -> Self {
        Self {
            shared: Shared { repository, graph, known, cache: Cache::default() },
            progress,
            all: Vec::new(),
            levels: Vec::new(),
            objects: 0,
            followed: BTreeSet::new(),
            seen: BTreeSet::new(),
            pending: Vec::new(),
            values: BTreeMap::new(),
            clusters: BTreeMap::new(),
            withheld: BTreeSet::new(),
            dependencies: flux::Dependencies::default(),
        }
    }

    /// Renders roots that nobody applies, and follows what they hold.
    fn starts(&mut self, wanted: impl Fn(&Root) -> bool) {
        let roots: Vec<&Root> = self.shared.graph.roots().iter().filter(|it| wanted(it)).collect();
        let rendered: Vec<Result<Rendered, RenderError>> = roots
            .par_iter()
            .map(|root| {
                let rendered = kustomize(self.shared.repository, &root.folder, &self.shared.cache);
                (self.progress)();
                rendered
            })
            .collect();
        for (root, rendered) in roots.into_iter().zip(rendered) {
            let scope = scope(&root.environments, &root.folder);
            self.push(
                Delivery {
                    by: Applier::Nobody,
                    span: root.span,
                    folder: Some(root.folder.clone()),
                    parent: None,
                    environments: root.environments.clone(),
                    apply: self.shared.graph.apply(&root.folder),
                    rendered,
                },
                &scope,
            );
        }
        self.drain();
    }

    /// Follows the plain manifests that nobody applies.
    fn plain(&mut self) {
        for manifest in self.shared.graph.plain().iter().filter(|it| !it.applied) {
            let document = self
                .shared
                .repository
                .parsed(&manifest.path, Dialect::Kubectl)
                .and_then(|parsed| parsed.documents.get(manifest.document));
            let Some(document) = document else { continue };
            let scope = scope(&manifest.environments, &manifest.path.parent());
            for object in objects(document) {
                self.values.entry(Arc::clone(&scope)).or_default().add(&object.document);
                if let Some(cluster) = argo::declared_by(&object.document) {
                    self.clusters.entry(Arc::clone(&scope)).or_default().push(cluster);
                }
                self.meet(&object.document, None, &scope, &manifest.environments);
            }
        }
        self.drain();
    }

    /// Follows the objects that only apply each other, those first that apply their own file.
    fn circles(&mut self) {
        let graph = self.shared.graph;
        let own = |entry: &&Entry| !entry.file.is_within(&entry.folder);
        let mut entries: Vec<&Entry> = graph.entries().iter().collect();
        entries.sort_by_key(own);
        for entry in entries {
            if self.seen.contains(&entry.document) {
                continue;
            }
            let Some(document) = self.raw(entry) else { continue };
            let scope = scope(&entry.environments, &entry.file.parent());
            self.meet(&document, None, &scope, &entry.environments);
            self.drain();
        }
    }

    /// Returns the object of an entry as its file has it.
    fn raw(&self, entry: &Entry) -> Option<Document> {
        let repository = self.shared.repository;
        [Dialect::Kustomize, Dialect::Kubectl]
            .into_iter()
            .filter_map(|dialect| repository.parsed_before(&entry.file, dialect))
            .flat_map(|parsed| &parsed.documents)
            .find(|document| document.span == entry.document)
            .cloned()
    }

    /// Renders the roots that no delivery reached after all.
    fn left_over(&mut self) {
        let read = self.read();
        let delivered: BTreeSet<&RepoPath> =
            self.all.iter().filter_map(|it| it.folder.as_ref()).collect();
        let is_reached = |root: &Root| {
            delivered.contains(&root.folder)
                || self
                    .shared
                    .repository
                    .sources()
                    .get(root.span.source)
                    .is_some_and(|source| read.contains(source.path()))
        };
        let left: BTreeSet<RepoPath> = self
            .shared
            .graph
            .roots()
            .iter()
            .filter(|root| !is_reached(root))
            .map(|root| root.folder.clone())
            .collect();
        self.starts(|root| left.contains(&root.folder));
    }

    /// Renders a folder as an entry of its own.
    fn entry(&mut self, folder: &RepoPath) {
        let repository = self.shared.repository;
        let mut files = repository.below(folder).chain(repository.files());
        let Some(span) = files.next().map(|(_, file)| Span::start_of(file.source)) else { return };
        let rendered = flux::render_folder(&self.shared, folder, span);
        let environments = self.shared.graph.place(folder, &[], span);
        self.push(
            Delivery {
                by: Applier::Nobody,
                span,
                folder: Some(folder.clone()),
                parent: None,
                environments,
                apply: self.shared.graph.apply(folder),
                rendered,
            },
            &Arc::from(folder.as_str()),
        );
        self.drain();
    }

    /// Keeps a delivery, and what its objects lead to.
    fn push(&mut self, delivery: Delivery, scope: &Arc<str>) {
        let index = self.all.len();
        let above = delivery.parent.and_then(|parent| self.levels.get(parent));
        let level = above.map_or(0, |above| above + 1);
        if let Ok(rendered) = &delivery.rendered {
            self.objects += rendered.objects.len();
            let values = self.values.entry(Arc::clone(scope)).or_default();
            for document in &rendered.objects {
                values.add(document);
            }
            let clusters = rendered.objects.iter().filter_map(argo::declared_by);
            self.clusters.entry(Arc::clone(scope)).or_default().extend(clusters);
            for document in &rendered.objects {
                self.meet(document, Some(index), scope, &delivery.environments);
            }
        }
        self.all.push(delivery);
        self.levels.push(level);
    }

    /// Puts an object in line, where it is a reconciler's and was not met before.
    fn meet(
        &mut self,
        document: &Document,
        parent: Option<usize>,
        scope: &Arc<str>,
        environments: &[Placement],
    ) {
        if !flux::is_kustomization(document)
            && !argo::is_application(document)
            && !argo::is_application_set(document)
        {
            return;
        }
        let Some(object) = &document.object else { return };
        self.seen.insert(document.span);
        // The last one tells that there are more.
        if self.followed.len() <= DELIVERIES
            && self.followed.insert((Arc::clone(scope), object.clone(), document.span))
        {
            self.pending.push(Pending {
                document: document.clone(),
                parent,
                scope: Arc::clone(scope),
                environments: environments.to_vec(),
            });
        }
    }

    /// Follows everything in line, and what that leads to.
    ///
    /// What needs values that are not there yet waits until nothing else is left.
    fn drain(&mut self) {
        let mut waiting = Vec::new();
        loop {
            let mut wave = std::mem::take(&mut self.pending);
            let last = wave.is_empty();
            if last {
                if waiting.is_empty() {
                    return;
                }
                (wave, waiting) = first(waiting);
            } else {
                let (ready, later): (Vec<_>, Vec<_>) =
                    wave.into_iter().partition(|it| self.is_ready(it));
                waiting.extend(later);
                wave = ready;
            }
            // What is over the limit shows before more is made.
            let later = wave.split_off(wave.len().min(WAVE));
            let made: Vec<Vec<Made>> = wave
                .par_iter()
                .map(|pending| {
                    let made = match self.refusal(pending) {
                        Some(error) => vec![refused(pending, error)],
                        None => self.make(pending),
                    };
                    (self.progress)();
                    made
                })
                .collect();
            for (pending, made) in wave.into_iter().zip(made) {
                if flux::is_kustomization(&pending.document) && !made.is_empty() {
                    let index = self.all.len();
                    self.dependencies.add(index, &pending.scope, &pending.document);
                }
                for made in made {
                    self.withheld.extend(made.withheld);
                    let scope = match &made.cluster {
                        Some(cluster) => Arc::from(format!("{} {cluster}", pending.scope)),
                        None => Arc::clone(&pending.scope),
                    };
                    self.push(
                        Delivery {
                            by: made.by,
                            span: pending.document.span,
                            folder: made.folder,
                            parent: pending.parent,
                            environments: made.environments,
                            apply: made.apply,
                            rendered: made.rendered,
                        },
                        &scope,
                    );
                }
            }
            self.pending.extend(later);
            // What was made may hold the values that others wait for.
            let (ready, later): (Vec<_>, Vec<_>) =
                std::mem::take(&mut waiting).into_iter().partition(|it| self.is_ready(it));
            self.pending.extend(ready);
            waiting = later;
        }
    }

    fn is_ready(&self, pending: &Pending) -> bool {
        let Pending { document, environments, scope, .. } = pending;
        let values = self.values.get(scope);
        if argo::is_application_set(document) {
            return !argo::asks_for_clusters(document);
        }
        !flux::is_kustomization(document)
            || flux::is_ready(document, values, environments, self.shared.known)
    }

    /// Returns why an object is not followed: no real repository goes so far.
    fn refusal(&self, pending: &Pending) -> Option<RenderError> {
        let level = pending.parent.and_then(|parent| self.levels.get(parent));
        let message = if level.is_some_and(|level| *level >= LEVELS) {
            format!("objects of reconcilers apply each other over more than {LEVELS} levels")
        } else if self.followed.len() > DELIVERIES || self.objects > OBJECTS {
            format!(
                "the reconcilers apply more than {DELIVERIES} folders or {OBJECTS} objects, and no \
                 more are followed"
            )
        } else {
            return None;
        };
        Some(RenderError::broken(pending.document.span, message))
    }

    fn make(&self, pending: &Pending) -> Vec<Made> {
        let Pending { document, environments, scope, .. } = pending;
        if flux::is_kustomization(document) {
            let values = self.values.get(scope);
            flux::make(&self.shared, document, values, environments).into_iter().collect()
        } else if argo::is_application_set(document) {
            let clusters = self.clusters.get(scope).map_or(&[][..], Vec::as_slice);
            let made = argo::make_set(&self.shared, document, clusters, environments);
            made.into_iter().collect()
        } else {
            argo::make(&self.shared, document, environments)
        }
    }

    fn read(&self) -> BTreeSet<RepoPath> {
        let rendered = self.all.iter().filter_map(|it| it.rendered.as_ref().ok());
        rendered.flat_map(|it| it.read.iter().cloned()).collect()
    }

    /// Leaves out the starts that somebody applies after all.
    fn finish(mut self) -> Deliveries {
        for (index, gap) in self.dependencies.defects() {
            if let Some(Ok(rendered)) = self.all.get_mut(index).map(|it| &mut it.rendered) {
                rendered.gaps.push(gap);
            }
        }
        let applied: BTreeSet<&RepoPath> = self
            .all
            .iter()
            .filter(|it| it.by != Applier::Nobody)
            .filter_map(|it| it.folder.as_ref())
            .collect();
        let mut dropped = vec![false; self.all.len()];
        let mut keep = vec![true; self.all.len()];
        for (index, delivery) in self.all.iter().enumerate() {
            let is_start = delivery.by == Applier::Nobody && delivery.parent.is_none();
            let again = is_start && delivery.folder.as_ref().is_some_and(|it| applied.contains(it));
            // Where only its own objects apply it, these stay.
            let own = |at: &Delivery| {
                let mut at = at;
                loop {
                    match at.parent {
                        Some(parent) if parent == index => return true,
                        Some(parent) => match self.all.get(parent) {
                            Some(above) => at = above,
                            None => return false,
                        },
                        None => return false,
                    }
                }
            };
            let by_others = again
                && self
                    .all
                    .iter()
                    .any(|it| it.by != Applier::Nobody && it.folder == delivery.folder && !own(it));
            let of_dropped = delivery
                .parent
                .is_some_and(|parent| dropped.get(parent).copied().unwrap_or_default());
            if let Some(it) = dropped.get_mut(index) {
                *it = by_others || of_dropped;
            }
            if let Some(it) = keep.get_mut(index) {
                *it = !(again || of_dropped);
            }
        }
        let read = self.read();
        let mut places = Vec::with_capacity(self.all.len());
        let mut kept = 0;
        for keep in &keep {
            places.push(keep.then_some(kept));
            kept += usize::from(*keep);
        }
        let all = self
            .all
            .into_iter()
            .zip(keep)
            .filter(|(_, keep)| *keep)
            .map(|(mut delivery, _)| {
                delivery.parent = delivery.parent.and_then(|at| places.get(at).copied().flatten());
                delivery
            })
            .collect();
        Deliveries { all, read, withheld: self.withheld }
    }
}

/// Returns what becomes of an object that is not followed.
fn refused(pending: &Pending, error: RenderError) -> Made {
    let by = match &pending.document.object {
        Some(object) if flux::is_kustomization(&pending.document) => Applier::Flux(object.clone()),
        Some(object) => Applier::ArgoCd(object.clone()),
        None => Applier::Nobody,
    };
    Made {
        by,
        folder: None,
        environments: pending.environments.clone(),
        cluster: None,
        apply: Apply::ServerSide,
        rendered: Err(error),
        withheld: BTreeSet::new(),
    }
}

/// Splits what waits for values that nobody brings: what depends on nothing else of it goes first,
/// as it may bring those of the rest after all.
fn first(waiting: Vec<Pending>) -> (Vec<Pending>, Vec<Pending>) {
    let names: BTreeSet<(Arc<str>, ObjectRef)> = waiting
        .iter()
        .filter_map(|it| Some((Arc::clone(&it.scope), it.document.object.clone()?)))
        .map(|(scope, object)| (scope, ObjectRef { api_version: Arc::from(""), ..object }))
        .collect();
    let waits = |it: &Pending| {
        flux::dependencies(&it.document).any(|(object, _)| {
            let object = ObjectRef { api_version: Arc::from(""), ..object };
            names.contains(&(Arc::clone(&it.scope), object))
        })
    };
    let (later, first): (Vec<_>, Vec<_>) = waiting.into_iter().partition(waits);
    // In a circle, nothing is first.
    if first.is_empty() { (later, first) } else { (first, later) }
}

/// Names the cluster that something belongs to: its environments, else its folder.
fn scope(environments: &[Placement], folder: &RepoPath) -> Arc<str> {
    if environments.is_empty() {
        return Arc::from(format!("/{folder}"));
    }
    let names: Vec<&str> = environments.iter().map(|it| &*it.environment.name).collect();
    Arc::from(names.join(","))
}
