//! What is generated from the code and committed: fresh, or rewritten with `UPDATE=1`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tidewaiter::check::schema;
use tidewaiter::check::schema::embedded::{self, Fidelity};
use tidewaiter::config::{self, Draft, Known};
use tidewaiter::load::{self, Dialect, Limits};
use tidewaiter::rule::{Doors, Registry, RuleMeta};
use tidewaiter::run::Rules;
use tidewaiter::source::{Origin, RepoPath, Source, SourceMap};

const CONFIGURATION: &str = "docs/configuration.md";

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|err| panic!("{name}: {err}"))
}

/// Holds a committed file against what the code says.
fn assert_fresh(name: &str, fresh: &str) {
    #[expect(clippy::disallowed_methods, reason = "UPDATE=1 rewrites generated files")]
    if std::env::var("UPDATE").is_ok() {
        fs::write(path(name), fresh).unwrap();
    }
    let committed = fs::read_to_string(path(name)).unwrap_or_default();
    assert!(committed == fresh, "{name} is stale: run `UPDATE=1 cargo test --test generated`");
}

/// Returns a document with the text between its markers replaced.
fn with_part(document: &str, part: &str) -> String {
    let (begin, end) = ("<!-- generated: begin -->\n", "<!-- generated: end -->");
    let (before, rest) = document.split_once(begin).expect("the document has a generated part");
    let (_, after) = rest.split_once(end).expect("the generated part ends");
    format!("{before}{begin}\n{part}\n\n{end}{after}")
}

fn registry() -> Registry {
    Rules::built_in().unwrap().registry
}

#[test]
fn the_schema_of_the_configuration_is_fresh() {
    let mut text = serde_json::to_string_pretty(&config::json_schema()).unwrap();
    text.push('\n');
    assert_fresh("schemas/config/tidewaiter.schema.json", &text);
}

#[test]
fn the_reference_of_the_configuration_is_fresh() {
    let schema = config::json_schema();
    let mut part = table("The file", &schema, "");
    mappings(&schema, &schema, "", &mut part);
    assert_fresh(CONFIGURATION, &with_part(&read(CONFIGURATION), part.trim_end()));
}

/// Describes the mappings below the keys of another, each under its key.
fn mappings(root: &Value, schema: &Value, above: &str, part: &mut String) {
    for (key, property) in schema["properties"].as_object().unwrap() {
        let list = property["items"]["$ref"].as_str();
        let Some(definition) = list.or(property["$ref"].as_str()).map(|it| definition(root, it))
        else {
            continue;
        };
        if definition["properties"].is_null() {
            continue;
        }
        let what = if list.is_some() { "A list." } else { "A mapping." };
        part.push('\n');
        *part += &table(&format!("`{above}{key}`"), definition, what);
        mappings(root, definition, &format!("{above}{key}."), part);
    }
}

fn definition<'a>(root: &'a Value, reference: &str) -> &'a Value {
    &root["$defs"][reference.trim_start_matches("#/$defs/")]
}

/// Describes the keys of one mapping. `what` says what holds it.
fn table(heading: &str, schema: &Value, what: &str) -> String {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut text = format!("### {heading}\n\n");
    if !what.is_empty() {
        let _ = writeln!(text, "{what} {}\n", one_line(schema));
    }
    text += "| key | value | |\n|---|---|---|\n";
    for (name, property) in schema["properties"].as_object().unwrap() {
        let needed = if required.contains(&name.as_str()) { "Required. " } else { "" };
        let _ =
            writeln!(text, "| `{name}` | {} | {needed}{} |", kind(property), one_line(property));
    }
    text
}

