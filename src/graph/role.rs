//! What a document is to the gate.

use std::fmt;

/// What a document, or a file that is never parsed, is to the gate.
///
/// Only objects are judged. Everything else is named and counted, so that nothing is passed over
/// in silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// An object that would be applied: by itself, or through a kustomization.
    Object,
    /// A patch of a kustomization: incomplete by nature.
    Patch,
    /// A kustomization file.
    Kustomization,
    /// What configures kustomize: generators, transformers, tables of fields, replacements.
    KustomizeConfig,
    /// A file that a generator puts into a `ConfigMap` or a Secret.
    GeneratorFile,
    /// A part of a component that no kustomization uses.
    UnusedComponent,
    /// An object beside those of a kustomization that does not list it: nothing applies it.
    Unreferenced,
    /// A file beside a kustomization that cannot be read: nothing tells what it is.
    Unplaced,
    /// A template of a Helm chart.
    ChartTemplate,
    /// The description of a Helm chart.
    Chart,
    /// Values of a Helm chart.
    Values,
    /// A template outside charts, which is not filled in.
    Template,
    /// A workflow of a forge.
    Workflow,
    /// A Compose file.
    Compose,
    /// The configuration of a client: it looks like an object, but no cluster has such a kind.
    ClientConfig,
    /// A file whose very kind is encrypted.
    Encrypted,
    /// Data of a test, often bad on purpose.
    TestData,
    /// An `OpenShift` template: its objects have parameters.
    OpenShiftTemplate,
    /// Nothing that Kubernetes reads.
    Other,
}

impl Role {
    /// Returns the name that reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Patch => "patch",
            Self::Kustomization => "kustomization",
            Self::KustomizeConfig => "kustomize-configuration",
            Self::GeneratorFile => "generator-file",
            Self::UnusedComponent => "unused-component",
            Self::Unreferenced => "unreferenced",
            Self::Unplaced => "unplaced",
            Self::ChartTemplate => "chart-template",
            Self::Chart => "chart",
            Self::Values => "chart-values",
            Self::Template => "template",
            Self::Workflow => "workflow",
            Self::Compose => "compose",
            Self::ClientConfig => "client-configuration",
            Self::Encrypted => "encrypted",
            Self::TestData => "test-data",
            Self::OpenShiftTemplate => "openshift-template",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
