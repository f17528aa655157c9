//! `tidewaiter.yaml` and `--config`.

use crate::gate::{BOTH, ESCALATE, FILES, GOOD, Gate, check};

const OFF: &str = "enforcement:\n  - {rules: [rbac], set: off}\n";

#[test]
fn the_file_of_the_folder_holds() {
    let run = check(FILES).repo([("tidewaiter.yaml", OFF)]).run();
    assert_eq!(run.findings(), BOTH[1..]);
}

#[test]
fn a_file_above_the_path_holds_too() {
    let files = [("tidewaiter.yaml", OFF), ("a/b/role.yaml", ESCALATE), ("a/b/c.yaml", GOOD)];
    let gate = check(files).args(["a/b"]);
    // Without git, the folder of the path is the root, and nothing above it is read.
    std::fs::create_dir(gate.path().join(".git")).unwrap();
    let run = gate.run();
    assert_eq!((run.findings().len(), run.code), (0, Some(0)));
}

#[test]
fn config_names_another_file() {
    let run = check(FILES).repo([("ci/gate.yaml", OFF)]).args(["--config", "ci/gate.yaml"]).run();
    assert_eq!(run.findings(), BOTH[1..]);
}

#[test]
fn a_config_that_does_not_exist_is_refused() {
    let run = check(FILES).args(["--config", "nope.yaml"]).run();
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    let message = "error: cannot read the configuration `nope.yaml`: ";
    assert!(run.stderr.starts_with(message), "{}", run.stderr);
}

/// Returns the failure of a configuration, as it is printed.
fn failure(config: &str) -> String {
    let run =
        Gate::new().repo([("a.yaml", GOOD), ("tidewaiter.yaml", config)]).args(["check"]).run();
    assert_eq!(run.code, Some(2), "{run:?}");
    assert_eq!(run.stderr, "");
    run.stdout.split("\n\n").next().unwrap().to_owned()
}

#[test]
fn a_misspelt_key_is_refused_where_it_stands() {
    insta::assert_snapshot!(failure("enviroments: []\n"), @r"
      failure: the configuration is refused: unknown key `enviroments`
        at tidewaiter.yaml:1:1
        help: did you mean `environments`?
    ");
    insta::assert_snapshot!(failure("environments:\n  - name: prod\n    path: [a]\n"), @r"
      failure: the configuration is refused: unknown key `path`
        at tidewaiter.yaml:3:5
        help: did you mean `paths`?
    ");
}

#[test]
fn a_misspelt_rule_is_refused_where_it_stands() {
    insta::assert_snapshot!(
        failure("enforcement:\n  - rules: [schema, rbac/escalate-verbs]\n    set: warn\n"),
        @r"
      failure: the configuration is refused: there is no rule or category `rbac/escalate-verbs`
        at tidewaiter.yaml:2:21
        help: did you mean `rbac/escalate-verb`?
    "
    );
}

#[test]
fn a_version_that_is_not_known_is_refused() {
    let failure = failure("# Which one?\nkubernetes: \"1.4\"\n");
    let start = "  failure: the configuration is refused: Kubernetes 1.4 is not known\n    \
        at tidewaiter.yaml:2:13\n    help: this program knows 1.";
    assert!(failure.starts_with(start), "{failure}");
}

#[test]
fn a_refused_configuration_is_no_news_of_objects() {
    let run = Gate::new()
        .repo([("a.yaml", GOOD), ("tidewaiter.yaml", "enviroments: []\n")])
        .args(["check"])
        .run();
    insta::assert_snapshot!(run.stdout, @r"
      failure: the configuration is refused: unknown key `enviroments`
        at tidewaiter.yaml:1:1
        help: did you mean `environments`?

    judged 0 objects of 2 files in 0 roots for no known environment by 0 rules: 0 denied, 0 warnings, 0 not judged, 1 failure (exit 2: the configuration is refused, so nothing was judged)
    ");
}

#[test]
fn a_config_that_is_no_yaml_is_refused() {
    assert!(
        failure("environments: [\n").starts_with("  failure: the configuration cannot be read: ")
    );
}

#[test]
fn an_environment_may_enforce_more_than_another() {
    let config = "\
environments:
  - {name: prod, paths: [live]}
  - {name: dev, paths: [play]}
enforcement:
  - {rules: [rbac], set: warn, tier: non-production}
";
    let run = check([
        ("live/role.yaml", ESCALATE),
        ("play/role.yaml", ESCALATE),
        ("tidewaiter.yaml", config),
    ])
    .run();
    let report = run.json();
    let enforcements: Vec<_> =
        report["findings"].as_array().unwrap().iter().map(|it| &it["enforcement"]).collect();
    assert_eq!(enforcements, ["deny", "warn"]);
}
