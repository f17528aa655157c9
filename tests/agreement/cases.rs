//! The labelled cases: objects, texts and updates with what a server said of them.

use std::collections::BTreeMap;
use std::fs;
use std::io::BufRead as _;
use std::path::Path;

use serde_json::Value;

/// What is asked.
#[derive(Debug)]
pub(crate) enum Question {
    /// An object, as JSON.
    Object(Value),
    /// A YAML text of one document.
    Text(String),
    /// A change from one object to another, by server-side apply.
    Update(Value, Value),
}

/// One case.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) mutation: String,
    pub(crate) question: Question,
    pub(crate) accepted: bool,
    /// The HTTP status; 400 is the decoder's, 422 that of validation.
    pub(crate) code: u64,
    pub(crate) message: String,
    /// The fields that the refusal names.
    pub(crate) fields: Vec<String>,
}

impl Case {
    /// Returns the set that the case belongs to: the letter of its id.
    pub(crate) fn set(&self) -> char {
        self.id.chars().next().unwrap_or('?')
    }
}

/// All that a folder holds.
#[derive(Debug, Default)]
pub(crate) struct Input {
    pub(crate) cases: Vec<Case>,
    /// The custom resource definitions that the server had.
    pub(crate) definitions: Vec<Value>,
}

/// Reads a folder. Where `verdicts` names a file, its verdicts replace those of the cases, and
/// cases without one are left out.
pub(crate) fn read(folder: &Path, verdicts: Option<&str>) -> Input {
    let mut input = Input::default();
    let mut replaced = BTreeMap::new();
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|err| panic!("{}: {err}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "jsonl"))
        .collect();
    names.sort();
    for path in names {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_verdicts = name.starts_with("verdicts-");
        if is_verdicts && verdicts != Some(name.as_str()) {
            continue;
        }
        for line in std::io::BufReader::new(fs::File::open(&path).unwrap()).lines() {
            let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
            if line["kind"] == "CustomResourceDefinition" {
                input.definitions.push(line);
            } else if is_verdicts {
                replaced.insert(line["id"].as_str().unwrap_or_default().to_owned(), line);
            } else if line["accepted"].is_boolean() {
                input.cases.push(case(line));
            }
        }
    }
    if verdicts.is_some() {
        input.cases.retain_mut(|case| {
            let Some(line) = replaced.get(&case.id) else { return false };
            label(case, line);
            true
        });
    }
    // The server has no such kind: no verdict.
    input.cases.retain(|case| case.code != 0);
    input
}

pub(crate) fn case(mut line: Value) -> Case {
    let question = match (line["text"].take(), line["oldObject"].take(), line["object"].take()) {
        (Value::String(text), _, _) => Question::Text(text),
        (_, Value::Null, object) => Question::Object(object),
        (_, old, object) => Question::Update(old, object),
    };
    let mut case = Case {
        id: line["id"].as_str().unwrap_or_default().to_owned(),
        mutation: line["mutation"].as_str().unwrap_or_default().to_owned(),
        question,
        accepted: false,
        code: 0,
        message: String::new(),
        fields: Vec::new(),
    };
    label(&mut case, &line);
    case
}

fn label(case: &mut Case, line: &Value) {
    case.accepted = line["accepted"] == true;
    case.code = line["code"].as_u64().unwrap_or(1);
    line["message"].as_str().unwrap_or_default().clone_into(&mut case.message);
    let causes = line["causes"].as_array().into_iter().flatten();
    case.fields = causes
        .filter_map(|cause| cause["field"].as_str())
        .filter(|field| !field.is_empty() && *field != "<nil>")
        .map(str::to_owned)
        .collect();
    if case.code == 400 {
        case.fields.extend(decoded_fields(&case.message));
    }
}

/// Returns the fields that a strict decoding error names: `unknown field "spec.foo"`.
fn decoded_fields(message: &str) -> Vec<String> {
    ["unknown field \"", "duplicate field \""]
        .iter()
        .flat_map(|head| message.split(head).skip(1))
        .filter_map(|rest| rest.split_once('"'))
        .map(|(field, _)| field.to_owned())
        .collect()
}
