//! The example repository: what its README promises is what the program prints.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "runs the program, which needs the operating system; its helpers fail by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What stands before the printed text in the README.
const BEGIN: &str = "<!-- output -->\n```text\n";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> PathBuf {
    root().join("examples/fleet/README.md")
}

/// Checks the example from the root of the repository, with nothing in the environment.
fn check(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tidewaiter"))
        .args(["check", "examples/fleet"])
        .args(args)
        .current_dir(root())
        .env_clear()
        .output()
        .unwrap()
}

fn report() -> serde_json::Value {
    serde_json::from_slice(&check(&["--format", "json"]).stdout).unwrap()
}

/// Returns the rule, the path below the example and the line of every row of the README's tables.
fn promised() -> BTreeSet<(String, String, u64)> {
    let text = fs::read_to_string(readme()).unwrap();
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split("` | `");
        let (path, number) = cells.next()?.rsplit_once(':')?;
        let rule = cells.next()?.split('`').next()?;
        Some((rule.to_owned(), path.to_owned(), number.parse().ok()?))
    });
    rows.collect()
}

#[test]
fn the_readme_shows_what_is_printed() {
    let output = check(&[]);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(1));
    let text = fs::read_to_string(readme()).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (shown, after) = rest.split_once("```\n").unwrap();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(readme(), format!("{before}{BEGIN}{printed}```\n{after}")).unwrap();
    } else {
        assert_eq!(shown, printed, "UPDATE=1 writes what is printed into the README");
    }
}

#[test]
fn exactly_the_planted_defects_are_found() {
    let report = report();
    let findings = report["findings"].as_array().unwrap();
    let found: BTreeSet<(String, String, u64)> = findings
        .iter()
        .map(|finding| {
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            let location = &finding["location"];
            let path = text(&location["path"]);
            let path = path.strip_prefix("examples/fleet/").unwrap_or(&path).to_owned();
            (text(&finding["rule"]), path, location["line"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(found, promised());
    assert_eq!(findings.len(), found.len(), "each is found once");
    assert_eq!(findings.len(), 12);
    assert_eq!(report["exitCode"], 1);
    assert_eq!(report["failures"].as_array().unwrap().len(), 0);
}

#[test]
fn a_defect_of_a_base_reaches_every_environment_that_builds_on_it() {
    let report = report();
    let findings = report["findings"].as_array().unwrap();
    let environments = |rule: &str| {
        findings.iter().find(|it| it["rule"] == rule).map(|it| it["environments"].clone()).unwrap()
    };
    let all = serde_json::json!(["dev", "prod/eu", "prod/us", "stage"]);
    assert_eq!(environments("pod-security/privileged-container"), all);
    assert_eq!(environments("production/latest-image-tag"), serde_json::json!(["prod/us"]));
}

#[test]
fn the_example_is_small_enough_to_be_read() {
    fn count(folder: &Path) -> usize {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
    }
    assert!(count(&root().join("examples/fleet")) <= 60);
}
