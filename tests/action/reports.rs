//! What the action hands to the runner.

use serde_json::json;

use crate::runner::{COMMIT, Job};

const GOOD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: good\n";
const DENIED: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  retries: 3\n";
const WARNED: &str = "resources: [https://example.com/base.yaml]\n";

#[test]
fn a_denial_reaches_outputs_annotations_and_summary_and_fails_the_step() {
    let outcome = Job::new().file("apps/a.yaml", DENIED).file("good.yaml", GOOD).run();
    assert_eq!(outcome.code, 1, "{}", outcome.log);
    let outputs = ["denied", "warned", "failures", "not-judged", "exit-code", "can-upload"];
    let values: Vec<&str> = outputs.iter().map(|name| outcome.output(name)).collect();
    assert_eq!(values, ["1", "0", "0", "0", "1", "true"]);
    assert_eq!(outcome.report("json")["summary"]["denied"], 1);
    assert_eq!(outcome.report("sarif")["runs"][0]["results"][0]["ruleId"], "schema/wrong-type");
    let errors = outcome.of_level("error");
    assert_eq!(errors.len(), 1);
    assert!(errors[0].starts_with("file=apps/a.yaml,line=6,endLine=6,col=12,endColumn=13,title="));
    assert_eq!(outcome.commands.len(), 1);
    assert!(outcome.summary.starts_with("## Tidewaiter: something was denied\n"));
    let link =
        format!("<a href=\"https://github.example/shop/fleet/blob/{COMMIT}/apps/a.yaml#L6\">");
    assert!(outcome.summary.contains(&link), "{}", outcome.summary);
    assert!(outcome.log.contains("apps/a.yaml:6:12"), "the log has the report for people");
}

#[test]
fn a_pass_says_so_in_the_summary_only() {
    let outcome = Job::new().file("good.yaml", GOOD).run();
    assert_eq!((outcome.code, outcome.output("exit-code")), (0, "0"));
    assert_eq!(outcome.commands, [""; 0]);
    assert!(outcome.summary.starts_with("## Tidewaiter: nothing was denied\n"));
}

#[test]
fn what_could_not_be_judged_fails_the_step_and_is_counted() {
    let outcome = Job::new()
        .file("k/kustomization.yaml", "resources: [missing.yaml]\n")
        .file("l/kustomization.yaml", WARNED)
        .run();
    assert_eq!(outcome.code, 2, "{}", outcome.log);
    let report = outcome.report("json");
    let count = |value: &serde_json::Value| value.as_array().unwrap().len().to_string();
    assert_eq!(outcome.output("failures"), count(&report["failures"]));
    assert_eq!(outcome.output("not-judged"), count(&report["summary"]["notJudged"]));
    assert_eq!(outcome.output("warned"), report["summary"]["warned"].to_string());
    assert_ne!(outcome.output("failures"), "0");
    assert_ne!(outcome.output("not-judged"), "0");
    assert_ne!(outcome.output("warned"), "0");
}

#[test]
fn the_step_can_be_told_not_to_fail() {
    let outcome = Job::new().file("a.yaml", DENIED).input("fail", "false").run();
    assert_eq!((outcome.code, outcome.output("exit-code")), (0, "1"));
}

#[test]
fn a_run_that_judged_nothing_fails_whatever_was_asked() {
    let outcome = Job::new()
        .file("a.yaml", GOOD)
        .input("fail", "false")
        .input("environment", "nowhere")
        .run();
    assert_eq!((outcome.code, outcome.output("exit-code")), (2, "2"));
    assert_eq!(
        outcome.commands,
        ["::error title=Tidewaiter::nothing was judged; the log says why (exit code 2)"]
    );
    assert!(outcome.log.contains("nowhere"));
}

