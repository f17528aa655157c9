//! Defaults of fields, read from the OpenAPI documents of Kubernetes' own source.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::Error;

/// The default of a field that is a string, by definition and field.
pub type Defaults = BTreeMap<(String, String), String>;

/// Reads every string that is the default of a field.
///
/// Empty ones say nothing: Go's zero value is written there.
pub fn read(folder: &Path) -> Result<Defaults, Error> {
    let mut defaults = Defaults::new();
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let document: Value = serde_json::from_str(&fs::read_to_string(entry.path())?)?;
        for (definition, schema) in
            document["components"]["schemas"].as_object().into_iter().flatten()
        {
            for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
                if let Some(default) = schema["default"].as_str().filter(|it| !it.is_empty()) {
                    defaults.insert((definition.clone(), field.clone()), default.to_owned());
                }
            }
        }
    }
    if defaults.is_empty() {
        return Err("the documents have no defaults".into());
    }
    Ok(defaults)
}
