//! Invariants of the repository that no compiler holds.

#![expect(clippy::unwrap_used, clippy::string_slice, reason = "helpers of tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which modules of the crate each module may use. Data flows one way: a row names only modules
/// that stand above it.
const IMPORTS: &[(&str, &[&str])] = &[
    ("date", &[]),
    ("hex", &[]),
    ("naming", &[]),
    ("quantity", &[]),
    ("source", &[]),
    ("document", &["source"]),
    ("rule", &["source"]),
    ("environment", &["source"]),
    ("finding", &["hex", "source", "document", "rule"]),
    ("wording", &["source", "document"]),
    ("config", &["date", "source", "document", "rule", "environment"]),
    ("review", &["source", "document", "environment"]),
    ("discover", &["hex", "source"]),
    ("fetch", &["discover"]),
    ("load", &["source", "document", "rule", "finding"]),
    ("engine", &["date", "quantity", "source", "document", "load"]),
    (
        "graph",
        &[
            "source",
            "document",
            "rule",
            "environment",
            "finding",
            "config",
            "review",
            "discover",
            "load",
        ],
    ),
    (
        "render",
        &["hex", "source", "document", "rule", "config", "review", "engine", "load", "graph"],
    ),
    (
        "check",
        &[
            "date",
            "naming",
            "quantity",
            "source",
            "document",
            "rule",
            "environment",
            "finding",
            "wording",
            "review",
            "engine",
            "load",
        ],
    ),
    ("judge", &["date", "source", "document", "rule", "environment", "finding", "config"]),
    ("report", &["source", "document", "rule", "environment", "finding", "load", "judge"]),
    ("admission", &["source", "document", "rule", "finding", "load", "review", "judge", "report"]),
    (
        "run",
        &[
            "date",
            "hex",
            "source",
            "document",
            "rule",
            "environment",
            "finding",
            "config",
            "review",
            "engine",
            "discover",
            "fetch",
            "load",
            "graph",
            "render",
            "check",
            "judge",
            "report",
            "admission",
        ],
    ),
    ("serve", &["date", "rule", "admission", "run"]),
    ("certificates", &[]),
    ("cli", &["date", "environment", "report", "serve", "certificates"]),
];

/// Modules whose children never import one another.
const FAMILIES: &[&str] = &["check"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the files below a folder of the repository that have an extension.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, extension: &str, out: &mut Vec<PathBuf>) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().is_none_or(|name| name != "target" && name != ".git") {
                    walk(&path, extension, out);
                }
            } else if path.extension().is_some_and(|it| it == extension) {
                out.push(path);
            }
        }
    }
    let mut out = Vec::new();
    walk(&root().join(folder), extension, &mut out);
    out.sort();
    out
}

/// Returns all files of the repository that are text, but not what is built.
fn texts() -> Vec<(String, String)> {
    fn walk(folder: &Path, out: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if [".git", "target", "corpus", "artifacts"].contains(&name.as_str()) {
                continue;
            }
            if path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                walk(&path, out);
            } else if let Ok(text) = fs::read_to_string(&path) {
                out.push((relative(&path), text));
            }
        }
    }
    let mut out = Vec::new();
    walk(&root(), &mut out);
    out.sort();
    out
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().into_owned()
}

/// Returns the code of a file without comments and without its unit tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Returns the first segments of the paths that start with `crate::`.
fn crate_paths(code: &str, prefix: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            // `use crate::{a, b::c}`: the first segment of each part.
            let mut depth = 0;
            let mut part = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    _ => {}
                }
                if c == ',' && depth == 0 {
                    out.insert(first_segment(&part));
                    part.clear();
                } else {
                    part.push(c);
                }
            }
            out.insert(first_segment(&part));
        } else {
            out.insert(first_segment(rest));
        }
    }
    out.remove("");
    out
}

/// Says whether a file of `src` holds nothing but tests.
fn is_test(name: &str) -> bool {
    name.ends_with("/tests.rs") || name.contains("/tests/") || name.ends_with("/fixture.rs")
}

