//! Packages by name, through the registries' ordinary clients, checked against their digests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Error;

/// Where packages come from.
#[derive(Clone, Copy)]
pub enum Registry {
    PyPi,
    Npm,
    Crates,
    Go,
}

impl Registry {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PyPi => "PyPI",
            Self::Npm => "npm",
            Self::Crates => "Cargo",
            Self::Go => "Go",
        }
    }
}

/// A pinned package.
pub struct Package {
    pub registry: Registry,
    pub name: &'static str,
    pub version: &'static str,
    /// The name of the archive that the client writes.
    pub file: &'static str,
    pub licence: &'static str,
    pub sha256: &'static str,
}

/// A package that was downloaded and has the digest that was asked for.
pub struct Fetched {
    pub registry: Registry,
    pub name: String,
    pub version: String,
    pub licence: String,
    /// In hexadecimal; for a Go module the sum that `go.sum` has.
    pub sha256: String,
    /// The archive; empty for a crate or a module, which its client has unpacked.
    pub bytes: Vec<u8>,
}

/// Downloads a package, unless a former run did, and checks its digest.
pub fn package(package: &Package, folder: &Path) -> Result<Fetched, Error> {
    let file = folder.join(package.file);
    let is_wheel = Path::new(package.file).extension().is_some_and(|it| it == "whl");
    if !file.exists() {
        let mut client = match package.registry {
            Registry::Npm => Command::new("npm"),
            Registry::PyPi => Command::new("pip"),
            Registry::Crates | Registry::Go => return Err("no package with an archive".into()),
        };
        match package.registry {
            Registry::Npm => client
                .args(["pack", "--silent", &format!("{}@{}", package.name, package.version)])
                .current_dir(folder),
            _ => client
                .args(["download", "--quiet", "--no-deps"])
                .arg(if is_wheel { "--only-binary=:all:" } else { "--no-binary=:all:" })
                .arg("--dest")
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

/// The toolchain that reads the modules, for those that name a newer Go than the machine has.
///
/// Nothing is built: the command only refuses modules that are newer than itself.
const TOOLCHAIN: &str = "go1.27.3+auto";

/// A pinned Go module.
pub struct Module {
    pub name: &'static str,
    pub version: &'static str,
    pub licence: &'static str,
    /// The sum that `go.sum` has.
    pub sum: &'static str,
}

/// Downloads a module unless it is in the module cache, checks its sum, and returns its folder.
pub fn module(module: &Module) -> Result<(Fetched, PathBuf), Error> {
    let wanted = format!("{}@{}", module.name, module.version);
    let output = Command::new("go")
        .args(["mod", "download", "-json", &wanted])
        .env("GOTOOLCHAIN", TOOLCHAIN)
        .output()?;
    let answer: Value = serde_json::from_slice(&output.stdout).map_err(|_| {
        format!("cannot download {wanted}: {}", String::from_utf8_lossy(&output.stderr).trim())
    })?;
    let (Some(folder), Some(sum)) = (answer["Dir"].as_str(), answer["Sum"].as_str()) else {
        return Err(format!("cannot download {wanted}: {}", answer["Error"]).into());
    };
    if sum != module.sum {
        return Err(format!("{wanted} has the sum {sum}, not {}", module.sum).into());
    }
    let fetched = Fetched {
        registry: Registry::Go,
        name: module.name.to_owned(),
        version: module.version.to_owned(),
        licence: module.licence.to_owned(),
        sha256: sum.to_owned(),
        bytes: Vec::new(),
    };
    Ok((fetched, PathBuf::from(folder)))
}

/// Returns the SHA-256 in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
