//! One-fault variants of the manifests beside this file.

use std::fs;
use std::path::PathBuf;

use serde_json::{Map, Value};
use tidewaiter::load::{Dialect, Limits, parse};
use tidewaiter::source::{Origin, RepoPath, Source, SourceMap};

/// One manifest with one thing changed.
#[derive(Debug)]
pub(crate) struct Variant {
    /// Manifest, path and change, which together are its name.
    pub(crate) name: String,
    pub(crate) object: Value,
}

/// One of how many variants are kept: enough to meet every field, and quick to ask.
const KEPT: u64 = 3;

/// Returns the manifests, in the order of their files.
pub(crate) fn manifests() -> Vec<Value> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/agreement/manifests");
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut sources = SourceMap::default();
    let mut manifests = Vec::new();
    for path in paths {
        let name = RepoPath::new(&path.file_name().unwrap_or_default().to_string_lossy());
        let id = sources.add(Source::new(name, Origin::File, fs::read(&path).unwrap()));
        let parsed = parse(sources.get(id).unwrap(), id, Dialect::Kubectl, &Limits::default());
        assert_eq!(parsed.problems, [], "{}", path.display());
        manifests.extend(parsed.documents.iter().map(|it| it.root.to_json()));
    }
    manifests
}

/// Returns the manifests as they are, and their variants, in a fixed order.
pub(crate) fn variants() -> Vec<Variant> {
    let mut variants = Vec::new();
    for object in manifests() {
        let name = format!(
            "{}/{}",
            object["kind"].as_str().unwrap_or_default(),
            object["metadata"]["name"].as_str().unwrap_or_default()
        );
        let mut places = Vec::new();
        collect(&object, &mut Vec::new(), &mut places);
        variants.push(Variant { name: format!("{name} as it is"), object: object.clone() });
        for place in places {
            for (change, changed) in changes(&object, &place) {
                let name = format!("{name} {} {change}", place.join("."));
                if hash(&name).is_multiple_of(KEPT) {
                    variants.push(Variant { name, object: changed });
                }
            }
        }
    }
    variants
}

/// Returns the path of everything in an object but what names its kind.
fn collect(value: &Value, path: &mut Vec<String>, places: &mut Vec<Vec<String>>) {
    let mut inner = |key: String, value: &Value| {
        path.push(key);
        if !matches!(path.first().map(String::as_str), Some("apiVersion" | "kind")) {
            places.push(path.clone());
            collect(value, path, places);
        }
        path.pop();
    };
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                inner(key.clone(), value);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                inner(at.to_string(), item);
            }
        }
        _ => {}
    }
}

/// Returns what can be done to one place, each with its name.
fn changes(object: &Value, place: &[String]) -> Vec<(&'static str, Value)> {
    let mut out = Vec::new();
    let mut change = |name, make: &dyn Fn(&mut Value, &str) -> Option<()>| {
        let mut changed = object.clone();
        let Some((last, above)) = place.split_last() else { return };
        let parent = above.iter().fold(&mut changed, |value, key| step(value, key));
        if make(parent, last).is_some() && changed != *object {
            out.push((name, changed));
        }
    };
    change("removed", &|parent, last| match parent {
        Value::Object(entries) => entries.remove(last).map(drop),
        Value::Array(items) => {
            let _: () = drop(items.remove(last.parse().ok()?));
            Some(())
        }
        _ => None,
    });
    change("null", &|parent, last| set(parent, last, |_| Some(Value::Null)));
    change("empty", &|parent, last| {
        set(parent, last, |value| {
            Some(match value {
                Value::String(_) => Value::String(String::new()),
                Value::Array(_) => Value::Array(Vec::new()),
                Value::Object(_) => Value::Object(Map::new()),
                Value::Number(_) => Value::from(0),
                _ => return None,
            })
        })
    });
    change("of another type", &|parent, last| {
        set(parent, last, |value| {
            Some(match value {
                Value::String(_) => Value::from(7),
                Value::Object(_) => Value::Array(Vec::new()),
                Value::Array(_) => Value::String("x".to_owned()),
                Value::Bool(_) | Value::Number(_) => Value::String("maybe".to_owned()),
                Value::Null => return None,
            })
        })
    });
    change("misspelt", &|parent, last| {
        let entries = parent.as_object_mut()?;
        let value = entries.remove(last)?;
        entries.insert(format!("{last}x"), value);
        Some(())
    });
    change("with an unknown field", &|parent, last| {
        step(parent, last).as_object_mut()?.insert("bogus".to_owned(), Value::from("x"));
        Some(())
    });
    change("twice", &|parent, last| {
        let items = parent.as_array_mut()?;
        let item = items.get(last.parse::<usize>().ok()?)?.clone();
        items.push(item);
        Some(())
    });
    for (name, text) in TEXTS {
        change(name, &|parent, last| {
            set(parent, last, |value| Some(Value::String(text(value.as_str()?))))
        });
    }
    for (name, number) in NUMBERS {
        change(name, &|parent, last| {
            set(parent, last, |value| value.is_number().then(|| Value::from(*number)))
        });
    }
    change("flipped", &|parent, last| {
        set(parent, last, |value| Some(Value::Bool(!value.as_bool()?)))
    });
    out
}

type Text = fn(&str) -> String;

const TEXTS: &[(&str, Text)] = &[
    ("in capitals", |text| text.to_uppercase()),
    ("with signs", |text| format!("{text}_!")),
    ("after a dash", |text| format!("-{text}")),
    ("with a space", |text| format!("{text} x")),
    ("too long", |text| format!("{text}{}", "a".repeat(260))),
    ("a little long", |text| format!("{text}{}", "a".repeat(60))),
    ("a path", |text| format!("../{text}")),
    ("a number", |_| "12".to_owned()),
];

const NUMBERS: &[(&str, i64)] =
    &[("negative", -1), ("one", 1), ("large", 70_000), ("too large", 3_000_000_000)];

fn step<'v>(value: &'v mut Value, key: &str) -> &'v mut Value {
    match value {
        Value::Array(items) => &mut items[key.parse::<usize>().unwrap()],
        other => &mut other[key],
    }
}

fn set(parent: &mut Value, last: &str, make: impl Fn(&Value) -> Option<Value>) -> Option<()> {
    let value = step(parent, last);
    *value = make(value)?;
    Some(())
}

/// FNV-1a: the same on every machine.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
