//! Kinds for which only bindings are published: Rust structs that `kopium` made from definitions.
//!
//! Each group is a crate, each kind a file, and the structs are read as text. They say which fields
//! there are, of which types, and which are required; patterns, bounds, defaults, rules and list
//! types are lost. Of fields beside `spec` and `status` they say nothing, so the root stays open.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value, json};

use super::{Error, Fidelity, Kind};

/// A pinned crate of bindings.
pub struct Bindings {
    pub name: &'static str,
    pub version: &'static str,
    /// The digest of the crate, as lock files have it.
    pub sha256: &'static str,
    /// Whether they are younger than the modules that give the same kinds, and add to them.
    pub newer: bool,
}

/// Downloads the crates through `cargo`, checks their digests and returns their folders in order.
pub fn download(crates: &[Bindings], download: &Path) -> Result<Vec<PathBuf>, Error> {
    let folder = download.join("bindings");
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), "")?;
    let mut manifest = String::from(
        "[workspace]\n[package]\nname = \"bindings\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\
         [dependencies]\n",
    );
    for it in crates {
        manifest +=
            &format!("{} = {{ version = \"={}\", optional = true }}\n", it.name, it.version);
    }
    let path = folder.join("Cargo.toml");
    fs::write(&path, manifest)?;
    let output = Command::new("cargo")
        .args(["metadata", "--format-version=1", "--all-features", "--manifest-path"])
        .arg(&path)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let lock = fs::read_to_string(folder.join("Cargo.lock"))?;
    crates
        .iter()
        .map(|it| {
            let found = checksum(&lock, it)?;
            if found != it.sha256 {
                return Err(format!(
                    "{} {} has the digest {found}, not {}",
                    it.name, it.version, it.sha256
                )
                .into());
            }
            metadata["packages"]
                .as_array()
                .into_iter()
                .flatten()
                .find(|package| package["name"] == it.name && package["version"] == it.version)
                .and_then(|package| package["manifest_path"].as_str())
                .map(|manifest| Path::new(manifest).with_file_name("src"))
                .ok_or_else(|| format!("cargo says nothing of {}", it.name).into())
        })
        .collect()
}

fn checksum<'a>(lock: &'a str, of: &Bindings) -> Result<&'a str, Error> {
    let head = format!("name = \"{}\"\nversion = \"{}\"\n", of.name, of.version);
    lock.split("[[package]]\n")
        .find(|package| package.starts_with(&head))
        .and_then(|package| package.split_once("checksum = \"")?.1.split_once('"'))
        .map(|(checksum, _)| checksum)
        .ok_or_else(|| format!("the lock file has no checksum of {}", of.name).into())
}

/// Reads every kind of a crate, whose files are `version/plural.rs`.
pub fn read(folder: &Path, source: usize) -> Result<Vec<Kind>, Error> {
    let mut kinds = Vec::new();
    let mut files = Vec::new();
    for version in fs::read_dir(folder)? {
        let version = version?.path();
        if version.is_dir() {
            for file in fs::read_dir(version)? {
                files.push(file?.path());
            }
        }
    }
    files.sort();
    for file in files {
        let text = fs::read_to_string(&file)?;
        kinds.extend(kind(&text, source).map_err(|err| format!("{}: {err}", file.display()))?);
    }
    Ok(kinds)
}

/// Reads the kind of one file; there is none where the definition has no `spec`.
fn kind(text: &str, source: usize) -> Result<Option<Kind>, Error> {
    let items = items(text)?;
    let Some(root) = items.values().find(|it| it.attributes.contains("#[kube(group")) else {
        return Ok(None);
    };
    let constant = |key: &str| {
        let rest = root.attributes.split_once(&format!(" {key} = \""))?.1;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let text = |key: &str| constant(key).ok_or_else(|| format!("a kind without `{key}`"));
    let group = root
        .attributes
        .split_once("#[kube(group = \"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .ok_or("a kind without a group")?;
    let spec = structure(root, &items, &mut Vec::new())?;
    Ok(Some(Kind {
        group: group.0.to_owned(),
        version: text("version")?,
        kind: text("kind")?,
        plural: text("plural")?,
        namespaced: root.attributes.contains("#[kube(namespaced)]"),
        status: root.attributes.contains("#[kube(status"),
        fidelity: Fidelity::Partial,
        source,
        schema: json!({
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": true,
            "properties": {
                "apiVersion": {"type": "string"},
                "kind": {"type": "string"},
                "metadata": {"type": "object"},
                "spec": spec,
            },
        }),
    }))
}

/// A struct or an enum, as it is written.
struct Item<'a> {
    /// The attributes before it, one after the other.
    attributes: String,
    /// The fields of a struct, with their attributes.
    fields: Vec<(String, &'a str)>,
    /// The variants of an enum, with their attributes.
    variants: Vec<(String, &'a str)>,
}

/// Takes a file apart, which has one thing on each line.
fn items(text: &str) -> Result<BTreeMap<&str, Item<'_>>, Error> {
    let mut items = BTreeMap::new();
    let mut attributes = String::new();
    let mut open: Option<(&str, Item<'_>)> = None;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            attributes += line;
            continue;
        }
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        let taken = std::mem::take(&mut attributes);
        let opened = ["pub struct ", "pub enum "].iter().find_map(|it| line.strip_prefix(it));
        if let Some(name) = opened {
            let name = name.split([' ', '{']).next().unwrap_or_default();
            let item = Item { attributes: taken, fields: Vec::new(), variants: Vec::new() };
            if line.ends_with('}') {
                items.insert(name, item);
            } else {
                open = Some((name, item));
            }
        } else if line == "}" {
            items.extend(open.take());
        } else if let Some((name, item)) = &mut open {
            let line = line.trim_end_matches(',');
            match line.strip_prefix("pub ") {
                Some(field) => item.fields.push((taken, field)),
                None if line.contains(' ') => {
                    return Err(format!("`{line}` of `{name}` is not understood").into());
                }
                None => item.variants.push((taken, line)),
            }
        }
    }
    Ok(items)
}

fn renamed<'a>(attributes: &'a str, name: &'a str) -> &'a str {
    attributes
        .split_once("rename = \"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or(name.trim_start_matches("r#"), |(name, _)| name)
}

fn structure<'a>(
    item: &'a Item<'a>,
    items: &'a BTreeMap<&'a str, Item<'a>>,
    above: &mut Vec<&'a str>,
) -> Result<Value, Error> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (attributes, field) in &item.fields {
        let (name, of) = field.split_once(": ").ok_or("a field without a type")?;
        let name = renamed(attributes, name);
        let schema = of_type(of, items, above)?;
        if !of.starts_with("Option<") && !attributes.contains("default") {
            required.push(json!(name));
        }
        properties.insert(name.to_owned(), schema);
    }
    if properties.is_empty() {
        return Ok(json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true }));
    }
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    Ok(schema)
}

