//! The kinds that Kubernetes itself serves, in every minor that is embedded.

use std::sync::LazyLock;

use crate::environment::KubernetesVersion;

use crate::check::KindScope;

use super::lookup::{Schema, View};
use super::source::{Answer, Authority, Found, SchemaSource, Wanted};
use super::table::{Kind, Name, Table, TableError};

/// The table that `xtask` writes.
pub(super) const BYTES: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/kubernetes/builtin.bin"));

static TABLE: LazyLock<Result<Table, TableError>> = LazyLock::new(|| Table::read(BYTES));

static VERSIONS: LazyLock<Vec<KubernetesVersion>> = LazyLock::new(|| {
    let minors = TABLE.as_ref().map(|table| table.minors.clone()).unwrap_or_default();
    minors.into_iter().map(version).collect()
});

/// Returns the versions whose schemas are embedded, the oldest first.
pub fn versions() -> &'static [KubernetesVersion] {
    &VERSIONS
}

/// Returns the newest version whose schemas are embedded.
pub fn newest() -> KubernetesVersion {
    // Without a readable table there is no version to judge for, and every object says so.
    versions().last().copied().unwrap_or(version(0))
}

/// Returns the oldest version whose schemas are embedded.
pub(super) fn oldest() -> KubernetesVersion {
    versions().first().copied().unwrap_or(version(0))
}

/// Returns where the objects of a built-in kind live; `None` for a kind that this version lacks.
pub fn scope(
    kubernetes: KubernetesVersion,
    group: &str,
    version: &str,
    kind: &str,
) -> Option<KindScope> {
    let builtin = Builtin::new().ok()?;
    let bit = builtin.bit(kubernetes)?;
    let kind = builtin.find(group, version, kind).filter(|it| it.minors & bit != 0)?;
    match kind.scope {
        1 => Some(KindScope::Namespaced),
        2 => Some(KindScope::Cluster),
        _ => None,
    }
}

/// Returns the plural name of a built-in kind, as URLs and RBAC rules have it.
///
/// E.g. `deployments`. `None` for a kind that this version lacks.
pub fn plural(
    kubernetes: KubernetesVersion,
    group: &str,
    version: &str,
    kind: &str,
) -> Option<&'static str> {
    let builtin = Builtin::new().ok()?;
    let bit = builtin.bit(kubernetes)?;
    let kind = builtin.find(group, version, kind).filter(|it| it.minors & bit != 0)?;
    Some(builtin.table.text(kind.plural)).filter(|plural| !plural.is_empty())
}

/// Returns the first and the last embedded version that serve a built-in kind.
pub fn served(
    group: &str,
    version: &str,
    kind: &str,
) -> Option<(KubernetesVersion, KubernetesVersion)> {
    let builtin = Builtin::new().ok()?;
    builtin.span(builtin.find(group, version, kind)?)
}

/// Returns the schema of `metadata`, which is that of every kind.
pub(super) fn object_meta(kubernetes: KubernetesVersion) -> Option<Schema<'static>> {
    let builtin = Builtin::new().ok()?;
    let bit = builtin.bit(kubernetes)?;
    let kind = builtin.find("", "v1", "ConfigMap")?;
    match Schema::new(builtin.table, kind.node, bit).view() {
        View::Object(fields) => fields.get("metadata"),
        _ => None,
    }
}

fn version(minor: u32) -> KubernetesVersion {
    KubernetesVersion { major: 1, minor }
}

/// How long a version serves a kind, and what comes after it.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    /// Since when it is deprecated, where it is.
    pub(super) deprecated: Option<KubernetesVersion>,
    /// Since when it is no longer served, where that is known.
    pub(super) removed: Option<KubernetesVersion>,
    /// The `apiVersion` and the kind that take its place, where the server names them.
    pub(super) replacement: Option<(String, &'static str)>,
    /// Whether a server serves it only when it is told to.
    pub(super) is_disabled: bool,
}

/// Where a kind is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Home {
    pub(super) api_version: String,
    pub(super) kind: &'static str,
    /// The first embedded version that serves it there.
    pub(super) since: Option<KubernetesVersion>,
}

/// The built-in kinds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Builtin {
    table: &'static Table,
}

impl Builtin {
    pub(super) fn new() -> Result<Self, TableError> {
        TABLE.as_ref().map(|table| Self { table }).map_err(|err| *err)
    }

    /// Returns the mark of a version; `None` where its schemas are not embedded.
    pub(super) fn bit(self, kubernetes: KubernetesVersion) -> Option<u64> {
        let at = self.table.minors.iter().position(|minor| version(*minor) == kubernetes)?;
        Some(1 << at)
    }

