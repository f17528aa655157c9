//! The objects of `sample/`: every kind that a rule knows, with and without defects.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tidewaiter::load::{self, Dialect, Limits};
use tidewaiter::rule::Doors as At;
use tidewaiter::source::{Origin, RepoPath, Source, SourceMap};

use crate::apiserver::Applied;
use crate::differences::{Cause, Side, cause, registry};
use crate::doors::Doors;

/// Returns a made-up credential, put together here so that no file of this repository holds one.
fn credential(name: &str) -> String {
    let tail = "Zq7Rk2Vw9Xc4Bn6Mt8Lp3Hs5Jd1Fg0Ya2Ue4";
    match name {
        "password" => ["Zq7Rk2", "Vw9Xc4"].concat(),
        "github-pat" => ["ghp", "_", tail].concat(),
        "gitlab-pat" => ["glpat", "-", &tail[..20]].concat(),
        "slack" => ["xoxb", "-730591826473-4918273650918-", &tail[..24]].concat(),
        "url" => ["postgres://app:", &tail[..20], "@db.acme.internal:5432/app"].concat(),
        "registry" => {
            let auth = STANDARD.encode(["ci:", &tail[..20]].concat());
            format!("{{\"auths\":{{\"registry.acme.internal\":{{\"auth\":\"{auth}\"}}}}}}")
        }
        "private-key" => {
            let line = tail.repeat(2)[..64].to_owned();
            let (begin, end) =
                (["-----BEGIN", "RSA PRIVATE KEY-----"], ["-----END", "RSA PRIVATE KEY-----"]);
            format!("{}\n{line}\n{line}\n{}", begin.join(" "), end.join(" "))
        }
        other => panic!("no such credential: {other}"),
    }
}

/// Returns a file of the sample with its credentials, lines of which are indented as the first.
fn text(path: &Path) -> String {
    let mut out = String::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        let indent = line.len() - line.trim_start().len();
        let parts: Vec<&str> = line.split("@@").collect();
        assert!(parts.len() % 2 == 1, "{line}");
        for (at, part) in parts.into_iter().enumerate() {
            if at % 2 == 0 {
                out.push_str(part);
            } else {
                let value = match part.strip_prefix("base64:") {
                    Some(name) => STANDARD.encode(credential(name)),
                    None => credential(part),
                };
                out.push_str(&value.replace('\n', &format!("\n{}", " ".repeat(indent))));
            }
        }
        out.push('\n');
    }
    out
}

/// Returns the files of the sample, by name.
fn files() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/sample");
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), text(&path)))
        .collect()
}

/// Returns the objects of a text, as kubectl sends them.
pub(crate) fn objects(text: &str) -> Vec<Value> {
    let mut sources = SourceMap::default();
    let source = Source::new(RepoPath::new("a.yaml"), Origin::File, text.as_bytes().to_vec());
    let id = sources.add(source);
    let parsed = load::parse(sources.get(id).unwrap(), id, Dialect::Kubectl, &Limits::default());
    let objects = parsed.documents.iter().flat_map(load::objects);
    objects.map(|it| it.document.root.to_json()).filter(Value::is_object).collect()
}

#[test]
fn both_doors_find_the_same_in_every_object_of_the_sample() {
    let registry = registry();
    let mut causes = BTreeSet::new();
    let mut rules = BTreeSet::new();
    let mut compared = 0;
    for environment in [None, Some("production"), Some("dev")] {
        let doors = Doors::new(None, environment);
        for (name, text) in files() {
            let check = doors.check(&text);
            let objects = objects(&text);
            assert!(objects.len() > 2, "{name} holds objects");
            for applied in Applied::ALL {
                let review: BTreeSet<_> =
                    objects.iter().flat_map(|object| doors.review(object, applied)).collect();
                compared += objects.len();
                rules.extend(check.intersection(&review).map(|it| it.rule.clone()));
                let sides = [(Side::Check, &check, &review), (Side::Review, &review, &check)];
                for (side, one, other) in sides {
                    for seen in one.difference(other) {
                        match cause(&registry, side, seen) {
                            Some(cause) => drop(causes.insert(cause)),
                            None => panic!(
                                "{name}, {environment:?}, {applied:?}: only {side:?} finds \
                                 {seen:#?}\nof this object, the other finds {:#?}",
                                other
                                    .iter()
                                    .filter(|it| it.object == seen.object)
                                    .collect::<Vec<_>>()
                            ),
                        }
                    }
                }
            }
        }
    }
    assert!(compared > 500, "{compared}");
    // A difference that the sample does not show is no difference.
    let shown: Vec<Cause> = causes.into_iter().collect();
    let of_files = [Cause::Path, Cause::File];
    let expected: Vec<Cause> = Cause::ALL.into_iter().filter(|it| !of_files.contains(it)).collect();
    assert_eq!(shown, expected);
    // Every rule that is judged at both doors and is no mere format is compared.
    let missing: Vec<String> = registry
        .iter()
        .filter(|it| it.doors == At::Both && it.id.category() != "secrets")
        .map(|it| it.id.to_string())
        .filter(|id| !rules.contains(id))
        .collect();
    assert_eq!(missing, [""; 0], "the sample shows every rule");
    for rule in
        ["secrets/github-pat", "secrets/gitlab-pat", "secrets/private-key", "secrets/url-password"]
    {
        assert!(rules.contains(rule), "{rule}: {rules:?}");
    }
}

#[test]
fn the_clean_objects_of_the_sample_are_clean_at_both_doors() {
    let doors = Doors::new(None, Some("production"));
    let text = &files()["workloads-clean.yaml"];
    let check = doors.check(text);
    let denied: Vec<_> = check.iter().filter(|it| it.enforcement == "deny").collect();
    assert!(denied.is_empty(), "{denied:#?}");
    for object in objects(text) {
        assert_eq!(doors.review(&object, Applied::ByServer), BTreeSet::new());
    }
}