fn of_type<'a>(
    of: &'a str,
    items: &'a BTreeMap<&'a str, Item<'a>>,
    above: &mut Vec<&'a str>,
) -> Result<Value, Error> {
    let inside = |head: &str| of.strip_prefix(head).and_then(|it| it.strip_suffix('>'));
    if let Some(inner) = inside("Option<") {
        let mut schema = of_type(inner, items, above)?;
        schema["nullable"] = json!(true);
        return Ok(schema);
    }
    if let Some(inner) = inside("Vec<") {
        return Ok(json!({ "type": "array", "items": of_type(inner, items, above)? }));
    }
    if let Some(inner) = inside("BTreeMap<String, ") {
        let values = of_type(inner, items, above)?;
        return Ok(json!({ "type": "object", "additionalProperties": values }));
    }
    Ok(match of {
        "String" => json!({ "type": "string" }),
        "bool" => json!({ "type": "boolean" }),
        "i32" => json!({ "type": "integer", "format": "int32" }),
        "i64" => json!({ "type": "integer", "format": "int64" }),
        "f64" => json!({ "type": "number" }),
        "IntOrString" => json!({ "x-kubernetes-int-or-string": true }),
        "serde_json::Value" => json!({ "x-kubernetes-preserve-unknown-fields": true }),
        "Condition" | "ObjectReference" => {
            json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
        }
        name => {
            let item = items.get(name).ok_or_else(|| format!("`{name}` is not known"))?;
            if above.contains(&name) {
                return Ok(json!({ "x-kubernetes-preserve-unknown-fields": true }));
            }
            above.push(name);
            let schema = if item.variants.is_empty() {
                structure(item, items, above)?
            } else {
                choice(item)
            };
            above.pop();
            schema
        }
    })
}

fn choice(item: &Item<'_>) -> Value {
    let values: Vec<&str> =
        item.variants.iter().map(|(attributes, name)| renamed(attributes, name)).collect();
    // The bindings write numbers as strings.
    if values.iter().all(|it| it.parse::<i64>().is_ok()) {
        return json!({ "x-kubernetes-int-or-string": true });
    }
    json!({ "type": "string", "enum": values })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structs_become_a_schema() {
        let text = "\
/// The gate.
#[derive(CustomResource, Serialize)]
#[kube(group = \"example.com\", version = \"v1\", kind = \"Gate\", plural = \"gates\")]
#[kube(namespaced)]
#[kube(status = \"GateStatus\")]
pub struct GateSpec {
    /// Prose.
    #[serde(default, skip_serializing_if = \"Option::is_none\", rename = \"maxWidth\")]
    pub max_width: Option<BTreeMap<String, IntOrString>>,
    #[serde(rename = \"type\")]
    pub r#type: GateType,
    pub parts: Vec<GateParts>,
}

pub enum GateType {
    #[serde(rename = \"open\")]
    Open,
    Closed,
}

pub struct GateParts {
}
";
        let found = kind(text, 7).unwrap().unwrap();
        assert_eq!((&*found.group, &*found.version, &*found.kind), ("example.com", "v1", "Gate"));
        assert_eq!((&*found.plural, found.namespaced, found.status), ("gates", true, true));
        assert_eq!((found.fidelity, found.source), (Fidelity::Partial, 7));
        let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        assert_eq!(
            found.schema["properties"]["spec"],
            json!({
                "type": "object",
                "required": ["type", "parts"],
                "properties": {
                    "maxWidth": {
                        "type": "object",
                        "nullable": true,
                        "additionalProperties": {"x-kubernetes-int-or-string": true},
                    },
                    "type": {"type": "string", "enum": ["open", "Closed"]},
                    "parts": {"type": "array", "items": open},
                },
            })
        );
    }

    #[test]
    fn a_file_without_a_spec_has_no_kind() {
        assert_eq!(kind("pub struct Other {\n    pub a: String,\n}\n", 0).unwrap(), None);
    }
}