fn one_line(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Says in words what a key takes.
fn kind(property: &Value) -> String {
    let reference = property["$ref"].as_str().or_else(|| {
        property["anyOf"].as_array()?.iter().find_map(|choice| choice["$ref"].as_str())
    });
    let schema = config::json_schema();
    if let Some(reference) = reference {
        let definition = definition(&schema, reference);
        return words(definition).unwrap_or_else(|| "mapping".to_owned());
    }
    if let Some(reference) = property["items"]["$ref"].as_str()
        && let Some(words) = words(definition(&schema, reference))
    {
        return format!("list of {words}");
    }
    let types: Vec<&str> = match &property["type"] {
        Value::String(one) => vec![one],
        Value::Array(some) => some.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let kind = types.into_iter().find(|it| *it != "null");
    match (kind, property["items"]["type"].as_str()) {
        (Some("string"), _) => "string",
        (Some("integer"), _) => "number",
        (Some("array"), Some("string")) => "list of strings",
        (Some("array"), _) => "list of mappings",
        (Some("object"), _) => "mapping of strings",
        other => panic!("a kind of value without words: {other:?}"),
    }
    .to_owned()
}

/// Lists the words of a definition that has nothing else.
fn words(definition: &Value) -> Option<String> {
    let words = definition["oneOf"].as_array()?.iter();
    let words: Vec<String> =
        words.map(|word| format!("`{}`", word["const"].as_str().unwrap())).collect();
    Some(words.join(", "))
}

#[test]
fn the_examples_of_the_configuration_are_accepted() {
    let registry = registry();
    let mut examples = 0;
    for document in [CONFIGURATION, "README.md"] {
        let text = read(document);
        let mut fences = text.split("```");
        fences.next();
        while let Some(fence) = fences.next() {
            fences.next();
            let Some(example) = fence.strip_prefix("yaml\n") else { continue };
            let mut sources = SourceMap::default();
            let path = RepoPath::new(config::FILE_NAME);
            let id = sources.add(Source::new(path, Origin::File, example.into()));
            let source = sources.get(id).unwrap();
            let parsed = load::parse(source, id, Dialect::Kubectl, &Limits::default());
            assert_eq!(parsed.problems, [], "{document}");
            let known = Known { registry: &registry, versions: schema::versions() };
            let draft = Draft::read(parsed.documents.first());
            if let Err(error) = draft.and_then(|it| it.resolve(&RepoPath::root(), known)) {
                panic!("{document}: {error} at `{}`", sources.text(error.span));
            }
            examples += 1;
        }
    }
    assert!(examples > 0, "the documents have examples");
}

#[test]
fn the_list_of_rules_is_fresh() {
    let registry = registry();
    let mut text = String::from(
        "# Rules\n\n\
         Every rule, as the program itself lists them (`tidewaiter rules`).\n\
         `tidewaiter explain RULE` says why a rule is one and how to mend what it finds.\n\
         Enforcement is what a finding does where `tidewaiter.yaml` says nothing.\n\
         Rules are judged in the repository; those with `yes` under *cluster* at the API server too, \
         with the [same result](parity.md).\n",
    );
    let mut category = "";
    for RuleMeta { id, title, severity, enforcement, doors, .. } in registry.iter() {
        if id.category() != category {
            category = id.category();
            let _ = write!(text, "\n## {category}\n\n");
            text += "| rule | severity | enforcement | cluster | finds |\n|---|---|---|---|---|\n";
        }
        let cluster = if *doors == Doors::Both { "yes" } else { "no" };
        let _ = writeln!(text, "| `{id}` | {severity} | {enforcement} | {cluster} | {title} |");
    }
    assert_fresh("docs/rules.md", &text);
}

#[test]
fn the_readme_shows_a_finding_as_it_is_printed() {
    // Another test holds the text in the example's own page against what the program prints.
    let printed = read("examples/fleet/README.md");
    let readme = read("README.md");
    let (_, rest) = readme.split_once("```text\n").unwrap();
    let (finding, _) = rest.split_once("```").unwrap();
    assert!(printed.contains(finding), "the README shows what `check examples/fleet` does not");
}

#[test]
fn what_xtask_wrote_is_as_it_was_written() {
    let mut outputs = 0;
    for sources in ["schemas/SOURCES.toml", "schemas/crds/SOURCES.toml"] {
        for output in read(sources).split("\n[[output]]\n").skip(1) {
            let value = |key: &str| {
                let rest = output.split_once(&format!("{key} = \"")).unwrap().1;
                rest.split_once('"').unwrap().0
            };
            let bytes = fs::read(path(value("path"))).unwrap();
            let digest = tidewaiter::hex::digits(Sha256::digest(&bytes));
            assert_eq!(digest, value("sha256"), "{}: run xtask anew", value("path"));
            outputs += 1;
        }
    }
    assert!(outputs >= 3, "{outputs}");
}

#[test]
fn the_list_of_custom_resources_says_what_is_embedded() {
    let mut text = String::new();
    for group in embedded::groups() {
        let _ = writeln!(text, "## {group}\n");
        for it in embedded::kinds(group) {
            let scope = if it.namespaced { "namespace" } else { "cluster" };
            let fidelity = match it.fidelity {
                Fidelity::Full => "full",
                Fidelity::Partial => "partial",
            };
            let _ = writeln!(
                text,
                "| {} | {} | {scope} | {fidelity} | {} |",
                it.kind, it.version, it.source
            );
        }
    }
    let list = read("schemas/crds/KINDS.md");
    let (_, list) = list.split_once("\n## ").unwrap();
    let rows: Vec<&str> = std::iter::once("## ")
        .chain(list.lines())
        .filter(|it| !it.is_empty() && !it.starts_with("| kind") && !it.starts_with("|---"))
        .collect();
    let rows = rows.join("\n").replacen("## \n", "## ", 1);
    let expected: Vec<&str> = text.lines().filter(|it| !it.is_empty()).collect();
    assert_eq!(rows, expected.join("\n"));
}