#[test]
fn paths_the_version_and_the_configuration_are_passed_on() {
    let job = || Job::new().file("a/a.yaml", DENIED).file("b/b.yaml", GOOD).file("c/c.yaml", GOOD);
    let outcome =
        job().input("path", "b\n\nc/c.yaml\r\n").input("kubernetes-version", "1.36").run();
    assert_eq!(outcome.code, 0, "{}", outcome.log);
    let summary = outcome.report("json")["summary"].clone();
    assert_eq!((&summary["files"], &summary["defaultKubernetes"]), (&json!(2), &json!("1.36")));
    let off = "enforcement:\n  - rules: [schema]\n    set: warn\n    reason: tried out\n";
    let outcome = job().file("ci/gate.yaml", off).input("config", "ci/gate.yaml").run();
    assert_eq!((outcome.code, outcome.output("warned")), (0, "1"), "{}", outcome.log);
}

#[test]
fn annotations_and_summary_can_be_left_out_and_formats_chosen() {
    let outcome = Job::new()
        .file("a.yaml", DENIED)
        .input("annotations", "false")
        .input("summary", "false")
        .input("formats", "markdown, human")
        .run();
    assert_eq!(outcome.commands, [""; 0]);
    assert_eq!(outcome.summary, "");
    assert_eq!((outcome.output("sarif"), outcome.output("json")), ("", ""));
    let mut names: Vec<String> = std::fs::read_dir(outcome.output("reports"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["tidewaiter.md", "tidewaiter.txt"]);
    assert_eq!(outcome.output("denied"), "1");
}

#[test]
fn inputs_that_mean_nothing_are_refused() {
    for (name, value) in [
        ("annotations", "yes"),
        ("summary", ""),
        ("fail", "never"),
        ("formats", "xml"),
        ("path", "-"),
    ] {
        let outcome = Job::new().file("a.yaml", GOOD).input(name, value).run();
        assert_eq!(outcome.code, 2, "{name}");
        let start = format!("::error title=Tidewaiter::the input `{name}` ");
        assert!(outcome.commands[0].starts_with(&start), "{:?}", outcome.commands);
    }
}

#[test]
fn annotations_stay_within_what_the_platform_shows() {
    let mut job = Job::new();
    for n in 0..15 {
        job = job.file(&format!("{n:02}.yaml"), &DENIED.replace("settings", &format!("n{n}")));
    }
    let outcome = job.run();
    assert_eq!(outcome.of_level("error").len(), 10);
    let rest = outcome.of_level("notice");
    assert!(rest[0].starts_with("title=Tidewaiter::5 more errors in 10.yaml (1), "), "{rest:?}");
}

#[test]
fn a_pull_request_of_a_fork_falls_back_and_says_so() {
    let here = || json!({"full_name": "shop/fleet"});
    let fork = || json!({"full_name": "somebody/fleet"});
    let job = || Job::new().file("a.yaml", DENIED);
    let dependabot = job().pull_request(&here()).variable("GITHUB_ACTOR", "dependabot[bot]");
    let gone = job().pull_request(&serde_json::Value::Null);
    for job in [job().pull_request(&fork()), gone, dependabot] {
        let outcome = job.run();
        assert_eq!(outcome.output("can-upload"), "false");
        assert_eq!(outcome.of_level("error").len(), 1);
        let notice = outcome.of_level("notice")[0];
        assert!(
            notice.contains("the SARIF report cannot be uploaded; annotations and"),
            "{notice}"
        );
        assert!(outcome.summary.ends_with("; this summary and the annotations stand in for it.\n"));
    }
    for event in ["push", "merge_group", "pull_request"] {
        let outcome = job().pull_request(&here()).variable("GITHUB_EVENT_NAME", event).run();
        assert_eq!(outcome.output("can-upload"), "true", "{event}");
        assert_eq!(outcome.of_level("notice"), [""; 0]);
        assert!(!outcome.summary.contains("stand in for it"));
    }
}

#[test]
fn more_rights_than_needed_are_warned_of() {
    let job = Job::new().file("a.yaml", GOOD).variable("GITHUB_EVENT_NAME", "pull_request_target");
    let outcome = job.run();
    assert!(outcome.of_level("warning")[0].contains("pull_request is all that is needed"));
}
