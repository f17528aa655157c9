//! Plural names and scopes of the built-in kinds, read from the text of `k8s-openapi`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::Error;
use super::fetch::{Fetched, Registry};
use super::table::Scope;

/// The plural and the scope by group and kind; they never differ between versions of a group.
pub type Scopes = BTreeMap<(String, String), (String, Scope)>;

/// Reads every `impl Resource` of the `k8s-openapi` releases that the manifest names.
pub fn read(manifest: &Path) -> Result<(Scopes, Vec<Fetched>), Error> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version=1", "--locked", "--all-features", "--manifest-path"])
        .arg(manifest)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let lock = fs::read_to_string(manifest.with_file_name("Cargo.lock"))?;
    let mut releases: Vec<&Value> = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|package| package["name"] == "k8s-openapi")
        .collect();
    // The oldest first, so that the newest has the last word.
    releases.sort_by_key(|package| package["version"].as_str().map(str::to_owned));
    let mut scopes = Scopes::new();
    let mut inputs = Vec::new();
    for package in releases {
        let text = |key: &str| package[key].as_str().ok_or("a package without metadata");
        let version = text("version")?;
        let folder = Path::new(text("manifest_path")?).with_file_name("src");
        walk(&folder, &mut scopes)?;
        inputs.push(Fetched {
            registry: Registry::Crates,
            name: "k8s-openapi".to_owned(),
            version: version.to_owned(),
            licence: text("license")?.to_owned(),
            sha256: checksum(&lock, version)?,
            bytes: Vec::new(),
        });
    }
    Ok((scopes, inputs))
}

fn checksum(lock: &str, version: &str) -> Result<String, Error> {
    let head = format!("name = \"k8s-openapi\"\nversion = \"{version}\"\n");
    lock.split("[[package]]\n")
        .find(|package| package.starts_with(&head))
        .and_then(|package| package.split_once("checksum = \"")?.1.split_once('"'))
        .map(|(checksum, _)| checksum.to_owned())
        .ok_or_else(|| format!("the lock file has no checksum of k8s-openapi {version}").into())
}

fn walk(folder: &Path, scopes: &mut Scopes) -> Result<(), Error> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, scopes)?;
        } else if path.extension().is_some_and(|it| it == "rs") {
            scan(&fs::read_to_string(&path)?, scopes);
        }
    }
    Ok(())
}

fn scan(text: &str, scopes: &mut Scopes) {
    for part in text.split("impl crate::Resource for ").skip(1) {
        let body = part.split_once("\n}").map_or(part, |(body, _)| body);
        let constant = |name: &str| {
            let rest = body.split_once(&format!("const {name}: &'static str = \""))?.1;
            Some(rest.split_once('"')?.0.to_owned())
        };
        let scope = body
            .split_once("type Scope = crate::")
            .and_then(|(_, rest)| rest.split_once(';'))
            .and_then(|(name, _)| match name {
                "NamespaceResourceScope" => Some(Scope::Namespaced),
                "ClusterResourceScope" => Some(Scope::Cluster),
                "SubResourceScope" => Some(Scope::Subresource),
                _ => None,
            });
        if let (Some(group), Some(kind), Some(plural), Some(scope)) =
            (constant("GROUP"), constant("KIND"), constant("URL_PATH_SEGMENT"), scope)
        {
            scopes.insert((group, kind), (plural, scope));
        }
    }
}
