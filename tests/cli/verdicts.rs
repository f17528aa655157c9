//! The exit codes.

use std::process::Stdio;

use crate::gate::{BROKEN, ESCALATE, FILES, GOOD, Gate, check};

#[test]
fn nothing_denied_is_zero() {
    let run = check([("a.yaml", GOOD)]).run();
    assert_eq!((run.code, &run.json()["exitCode"]), (Some(0), &0.into()));
    let chart =
        [("Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n"), ("templates/a.yaml", GOOD)];
    let warned = check(chart).run();
    assert_eq!(warned.findings(), ["coverage/chart-not-rendered Chart.yaml:2:7"]);
    assert_eq!((warned.code, &warned.json()["exitCode"]), (Some(0), &0.into()));
}

#[test]
fn a_denial_is_one() {
    let run = check(FILES).run();
    assert_eq!((run.code, &run.json()["exitCode"]), (Some(1), &1.into()));
}

#[test]
fn what_cannot_be_judged_is_two() {
    let run = check([("a.yaml", GOOD), ("k/kustomization.yaml", BROKEN)]).run();
    assert_eq!((run.code, &run.json()["exitCode"]), (Some(2), &2.into()));
    assert_eq!(run.findings(), [""; 0]);
    assert_eq!(run.json()["failures"].as_array().unwrap().len(), 1);
}

#[test]
fn a_denial_wins_over_a_failure() {
    let run = check([("a.yaml", ESCALATE), ("k/kustomization.yaml", BROKEN)]).run();
    assert_eq!((run.code, &run.json()["exitCode"]), (Some(1), &1.into()));
    assert_eq!(run.json()["failures"].as_array().unwrap().len(), 1);
}

#[test]
fn the_exit_code_does_not_depend_on_the_format() {
    for format in ["human", "json", "sarif"] {
        let run = Gate::new().repo(FILES).args(["check", "--format", format]).run();
        assert_eq!(run.code, Some(1), "{format}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for arguments in [["check", "."].as_slice(), &["rules"], &["man"], &["completions", "bash"]] {
        let gate = Gate::new().repo(FILES).args(arguments.iter().copied());
        let mut child = gate.command().stdin(Stdio::null()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{arguments:?}");
        // The verdict holds, whoever reads the report.
        let expected = i32::from(arguments[0] == "check");
        assert_eq!(output.status.code(), Some(expected), "{arguments:?}");
    }
}

#[test]
fn an_empty_folder_is_no_pass() {
    let run = check([("a/only.txt", "text\n")]).run();
    assert_eq!(run.code, Some(0));
    let none: [(&str, &str); 0] = [];
    let run = check(none).run();
    assert_eq!(run.code, Some(2));
    assert_eq!(run.json()["failures"][0]["reason"], "the paths hold no file to judge");
}

#[test]
fn a_configuration_that_is_not_used_is_named() {
    let run = check([("a.yaml", GOOD), ("sub/tidewaiter.yaml", "kubernetes: \"1.36\"\n")]).run();
    assert_eq!(run.code, Some(0));
    let not_judged = &run.json()["summary"]["notJudged"][0];
    assert_eq!(not_judged["path"], "sub/tidewaiter.yaml");
    assert_eq!(not_judged["failure"], false);
}
