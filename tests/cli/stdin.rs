//! Manifests from standard input.

use crate::gate::{ESCALATE, GOOD, Gate, check};

#[test]
fn objects_are_judged() {
    let run = check([]).args(["-"]).stdin(&format!("{GOOD}---\n{ESCALATE}")).run();
    assert_eq!(run.findings(), ["rbac/escalate-verb <stdin>:13:13"]);
    assert_eq!(run.json()["summary"]["objects"], 2);
    assert_eq!(run.code, Some(1));
    let run = check([]).args(["-"]).stdin(GOOD).run();
    assert_eq!((run.findings().len(), run.code), (0, Some(0)));
}

#[test]
fn json_is_judged_too() {
    let object =
        r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "dato": 1}"#;
    let run = check([]).args(["-"]).stdin(object).run();
    assert_eq!(run.findings(), ["schema/unknown-field <stdin>:1:70"]);
}

#[test]
fn an_environment_may_be_named() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  \
        containers: [{name: a, image: 'a:latest'}]\n";
    let run = check([]).args(["-", "--environment", "prod"]).stdin(pod).run();
    assert_eq!(run.findings(), ["production/latest-image-tag <stdin>:5:33"]);
    assert_eq!(run.json()["findings"][0]["environments"], serde_json::json!(["prod"]));
    let run = check([]).args(["-", "--environment", "dev"]).stdin(pod).run();
    assert_eq!((run.findings().len(), run.code), (0, Some(0)));
}

#[test]
fn a_pipe_without_an_object_does_not_pass() {
    for text in ["", "\n", "---\n# nothing\n", "replicas: 3\n"] {
        let run = Gate::new().args(["check", "-"]).stdin(text).run();
        assert_eq!(run.code, Some(2), "{text:?}");
        let failure = run.stdout.split("\n\n").next().unwrap();
        assert_eq!(
            failure,
            "  failure: standard input holds no object\n    \
             help: see whether the command before the pipe has failed"
        );
    }
}

#[test]
fn a_pipe_that_breaks_off_does_not_pass() {
    let run = check([]).args(["-"]).stdin("apiVersion: v1\nkind: ConfigMap\nmetadata: {nam").run();
    assert_eq!(run.findings().len(), 1);
    assert!(run.findings()[0].starts_with("yaml/syntax-error <stdin>:3:"), "{run:?}");
    assert_eq!(run.code, Some(1));
}

#[test]
fn it_stands_alone() {
    check([])
        .args(["-", "."])
        .run()
        .refuses("`-` stands alone: judge standard input and paths one by one");
}
