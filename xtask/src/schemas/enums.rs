//! Enumerations of fields, read from the TypeScript declarations of `kubernetes-models`.

use std::collections::BTreeMap;
use std::io::Read as _;

use super::Error;

/// The values of a field, by definition (in the package's spelling) and field.
pub type Enums = BTreeMap<(String, String), Vec<String>>;

/// Returns the package's spelling of a definition, e.g. `IoK8sApiCoreV1Container`.
pub fn spelling(definition: &str) -> String {
    let mut out = String::new();
    for part in definition.split(['.', '-']) {
        let mut chars = part.chars();
        out.extend(chars.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(chars.as_str());
    }
    out
}

/// Reads every field that is an enumeration, or a list of one.
pub fn read(archive: &[u8]) -> Result<Enums, Error> {
    let mut enums = Enums::new();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.to_string_lossy().into_owned();
        if !path.ends_with(".d.ts") {
            continue;
        }
        let mut text = String::new();
        entry.read_to_string(&mut text)?;
        scan(&text, &mut enums);
    }
    if enums.is_empty() {
        return Err("the package has no enumerations".into());
    }
    Ok(enums)
}

fn scan(text: &str, enums: &mut Enums) {
    // The last line names the definition: `export type { IPod as IIoK8sApiCoreV1Pod, … };`.
    let definition = text
        .rsplit_once("export type { I")
        .and_then(|(_, rest)| rest.split_once(" as I"))
        .and_then(|(_, rest)| rest.split_once([',', ' ']))
        .map(|(name, _)| name.to_owned());
    let body = text
        .split_once("export interface ")
        .and_then(|(_, rest)| rest.split_once("\n}"))
        .map(|(body, _)| body);
    let (Some(definition), Some(body)) = (definition, body) else { return };
    for line in body.lines() {
        // Four blanks: a field of the interface itself, not of an object within.
        let Some((name, kind)) = line
            .strip_prefix("    \"")
            .and_then(|rest| rest.strip_suffix(';'))
            .and_then(|rest| rest.split_once("\": ").or_else(|| rest.split_once("\"?: ")))
        else {
            continue;
        };
        let kind = kind.strip_prefix("Array<").and_then(|it| it.strip_suffix('>')).unwrap_or(kind);
        let values: Option<Vec<String>> = kind
            .split(" | ")
            .map(|value| Some(value.strip_prefix('"')?.strip_suffix('"')?.to_owned()))
            .collect();
        let constant = matches!(name, "apiVersion" | "kind");
        if let Some(values) = values
            && !constant
        {
            enums.insert((definition.clone(), name.to_owned()), values);
        }
    }
}
