//! The schemas of Kubernetes' built-in kinds, from published packages to one embedded table.
//!
//! Structure comes from `kubernetes-validate`, plurals and scopes from `k8s-openapi`, enumerations
//! (which the published OpenAPI snapshots leave out) from `kubernetes-models`. What the API server
//! does not enforce, and what it enforces without saying so, stands in [`corrections`].

mod corrections;
mod definitions;
mod enums;
mod fetch;
mod scopes;
mod table;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use fetch::{Fetched, Package, Registry};

/// Why a generation stops.
pub type Error = Box<dyn std::error::Error>;

/// The packages that hold the structure, each with the minors that are taken from it.
const STRUCTURE: [(Package, std::ops::RangeInclusive<u32>); 2] = [
    (
        Package {
            registry: Registry::PyPi,
            name: "kubernetes-validate",
            version: "1.28.3",
            licence: "Apache-2.0",
            sha256: "916b8539c570958ca4742a09d42c9a29b7b89bfb3a04972a40abfa63f797b850",
        },
        20..=24,
    ),
    (
        Package {
            registry: Registry::PyPi,
            name: "kubernetes-validate",
            version: "1.37.0",
            licence: "Apache-2.0",
            sha256: "85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9",
        },
        25..=37,
    ),
];

/// The package that holds the enumerations, as a server of Kubernetes 1.36 published them.
const ENUMS: Package = Package {
    registry: Registry::Npm,
    name: "kubernetes-models",
    version: "5.1.0",
    licence: "MIT",
    sha256: "a7b5c0d34639c52699fc2998879590b20d57558598fb35b219b3e5a5871aa0c0",
};

/// The table, below the root of the repository.
const TABLE: &str = "schemas/kubernetes/builtin.bin";
/// The provenance, below the root of the repository.
const SOURCES: &str = "schemas/SOURCES.toml";

/// Downloads the packages and writes the table and its provenance.
pub fn generate(root: &Path) -> Result<(), Error> {
    let download = root.join("xtask/target/packages");
    fs::create_dir_all(&download)?;
    let mut inputs = Vec::new();

    let npm = fetch::package(&ENUMS, &download)?;
    let mut enums = enums::read(&npm.bytes)?;
    corrections::add_enums(&mut enums);
    inputs.push(npm);

    let (scopes, crates) = scopes::read(&root.join("xtask/Cargo.toml"))?;
    inputs.extend(crates);

    let mut builder = table::Builder::default();
    for (package, minors) in STRUCTURE {
        let wheel = fetch::package(&package, &download)?;
        for minor in minors {
            definitions::add(&wheel.bytes, minor, &enums, &scopes, &mut builder)?;
        }
        inputs.push(wheel);
    }

    let table = builder.encode()?;
    println!("{}; {} bytes", builder.describe(), table.len());
    let path = root.join(TABLE);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, &table)?;
    fs::write(root.join(SOURCES), provenance(&mut inputs, &table)?)?;
    Ok(())
}

fn provenance(inputs: &mut [Fetched], table: &[u8]) -> Result<String, Error> {
    inputs.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    let mut text = String::from(
        "# Where the embedded schemas come from.\n\
         # Written by `cargo run --manifest-path xtask/Cargo.toml -- schemas`; not edited by hand.\n",
    );
    for input in inputs {
        write!(
            text,
            "\n[[input]]\nregistry = \"{}\"\npackage = \"{}\"\nversion = \"{}\"\n\
             licence = \"{}\"\nsha256 = \"{}\"\n",
            input.registry.as_str(),
            input.name,
            input.version,
            input.licence,
            input.sha256
        )?;
    }
    write!(text, "\n[[output]]\npath = \"{TABLE}\"\nsha256 = \"{}\"\n", fetch::sha256(table))?;
    Ok(text)
}
