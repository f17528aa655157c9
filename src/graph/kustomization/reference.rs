//! What a kustomization refers to.

use super::{Kustomization, Text};
use crate::source::Span;

/// What a referenced file or folder is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReferenceUse {
    /// Objects: a file, a folder with a kustomization, or something remote.
    Resource,
    /// A folder with a component.
    Component,
    /// A patch, of either form.
    Patch,
    /// A file whose content becomes a value of a `ConfigMap` or a Secret.
    GeneratorFile,
    /// A file that adds to kustomize's tables of fields.
    Configuration,
    /// A file or folder that configures a transformer.
    Transformer,
    /// A file or folder that configures a generator.
    Generator,
    /// A file or folder that configures a validator.
    Validator,
    /// A file of replacements.
    Replacement,
    /// A file of values of a Helm chart.
    HelmValues,
    /// A schema.
    OpenApi,
    /// A definition of custom resources that only tells kustomize about fields.
    Crd,
}

/// One reference of a kustomization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The value that holds it.
    pub span: Span,
    /// The path or URL, relative to the folder of the kustomization.
    pub text: String,
    /// What it is used for.
    pub use_: ReferenceUse,
}

impl Kustomization {
    /// Returns everything that the kustomization refers to, in the order of use.
    ///
    /// Patches, generators and transformers that stand inline are not among them.
    pub fn references(&self) -> Vec<Reference> {
        use ReferenceUse as Use;
        let mut out = Vec::new();
        let mut add = |text: &Text, path: &str, use_| {
            if !path.is_empty() {
                out.push(Reference { span: text.span, text: path.to_owned(), use_ });
            }
        };
        let mut list = |texts: &[Text], use_| {
            for text in texts.iter().filter(|text| !is_inline(&text.text)) {
                add(text, &text.text, use_);
            }
        };
        list(&self.resources, Use::Resource);
        list(&self.bases, Use::Resource);
        list(&self.components, Use::Component);
        list(&self.crds, Use::Crd);
        list(&self.configurations, Use::Configuration);
        list(&self.generators, Use::Generator);
        list(&self.transformers, Use::Transformer);
        list(&self.validators, Use::Validator);
        list(&self.patches_strategic_merge, Use::Patch);
        for patch in self.patches.iter().chain(&self.patches_json6902) {
            if let Some(path) = &patch.path {
                add(path, &path.text, Use::Patch);
            }
        }
        for generator in self.config_map_generator.iter().chain(&self.secret_generator) {
            for file in &generator.files {
                let path = file.text.split_once('=').map_or(&*file.text, |(_, path)| path);
                add(file, path, Use::GeneratorFile);
            }
            for env in generator.envs.iter().chain(&generator.env) {
                add(env, &env.text, Use::GeneratorFile);
            }
        }
        for path in self.replacements.iter().filter_map(|replacement| replacement.path.as_ref()) {
            add(path, &path.text, Use::Replacement);
        }
        for chart in &self.helm_charts {
            for file in chart.values_file.iter().chain(&chart.additional_values_files) {
                add(file, &file.text, Use::HelmValues);
            }
        }
        for file in self.helm_inflations.iter().filter_map(|chart| chart.values.as_ref()) {
            add(file, &file.text, Use::HelmValues);
        }
        if let Some(path) = self.openapi.get("path") {
            add(path, &path.text, Use::OpenApi);
        }
        out
    }
}

/// Says whether a text that may be a path is YAML instead.
pub fn is_inline(text: &str) -> bool {
    text.contains('\n') || text.trim_start().starts_with(['{', '[']) || text.contains(": ")
}

/// Says whether kustomize would fetch a reference that is not there locally.
///
/// Folders have names that look like hosts (`redhatcop.redhat.io`), so look for the file or the
/// folder first. The forms are those of kustomize's `git.NewRepoSpecFromURL` and of URLs.
pub fn is_remote(text: &str) -> bool {
    let text = text.strip_prefix("git::").unwrap_or(text);
    let lower = text.to_ascii_lowercase();
    if lower.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    }) {
        return true;
    }
    // `user@host:path` and `user@host/path`.
    let user = lower.split_once('@').is_some_and(|(user, host)| {
        user.starts_with(|c: char| c.is_ascii_alphabetic())
            && user.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && host.contains([':', '/'])
    });
    let host = lower.strip_prefix("www.").unwrap_or(&lower);
    user || ["gh:", "github.com/", "github.com:"].iter().any(|known| host.starts_with(known))
}
