//! The one input of every rule: an admission request with environment, source and change.
//!
//! The pull request and the cluster both arrive here; no rule knows which of them asks.

use std::sync::Arc;

use crate::document::{Document, Node};
use crate::environment::Environment;
use crate::source::RepoPath;

/// What is to happen to the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// The object is new, or its former state is unknown.
    Create,
    /// The object exists and changes.
    Update,
    /// The object goes away.
    Delete,
    /// A connection to a subresource, such as `exec`.
    Connect,
}

impl Operation {
    /// Returns the name that the API server uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }
}

/// Where an object of a repository comes from. Not there at admission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The file that defines it.
    pub path: RepoPath,
    /// The folder whose render holds it; `None` for a plain manifest.
    pub root: Option<RepoPath>,
}

/// What an API server says of a request beside the objects. Not there in a repository.
///
/// Fields of `AdmissionRequest` in `k8s.io/api/admission/v1`.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Who asks: `username`, `uid`, `groups`, `extra`, as they came.
    pub user_info: Node,
    /// The subresource, e.g. `scale`; empty for the object itself.
    pub sub_resource: Arc<str>,
    /// The options of the operation, e.g. `fieldManager`; null where there are none.
    pub options: Node,
}

/// How the object is applied, which decides who looks at it before it is stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Apply {
    /// Created or replaced as a whole, as kubectl and Argo CD do by default.
    #[default]
    Client,
    /// By server-side apply, as Flux does: fields are merged by their schema first, which refuses
    /// what a plain request would only be warned of.
    ServerSide,
}

/// One object to judge, in one environment.
#[derive(Debug, Clone, Copy)]
pub struct Review<'run> {
    /// What is to happen.
    pub operation: Operation,
    /// The object as it is to be. At DELETE, the object that goes away.
    pub object: &'run Document,
    /// The object as it is, where that is known.
    pub old_object: Option<&'run Document>,
    /// How it is applied.
    pub apply: Apply,
    /// Whether nothing will be stored.
    pub dry_run: bool,
    /// The environment, where one is known.
    pub environment: Option<&'run Environment>,
    /// Where it comes from, where that is a repository.
    pub provenance: Option<&'run Provenance>,
    /// What asks, where that is an API server.
    pub asked: Option<&'run Asked>,
}

impl Review<'_> {
    /// Says whether the object would be stored as it is given.
    ///
    /// At DELETE and CONNECT nothing is, so what only looks at content has nothing to judge.
    pub fn stores_object(&self) -> bool {
        matches!(self.operation, Operation::Create | Operation::Update)
    }
}
