//! Renders against stored renders of `kubectl kustomize`.
//!
//! `CONTRIBUTING.md` says how to compare with folders of your own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "test code, told by variables where to look"
)]

mod flux;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tidewaiter::load::{self, Dialect, Limits};
use tidewaiter::render::{LoadRestrictor, Rendered};
use tidewaiter::report;
use tidewaiter::run::Renders;
use tidewaiter::source::{Origin, RepoPath, Source, SourceMap};

/// A root, and what kubectl said of it.
#[derive(Debug)]
struct Case {
    repository: String,
    folder: RepoPath,
    builds: bool,
    restrictor: LoadRestrictor,
    error: String,
}

/// How a root compares.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    /// The same bytes.
    SameBytes,
    /// The same documents in the same order, written otherwise.
    SameValues(String),
    /// Other documents.
    Different(String),
    /// It builds there and not here.
    Failed(String),
    /// It builds neither there nor here.
    BothFail(String),
    /// It does not build there, and something is left out here.
    LeftOut(String),
    /// It builds here alone.
    BuildsHere,
}

fn cases(path: &Path) -> Vec<Case> {
    let text = fs::read_to_string(path).expect("the file of cases can be read");
    text.lines()
        .map(|line| {
            let case: Value = serde_json::from_str(line).unwrap();
            let text = |key: &str| case[key].as_str().unwrap().to_owned();
            Case {
                repository: text("repo"),
                folder: RepoPath::new(&text("dir")),
                builds: case["ok"].as_bool().unwrap(),
                restrictor: match text("restrictor").as_str() {
                    "none" => LoadRestrictor::None,
                    _ => LoadRestrictor::RootOnly,
                },
                error: text("error"),
            }
        })
        .collect()
}

/// Reads documents as values; fails where one cannot be read.
fn values(text: &str) -> Result<Vec<Value>, String> {
    let mut sources = SourceMap::default();
    let id = sources.add(Source::new(RepoPath::new("a.yaml"), Origin::Stdin, text.into()));
    let source = sources.get(id).unwrap();
    let parsed = load::parse(source, id, Dialect::Kustomize, &Limits::default());
    match parsed.problems.iter().find(|problem| problem.is_fatal()) {
        Some(problem) => {
            Err(format!("{} at {:?}", problem.message, sources.location(problem.span).start))
        }
        None => Ok(parsed.documents.iter().map(|document| document.root.to_json()).collect()),
    }
}

/// Returns the first line that differs, with its number.
fn first_line(ours: &str, theirs: &str) -> String {
    let mut lines = ours.lines().zip(theirs.lines()).enumerate();
    match lines.find(|(_, (ours, theirs))| ours != theirs) {
        Some((at, (ours, theirs))) => format!("line {}: `{ours}` for `{theirs}`", at + 1),
        None => format!("{} lines for {}", ours.lines().count(), theirs.lines().count()),
    }
}

/// Returns the first field that differs.
fn first_field(path: &str, ours: &Value, theirs: &Value) -> Option<String> {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let keys = theirs.keys().chain(ours.keys());
            keys.into_iter().find_map(|key| {
                let path = format!("{path}.{key}");
                match (ours.get(key), theirs.get(key)) {
                    (Some(ours), Some(theirs)) => first_field(&path, ours, theirs),
                    (None, _) => Some(format!("{path} is missing")),
                    (_, None) => Some(format!("{path} is too much")),
                }
            })
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            ours.iter().zip(theirs).enumerate().find_map(|(at, (ours, theirs))| {
                first_field(&format!("{path}[{at}]"), ours, theirs)
            })
        }
        _ if ours == theirs => None,
        _ => {
            let short = |value: &Value| value.to_string().chars().take(120).collect::<String>();
            Some(format!("{path} is {} for {}", short(ours), short(theirs)))
        }
    }
}

fn compare(rendered: &Rendered, theirs: &str) -> Outcome {
    let mut ours = Vec::new();
    report::write_manifests(&rendered.objects, &mut ours).unwrap();
    let ours = String::from_utf8(ours).unwrap();
    let read = match values(&ours) {
        Ok(read) => read,
        Err(reason) => return Outcome::Different(format!("cannot be read again: {reason}")),
    };
    let made: Vec<Value> = rendered.objects.iter().map(|it| it.root.to_json()).collect();
    for (made, read) in made.iter().zip(&read) {
        if let Some(field) = first_field("", read, made) {
            return Outcome::Different(format!("is read again as something else: {field}"));
        }
    }
    if ours == theirs {
        return Outcome::SameBytes;
    }
    let theirs_read = match values(theirs) {
        Ok(theirs) => theirs,
        Err(reason) => return Outcome::Different(format!("theirs cannot be read: {reason}")),
    };
    if read == theirs_read {
        return Outcome::SameValues(first_line(&ours, theirs));
    }
    if read.len() != theirs_read.len() {
        let (ours, theirs) = (read.len(), theirs_read.len());
        return Outcome::Different(format!("{ours} documents for {theirs}"));
    }
    let documents = read.iter().zip(&theirs_read).enumerate();
    let field = documents.into_iter().find_map(|(at, (ours, theirs))| {
        let name = |of: &Value| format!("{}/{}", of["kind"], of["metadata"]["name"]);
        first_field("", ours, theirs).map(|it| format!("document {at} {}: {it}", name(theirs)))
    });
    Outcome::Different(field.unwrap_or_default())
}

