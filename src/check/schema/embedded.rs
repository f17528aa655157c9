//! The custom resources whose schemas the program carries.
//!
//! The store is made by `xtask` from what projects publish. Nothing is read before the first look-up;
//! after that the index, the values that groups share, and those of the groups that were asked for
//! are kept.

mod block;
mod bytes;
mod store;

use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::super::KindScope;
use store::Store;

/// The store that `xtask` writes.
const BYTES: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/crds/crds.bin"));

static STORE: LazyLock<Result<Store, EmbeddedError>> = LazyLock::new(|| Store::read(BYTES));

/// Why embedded bytes are not a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the embedded custom resources cannot be read: {0}")]
pub struct EmbeddedError(&'static str);

/// How much of what a cluster knows about a kind its embedded schema says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fidelity {
    /// The definition as its project publishes it: rules, defaults and list types included.
    Full,
    /// The structure, converted from another form; some constraints are missing.
    Partial,
}

/// A kind of custom resource in one version, without its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmbeddedKind {
    /// E.g. `cert-manager.io`.
    pub group: &'static str,
    /// E.g. `v1`.
    pub version: &'static str,
    /// E.g. `Certificate`.
    pub kind: &'static str,
    /// The name in URLs and RBAC rules, e.g. `certificates`.
    pub plural: &'static str,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// Whether the status is a subresource, which a server takes off what is applied.
    pub subresources_status: bool,
    /// How much the schema says.
    pub fidelity: Fidelity,
    /// The package that the schema comes from, with its version.
    pub source: &'static str,
}

/// A kind of custom resource in one version.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddedCrd {
    /// E.g. `cert-manager.io`.
    pub group: &'static str,
    /// E.g. `v1`.
    pub version: &'static str,
    /// E.g. `Certificate`.
    pub kind: &'static str,
    /// The name in URLs and RBAC rules, e.g. `certificates`.
    pub plural: &'static str,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// Whether the status is a subresource, which a server takes off what is applied.
    pub subresources_status: bool,
    /// How much the schema says.
    pub fidelity: Fidelity,
    /// The package that the schema comes from, with its version.
    pub source: &'static str,
    /// The `openAPIV3Schema` of the version, without descriptions. The status is an open object,
    /// unless rules at the root look at it.
    pub schema: Value,
}

/// Returns a kind with its schema; `None` for a kind that is not embedded.
///
/// The schema is built anew unless somebody still holds the last one: a caller keeps what it makes
/// of it.
pub fn find(
    group: &str,
    version: &str,
    kind: &str,
) -> Result<Option<Arc<EmbeddedCrd>>, EmbeddedError> {
    let store = store()?;
    let Some(at) = store.position(group, version, kind) else { return Ok(None) };
    store.load(at).map(Some)
}

/// Returns the kinds of a group, by name; every version is one.
pub fn kinds(group: &str) -> impl Iterator<Item = EmbeddedKind> {
    store().ok().into_iter().flat_map(move |store| store.kinds(group))
}

/// Returns the groups that have kinds, in alphabetical order.
pub fn groups() -> impl Iterator<Item = &'static str> {
    store().ok().into_iter().flat_map(Store::groups)
}

/// Returns where the objects of a kind live; `None` for a kind that is not embedded.
pub fn scope(group: &str, version: &str, kind: &str) -> Option<KindScope> {
    let store = store().ok()?;
    let kind = store.kind(store.position(group, version, kind)?)?;
    Some(if kind.namespaced { KindScope::Namespaced } else { KindScope::Cluster })
}

fn store() -> Result<&'static Store, EmbeddedError> {
    STORE.as_ref().map_err(|err| *err)
}

#[cfg(test)]
mod tests;
