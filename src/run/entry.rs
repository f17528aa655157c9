//! The objects that a cluster gets when it begins at one folder, without judging them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::configuration::{Configuration, Refused};
use super::render::{left_out, refused};
use super::{Input, Options, Progress, RunError, objects, repository};
use crate::check::schema;
use crate::discover;
use crate::document::Document;
use crate::finding::Failure;
use crate::render::{self, Applier, Known};
use crate::source::{RepoPath, SourceMap};

/// The name of the entry itself, which no object applies.
const ENTRY: (&str, &str) = ("flux-system", "entry");

/// The namespace of an object that names none.
const NAMESPACE: &str = "default";

/// What lies beside the manifests at the top of a repository.
const AT_THE_TOP: [&str; 6] =
    [".gitignore", ".gitattributes", ".github", ".sourceignore", "LICENSE", "tidewaiter.yaml"];

/// How many folders up the top of a repository is looked for.
const LEVELS: usize = 6;

/// What an entry folder leads to.
#[derive(Debug)]
pub struct Followed {
    repository: crate::load::Repository,
    root: PathBuf,
    /// The entry, the Kustomizations and the Applications, in the order in which they are met.
    pub all: Vec<Applied>,
}

/// What one Kustomization or Application applies.
#[derive(Debug)]
pub struct Applied {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The objects; none where they cannot be rendered.
    pub objects: Option<Vec<Document>>,
    /// Why they cannot be rendered.
    pub errors: Vec<Failure>,
    /// What is left out.
    pub gaps: Vec<Failure>,
}

impl Followed {
    /// Follows the graph of Flux and Argo CD from a folder, as if that were applied.
    ///
    /// The repository is the git work tree around the folder, else the working directory if that
    /// holds it, else the nearest folder above that looks like the top of one.
    pub fn of_folder(
        folder: &Path,
        options: &Options,
        progress: &dyn Progress,
    ) -> Result<Self, RunError> {
        progress.stage("reading", None);
        let scope = discover::scope(&[folder.to_owned()], &options.current_dir)?;
        let scope = scope.widened(&options.current_dir);
        let asked = scope.paths().next().cloned().unwrap_or_else(RepoPath::root);
        let absolute = scope.root().join(asked.as_str());
        if !absolute.is_dir() {
            return Err(RunError::NotAFolder(folder.display().to_string()));
        }
        let root = if asked.is_root() { top(&absolute) } else { scope.root().to_owned() };
        let asked = absolute.strip_prefix(&root).ok().and_then(Path::to_str).map(RepoPath::new);
        let asked = asked.unwrap_or_else(RepoPath::root);
        let options = Options { input: Input::Paths(vec![root.clone()]), ..options.clone() };
        let mut read = repository::read(&options)?;
        let settings = match read.configuration() {
            Ok(Configuration { settings, .. }) => settings,
            Err(error) => return Err(told(&read, error)),
        };
        if let Err(error) = read.configured_sources(&options) {
            return Err(told(&read, error));
        }
        let default = options.kubernetes.or(settings.kubernetes).unwrap_or_else(schema::newest);
        let graph = read.graph(&settings, &options, default)?;
        let known = Known { as_rendered: true, ..objects::known(&settings) };
        progress.stage("rendering", None);
        let deliveries = render::deliver_from(&read.repository, &graph, &known, &asked);
        let mut all: Vec<Applied> = Vec::new();
        let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
        for delivery in deliveries.all {
            let (namespace, name) = match &delivery.by {
                Applier::Nobody => (ENTRY.0.to_owned(), ENTRY.1.to_owned()),
                Applier::Flux(object) | Applier::ArgoCd(object) => {
                    let namespace = object.namespace.as_deref().unwrap_or(NAMESPACE);
                    (namespace.to_owned(), object.name.to_string())
                }
            };
            // An Application with several sources is one of them.
            let place = *places.entry((namespace.clone(), name.clone())).or_insert(all.len());
            if place == all.len() {
                let (errors, gaps) = (Vec::new(), Vec::new());
                all.push(Applied { namespace, name, objects: None, errors, gaps });
            }
            let Some(applied) = all.get_mut(place) else { continue };
            match delivery.rendered {
                Ok(rendered) => {
                    applied.gaps.extend(rendered.gaps.iter().filter_map(left_out));
                    applied.objects.get_or_insert_default().extend(rendered.objects);
                }
                Err(error) => {
                    let folder = delivery.folder.unwrap_or_else(RepoPath::root);
                    applied.errors.push(refused(&folder, error));
                }
            }
        }
        for applied in all.iter_mut().filter(|it| !it.errors.is_empty()) {
            applied.objects = None;
        }
        Ok(Self { repository: read.repository, root, all })
    }

    /// Returns the texts that the places of the objects point into.
    pub fn sources(&self) -> &SourceMap {
        self.repository.sources()
    }

    /// Returns the folder that all paths are relative to.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

/// Finds the top of a repository that is no git work tree: the folder itself where nothing tells.
fn top(folder: &Path) -> PathBuf {
    let is_top = |at: &&Path| {
        // The root of the file system is none, whatever lies there.
        at.parent().is_some()
            && AT_THE_TOP.iter().any(|name| fs::symlink_metadata(at.join(name)).is_ok())
    };
    folder.ancestors().take(LEVELS).find(is_top).unwrap_or(folder).to_owned()
}

fn told(read: &repository::Read, refused: Refused) -> RunError {
    match refused {
        Refused::Program(error) => error,
        Refused::Failures(failures) => {
            let sources = read.repository.sources();
            RunError::Refused(super::gate::told(sources, &failures))
        }
    }
}
