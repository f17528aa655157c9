//! `waivers` in the configuration.

use crate::gate::{BOTH, BROKEN, ESCALATE, FILES, Gate, check};

const WAIVER: &str = "\
waivers:
  - rules: [rbac/escalate-verb]
    objects: [{kind: Role, name: editor}]
    reason: the operator needs it
    owner: team-platform
";

fn repo(config: &str) -> Gate {
    check(FILES).repo([("tidewaiter.yaml", config)])
}

#[test]
fn what_is_waived_no_longer_closes_the_gate() {
    let run = repo(WAIVER).args(["--only", "rbac"]).run();
    assert_eq!((run.findings().len(), run.code), (0, Some(0)));
    let report = run.json();
    assert_eq!(report["summary"]["waived"], 1);
    let waived = &report["waived"][0];
    assert_eq!(waived["finding"]["rule"], "rbac/escalate-verb");
    assert_eq!(waived["waiver"]["reason"], "the operator needs it");
    assert_eq!(waived["waiver"]["location"]["path"], "tidewaiter.yaml");
    let run = repo(WAIVER).run();
    assert_eq!((run.findings(), run.code), (vec![BOTH[1].to_owned()], Some(1)));
}

#[test]
fn people_read_one_line() {
    let run = Gate::new()
        .repo([("role.yaml", ESCALATE), ("tidewaiter.yaml", WAIVER)])
        .args(["check"])
        .run();
    let line = "\n1 finding waived by 1 waiver: tidewaiter.yaml:2:5\n";
    assert!(run.stdout.contains(line), "{}", run.stdout);
    assert!(run.stdout.contains(", 1 waived (exit 0: "), "{}", run.stdout);
}

#[test]
fn sarif_has_no_result_for_it() {
    let run = repo(WAIVER).args(["--output", "sarif=out.sarif"]).run();
    let sarif: serde_json::Value = serde_json::from_str(&run.file("out.sarif")).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let rules: Vec<_> = results.iter().map(|result| &result["ruleId"]).collect();
    assert_eq!(rules, ["schema/wrong-type"]);
}

#[test]
fn an_expired_waiver_waives_nothing_and_is_a_finding() {
    let config = format!("{WAIVER}    expires: 2026-06-30\n");
    let run = repo(&config).args(["--now", "2026-06-30"]).run();
    assert_eq!(run.findings(), BOTH[1..]);
    let run = repo(&config).args(["--now", "2026-07-01"]).run();
    assert_eq!(run.findings(), [BOTH[0], BOTH[1], "waiver/expired tidewaiter.yaml:6:14"]);
    let skipped = repo(&config).args(["--now", "2026-07-01", "--skip", "waiver"]).run();
    assert_eq!(skipped.findings(), BOTH);
}

#[test]
fn a_waiver_that_waives_nothing_is_named_where_everything_is_judged() {
    let config = WAIVER.replace("editor", "reader");
    let unused = "waiver/unused tidewaiter.yaml:2:5";
    assert_eq!(repo(&config).run().findings(), [BOTH[0], BOTH[1], unused]);
    let enforced = format!("{config}enforcement: [{{rules: [waiver], set: off}}]\n");
    assert_eq!(repo(&enforced).run().findings(), BOTH);
    // What is only a part proves nothing.
    for arguments in [["--only", "rbac,waiver"].as_slice(), &["--skip", "schema"], &["role.yaml"]] {
        let gate = repo(&config);
        std::fs::create_dir(gate.path().join(".git")).unwrap();
        let findings = gate.args(arguments.iter().copied()).run().findings();
        assert!(findings.contains(&BOTH[0].to_owned()), "{arguments:?}");
        assert!(!findings.contains(&unused.to_owned()), "{arguments:?}");
    }
    // Nor does a run in which something failed.
    let broken = repo(&config).repo([("k/kustomization.yaml", BROKEN)]).run();
    assert_eq!(broken.findings(), BOTH);
}