fn first_segment(text: &str) -> String {
    text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn modules_import_only_what_stands_before_them() {
    let allowed: BTreeMap<&str, &[&str]> = IMPORTS.iter().copied().collect();
    let order: Vec<&str> = IMPORTS.iter().map(|(module, _)| *module).collect();
    for (position, (module, imports)) in IMPORTS.iter().enumerate() {
        for import in *imports {
            let at = order.iter().position(|it| it == import).unwrap();
            assert!(
                at < position,
                "the table lets `{module}` use `{import}`, which stands below it"
            );
        }
    }
    let mut wrong = Vec::new();
    for path in files("src", "rs") {
        let name = relative(&path);
        let module = name.trim_start_matches("src/").split(['/', '.']).next().unwrap();
        if ["main", "lib", "rendering", "terminal"].contains(&module) || is_test(&name) {
            continue;
        }
        let Some(allowed) = allowed.get(module) else {
            wrong.push(format!("{name}: the module `{module}` is not in the table"));
            continue;
        };
        for import in crate_paths(&code(&path), "crate::") {
            if import != module && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{name}: `{module}` must not use `{import}`"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn checks_never_import_one_another() {
    let mut wrong = Vec::new();
    for family in FAMILIES {
        let children: BTreeSet<String> = files(&format!("src/{family}"), "rs")
            .iter()
            .map(|path| {
                let name = relative(path);
                let rest = name.trim_start_matches(&format!("src/{family}/")).to_owned();
                rest.split(['/', '.']).next().unwrap().to_owned()
            })
            .collect();
        for path in files(&format!("src/{family}"), "rs") {
            let name = relative(&path);
            let rest = name.trim_start_matches(&format!("src/{family}/")).to_owned();
            let own = rest.split(['/', '.']).next().unwrap();
            if is_test(&name) {
                continue;
            }
            for import in crate_paths(&code(&path), &format!("crate::{family}::")) {
                if import != own && children.contains(&import) {
                    wrong.push(format!("{name} uses `{family}::{import}`"));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Crates that stand behind a module, or two, and those.
const BEHIND: &[(&str, &[&str])] = &[
    ("granit_parser", &["src/load/yaml"]),
    ("regorus", &["src/engine"]),
    ("jsonschema", &["src/check/schema/json_schema", "src/report"]),
    ("miette", &["src/report"]),
    ("serde_sarif", &["src/report"]),
    ("indicatif", &["src/report"]),
    ("gix_index", &["src/discover"]),
    ("aho_corasick", &["src/check/secrets", "src/report/redact"]),
    ("globset", &["src/config"]),
    ("ignore", &["src/discover"]),
    ("tokio", &["src/serve"]),
    ("tokio_rustls", &["src/serve"]),
    ("rustls", &["src/serve", "src/certificates", "src/fetch"]),
    ("hyper", &["src/serve"]),
    ("hyper_util", &["src/serve"]),
    ("http_body_util", &["src/serve"]),
    ("axum", &["src/serve"]),
    ("prometheus_client", &["src/serve"]),
    ("rcgen", &["src/certificates"]),
    ("x509_parser", &["src/certificates", "src/serve"]),
    ("jiff", &["src/date", "src/serve"]),
    ("miniz_oxide", &["src/check/schema/embedded"]),
    ("ureq", &["src/fetch"]),
    ("rustls_native_certs", &["src/fetch"]),
];

/// Says whether code names a path into a library; `tokio` is not in `a_tokio::b`.
fn uses(code: &str, library: &str) -> bool {
    code.match_indices(&format!("{library}::"))
        .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

#[test]
fn libraries_stand_behind_their_modules() {
    let mut wrong = Vec::new();
    for path in files("src", "rs") {
        let name = relative(&path);
        let code = code(&path);
        for (library, modules) in BEHIND {
            let used = uses(&code, library);
            if used && !modules.iter().any(|module| name.starts_with(module)) {
                wrong.push(format!("{name} uses `{library}`, which belongs to {modules:?}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_source_layout_has_no_mod_rs_and_no_catch_all() {
    for path in files("src", "rs") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(
            !["mod.rs", "utils.rs", "util.rs", "helpers.rs", "common.rs", "misc.rs"]
                .contains(&name.as_str()),
            "{}",
            relative(&path)
        );
    }
}

#[test]
fn every_crate_is_explained() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let docs = fs::read_to_string(root().join("docs/dependencies.md")).unwrap();
    let mut in_dependencies = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            in_dependencies = line.contains("dependencies]");
        } else if in_dependencies && let Some((name, _)) = line.split_once('=') {
            let name = name.trim();
            assert!(docs.contains(&format!("| `{name}` |")), "docs/dependencies.md lacks `{name}`");
        }
    }
}

#[test]
fn relative_links_of_the_documents_lead_somewhere() {
    let mut documents = files("docs", "md");
    documents.extend(files("examples", "md"));
    for name in ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"] {
        documents.push(root().join(name));
    }
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        for (at, _) in text.match_indices("](") {
            let rest = &text[at + 2..];
            let Some(target) = rest.split(')').next() else { continue };
            let target = target.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let path = document.parent().unwrap().join(target);
            assert!(path.exists(), "{}: `{target}` is not there", relative(&document));
        }
    }
}

#[test]
fn the_architecture_shows_the_table_of_imports() {
    let docs = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let (_, section) = docs.split_once("## Who may import whom\n").unwrap();
    let shown: Vec<&str> =
        section.split("\n## ").next().unwrap().lines().filter(|it| it.starts_with("| `")).collect();
    let expected: Vec<String> = IMPORTS
        .iter()
        .map(|(module, imports)| {
            let names: Vec<String> = imports.iter().map(|name| format!("`{name}`")).collect();
            let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
            format!("| `{module}` | {names} |")
        })
        .collect();
    assert_eq!(shown, expected);
}

#[test]
fn the_architecture_names_tests_that_exist() {
    let docs = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let (_, section) = docs.split_once("## Invariants\n").unwrap();
    let mut named = 0;
    for row in section.split("\n## ").next().unwrap().lines() {
        let mut file = String::new();
        for name in row.split('`').skip(1).step_by(2) {
            let path = root().join(name);
            if name.contains('/') {
                assert!(path.exists(), "`{name}` is not there");
                file =
                    if path.is_file() { fs::read_to_string(path).unwrap() } else { String::new() };
            } else if name.contains('_') {
                assert!(file.contains(&format!("fn {name}(")), "there is no test `{name}`");
                named += 1;
            }
        }
    }
    assert!(named > 0, "the table of invariants names tests");
}

#[test]
fn every_policy_has_its_rule_and_its_cases() {
    let mut policies = 0;
    for category in fs::read_dir(root().join("policies")).unwrap() {
        let category = category.unwrap().path();
        if category.ends_with("lib") {
            continue;
        }
        for policy in fs::read_dir(&category).unwrap() {
            let policy = policy.unwrap().path();
            let mut names: Vec<String> = fs::read_dir(&policy)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
                .collect();
            names.sort();
            assert_eq!(names, ["cases.md", "policy.rego"], "{}", relative(&policy));
            policies += 1;
        }
    }
    assert!(policies > 0);
}

#[test]
fn rules_name_defects() {
    let registry = tidewaiter::run::Rules::built_in().unwrap().registry;
    for rule in registry.iter() {
        let name = rule.id.as_str().split_once('/').unwrap().1;
        for word in ["no", "avoid", "require", "use", "prefer", "must", "check", "ensure"] {
            assert!(
                !name.starts_with(&format!("{word}-")),
                "`{}` names a remedy: name the defect, so that `allow {name}` reads well",
                rule.id
            );
        }
    }
}

/// What no file may say, in two parts so that this file does not say it.
const FORBIDDEN: &[(&str, &str)] = &[
    ("/wo", "rk/"),
    ("/tm", "p/"),
    ("TO", "DO"),
    ("FIX", "ME"),
    ("XX", "X:"),
    ("static.cra", "tes.io"),
    ("index.cra", "tes.io"),
    ("files.python", "hosted.org"),
    ("registry.npm", "js.org"),
    ("proxy.gol", "ang.org"),
];

/// Texts that are data, and what they may say.
const MAY_SAY: &[(&str, &str)] = &[];

#[test]
fn the_project_stands_alone() {
    let mut wrong = Vec::new();
    for (name, text) in texts() {
        for (number, line) in (1..).zip(text.lines()) {
            for (first, second) in FORBIDDEN {
                let forbidden = format!("{first}{second}");
                let excused =
                    MAY_SAY.iter().any(|(file, what)| *file == name && *what == forbidden);
                if line.contains(&forbidden) && !excused {
                    wrong.push(format!("{name}:{number}: {forbidden}"));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Libraries with which a program asks others. The one that `fetch` uses stands in [`BEHIND`].
const CLIENTS: &[&str] = &[
    "attohttpc",
    "awc",
    "curl",
    "gix-protocol",
    "gix-transport",
    "hickory-resolver",
    "isahc",
    "minreq",
    "native-tls",
    "openssl",
    "reqwest",
    "surf",
    "tonic",
    "webpki-roots",
];

#[test]
fn only_the_webhook_is_asked_and_only_a_flag_asks() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for library in CLIENTS {
        assert!(!lock.contains(&format!("name = \"{library}\"\n")), "{library} is a client");
    }
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    for line in manifest.lines().filter(|it| it.starts_with("hyper")) {
        assert!(!line.contains("\"client"), "{line}");
    }
    let mut wrong = Vec::new();
    for path in files("src", "rs") {
        let name = relative(&path);
        if is_test(&name) {
            continue;
        }
        let code = code(&path);
        if name.starts_with("src/serve") {
            // It is asked, and asks nobody.
            for asks in ["TcpStream::connect", "UdpSocket", "TcpSocket", "lookup_host"] {
                if code.contains(asks) {
                    wrong.push(format!("{name} uses `{asks}`"));
                }
            }
            continue;
        }
        // Whoever may ask others is made in one place, from the flag.
        if code.contains("fetch::Client::new") && name != "src/main.rs" {
            wrong.push(format!("{name} makes a client"));
        }
        // An address is no connection, and a test may put a socket into a repository.
        let connects = ["TcpStream", "TcpListener", "UdpSocket", "ToSocketAddrs", "os::unix::net"];
        if !name.ends_with("/tests.rs") && connects.iter().any(|it| code.contains(it)) {
            wrong.push(format!("{name} uses the network"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_panic_can_be_caught() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(!manifest.contains("abort"), "the webhook answers what panicked, and goes on");
}
