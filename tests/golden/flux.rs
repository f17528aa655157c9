//! What an entry folder leads to, against stored renders of Flux's own library.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tidewaiter::render::Rendered;
use tidewaiter::run::{Applied, Followed, Options};
use tidewaiter::source::RepoPath;

use super::{Outcome, compare};

/// A Kustomization, and what Flux said of it.
struct Case {
    repository: String,
    entry: String,
    file: String,
    builds: bool,
    error: String,
}

fn cases(text: &str) -> Vec<Case> {
    let case = |line: &str| {
        let case: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| case[key].as_str().unwrap().to_owned();
        Case {
            repository: text("repo"),
            entry: text("entry"),
            file: format!("{}_{}", text("namespace"), text("name")),
            builds: case["ok"].as_bool().unwrap(),
            error: text("error"),
        }
    };
    text.lines().map(case).collect()
}

/// Compares what Flux applies in `FLUX_CASES` with the stored renders and prints the figures.
#[test]
#[ignore = "needs repositories and their renders"]
fn kustomizations_equal_those_of_flux() {
    let folder = |name: &str| PathBuf::from(std::env::var(name).expect(name));
    let (repositories, renders) = (folder("REPOSITORIES"), folder("FLUX_RENDERS"));
    let text = fs::read_to_string(folder("FLUX_CASES")).expect("the file of cases can be read");
    let cases = cases(&text);
    let mut followed: BTreeMap<(&str, &str), Followed> = BTreeMap::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut lines = String::new();
    for case in &cases {
        let from = followed.entry((&case.repository, &case.entry)).or_insert_with(|| {
            let current_dir = repositories.join(&case.repository);
            let options = Options { current_dir: current_dir.clone(), ..Options::default() };
            Followed::of_folder(&current_dir.join(&case.entry), &options, &()).unwrap()
        });
        let is_it = |it: &&Applied| format!("{}_{}", it.namespace, it.name) == case.file;
        let applied = from.all.iter().find(is_it);
        let stored = renders
            .join(&case.repository)
            .join(case.entry.replace('/', "_"))
            .join(format!("{}.yaml", case.file));
        let (label, text) = match (case.builds, applied.map(|it| (it, &it.objects))) {
            (true, Some((_, Some(objects)))) => {
                let rendered = Rendered {
                    folder: RepoPath::root(),
                    objects: objects.clone(),
                    gaps: Vec::new(),
                    read: std::collections::BTreeSet::new(),
                };
                match compare(&rendered, &fs::read_to_string(stored).unwrap()) {
                    Outcome::SameBytes => ("builds there: same bytes", String::new()),
                    Outcome::SameValues(text) => ("builds there: same values", text),
                    other => ("builds there: DIFFERENT", format!("{other:?}")),
                }
            }
            (true, Some((it, None))) => ("builds there: FAILS HERE", told(it)),
            (true, None) => ("builds there: NOT FOUND", String::new()),
            (false, Some((it, None))) => ("fails there: fails here", told(it)),
            (false, Some((it, Some(_)))) if !it.gaps.is_empty() => {
                ("fails there: left out here", told(it))
            }
            (false, Some((_, Some(_)))) => ("fails there: BUILDS HERE", String::new()),
            (false, None) => ("fails there: not found", String::new()),
        };
        *counts.entry(label).or_default() += 1;
        if label != "builds there: same bytes" {
            let place = format!("{}/{}/{}", case.repository, case.entry, case.file);
            writeln!(lines, "{label}\t{place}\n  ours: {text}\n  Flux: {}", case.error).unwrap();
        }
    }
    for (label, count) in &counts {
        println!("{count:6} {label}");
    }
    let get = |label| counts.get(label).copied().unwrap_or(0);
    println!(
        "{} of {} have the same values",
        get("builds there: same bytes") + get("builds there: same values"),
        cases.iter().filter(|case| case.builds).count()
    );
    if let Ok(path) = std::env::var("REPORT") {
        fs::write(path, &lines).unwrap();
    }
}

fn told(applied: &Applied) -> String {
    let all = applied.errors.iter().chain(&applied.gaps);
    all.map(|it| it.reason.as_str()).collect::<Vec<_>>().join("; ")
}
