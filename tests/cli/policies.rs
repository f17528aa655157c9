//! Rules of the user's own: `policies` in the configuration.

use crate::gate::{ESCALATE, GOOD, Gate, Run, check};

/// A rule `acme/missing-team` that finds a `ConfigMap` without a label, at its name.
const TEAM: &str = "\
# METADATA
# title: Object says not who owns it
# description: Whoever is called at night has to find its team.
# custom:
#   severity: medium
#   help: set the label `team`
#   kinds: [core/ConfigMap]
package tidewaiter.acme.missing_team

import data.tidewaiter.lib.acme

deny contains {\"msg\": msg, \"path\": [\"metadata\", \"name\"]} if {
\tnot acme.team
\tmsg := sprintf(\"%s `%s` has no label `team`\", [input.kind.kind, input.name])
}
";

const LIBRARY: &str = "package tidewaiter.lib.acme\n\nteam := input.object.metadata.labels.team\n";

const TESTS: &str = "package tidewaiter.acme.missing_team_test\n\nthis is no policy\n";

const CONFIG: &str = "policies: [rules]\n";

const FINDING: &str = "acme/missing-team a.yaml:4:9";

fn repo(config: &str) -> Gate {
    files(config).args(["check", "--format", "json"])
}

fn files(config: &str) -> Gate {
    Gate::new().repo([
        ("a.yaml", GOOD),
        ("tidewaiter.yaml", config),
        ("rules/team.rego", TEAM),
        ("rules/team_test.rego", TESTS),
        ("rules/cases.md", "# Cases\n"),
        ("rules/lib/acme.rego", LIBRARY),
    ])
}

/// Returns the first failure of a run that is refused, as people read it.
fn failure(gate: Gate) -> String {
    let run = gate.args(["check"]).run();
    assert_eq!(run.code, Some(2), "{run:?}");
    let text = run.stdout.split("\n\n").next().unwrap().to_owned();
    assert!(
        run.stdout.ends_with("(exit 2: the configuration is refused, so nothing was judged)\n")
    );
    assert!(!run.stdout.contains("NO OBJECT"), "{}", run.stdout);
    text
}

#[test]
fn a_rule_of_the_user_is_a_rule_like_any_other() {
    let run = repo(CONFIG).args(["--output", "sarif=out.sarif"]).run();
    assert_eq!((run.findings(), run.code), (vec![FINDING.to_owned()], Some(1)));
    let finding = &run.json()["findings"][0];
    assert_eq!(finding["message"], "ConfigMap `good` has no label `team`");
    assert_eq!(
        (&finding["severity"], &finding["help"]),
        (&"medium".into(), &"set the label `team`".into())
    );
    let sarif: serde_json::Value = serde_json::from_str(&run.file("out.sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "acme/missing-team");
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(rules.iter().any(|rule| rule["id"] == "acme/missing-team"));
}

#[test]
fn a_rule_of_the_user_can_be_named_everywhere() {
    for more in [
        "enforcement: [{rules: [acme/missing-team], set: warn}]\n",
        "enforcement: [{rules: [acme], set: off}]\n",
        "waivers: [{rules: [acme], objects: [{name: good}], reason: known}]\n",
    ] {
        assert_eq!(repo(&format!("{CONFIG}{more}")).run().code, Some(0), "{more}");
    }
    let skipped = repo(CONFIG).args(["--skip", "acme/missing-team"]).run();
    assert_eq!((skipped.findings().len(), skipped.code), (0, Some(0)));
    let only = repo(CONFIG).args(["--only", "acme"]).run();
    assert_eq!(only.findings(), [FINDING]);
    // Without the configuration there is no such rule.
    check([("a.yaml", GOOD)])
        .args(["--only", "acme"])
        .run()
        .refuses("there is no rule or category `acme`");
}

#[test]
fn a_single_file_may_be_named_and_named_twice() {
    let run = repo("policies: [rules/team.rego, rules/lib, ./rules]\n").run();
    assert_eq!(run.findings(), [FINDING]);
}

#[test]
fn a_folder_above_the_path_is_read_too() {
    let gate = check([
        ("apps/a.yaml", GOOD),
        ("tidewaiter.yaml", CONFIG),
        ("rules/team.rego", TEAM),
        ("rules/acme.rego", LIBRARY),
    ])
    .args(["apps"]);
    std::fs::create_dir(gate.path().join(".git")).unwrap();
    assert_eq!(gate.run().findings(), ["acme/missing-team apps/a.yaml:4:9"]);
}

#[test]
fn a_configuration_elsewhere_brings_its_own_policies() {
    let elsewhere = Gate::new().repo([
        ("tidewaiter.yaml", CONFIG),
        ("rules/team.rego", TEAM),
        ("rules/acme.rego", LIBRARY),
    ]);
    let config = elsewhere.path().join("tidewaiter.yaml");
    let arguments = ["--config", config.to_str().unwrap()];
    // Files of the repository that are called the same do not stand in for them.
    let weak = TEAM.replace("not acme.team", "false");
    let files = [
        ("a.yaml", GOOD),
        ("tidewaiter.yaml", "enforcement: [{rules: [acme], set: off}]\n"),
        ("rules/team.rego", &*weak),
    ];
    let run = check(files).args(arguments).run();
    assert_eq!(run.findings(), [FINDING]);
    let stdin = Gate::new().args(["check", "-", "--format", "json"]).args(arguments).stdin(GOOD);
    assert_eq!(stdin.run().findings(), ["acme/missing-team <stdin>:4:9"]);
}

#[test]
fn a_configuration_elsewhere_is_refused_at_its_own_place() {
    let elsewhere = Gate::new().repo([("gate/tidewaiter.yaml", "polices: []\n")]);
    let folder = elsewhere.path().canonicalize().unwrap();
    let config = folder.join("gate/tidewaiter.yaml");
    let config = config.to_str().unwrap();
    let run = Gate::new().repo([("a.yaml", GOOD)]).args(["check", "--config", config]).run();
    assert_eq!(run.code, Some(2));
    assert!(run.stdout.contains(&format!("    at {config}:1:1\n")), "{}", run.stdout);
}

#[test]
fn what_is_wrong_with_a_policy_refuses_the_run_at_its_line() {
    let with = |from: &str, to: &str| {
        assert!(TEAM.contains(from));
        files(CONFIG).repo([("rules/team.rego", &*TEAM.replace(from, to))])
    };
    insta::assert_snapshot!(failure(with("acme.team", "acme.teem")), @r"
      failure: a policy is refused: `data.tidewaiter.lib.acme.teem` is neither a rule nor a package of
        the bundle
        at rules/team.rego:13:6
        help: did you mean `data.tidewaiter.lib.acme.team`?
    ");
    insta::assert_snapshot!(failure(with("severity: medium", "severity: bad")), @r"
      failure: a policy is refused: `severity` is `low`, `medium`, `high` or `critical`
        at rules/team.rego:5:15
    ");
    insta::assert_snapshot!(
        failure(with("tidewaiter.acme.missing_team", "tidewaiter.rbac.bind_verb")),
        @r"
      failure: a policy is refused: the package `tidewaiter.rbac.bind_verb` is built in
        at rules/team.rego:8:9
        help: give yours another name; `enforcement` in the configuration changes what a rule does
    "
    );
    insta::assert_snapshot!(failure(with("sprintf(", "sprintf((")), @r"
      failure: a policy is refused: expecting `in` while parsing membership expression
        at rules/team.rego:14:78
    ");
}

#[test]
fn policies_that_are_not_there_refuse_the_run_where_they_are_named() {
    insta::assert_snapshot!(failure(files("policies:\n  - rule\n")), @r"
      failure: the policies cannot be read: `rule` does not exist
        at tidewaiter.yaml:2:5
    ");
    insta::assert_snapshot!(failure(files("policies: [../rules]\n")), @r"
      failure: the configuration is refused: `../rules` leads out of the folder of the configuration
        at tidewaiter.yaml:1:12
        help: name a folder or a file below it
    ");
}

#[cfg(unix)]
#[test]
fn policies_do_not_leave_the_repository_through_a_link() {
    let outside = Gate::new().repo([("team.rego", TEAM)]);
    let gate = Gate::new().repo([("a.yaml", GOOD), ("tidewaiter.yaml", CONFIG)]);
    std::os::unix::fs::symlink(outside.path(), gate.path().join("rules")).unwrap();
    insta::assert_snapshot!(failure(gate), @r"
      failure: the policies cannot be read: `rules` leads out of the folder that it belongs to
        at tidewaiter.yaml:1:12
    ");
}

#[test]
fn an_evaluation_that_fails_closes_the_gate() {
    let broken = TEAM.replace("not acme.team", "sum(input.object.metadata.name) > 0");
    let broken = broken.replace("import data.tidewaiter.lib.acme\n", "");
    let run = repo(CONFIG).repo([("rules/team.rego", &*broken)]).run();
    assert_eq!((run.findings().len(), run.code), (0, Some(2)));
    let failure = &run.json()["failures"][0];
    assert_eq!(failure["rule"], "acme/missing-team");
    let reason = failure["reason"].as_str().unwrap();
    assert!(reason.ends_with("(rules/team.rego:12:27)"), "{reason}");
}

#[test]
fn the_lists_of_rules_know_a_configuration() {
    let run = |arguments: &[&str]| -> Run {
        Gate::new()
            .repo([
                ("tidewaiter.yaml", CONFIG),
                ("rules/team.rego", TEAM),
                ("rules/acme.rego", LIBRARY),
            ])
            .args(arguments.iter().copied())
            .run()
    };
    let line = "acme/missing-team ";
    let rules = run(&["rules", "--config", "tidewaiter.yaml"]);
    assert!(rules.stdout.starts_with(line), "{}", rules.stdout);
    assert!(!run(&["rules"]).stdout.contains(line));
    let explained = run(&["explain", "acme/missing-team", "--config", "tidewaiter.yaml"]);
    assert_eq!(explained.code, Some(0), "{explained:?}");
    assert!(explained.stdout.contains("Whoever is called at night"), "{}", explained.stdout);
    assert!(!explained.stdout.contains("since"), "{}", explained.stdout);
    run(&["explain", "acme/missing-team"])
        .refuses("there is no rule `acme/missing-team`; `tidewaiter rules` lists them");
}

/// A request to create the object of [`GOOD`].
const REQUEST: &str = r#"{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request":
{"uid": "1", "operation": "CREATE", "userInfo": {"username": "alice"}, "name": "good",
"kind": {"group": "", "version": "v1", "kind": "ConfigMap"}, "namespace": "apps",
"object": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "good", "namespace": "apps"}}}}"#;

fn review<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Gate {
    Gate::new().repo(files).args(["review", "--config", "tidewaiter.yaml"]).stdin(REQUEST)
}

#[test]
fn the_cluster_has_the_same_rules() {
    let files =
        [("tidewaiter.yaml", CONFIG), ("rules/team.rego", TEAM), ("rules/acme.rego", LIBRARY)];
    let run = review(files).run();
    assert_eq!(run.code, Some(1), "{run:?}");
    let response = &run.json()["response"];
    assert_eq!(
        response["status"]["message"],
        "[acme/missing-team] ConfigMap `good` has no label `team` (metadata.name); to mend it: \
         set the label `team`"
    );
    let digest = |text: &str| {
        let files =
            [("tidewaiter.yaml", CONFIG), ("rules/team.rego", text), ("rules/acme.rego", LIBRARY)];
        review(files).run().json()["response"]["auditAnnotations"]["gate-digest"].clone()
    };
    assert_eq!(digest(TEAM), response["auditAnnotations"]["gate-digest"]);
    assert_ne!(digest(&TEAM.replace("medium", "high")), digest(TEAM));
}

#[cfg(unix)]
#[test]
fn a_mounted_folder_is_read_through_its_links() {
    use std::os::unix::fs::symlink;
    let gate = review([
        ("..2026_01_01/tidewaiter.yaml", "policies: [.]\n"),
        ("..2026_01_01/team.rego", TEAM),
        ("..2026_01_01/acme.rego", LIBRARY),
    ]);
    symlink("..2026_01_01", gate.path().join("..data")).unwrap();
    for name in ["tidewaiter.yaml", "team.rego", "acme.rego"] {
        symlink(format!("..data/{name}"), gate.path().join(name)).unwrap();
    }
    let run = gate.run();
    assert_eq!(run.code, Some(1), "{run:?}");
}

#[test]
fn a_gate_with_a_bad_policy_does_not_begin() {
    let broken = TEAM.replace("deny contains", "denny contains");
    let gate = review([
        ("tidewaiter.yaml", CONFIG),
        ("rules/team.rego", &*broken),
        ("rules/acme.rego", LIBRARY),
    ]);
    let file = gate.path().canonicalize().unwrap().join("rules/team.rego");
    let message = format!(
        "{}:8:9: a policy is refused: the policy has no rule `deny` (write `deny contains \
         violation if {{…}}`)",
        file.display()
    );
    gate.run().refuses(&message);
}

#[test]
fn a_waiver_of_a_built_in_rule_holds_at_both_doors() {
    let config = "waivers:\n- rules: [rbac/escalate-verb]\n  objects: [{kind: Role, name: editor}]\n  \
                  reason: the operator needs it\n  expires: 2026-06-30\n";
    let request = |object: &str| {
        let object = object.replace('\n', "\n    ");
        format!(
            "apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\nrequest:\n  uid: a\n  \
             operation: CREATE\n  userInfo: {{username: alice}}\n  object:\n    {object}\n"
        )
    };
    for (day, code) in [("2026-06-30", 0), ("2026-07-01", 1)] {
        let files = [("role.yaml", ESCALATE), ("tidewaiter.yaml", config)];
        assert_eq!(check(files).args(["--now", day]).run().code, Some(code), "{day}");
        let run = Gate::new()
            .repo(files)
            .args(["review", "--config", "tidewaiter.yaml", "--now", day, "--explain"])
            .stdin(&request(ESCALATE))
            .run();
        assert_eq!(run.code, Some(code), "{run:?}");
        let answer = run.json();
        if code == 0 {
            let annotations = &answer["response"]["auditAnnotations"];
            assert_eq!(annotations["waived-rules"], "rbac/escalate-verb");
            let waived = &answer["waived"][0];
            assert_eq!(waived["waiver"]["reason"], "the operator needs it");
            assert_eq!(waived["waiver"]["location"]["line"], 2);
        } else {
            let message = answer["response"]["status"]["message"].as_str().unwrap();
            assert!(message.ends_with("; the waiver of this expired on 2026-06-30"), "{message}");
        }
    }
}
