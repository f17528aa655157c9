//! `tidewaiter.yaml` as it is written. The doc comments here are its reference.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// The configuration of the gate for one repository: `tidewaiter.yaml`.
///
/// The file lies in the folder that holds the manifests; all paths in it are relative to that
/// folder. Everything is optional: without a file, environments are detected and every rule has
/// its default enforcement.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[serde(expecting = "a mapping of settings")]
pub struct File {
    /// The Kubernetes version of environments that name none, e.g. `"1.34"`.
    ///
    /// Without it, the newest version that the program knows is assumed, and said so. Quotes are
    /// needed: `1.30` without them is the number 1.3.
    pub kubernetes: Option<String>,
    /// The environments of the repository, where detection by folder names is not enough.
    pub environments: Vec<EnvironmentEntry>,
    /// What findings do to the gate. Later entries win over earlier ones.
    pub enforcement: Vec<EnforcementEntry>,
    /// What lies outside of the repository and is known to: a remote base, a chart, a folder
    /// that only another tool can render. Each entry settles the findings of the category
    /// `coverage`, and the failure to render, of the paths that it names.
    pub external: Vec<ExternalEntry>,
}

/// One environment: what one cluster, or one class of clusters, receives.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[serde(expecting = "a mapping")]
pub struct EnvironmentEntry {
    /// The name that findings show, e.g. `prod`.
    pub name: String,
    /// How much is at stake. Without it, the name decides: `prod`, `production`, `prd` and `live`
    /// are production.
    pub tier: Option<TierName>,
    /// The cluster, where the environment has a single one.
    pub cluster: Option<String>,
    /// The Kubernetes version, e.g. `"1.34"`.
    pub kubernetes: Option<String>,
    /// The files and folders that the environment receives, as globs: `clusters/prod/**`.
    ///
    /// A folder stands for everything below it.
    pub paths: Vec<String>,
    /// Labels for rules to read.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// How much is at stake in an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TierName {
    /// Production.
    Production,
    /// Anything else.
    NonProduction,
}

/// What some rules do to the gate, in some places.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[serde(expecting = "a mapping")]
pub struct EnforcementEntry {
    /// Rule ids (`rbac/wildcard-verb`) or categories (`pod-security`).
    pub rules: Vec<String>,
    /// What findings of these rules do: nothing, a warning, a denial.
    pub set: EnforcementName,
    /// Only in these environments. Without it, in all.
    #[serde(default)]
    pub environments: Vec<String>,
    /// Only in environments of this tier.
    pub tier: Option<TierName>,
    /// Only for findings in these files, as globs.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Why, for whoever reads the file.
    pub reason: Option<String>,
}

/// What a finding does to the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EnforcementName {
    /// The rule is not evaluated.
    Off,
    /// The finding is shown; the gate stays open.
    Warn,
    /// The finding closes the gate.
    Deny,
}

/// Something that is known to lie outside of the gate's sight.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[serde(expecting = "a mapping")]
pub struct ExternalEntry {
    /// The folders or files that need it, as globs.
    pub paths: Vec<String>,
    /// Why it is fine that nobody judges it here.
    pub reason: String,
}
