//! Who knows what a kind looks like, and in which order they are asked.

use std::sync::Arc;

use super::builtin::Builtin;
use super::carried::EmbeddedCrds;
use super::defect::Defect;
use super::embedded::Fidelity;
use super::lookup::Schema;
use super::structural::Structural;
use crate::check::{KindScope, Kinds};
use crate::document::{Node, ObjectRef};
use crate::environment::KubernetesVersion;
use crate::finding::Failure;

/// The kind whose schema is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The version of Kubernetes that serves it.
    pub kubernetes: KubernetesVersion,
    /// The environment that the object reaches, where one is known.
    pub environment: Option<&'a str>,
    /// The API group; empty for the core group.
    pub group: &'a str,
    /// The version without the group.
    pub version: &'a str,
    /// The kind.
    pub kind: &'a str,
}

impl<'a> Wanted<'a> {
    /// Returns what an object asks for.
    pub fn of(
        object: &'a ObjectRef,
        kubernetes: KubernetesVersion,
        environment: Option<&'a str>,
    ) -> Self {
        let (group, version) = (object.group(), object.version());
        Self { kubernetes, environment, group, version, kind: &object.kind }
    }
}

/// Something that knows the schemas of kinds.
///
/// The built-in kinds are one; custom resource definitions and the folders that a user names are
/// others. The first source that answers wins.
pub trait SchemaSource: Send + Sync + std::fmt::Debug {
    /// Returns what is known of a kind; `None` where it is not this source's.
    fn lookup(&self, wanted: &Wanted<'_>) -> Option<Answer<'_>>;

    /// Returns where the objects of a kind live, where that is known. Called often.
    fn scope(&self, wanted: &Wanted<'_>) -> Option<KindScope>;

    /// Returns the versions of a kind that this source knows, and all kinds of a group where
    /// `kind` is `None`, as pairs of version and kind: for suggestions.
    fn known(&self, _group: &str, _kind: Option<&str>) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// What a source knows of a kind.
#[derive(Debug, Clone)]
pub struct Answer<'a> {
    /// The schema.
    pub found: Found<'a>,
    /// Who says so.
    pub authority: Authority,
}

/// A schema, in one of its forms.
#[derive(Debug, Clone)]
pub enum Found<'a> {
    /// A part of the table of the built-in kinds.
    BuiltIn(Schema<'a>),
    /// The schema of a custom resource definition, judged as the API server does.
    Structural(Arc<Structural>),
    /// A schema of another form, which judges by itself.
    Other(Arc<dyn ObjectSchema>),
    /// The kind is known and anything may stand in it: there is no schema.
    Open,
    /// The kind is defined, but not in this version; those that are served.
    NotServed(Vec<String>),
    /// There is a schema and it cannot be used.
    Unusable(Box<Failure>),
}

/// A schema that judges objects by itself.
pub trait ObjectSchema: Send + Sync + std::fmt::Debug {
    /// Returns what an object has that the schema does not allow, in the order of the text; at
    /// most a thousand defects.
    fn check(&self, kind: &str, root: &Node) -> Vec<Defect>;
}

impl Found<'_> {
    /// Returns what stands for a schema that cannot be used; `reason` is a sentence.
    pub fn unusable(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::Unusable(Box::new(Failure { rule: None, span: None, reason, help: None }))
    }
}

/// Who says what a kind looks like.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Authority {
    /// The embedded schemas of Kubernetes itself.
    BuiltIn,
    /// A custom resource definition of the repository under check; its file.
    Repository(Arc<str>),
    /// A file or folder that the user names.
    User(Arc<str>),
    /// An embedded custom resource definition; where it is from, with its version.
    Embedded(Arc<str>, Fidelity),
}

impl Authority {
    /// Returns the word that reports use for this sort of authority.
    pub fn sort(&self) -> &'static str {
        match self {
            Self::BuiltIn => "kubernetes",
            Self::Repository(_) => "repository",
            Self::User(_) => "user",
            Self::Embedded(..) => "embedded",
        }
    }

    /// Returns the file, folder or package, where there is one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::BuiltIn => None,
            Self::Repository(name) | Self::User(name) | Self::Embedded(name, _) => Some(name),
        }
    }
}

/// Everything that knows kinds, in the order in which it is asked: what was given, the built-in
/// kinds, the embedded custom resources.
#[derive(Debug, Default)]
pub struct Sources {
    own: Vec<Arc<dyn SchemaSource>>,
    embedded: EmbeddedCrds,
    later: Vec<Arc<dyn SchemaSource>>,
}

impl Sources {
    /// Returns `own` first, in this order, then what the program brings along.
    pub fn new(own: Vec<Arc<dyn SchemaSource>>) -> Self {
        Self { own, embedded: EmbeddedCrds::default(), later: Vec::new() }
    }

    /// Adds those that are asked after what the program brings along.
    #[must_use]
    pub fn with_later(mut self, later: Vec<Arc<dyn SchemaSource>>) -> Self {
        self.later = later;
        self
    }

    /// Says whether any of them knows a kind.
    pub fn knows(&self, wanted: &Wanted<'_>) -> bool {
        let builtin = Builtin::new().ok();
        self.all(builtin.as_ref()).any(|source| source.lookup(wanted).is_some())
    }

    fn all<'a>(
        &'a self,
        builtin: Option<&'a Builtin>,
    ) -> impl Iterator<Item = &'a dyn SchemaSource> {
        let own = self.own.iter().map(AsRef::as_ref);
        let builtin = builtin.map(|it| it as &dyn SchemaSource);
        let later = self.later.iter().map(AsRef::as_ref);
        own.chain(builtin).chain([&self.embedded as &dyn SchemaSource]).chain(later)
    }

    /// Returns what the first source says that knows a kind.
    pub(super) fn lookup<'a>(
        &'a self,
        builtin: &'a Builtin,
        wanted: &Wanted<'_>,
    ) -> Option<Answer<'a>> {
        self.all(Some(builtin)).find_map(|source| source.lookup(wanted))
    }

    /// Returns the versions of a kind that are known, and all kinds of its group where `kind` is
    /// `None`, as pairs of version and kind.
    pub(super) fn known(&self, group: &str, kind: Option<&str>) -> Vec<(String, String)> {
        let mut all: Vec<_> = self.all(None).flat_map(|it| it.known(group, kind)).collect();
        all.sort();
        all.dedup();
        all
    }
}

impl Kinds for Sources {
    fn scope(&self, kubernetes: KubernetesVersion, object: &ObjectRef) -> Option<KindScope> {
        let builtin = Builtin::new().ok();
        let wanted = Wanted::of(object, kubernetes, None);
        self.all(builtin.as_ref()).find_map(|source| source.scope(&wanted))
    }
}
