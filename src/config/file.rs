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
    /// The clusters that Argo CD puts objects into: what its cluster Secrets say, where these are
    /// not in the repository.
    ///
    /// `ApplicationSet`s over clusters are expanded with them, and `Application`s that name one
    /// belong to its environment.
    pub clusters: Vec<ClusterEntry>,
    /// What findings do to the gate. Later entries win over earlier ones.
    pub enforcement: Vec<EnforcementEntry>,
    /// Folders or `.rego` files that hold rules of your own.
    ///
    /// A folder stands for every `.rego` file below it, but for those whose names start with a dot
    /// or end in `_test.rego`.
    pub policies: Vec<String>,
    /// Where schemas come from, beside the definitions in the repository and those that the
    /// program brings along. The first place that knows a kind decides.
    pub schemas: Vec<SchemaEntry>,
    /// Where the other repositories of the fleet lie, each in a folder that holds a checkout of it.
    ///
    /// `--source URL=FOLDER` says the same for one run.
    pub sources: Vec<SourceEntry>,
    /// Findings that are known and let through, in some places, each for a reason.
    pub waivers: Vec<WaiverEntry>,
    /// What every waiver has to say.
    pub waiver_policy: WaiverPolicy,
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
    /// `ConfigMap`s and Secrets of the cluster that are not in the repository, and from which Flux
    /// takes variables (`postBuild.substituteFrom`).
    #[serde(default)]
    pub cluster_values: Vec<ClusterValuesEntry>,
}

/// The values of one object of a cluster.
///
/// Where the repository has the object too, what it says there holds.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[serde(expecting = "a mapping")]
pub struct ClusterValuesEntry {
    /// `ConfigMap`, or `Secret`, whose values no report shows. Any text of the same form does as
    /// well as the real one: a file in the repository is no place for a secret.
    pub kind: ValuesKind,
    /// The namespace: that of the Kustomizations that name the object.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The values by their keys, which are the names of the variables.
    pub values: BTreeMap<String, String>,
}

/// The kind of an object that holds values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum ValuesKind {
    /// A `ConfigMap`.
    ConfigMap,
    /// A Secret.
    Secret,
}

/// A cluster that Argo CD puts objects into.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[serde(expecting = "a mapping")]
pub struct ClusterEntry {
    /// The name by which `Application`s know it.
    pub name: String,
    /// The URL of its API server, as `Application`s have it.
    ///
    /// Without it, the server is `https://<name>`: `ApplicationSet`s then still lead to the cluster.
    pub server: Option<String>,
    /// The environment that it belongs to. Without it, the environments whose `cluster` is its name.
    pub environment: Option<String>,
    /// The project of Argo CD that it belongs to.
    pub project: Option<String>,
    /// The labels of its Secret, by which generators choose.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The annotations of its Secret, which templates read.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// Values for templates (`values.<key>`) that no generator in the repository sets.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
}

/// Another repository of the fleet.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[serde(expecting = "a mapping")]
pub struct SourceEntry {
    /// The URL, as the objects of Flux and Argo CD have it. How the repository is reached makes no
    /// difference: `https://` and `ssh://` URLs of one repository are the same.
    pub url: String,
    /// The folder that holds its files.
    ///
    /// The path is relative to the folder of this file. In a file of the repository it leads
    /// nowhere outside of it; in one that lies elsewhere and is named by `--config` it may.
    pub path: String,
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

/// A place with schemas.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[serde(expecting = "a mapping")]
pub struct SchemaEntry {
    /// A folder or a file of definitions of custom resources or of JSON Schemas, a template of
    /// paths as kubeconform has them (`schemas/{{ .ResourceKind }}{{ .KindSuffix }}.json`), or
    /// `default` for the schemas of the program itself.
    ///
    /// Paths are relative to the folder of this file and lead nowhere above it. Addresses are
    /// answered by the schemas of the program where they publish the same, and never fetched.
    pub location: String,
    /// Why, for whoever reads the file.
    pub reason: Option<String>,
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

/// Findings that are known and let through, in some places, for a reason.
///
/// A waiver names at least one of `objects`, `environments` and `paths`; of those that it names,
/// all must hold. The same waivers hold for `check` and in the cluster.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[serde(expecting = "a mapping")]
pub struct WaiverEntry {
    /// Rule ids (`rbac/wildcard-verb`) or categories (`pod-security`).
    pub rules: Vec<String>,
    /// Only for findings of these objects.
    #[serde(default)]
    pub objects: Vec<ObjectEntry>,
    /// Only in these environments.
    #[serde(default)]
    pub environments: Vec<String>,
    /// Only for findings in these files, as globs. A request of an API server comes from no file,
    /// so a waiver with paths does not hold in the cluster.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Why it is fine.
    pub reason: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Where it is followed up.
    pub ticket: Option<String>,
    /// The last day on which it holds, e.g. `2026-12-31`. From the next day on it waives nothing,
    /// and is a finding itself.
    pub expires: Option<String>,
}

/// Some objects. Of the keys that are given, all must match.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[serde(expecting = "a mapping")]
pub struct ObjectEntry {
    /// The kind, e.g. `Deployment`.
    pub kind: Option<String>,
    /// The namespace; `*` stands for any text. An object that names none has the empty namespace.
    pub namespace: Option<String>,
    /// The name; `*` stands for any text.
    pub name: Option<String>,
}

/// What every waiver has to say.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[serde(expecting = "a mapping")]
pub struct WaiverPolicy {
    /// The keys that no waiver may leave out, beside `rules` and `reason`.
    pub require: Vec<WaiverKey>,
    /// The number of days ahead for which a waiver may hold at most. `check` reports a waiver that
    /// expires later, or never.
    pub max_days: Option<u32>,
}

/// A key of a waiver that can be made mandatory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WaiverKey {
    /// Who answers for it.
    Owner,
    /// Where it is followed up.
    Ticket,
    /// The last day on which it holds.
    Expires,
}
