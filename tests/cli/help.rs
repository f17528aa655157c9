//! The commands that judge nothing.

use crate::gate::Gate;

fn run(arguments: &[&str]) -> crate::gate::Run {
    Gate::new().args(arguments.iter().copied()).run()
}

#[test]
fn rules_are_listed() {
    let run = run(&["rules"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let line = "rbac/escalate-verb                         critical  deny  Role may raise roles above itself";
    assert!(run.stdout.lines().any(|it| it == line), "{}", run.stdout);
    let ids: Vec<&str> = run.stdout.lines().filter_map(|it| it.split(' ').next()).collect();
    assert!(ids.is_sorted());
}

#[test]
fn rules_are_listed_as_json() {
    let listed = run(&["rules", "--format", "json"]).json();
    let listed: Vec<&str> =
        listed.as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    let text = run(&["rules"]).stdout;
    let ids: Vec<&str> = text.lines().filter_map(|it| it.split(' ').next()).collect();
    assert_eq!(listed, ids);
}

#[test]
fn every_rule_is_explained() {
    let text = run(&["rules"]).stdout;
    for id in text.lines().filter_map(|it| it.split(' ').next()).step_by(10) {
        let run = run(&["explain", id]);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{id}");
        assert!(run.stdout.starts_with(&format!("{id}\n")), "{}", run.stdout);
        assert!(run.stdout.contains("\nWhy\n"), "{}", run.stdout);
    }
}

#[test]
fn a_misspelt_rule_is_met_with_a_suggestion() {
    run(&["explain", "rbac/escalate-verbs"])
        .refuses("there is no rule `rbac/escalate-verbs`; did you mean `rbac/escalate-verb`?");
    run(&["explain", "weather"])
        .refuses("there is no rule `weather`; `tidewaiter rules` lists them");
}

#[test]
fn completions_and_the_manual_name_every_flag() {
    let flags = [
        "--config",
        "--kubernetes",
        "--environment",
        "--only",
        "--skip",
        "--now",
        "--format",
        "--output",
        "--threads",
        "--color",
    ];
    let completions = run(&["completions", "bash"]);
    assert_eq!((completions.code, completions.stderr.as_str()), (Some(0), ""));
    let help = run(&["check", "--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    for flag in flags {
        assert!(completions.stdout.contains(flag), "{flag}");
        assert!(help.stdout.contains(flag), "{flag}");
    }
    let manual = run(&["man"]);
    assert_eq!((manual.code, manual.stderr.as_str()), (Some(0), ""));
    assert!(manual.stdout.contains(".TH tidewaiter 1"));
}

#[test]
fn the_version_is_that_of_the_crate() {
    let run = run(&["--version"]);
    assert_eq!(run.stdout, format!("tidewaiter {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(run.code, Some(0));
}