fn render(
    repository: &Path,
    cases: &[&Case],
    stored: &dyn Fn(&Case) -> PathBuf,
    out: &mut BTreeMap<(String, RepoPath), Outcome>,
) {
    for restrictor in [LoadRestrictor::RootOnly, LoadRestrictor::None] {
        let wanted: BTreeMap<&RepoPath, &Case> = cases
            .iter()
            .filter(|case| case.restrictor == restrictor)
            .map(|case| (&case.folder, *case))
            .collect();
        if wanted.is_empty() {
            continue;
        }
        let texts: BTreeMap<&RepoPath, String> = wanted
            .iter()
            .filter(|(_, case)| case.builds)
            .map(|(folder, case)| (*folder, fs::read_to_string(stored(case)).unwrap()))
            .collect();
        let renders = Renders::of_all(repository, Path::new("/"), restrictor, &()).unwrap();
        let made = renders
            .each(&(), |name, rendered| texts.get(name).map(|text| compare(&rendered, text)));
        for made in made {
            let Some(case) = wanted.get(&made.name) else { continue };
            let outcome = match (made.error, made.made, made.gaps.first()) {
                (Some(error), ..) => {
                    let place = error.span.map(|span| renders.sources().location(span));
                    let place = place.map_or_else(String::new, |it| {
                        format!("{}:{}:{}: ", it.path, it.start.line, it.start.column)
                    });
                    let help =
                        error.help.map_or_else(String::new, |help| format!(" | help: {help}"));
                    let text = format!("{place}{}{help}", error.reason);
                    if case.builds { Outcome::Failed(text) } else { Outcome::BothFail(text) }
                }
                (None, Some(Some(outcome)), _) => outcome,
                (None, _, Some(gap)) => {
                    let place = gap.span.map(|span| renders.sources().location(span)).unwrap();
                    Outcome::LeftOut(format!("{}:{}: {}", place.path, place.start.line, gap.reason))
                }
                (None, ..) => Outcome::BuildsHere,
            };
            out.insert((case.repository.clone(), case.folder.clone()), outcome);
        }
    }
}

/// Compares every root of `CASES` with its stored render and prints the figures.
#[test]
#[ignore = "needs repositories and their renders"]
fn renders_equal_those_of_kubectl() {
    let folder = |name: &str| PathBuf::from(std::env::var(name).expect(name));
    let (repositories, renders) = (folder("REPOSITORIES"), folder("RENDERS"));
    let cases = cases(&folder("CASES"));
    let stored = |case: &Case| {
        let name = match case.folder.as_str() {
            "" => "ROOT".to_owned(),
            folder => folder.replace('/', "__"),
        };
        renders.join(&case.repository).join(format!("{name}.yaml"))
    };
    let mut by_repository: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
    for case in &cases {
        by_repository.entry(&case.repository).or_default().push(case);
    }
    let mut outcomes = BTreeMap::new();
    for (repository, cases) in by_repository {
        render(&repositories.join(repository), &cases, &stored, &mut outcomes);
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut lines = String::new();
    for case in &cases {
        let outcome = outcomes.get(&(case.repository.clone(), case.folder.clone()));
        let (label, text) = match outcome {
            Some(Outcome::SameBytes) => ("builds there: same bytes", ""),
            Some(Outcome::SameValues(text)) => ("builds there: same values", &**text),
            Some(Outcome::Different(text)) => ("builds there: DIFFERENT", &**text),
            Some(Outcome::Failed(text)) => ("builds there: FAILS HERE", &**text),
            Some(Outcome::BothFail(text)) => ("fails there: fails here", &**text),
            Some(Outcome::LeftOut(text)) => ("fails there: left out here", &**text),
            Some(Outcome::BuildsHere) => ("fails there: BUILDS HERE", ""),
            None if case.builds => ("builds there: NOT FOUND", ""),
            None => ("fails there: not found", ""),
        };
        *counts.entry(label).or_default() += 1;
        if label != "builds there: same bytes" {
            let place = format!("{}/{}", case.repository, case.folder);
            writeln!(lines, "{label}\t{place}\n  ours:   {text}\n  kubectl: {}", case.error)
                .unwrap();
        }
    }
    for (label, count) in &counts {
        println!("{count:6} {label}");
    }
    let builds = cases.iter().filter(|case| case.builds).count();
    let get = |label| counts.get(label).copied().unwrap_or(0);
    let bytes = get("builds there: same bytes");
    println!("{bytes} of {builds} have the same bytes");
    println!("{} of {builds} have the same values", bytes + get("builds there: same values"));
    if let Ok(path) = std::env::var("REPORT") {
        fs::write(path, &lines).unwrap();
    }
    for line in lines.split_inclusive("\n  kubectl:").filter(|_| std::env::var("SHOW").is_ok()) {
        print!("{line}");
    }
}