    fn find(self, group: &str, version: &str, kind: &str) -> Option<&'static Kind> {
        let text = |name: Name| self.table.text(name);
        let at = self
            .table
            .kinds
            .binary_search_by(|it| {
                text(it.group)
                    .cmp(group)
                    .then_with(|| text(it.version).cmp(version))
                    .then_with(|| text(it.name).cmp(kind))
            })
            .ok()?;
        self.table.kinds.get(at)
    }

    fn span(self, kind: &Kind) -> Option<(KubernetesVersion, KubernetesVersion)> {
        let at = |index: u32| self.table.minors.get(index as usize).copied().map(version);
        let last = kind.minors.checked_ilog2()?;
        Some((at(kind.minors.trailing_zeros())?, at(last)?))
    }

    /// Says whether some embedded version has built-in kinds in this group.
    pub(super) fn has_group(self, group: &str) -> bool {
        self.table.kinds.iter().any(|it| self.table.text(it.group) == group)
    }

    /// Returns how a version stands to a kind that it serves.
    pub(super) fn standing(
        self,
        kubernetes: KubernetesVersion,
        group: &str,
        of: &str,
        kind: &str,
    ) -> Option<Standing> {
        let bit = self.bit(kubernetes)?;
        let kind = self.find(group, of, kind).filter(|it| it.minors & bit != 0)?;
        let minor = |minor: u32| (minor != 0).then(|| version(minor));
        Some(Standing {
            deprecated: minor(kind.deprecated).filter(|since| *since <= kubernetes),
            removed: minor(kind.removed),
            replacement: kind.replacement.map(|[group, of, kind]| {
                let text = |name| self.table.text(name);
                (api_version(text(group), text(of)), text(kind))
            }),
            is_disabled: kind.disabled & bit != 0,
        })
    }

    /// Returns where a version serves what a kind was or should be: what the server itself names,
    /// else the same kind elsewhere.
    pub(super) fn replacement(
        self,
        bit: u64,
        group: &str,
        version: &str,
        kind: &str,
    ) -> Option<Home> {
        let text = |name| self.table.text(name);
        let named = self
            .find(group, version, kind)
            .and_then(|it| it.replacement)
            .and_then(|[group, version, kind]| self.find(text(group), text(version), text(kind)))
            .filter(|it| it.minors & bit != 0);
        let kind = named.or_else(|| self.homes(bit, group, kind).into_iter().next())?;
        Some(Home {
            api_version: api_version(text(kind.group), text(kind.version)),
            kind: text(kind.name),
            since: self.span(kind).map(|(first, _)| first),
        })
    }

    /// Returns a kind wherever a version serves it, in `group` first, and there in the most
    /// stable version first.
    fn homes(self, bit: u64, group: &str, kind: &str) -> Vec<&'static Kind> {
        let text = |name| self.table.text(name);
        let mut homes: Vec<&Kind> = self
            .table
            .kinds
            .iter()
            .filter(|it| it.minors & bit != 0 && text(it.name) == kind)
            .collect();
        homes.sort_by_key(|it| {
            let of = text(it.group);
            (of != group, of, std::cmp::Reverse(stability(text(it.version))))
        });
        homes
    }

    /// Returns the kinds that a version serves in a group, in one of its versions or in any.
    pub(super) fn kinds(
        self,
        bit: u64,
        group: &str,
        version: Option<&str>,
    ) -> impl Iterator<Item = &'static str> {
        self.table
            .kinds
            .iter()
            .filter(move |it| {
                it.minors & bit != 0
                    && self.table.text(it.group) == group
                    && version.is_none_or(|version| self.table.text(it.version) == version)
            })
            .map(move |it| self.table.text(it.name))
            .filter(|kind| !kind.ends_with("List"))
    }
}

