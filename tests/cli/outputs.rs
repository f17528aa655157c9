//! Where reports go and how they look.

use crate::gate::{BOTH, BROKEN, ESCALATE, FILES, Gate, Run, check};

fn human() -> Gate {
    Gate::new().repo(FILES).args(["check"])
}

#[test]
fn a_whole_report() {
    let gate = Gate::new().repo([("role.yaml", ESCALATE)]);
    let run = gate.args(["check"]).run();
    // The number of the rules grows.
    let (report, end) = run.stdout.rsplit_once(" by ").unwrap();
    insta::assert_snapshot!(report, @r#"
      error[rbac/escalate-verb] (critical): Role `editor` may write roles that allow more than it does
       ╭─[role.yaml:8:13]
     7 │     resources: [roles]
     8 │     verbs: [escalate]
       ·             ────────
       ╰────
      object: Role editor (rbac.authorization.k8s.io/v1)
      field:  rules[0].verbs[0]
      why:    The API server lets nobody write a role that allows more than its author may do, unless
              the author has the verb `escalate`
      help:   remove `escalate`: the roles that a controller writes may not exceed its own

    rule                 denied  warnings
    rbac/escalate-verb        1         0

    no environment is known: judged for Kubernetes 1.37

    judged 1 object of 1 file in 0 roots for no known environment
    "#);
    let verdict = " rules: 1 denied, 0 warnings, 0 not judged (exit 1: something was denied)\n";
    assert!(end.ends_with(verdict), "{end}");
}

/// Returns what the published schema says against a report.
fn complaints(run: &Run) -> Vec<String> {
    let schema = include_str!("../../schemas/output/report-v1.json");
    let schema = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.iter_errors(&run.json()).map(|error| error.to_string()).collect()
}

#[test]
fn json_follows_its_schema() {
    assert_eq!(complaints(&check(FILES).run()), [""; 0]);
    let broken = check(FILES).repo([("k/kustomization.yaml", BROKEN)]).run();
    assert_eq!(complaints(&broken), [""; 0]);
    let refused = check(FILES).repo([("tidewaiter.yaml", "a: 1\n")]).run();
    assert_eq!(complaints(&refused), [""; 0]);
    assert_eq!(complaints(&check([]).run()), [""; 0]);
}

#[test]
fn sarif_has_the_findings() {
    let run = Gate::new().repo(FILES).args(["check", "--format", "sarif"]).run();
    let log = run.json();
    assert_eq!(log["version"], "2.1.0");
    let results = log["runs"][0]["results"].as_array().unwrap();
    let rules: Vec<&str> = results.iter().map(|it| it["ruleId"].as_str().unwrap()).collect();
    assert_eq!(rules, ["rbac/escalate-verb", "schema/wrong-type"]);
}

#[test]
fn output_may_be_repeated_and_writes_what_format_prints() {
    let run = human()
        .args(["--output", "json=report.json", "--output", "sarif=out.sarif"])
        .args(["--output", "human=report.txt"])
        .run();
    assert_eq!(run.code, Some(1));
    assert_eq!(run.file("report.txt"), run.stdout);
    for (format, path) in [("json", "report.json"), ("sarif", "out.sarif")] {
        let printed = Gate::new().repo(FILES).args(["check", "--format", format]).run();
        assert_eq!(run.file(path), printed.stdout, "{format}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_a_failure() {
    let run = human().args(["--output", "json=no/such/folder.json"]).run();
    assert_eq!(run.code, Some(2));
    let message = "error: cannot write `no/such/folder.json`: ";
    assert!(run.stderr.starts_with(message), "{}", run.stderr);
    assert!(!run.path("no").exists());
    human().args(["--output", "report.json"]).run().refuses(
        "invalid value 'report.json' for '--output <FORMAT=PATH>': write FORMAT=PATH, e.g. \
         `sarif=results.sarif`",
    );
}

#[test]
fn an_unknown_format_is_refused() {
    human().args(["--format", "xml"]).run().refuses(
        "invalid value 'xml' for '--format <FORMAT>': `xml` is not a format: write `human`, \
         `json`, `sarif`, `annotations` or `markdown`",
    );
}

#[test]
fn colors_are_used_where_they_are_wanted() {
    let colored = |gate: Gate| gate.run().stdout.contains('\x1b');
    assert!(!colored(human()));
    assert!(colored(human().args(["--color", "always"])));
    assert!(colored(human().variable("FORCE_COLOR", "1")));
    assert!(!colored(human().variable("FORCE_COLOR", "0")));
    assert!(!colored(human().variable("FORCE_COLOR", "1").variable("NO_COLOR", "1")));
    assert!(!colored(human().variable("FORCE_COLOR", "1").args(["--color", "never"])));
    // Who asks outright is not overruled.
    assert!(colored(human().variable("NO_COLOR", "1").args(["--color", "always"])));
    assert!(!colored(check(FILES).args(["--color", "always"])));
}

#[test]
fn colors_change_nothing_else() {
    let colored = human().args(["--color", "always"]).run().stdout;
    let mut plain = String::new();
    for (at, part) in colored.split("\x1b[").enumerate() {
        plain.push_str(if at == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_eq!(plain, human().run().stdout);
}

#[test]
fn forty_columns_are_enough() {
    let run = human().variable("COLUMNS", "40").run();
    let too_long = |line: &&str| {
        let last = line.starts_with("judged ");
        line.chars().count() > 40 && !last
    };
    assert_eq!(run.stdout.lines().filter(too_long).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(run.code, Some(1));
}

#[test]
fn paths_start_at_the_working_directory() {
    let gate = Gate::new().repo([("a/role.yaml", ESCALATE), ("b/c.txt", "")]);
    let run = gate.args(["check", "a"]).run();
    assert!(run.stdout.contains("[a/role.yaml:8:13]"), "{}", run.stdout);
    assert_eq!(check(FILES).run().findings(), BOTH);
}

#[test]
fn places_of_the_markdown_report_are_links_where_the_files_can_be_read() {
    let url = "https://git.example.com/o/r/blob/0a1b";
    let run = human().args(["--format", "markdown", "--source-url", url]).run();
    assert_eq!(run.code, Some(1));
    let link = format!("<a href=\"{url}/role.yaml#L8\"><code>role.yaml:8</code></a>");
    assert!(run.stdout.contains(&link), "{}", run.stdout);
    let run = human().args(["--source-url", "javascript:alert(1)"]).run();
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("write an address like `https://"), "{}", run.stderr);
}

#[test]
fn annotations_are_commands_of_a_runner() {
    let run = human().args(["--format", "annotations"]).run();
    assert_eq!(run.code, Some(1));
    let starts: Vec<&str> =
        run.stdout.lines().filter_map(|it| it.split(",title=").next()).collect();
    assert_eq!(
        starts,
        [
            "::error file=role.yaml,line=8,endLine=8,col=13,endColumn=21",
            "::error file=settings.yaml,line=6,endLine=6,col=12,endColumn=13",
        ]
    );
}