#[test]
fn a_policy_for_waivers_is_held() {
    let config = format!("waiverPolicy: {{maxDays: 30}}\n{WAIVER}    expires: 2026-06-30\n");
    let run = repo(&config).args(["--now", "2026-06-01"]).run();
    assert_eq!(run.findings(), BOTH[1..]);
    let run = repo(&config).args(["--now", "2026-05-01"]).run();
    assert_eq!(run.findings(), [BOTH[1], "waiver/long-lifetime tidewaiter.yaml:7:14"]);
    let required = format!("waiverPolicy: {{require: [expires]}}\n{WAIVER}");
    let run = Gate::new()
        .repo([("role.yaml", ESCALATE), ("tidewaiter.yaml", &*required)])
        .args(["check"])
        .run();
    assert_eq!(run.code, Some(2));
    insta::assert_snapshot!(run.stdout, @r"
      failure: the configuration is refused: the waiver has no `expires`
        at tidewaiter.yaml:3:5
        help: `waiverPolicy` here requires it

    judged 0 objects of 2 files in 0 roots for no known environment by 0 rules: 0 denied, 0 warnings, 0 not judged, 1 failure (exit 2: the configuration is refused, so nothing was judged)
    ");
}

const ENVIRONMENTS: &str = "\
environments:
  - {name: prod, paths: [live]}
  - {name: dev, paths: [play]}
waivers:
  - {rules: [rbac], environments: [dev], reason: a playground}
";

fn two_environments(config: &str) -> Gate {
    check([
        ("base/role.yaml", ESCALATE),
        ("base/kustomization.yaml", "resources: [role.yaml]\n"),
        ("live/kustomization.yaml", "namespace: shop\nresources: [../base]\n"),
        ("play/kustomization.yaml", "namespace: toys\nresources: [../base]\n"),
        ("tidewaiter.yaml", config),
    ])
}

#[test]
fn a_waiver_for_one_environment_leaves_the_other() {
    let report = two_environments(ENVIRONMENTS).run().json();
    let [left] = report["findings"].as_array().unwrap().as_slice() else { panic!("{report}") };
    let [waived] = report["waived"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!(left["environments"], serde_json::json!(["prod"]));
    assert_eq!(left["object"]["namespace"], "shop");
    assert_eq!(waived["finding"]["environments"], serde_json::json!(["dev"]));
    assert_eq!(waived["finding"]["object"]["namespace"], "toys");
    assert_eq!(left["fingerprint"], waived["finding"]["fingerprint"]);
}

#[test]
fn the_namespace_that_an_overlay_sets_can_be_named() {
    let config = ENVIRONMENTS.replace("environments: [dev]", "objects: [{namespace: toys}]");
    let report = two_environments(&config).run().json();
    assert_eq!(report["findings"][0]["environments"], serde_json::json!(["prod"]));
    assert_eq!(report["waived"][0]["finding"]["environments"], serde_json::json!(["dev"]));
}

#[test]
fn an_environment_that_is_not_there_is_named_with_the_near_one() {
    let config = ENVIRONMENTS.replace("[dev]", "[dve]")
        + "enforcement:\n  - {rules: [schema], set: warn, environments: [production-eu]}\n";
    let report = two_environments(&config).run().json();
    let told: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["rule"] == "config/unknown-environment")
        .map(|it| (it["message"].as_str().unwrap(), it["help"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("there is no environment `dve` here", "did you mean `dev`?"),
            ("there is no environment `production-eu` here", "there are dev, prod"),
        ]
    );
    let partial = two_environments(&config).args(["--environment", "prod"]).run();
    assert!(!partial.stdout.contains("config/unknown-environment"), "{}", partial.stdout);
}

#[test]
fn a_secret_that_is_waived_stays_hidden() {
    let secret = ["hunter2-", "correct-horse"].concat();
    let manifest = format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: {secret}\n"
    );
    let config = "waivers:\n- {rules: [secrets], objects: [{kind: Secret}], reason: a test}\n";
    for format in ["human", "json", "sarif"] {
        let run = Gate::new()
            .repo([("secret.yaml", &*manifest), ("tidewaiter.yaml", config)])
            .args(["check", "--format", format])
            .run();
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(!run.stdout.contains(&secret), "{}", run.stdout);
    }
}
