//! The schemas of Kubernetes' built-in kinds, from published packages to one embedded table.
//!
//! Structure comes from `kubernetes-validate`, plurals and scopes from `k8s-openapi`, enumerations
//! (which the published OpenAPI snapshots leave out) from `kubernetes-models`, deprecations and
//! defaults from Kubernetes' own Go modules. What the API server enforces without saying so, and
//! what it does not enforce, stands in [`corrections`].

mod corrections;
mod defaults;
mod definitions;
mod enums;
pub mod fetch;
mod lifecycles;
mod required;
mod scopes;
mod table;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use fetch::{Fetched, Module, Package, Registry};

/// Why a generation stops.
pub type Error = Box<dyn std::error::Error>;

/// The packages that hold the structure, each with the minors that are taken from it.
const STRUCTURE: [(Package, std::ops::RangeInclusive<u32>); 2] = [
    (
        Package {
            registry: Registry::PyPi,
            name: "kubernetes-validate",
            version: "1.24.1",
            file: "kubernetes-validate-1.24.1.tar.gz",
            licence: "Apache-2.0",
            sha256: "705416be22f53a46799137d6a217a4cdb72f2205f9133241fa9bb0a7e84ac8f6",
        },
        11..=24,
    ),
    (
        Package {
            registry: Registry::PyPi,
            name: "kubernetes-validate",
            version: "1.37.0",
            file: "kubernetes_validate-1.37.0-py3-none-any.whl",
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
    file: "kubernetes-models-5.1.0.tgz",
    licence: "MIT",
    sha256: "a7b5c0d34639c52699fc2998879590b20d57558598fb35b219b3e5a5871aa0c0",
};

/// The modules that say when a version of an API is deprecated and removed, the oldest first: a
/// newer one has the last word, an older one knows what is gone since.
const LIFECYCLES: [Module; 6] = [
    go("k8s.io/api", "v0.20.0", "h1:WwrYoZNM1W1aQEbyl8HNG+oWGzLpZQBlcerS9BQw9yI="),
    go("k8s.io/api", "v0.25.0", "h1:H+Q4ma2U/ww0iGB78ijZx6DRByPz6/733jIuFpX70e0="),
    go("k8s.io/api", "v0.30.14", "h1:iPq9YNOz1vHcSuN9YTmRUt8iPpB1cYPxxjgbY25xfS4="),
    go("k8s.io/api", "v0.37.2", "h1:PnxqnUFy93jr2GcpWDkKOm8wfy25kT9wa572MuQS8oc="),
    go(
        "k8s.io/apiextensions-apiserver",
        "v0.37.2",
        "h1:myaUiAlm1NRLYdpAvWYTqdgeiCepFupJiRFVVueMUYw=",
    ),
    go("k8s.io/kube-aggregator", "v0.37.2", "h1:cUT/C/WM3UtoREoTYthSCFxldpdG3y5q9UniWYxcmPE="),
];

/// The module whose OpenAPI documents say which fields have defaults.
const DEFAULTS: Module =
    go("k8s.io/kubernetes", "v1.37.2", "h1:A2VDEiObzkYqFTKhSsn0ZEb0RlLEXpHWj93gi2HqEwE=");

const fn go(name: &'static str, version: &'static str, sum: &'static str) -> Module {
    Module { name, version, licence: "Apache-2.0", sum }
}

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

    let (mut scopes, crates) = scopes::read(&root.join("xtask/Cargo.toml"))?;
    corrections::add_scopes(&mut scopes);
    inputs.extend(crates);

    let mut lifecycles = lifecycles::Lifecycles::new();
    for module in LIFECYCLES {
        let (fetched, folder) = fetch::module(&module)?;
        lifecycles::read(&folder, &mut lifecycles)?;
        inputs.push(fetched);
    }
    corrections::add_lifecycles(&mut lifecycles);
    let (fetched, folder) = fetch::module(&DEFAULTS)?;
    let defaults = defaults::read(&folder.join("api/openapi-spec/v3"))?;
    inputs.push(fetched);

    let known = definitions::Known { enums, scopes, defaults, lifecycles };
    let mut builder = table::Builder::default();
    for (package, minors) in STRUCTURE {
        let archive = fetch::package(&package, &download)?;
        for (minor, document) in definitions::read(package.file, &archive.bytes, minors)? {
            definitions::add(minor, &document, &known, &mut builder)?;
        }
        inputs.push(archive);
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
             licence = \"{}\"\n{} = \"{}\"\n",
            input.registry.as_str(),
            input.name,
            input.version,
            input.licence,
            if matches!(input.registry, Registry::Go) { "sum" } else { "sha256" },
            input.sha256
        )?;
    }
    write!(text, "\n[[output]]\npath = \"{TABLE}\"\nsha256 = \"{}\"\n", fetch::sha256(table))?;
    Ok(text)
}
