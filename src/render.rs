//! What a reconciler would apply, made from the files of the repository alone.
//!
//! Nothing is fetched and nothing is executed: what lies outside of the repository is named as a
//! [`Gap`], and the rest is rendered without it.

mod argo;
mod deliver;
mod fields;
mod flux;
mod kustomize;

use std::collections::BTreeSet;

pub use deliver::{Applier, Deliveries, Delivery, Known, deliver, deliver_from};
pub use flux::Values;
pub use kustomize::{Cache, LoadRestrictor, kustomize, kustomize_as};

use crate::document::Document;
use crate::graph::kustomization::Defect;
use crate::source::{RepoPath, Span};

/// The objects of one folder, as they would be applied.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The folder.
    pub folder: RepoPath,
    /// The objects in the order in which they are put out. Each value carries the place that set it.
    pub objects: Vec<Document>,
    /// What is missing because it lies outside of the repository, in the order in which it is met.
    pub gaps: Vec<Gap>,
    /// Every file that took part.
    pub read: BTreeSet<RepoPath>,
}

impl Rendered {
    /// Returns a render without objects, because all of it is left out.
    fn nothing(gap: Gap) -> Self {
        Self {
            folder: RepoPath::root(),
            objects: Vec::new(),
            gaps: vec![gap],
            read: BTreeSet::new(),
        }
    }
}

/// Something that a render leaves out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// Why it is left out.
    pub kind: GapKind,
    /// The value that asks for it.
    pub span: Span,
    /// What it is: a URL, the name of a chart, the kind of a plugin.
    pub text: String,
}

/// Why something is left out of a render.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GapKind {
    /// Objects or a component that lie behind a URL.
    RemoteBase,
    /// A patch, or the content of a generated object, that lies behind a URL.
    RemoteFile,
    /// A Helm chart that lies in a chart repository.
    RemoteChart,
    /// A Helm chart in this repository, which is not inflated.
    ChartNotRendered,
    /// A generator, transformer or validator that is a program of its own.
    PluginNotRun,
    /// A path that this repository does not have.
    MissingPath,
    /// A source that is another repository.
    OtherRepository,
    /// An object of the cluster whose values variables need.
    UnknownValues,
    /// A Kustomization that waits for one that nothing here defines.
    UnknownDependency,
    /// A Kustomization that waits for itself, over any number of steps.
    DependencyCircle,
    /// A generator of Applications that needs to know a cluster, or another service.
    NotExpanded,
}

/// Why a folder cannot be rendered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{message}")]
pub struct RenderError {
    /// The place to mend.
    pub span: Span,
    /// What is wrong: one sentence, no final period.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
    /// Whose fault it is.
    pub kind: ErrorKind,
}

/// Whose fault it is that a folder cannot be rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorKind {
    /// kustomize refuses it too.
    Broken,
    /// This program does not do what the files ask for.
    Unsupported,
}

impl From<Defect> for RenderError {
    fn from(defect: Defect) -> Self {
        Self { help: defect.help, ..Self::broken(defect.span, defect.message) }
    }
}

impl RenderError {
    fn broken(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None, kind: ErrorKind::Broken }
    }

    /// The error of a folder that holds more than one kustomization.
    fn several_kustomizations(span: Span, files: &[RepoPath]) -> Self {
        let names: Vec<String> = files.iter().map(|file| format!("`{file}`")).collect();
        let message = format!("a folder has several kustomizations: {}", names.join(", "));
        Self::broken(span, message).with_help("keep one of them")
    }

    fn unsupported(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None, kind: ErrorKind::Unsupported }
    }

    fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