impl SchemaSource for Builtin {
    fn lookup(&self, wanted: &Wanted<'_>) -> Option<Answer<'_>> {
        let bit = self.bit(wanted.kubernetes)?;
        let kind = self.find(wanted.group, wanted.version, wanted.kind)?;
        let schema = Schema::new(self.table, kind.node, bit);
        let answer = Answer { found: Found::BuiltIn(schema), authority: Authority::BuiltIn };
        (kind.minors & bit != 0).then_some(answer)
    }

    fn scope(&self, wanted: &Wanted<'_>) -> Option<KindScope> {
        scope(wanted.kubernetes, wanted.group, wanted.version, wanted.kind)
    }
}

fn api_version(group: &str, version: &str) -> String {
    match group {
        "" => version.to_owned(),
        _ => format!("{group}/{version}"),
    }
}

/// Orders versions as Kubernetes does: `v2` before `v1` before `v1beta1` before `v1alpha1`.
fn stability(version: &str) -> (u32, u32, u32) {
    let digits = |text: &str| text.parse().unwrap_or(0);
    let number = version.trim_start_matches('v');
    for (word, rank) in [("alpha", 0), ("beta", 1)] {
        if let Some((major, minor)) = number.split_once(word) {
            return (rank, digits(major), digits(minor));
        }
    }
    (2, digits(number), 0)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    const SOURCES: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/SOURCES.toml"));

    fn v(minor: u32) -> KubernetesVersion {
        version(minor)
    }

    #[test]
    fn the_table_is_the_one_that_its_provenance_names() {
        let digest = crate::hex::digits(Sha256::digest(BYTES));
        let output = SOURCES.split("[[output]]").nth(1).unwrap();
        assert_eq!(
            output.trim(),
            format!("path = \"schemas/kubernetes/builtin.bin\"\nsha256 = \"{digest}\""),
            "regenerate with `cargo run --manifest-path xtask/Cargo.toml -- schemas`"
        );
    }

    #[test]
    fn every_minor_from_the_oldest_to_the_newest_is_there() {
        let minors: Vec<u32> = versions().iter().map(|it| it.minor).collect();
        assert_eq!(minors, (11..=newest().minor).collect::<Vec<_>>());
        assert_eq!(newest(), v(37));
    }

    #[test]
    fn scopes_and_plurals_are_known() {
        let new = newest();
        assert_eq!(scope(new, "apps", "v1", "Deployment"), Some(KindScope::Namespaced));
        assert_eq!(scope(new, "", "v1", "Namespace"), Some(KindScope::Cluster));
        assert_eq!(scope(new, "policy", "v1", "Eviction"), None);
        assert_eq!(scope(new, "apps", "v1beta1", "Deployment"), None);
        assert_eq!(
            plural(new, "networking.k8s.io", "v1", "NetworkPolicy"),
            Some("networkpolicies")
        );
        assert_eq!(plural(new, "", "v1", "ConfigMapList"), None);
    }

    #[test]
    fn kinds_come_and_go() {
        assert_eq!(served("policy", "v1beta1", "PodSecurityPolicy"), Some((v(11), v(24))));
        assert_eq!(served("batch", "v1", "CronJob"), Some((v(21), v(37))));
        assert_eq!(served("apps", "v1", "Deploymnt"), None);
        let builtin = Builtin::new().unwrap();
        let has = |kubernetes| {
            let (group, version, kind) = ("policy", "v1beta1", "PodSecurityPolicy");
            let wanted = Wanted { kubernetes, environment: None, group, version, kind };
            builtin.lookup(&wanted).is_some()
        };
        assert!(has(v(24)) && !has(v(25)));
        // The published schemas keep these for one minor more than the server serves them.
        assert_eq!(served("extensions", "v1beta1", "Deployment"), Some((v(11), v(15))));
        assert_eq!(served("apps", "v1beta2", "StatefulSet"), Some((v(11), v(15))));
        assert_eq!(served("extensions", "v1beta1", "Ingress"), Some((v(11), v(21))));
    }

    #[test]
    fn the_server_says_what_is_deprecated_and_what_takes_its_place() {
        let builtin = Builtin::new().unwrap();
        let budget =
            |minor| builtin.standing(v(minor), "policy", "v1beta1", "PodDisruptionBudget").unwrap();
        assert_eq!(budget(20).deprecated, None);
        let standing = budget(21);
        assert_eq!((standing.deprecated, standing.removed), (Some(v(21)), Some(v(25))));
        assert_eq!(standing.replacement, Some(("policy/v1".to_owned(), "PodDisruptionBudget")));
        let endpoints = builtin.standing(v(33), "", "v1", "Endpoints").unwrap();
        assert_eq!((endpoints.deprecated, endpoints.removed), (Some(v(33)), None));
        assert!(builtin.standing(v(37), "apps", "v1", "Deployment").unwrap().deprecated.is_none());
    }

    #[test]
    fn alpha_versions_and_new_beta_versions_are_off_by_default() {
        let builtin = Builtin::new().unwrap();
        let is_disabled = |minor, group, version, kind| {
            builtin.standing(v(minor), group, version, kind).unwrap().is_disabled
        };
        assert!(is_disabled(18, "settings.k8s.io", "v1alpha1", "PodPreset"));
        assert!(is_disabled(36, "networking.k8s.io", "v1beta1", "IPAddress"));
        assert!(!is_disabled(24, "batch", "v1beta1", "CronJob"));
        assert!(!is_disabled(26, "flowcontrol.apiserver.k8s.io", "v1beta3", "FlowSchema"));
        assert!(!is_disabled(37, "apps", "v1", "Deployment"));
    }

    #[test]
    fn the_most_stable_version_comes_first() {
        let mut versions = ["v1beta2", "v2", "v1alpha1", "v1", "v1beta1"];
        versions.sort_by_key(|it| std::cmp::Reverse(stability(it)));
        assert_eq!(versions, ["v2", "v1", "v1beta2", "v1beta1", "v1alpha1"]);
        let builtin = Builtin::new().unwrap();
        let bit = builtin.bit(v(37)).unwrap();
        let home = builtin.replacement(bit, "extensions", "v1beta1", "Ingress").unwrap();
        assert_eq!(home.api_version, "networking.k8s.io/v1");
    }
}
