//! Packages by name, through the registries' ordinary clients, checked against their digests.

use std::fs;
use std::path::Path;
use std::process::Command;

use sha2::{Digest as _, Sha256};

use super::Error;

/// Where packages come from.
#[derive(Clone, Copy)]
pub enum Registry {
    PyPi,
    Npm,
    Crates,
}

impl Registry {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PyPi => "PyPI",
            Self::Npm => "npm",
            Self::Crates => "Cargo",
        }
    }
}

/// A pinned package.
pub struct Package {
    pub registry: Registry,
    pub name: &'static str,
    pub version: &'static str,
    pub licence: &'static str,
    pub sha256: &'static str,
}

/// A package that was downloaded and has the digest that was asked for.
pub struct Fetched {
    pub registry: Registry,
    pub name: String,
    pub version: String,
    pub licence: String,
    pub sha256: String,
    /// The archive; empty for a crate, whose text `cargo` has unpacked.
    pub bytes: Vec<u8>,
}

/// Downloads a package, unless a former run did, and checks its digest.
pub fn package(package: &Package, folder: &Path) -> Result<Fetched, Error> {
    let file = match package.registry {
        Registry::PyPi => {
            let stem = package.name.replace('-', "_");
            folder.join(format!("{stem}-{}-py3-none-any.whl", package.version))
        }
        Registry::Npm => folder.join(format!("{}-{}.tgz", package.name, package.version)),
        Registry::Crates => return Err("crates are fetched by cargo".into()),
    };
    if !file.exists() {
        let mut client = match package.registry {
            Registry::Npm => Command::new("npm"),
            Registry::PyPi | Registry::Crates => Command::new("pip"),
        };
        match package.registry {
            Registry::Npm => client
                .args(["pack", "--silent", &format!("{}@{}", package.name, package.version)])
                .current_dir(folder),
            Registry::PyPi | Registry::Crates => client
                .args(["download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest"])
                .arg(folder)
                .arg(format!("{}=={}", package.name, package.version)),
        };
        if !client.status()?.success() {
            return Err(format!("cannot download {} {}", package.name, package.version).into());
        }
    }
    let bytes = fs::read(&file).map_err(|err| format!("{}: {err}", file.display()))?;
    let found = sha256(&bytes);
    if found != package.sha256 {
        return Err(format!(
            "{} {} has the digest {found}, not {}",
            package.name, package.version, package.sha256
        )
        .into());
    }
    Ok(Fetched {
        registry: package.registry,
        name: package.name.to_owned(),
        version: package.version.to_owned(),
        licence: package.licence.to_owned(),
        sha256: found,
        bytes,
    })
}

/// Returns the SHA-256 in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
