//! The schemas of custom resources, from published packages to one embedded store.
//!
//! Definitions come as their projects publish them, in Go modules: with rules, defaults and list
//! types. What APIs of OpenShift serve without a definition comes from its OpenAPI document, and what
//! no module publishes from bindings, its structure only.

mod bindings;
mod catalogue;
mod corrections;
mod list;
mod manifest;
mod modules;
mod newer;
mod openapi;
mod schema;
mod store;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::schemas::fetch::sha256;
use modules::Module;

/// Why a generation stops.
pub type Error = Box<dyn std::error::Error>;

/// How much of what a cluster knows about a kind its schema says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fidelity {
    /// The definition as its project publishes it.
    Full = 0,
    /// The structure only, converted from another form.
    Partial = 1,
}

/// A kind in one version.
#[derive(Debug, Clone, PartialEq)]
pub struct Kind {
    pub group: String,
    pub version: String,
    pub kind: String,
    pub plural: String,
    pub namespaced: bool,
    /// Whether the status is a subresource.
    pub status: bool,
    pub fidelity: Fidelity,
    /// The number of the package in the list of sources.
    pub source: usize,
    pub schema: Value,
}

/// A package that kinds come from.
struct Source {
    registry: &'static str,
    package: String,
    version: String,
    licence: &'static str,
    /// The digest that its registry's client checks, by the name that it has there.
    digest: (&'static str, String),
}

impl Source {
    fn name(&self) -> String {
        format!("{} {}", self.package, self.version)
    }
}

/// The store, below the root of the repository.
const STORE: &str = "schemas/crds/crds.bin";
/// What is in it, for people.
const LIST: &str = "schemas/crds/KINDS.md";
/// The provenance.
const SOURCES: &str = "schemas/crds/SOURCES.toml";

/// Groups that nobody's cluster serves: samples of the projects.
const SAMPLES: [&str; 1] = ["example.openshift.io"];

/// The kinds by group, name and version.
type Kinds = BTreeMap<(String, String, String), Kind>;

/// Downloads the packages and writes the store, its list and its provenance.
pub fn generate(root: &Path) -> Result<(), Error> {
    let download = root.join("xtask/target/packages");
    fs::create_dir_all(&download)?;
    let mut sources = Vec::new();
    // What people read as the source of a kind: one package, or two.
    let mut names: Vec<String> = Vec::new();
    let mut kinds = Kinds::new();
    for module in catalogue::MODULES {
        let found = from_module(module, names.len())?;
        let added = add(&mut kinds, found);
        let source = go_source(module);
        said(&source, added, 0)?;
        names.push(source.name());
        sources.push(source);
    }

    let folders = bindings::download(catalogue::BINDINGS, &download)?;
    for (it, folder) in catalogue::BINDINGS.iter().zip(folders) {
        let mut found = bindings::read(&folder, names.len())?;
        let source = cargo_source(it);
        names.push(source.name());
        let supplemented =
            if it.newer { supplement(&mut kinds, &mut found, &source, &mut names) } else { 0 };
        said(&source, add(&mut kinds, found), supplemented)?;
        sources.push(source);
    }

    let mut kinds: Vec<Kind> = kinds.into_values().collect();
    for kind in &mut kinds {
        corrections::apply(kind).map_err(|err| format!("{}: {err}", kind.kind))?;
    }
    let store = store::Store { sources: names, kinds: &kinds };
    let (bytes, said) = store.encode()?;
    println!("{said}");
    let list = list::markdown(&store);

    if let Some(folder) = root.join(STORE).parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(root.join(STORE), &bytes)?;
    fs::write(root.join(LIST), &list)?;
    let outputs = [(LIST, sha256(list.as_bytes())), (STORE, sha256(&bytes))];
    fs::write(root.join(SOURCES), provenance(&sources, &outputs)?)?;
    Ok(())
}

/// Tells how much a package gave, and refuses one that is of no use.
fn said(source: &Source, added: usize, supplemented: usize) -> Result<(), Error> {
    println!("{}: {added} kinds, {supplemented} supplemented", source.name());
    if added + supplemented == 0 {
        return Err(format!("{} gives nothing that others do not", source.name()).into());
    }
    Ok(())
}

fn from_module(module: &Module, source: usize) -> Result<Vec<Kind>, Error> {
    let folder = modules::download(module)?;
    let mut kinds = Vec::new();
    for path in modules::manifests(&folder, module.manifests)? {
        let text = fs::read_to_string(&path)?;
        let of = |err: Error| format!("{}: {err}", path.display());
        if path.ends_with("openapi.json") {
            kinds.extend(openapi::read(&text, source).map_err(of)?);
        } else if text.contains("CustomResourceDefinition") {
            kinds.extend(manifest::read(&text, source).map_err(of)?);
        }
    }
    kinds.retain(|it| !SAMPLES.contains(&it.group.as_str()));
    Ok(kinds)
}

/// Adds the kinds that no former source gave; returns how many.
fn add(kinds: &mut Kinds, found: Vec<Kind>) -> usize {
    let before = kinds.len();
    for kind in found {
        let key = (kind.group.clone(), kind.kind.clone(), kind.version.clone());
        kinds.entry(key).or_insert(kind);
    }
    kinds.len() - before
}

fn go_source(module: &Module) -> Source {
    Source {
        registry: "Go",
        package: module.path.to_owned(),
        version: module.version.to_owned(),
        licence: module.licence,
        digest: ("sum", module.sum.to_owned()),
    }
}

fn cargo_source(it: &bindings::Bindings) -> Source {
    Source {
        registry: "Cargo",
        package: it.name.to_owned(),
        version: it.version.to_owned(),
        licence: "0BSD",
        digest: ("sha256", it.sha256.to_owned()),
    }
}

/// Adds what newer bindings know to the kinds that are there; returns how many it changed.
fn supplement(
    kinds: &mut Kinds,
    found: &mut Vec<Kind>,
    source: &Source,
    names: &mut Vec<String>,
) -> usize {
    let mut changed = 0;
    found.retain(|newer| {
        let key = (newer.group.clone(), newer.kind.clone(), newer.version.clone());
        let Some(kind) = kinds.get_mut(&key) else { return true };
        let before = kind.schema.clone();
        let spec = ["properties", "spec"];
        let (own, other) = (
            spec.iter().try_fold(&mut kind.schema, |it, key| it.get_mut(key)),
            spec.iter().try_fold(&newer.schema, |it, key| it.get(key)),
        );
        if let (Some(own), Some(other)) = (own, other) {
            newer::add(own, other);
        }
        if kind.schema != before {
            let of = names.get(kind.source).map_or("", String::as_str);
            let name = format!("{of}, fields of {}", source.name());
            kind.source = names.iter().position(|it| *it == name).unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            });
            changed += 1;
        }
        false
    });
    changed
}

fn provenance(sources: &[Source], outputs: &[(&str, String)]) -> Result<String, Error> {
    let mut text = String::from(
        "# Where the embedded schemas of custom resources come from.\n\
         # Written by `cargo run --manifest-path xtask/Cargo.toml -- crds`; not edited by hand.\n",
    );
    for source in sources {
        let (name, digest) = &source.digest;
        write!(
            text,
            "\n[[input]]\nregistry = \"{}\"\npackage = \"{}\"\nversion = \"{}\"\n\
             licence = \"{}\"\n{name} = \"{digest}\"\n",
            source.registry, source.package, source.version, source.licence
        )?;
    }
    for (path, digest) in outputs {
        write!(text, "\n[[output]]\npath = \"{path}\"\nsha256 = \"{digest}\"\n")?;
    }
    Ok(text)
}
