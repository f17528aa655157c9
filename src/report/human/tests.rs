//! Whole reports, as they are read.

use super::super::fixture::{PLAIN, Repo, full, rule};
use super::super::{Format, Style};
use crate::document::{FieldPath, ObjectRef};
use crate::finding::{Failure, Finding};
use crate::judge::NotJudged;
use crate::rule::Enforcement;
use crate::source::RepoPath;

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  template:
    spec:
      containers:
        - name: web
          image: nginx:latest
";

fn web() -> ObjectRef {
    ObjectRef {
        api_version: "apps/v1".into(),
        kind: "Deployment".into(),
        namespace: Some("shop".into()),
        name: "web".into(),
    }
}

#[test]
fn a_whole_report() {
    insta::assert_snapshot!(full().human(), @r#"
      error[rbac/wildcard-verb] (high): Role `web` grants every verb on `pods`
       ╭─[apps/web/role.yaml:8:13]
     7 │   - apiGroups: [""]
     8 │     verbs: ["*"]
       ·             ─┬─
       ·              ╰── every verb, those of later versions included
     9 │     resources: [pods]
       ╰────
        ╭─[clusters/prod/binding.yaml:10:11]
      9 │   - kind: ServiceAccount
     10 │     name: default
        ·           ───┬───
        ·              ╰── bound to every pod of the namespace
        ╰────
      object: Role shop/web (rbac.authorization.k8s.io/v1)
      field:  rules[0].verbs[0]
      in:     prod, stage
      why:    The first sentence says why
      help:   list the verbs that the workload needs

      warning[schema/unknown-field] (high): unknown field `roleref` in RoleBinding
       ╭─[clusters/prod/binding.yaml:5:1]
     4 │   name: web
     5 │ roleref:
       · ───────
     6 │   kind: Role
       ╰────
      field:  roleref
      why:    The first sentence says why
      help:   the help of the rule

      failure[rbac/wildcard-verb]: evaluation took longer than 1 s
        at clusters/prod/binding.yaml:8:1

      failure: the policy bundle `extra` cannot be read

    rule                   denied  warnings
    rbac/wildcard-verb          1         0
    schema/unknown-field        0         1

    not judged
      1 failed: the base `../missing` does not exist
        - overlays/dev
      7 the template of a chart is no manifest before it is rendered
        - charts/web/templates/1.yaml
        - charts/web/templates/2.yaml
        - charts/web/templates/3.yaml
        - charts/web/templates/4.yaml
        - charts/web/templates/5.yaml
        … and 2 more

    read, but no objects of their own: 1 patch

    environments
      prod (production): 7 objects, Kubernetes 1.37
      stage (non-production): 7 objects, Kubernetes 1.37 (newest known, no version
        given)

    schemas: 2 objects by embedded definitions

    judged 14 objects of 2 files in 2 roots for 2 environments by 38 rules: 1 denied, 1 warning, 8 not judged, 2 failures (exit 1: something was denied)
    "#);
}

#[test]
fn a_missing_field_points_at_where_it_belongs() {
    let mut repo = Repo::default();
    repo.file("apps/web/deployment.yaml", DEPLOYMENT);
    let meta = rule("workload/missing-limits");
    repo.rule(&meta);
    let finding = Finding::new(
        &meta,
        repo.span("apps/web/deployment.yaml", "- name: web\n          image: nginx:latest\n"),
        "container `web` has no memory limit",
    )
    .with_object(Some(web()))
    .with_path(
        FieldPath::from(["spec", "template", "spec", "containers"]).index(0).key("resources"),
    )
    .with_note("no `resources.limits.memory` here");
    repo.judge(finding, Enforcement::Warn);
    repo.verdict.summary.objects = 1;
    insta::assert_snapshot!(repo.human(), @r"
      warning[workload/missing-limits] (high): container `web` has no memory limit
        ╭─[apps/web/deployment.yaml:10:9]
      9 │           containers:
     10 │ ╭─▶         - name: web
     11 │ ├─▶           image: nginx:latest
        · ╰──── no `resources.limits.memory` here
        ╰────
      object: Deployment shop/web (apps/v1)
      field:  spec.template.spec.containers[0].resources
      why:    The first sentence says why
      help:   the help of the rule

    rule                      denied  warnings
    workload/missing-limits        0         1

    judged 1 object of 1 file in 0 roots for no known environment by 0 rules: 0 denied, 1 warning, 0 not judged (exit 0: everything was judged, nothing denied)
    ");
}

#[test]
fn a_secret_is_masked_where_it_is_found_and_beside_other_findings() {
    let value = ["correct", "horse", "battery"].join("-");
    let mut repo = Repo::default();
    repo.file(
        "app.yaml",
        &format!("data:\n  user: me\n  password: {value} # {value}\n  port: eighty\n"),
    );
    let secret = rule("secrets/plaintext-password");
    let schema = rule("schema/wrong-type");
    repo.rule(&secret);
    repo.rule(&schema);
    let finding = Finding::new(&secret, repo.span("app.yaml", &value), "a password in plain text")
        .with_note("23 characters")
        .with_path(FieldPath::from(["data", "password"]));
    repo.judge(finding, Enforcement::Deny);
    let finding = Finding::new(
        &schema,
        repo.span("app.yaml", "eighty"),
        format!("`eighty` is no number, and neither is `{value}`"),
    );
    repo.judge(finding, Enforcement::Deny);
    repo.verdict.summary.objects = 1;
    let written = repo.human();
    assert!(!written.contains(&value));
    insta::assert_snapshot!(written, @r"
      error[secrets/plaintext-password] (high): a password in plain text
       ╭─[app.yaml:3:13]
     3 │   password: •••••••• # ••••••••
       ·             ────┬───
       ·                 ╰── 23 characters
       ╰────
      field:  data.password
      why:    The first sentence says why
      help:   the help of the rule

      error[schema/wrong-type] (high): `eighty` is no number, and neither is
      │ `[redacted]`
       ╭─[app.yaml:4:9]
     3 │   password: •••••••• # ••••••••
     4 │   port: eighty
       ·         ──────
       ╰────
      why:    The first sentence says why
      help:   the help of the rule

    rule                         denied  warnings
    schema/wrong-type                 1         0
    secrets/plaintext-password        1         0

    judged 1 object of 1 file in 0 roots for no known environment by 0 rules: 2 denied, 0 warnings, 0 not judged (exit 1: something was denied)
    ");
    let ascii = repo.write(Format::Human, Style { unicode: false, ..PLAIN });
    assert!(ascii.is_ascii() && ascii.contains("password: ********"), "{ascii}");
}

#[test]
fn findings_that_are_alike_are_folded() {
    let mut repo = Repo::default();
    let lines: Vec<String> = (1..=14).map(|n| format!("verb{n:02}: \"*\"\n")).collect();
    repo.file("role.yaml", &lines.concat());
    let meta = rule("rbac/wildcard-verb");
    repo.rule(&meta);
    for n in 1..=14 {
        let span = repo.span("role.yaml", &format!("verb{n:02}"));
        repo.judge(Finding::new(&meta, span, format!("verb {n}")), Enforcement::Deny);
    }
    repo.verdict.summary.objects = 1;
    let written = repo.human();
    assert_eq!(written.matches("error[rbac/wildcard-verb]").count(), 10);
    let (_, end) = written.split_once("verb 10\n").unwrap();
    insta::assert_snapshot!(end, @r#"
        ╭─[role.yaml:10:1]
      9 │ verb09: "*"
     10 │ verb10: "*"
        · ──────
     11 │ verb11: "*"
        ╰────
      help:   the help of the rule

      … and 4 more errors of rbac/wildcard-verb in this file (lines 11, 12, 13,
        14)

    rule                 denied  warnings
    rbac/wildcard-verb       14         0

    judged 1 object of 1 file in 0 roots for no known environment by 0 rules: 14 denied, 0 warnings, 0 not judged (exit 1: something was denied)
    "#);
}

#[test]
fn nothing_found_says_what_was_judged() {
    let mut repo = Repo::default();
    repo.file("app.yaml", DEPLOYMENT);
    repo.environment("prod", "production", false);
    let summary = &mut repo.verdict.summary;
    (summary.documents, summary.objects, summary.roots, summary.rules) = (1, 1, 1, 38);
    insta::assert_snapshot!(repo.human(), @r"
    no findings

    environments
      prod (production): 7 objects, Kubernetes 1.37 (newest known, no version
        given)

    judged 1 object of 1 file in 1 root for 1 environment by 38 rules: 0 denied, 0 warnings, 0 not judged (exit 0: everything was judged, nothing denied)
    ");
}

#[test]
fn nothing_judged_is_said_loudly() {
    insta::assert_snapshot!(Repo::default().human(), @r"
    no findings

    NOTHING WAS JUDGED: no file was read

    judged 0 objects of 0 files in 0 roots for no known environment by 0 rules: 0 denied, 0 warnings, 0 not judged (exit 0: nothing was judged)
    ");
}

#[test]
fn files_without_an_object_are_said_loudly() {
    let mut repo = Repo::default();
    repo.file("values.yaml", "replicas: 3\n");
    repo.verdict.summary.not_judged.push(NotJudged {
        path: RepoPath::new("values.yaml"),
        span: None,
        reason: "the document has no `apiVersion` and no `kind`".to_owned(),
        failure: false,
    });
    insta::assert_snapshot!(repo.human(), @r"
    no findings

    not judged
      1 the document has no `apiVersion` and no `kind`
        - values.yaml

    NO OBJECT WAS JUDGED: nothing in 1 file is an object that would be applied

    judged 0 objects of 1 file in 0 roots for no known environment by 0 rules: 0 denied, 0 warnings, 1 not judged (exit 0: no object was judged)
    ");
}

#[test]
fn failures_close_the_gate() {
    let mut repo = Repo::default();
    repo.file("app.yaml", DEPLOYMENT);
    repo.verdict.summary.objects = 1;
    repo.verdict.failures.push(Failure {
        rule: Some("policy/custom".parse().unwrap()),
        span: Some(repo.span("app.yaml", "spec")),
        reason: "the rule ran for longer than 10 s on this object and was stopped, so that it is \
                 not known what it would have said"
            .to_owned(),
        help: None,
    });
    insta::assert_snapshot!(repo.human(), @r"
      failure[policy/custom]: the rule ran for longer than 10 s on this object and
        was stopped, so that it is not known what it would have said
        at app.yaml:6:1

    no findings

    judged 1 object of 1 file in 0 roots for no known environment by 0 rules: 0 denied, 0 warnings, 0 not judged, 1 failure (exit 2: something could not be judged)
    ");
}

#[test]
fn forty_columns_are_enough() {
    let mut repo = full();
    repo.prefix = "..".to_owned();
    let narrow = repo.write(Format::Human, Style { width: 20, ..PLAIN });
    insta::assert_snapshot!(narrow, @r#"
      error[rbac/wildcard-verb] (high):
      │ Role `web` grants every verb on
      │ `pods`
       ╭─[../apps/web/role.yaml:8:13]
     7 │   - apiGroups: [""]
     8 │     verbs: ["*"]
       ·             ───
     9 │     resources: [pods]
       ╰────
        ╭─[../clusters/prod/binding.yaml:10:11]
      9 │   - kind: ServiceAccount
     10 │     name: default
        ·           ───────
        ╰────
      note:   line 8: every verb, those of
              later versions included
      note:   line 10: bound to every pod of
              the namespace
      object: Role shop/web
              (rbac.authorization.k8s.io/v1)
      field:  rules[0].verbs[0]
      in:     prod, stage
      why:    The first sentence says why
      help:   list the verbs that the
              workload needs

      warning[schema/unknown-field] (high):
      │ unknown field `roleref` in
      │ RoleBinding
       ╭─[../clusters/prod/binding.yaml:5:1]
     4 │   name: web
     5 │ roleref:
       · ───────
     6 │   kind: Role
       ╰────
      field:  roleref
      why:    The first sentence says why
      help:   the help of the rule

      failure[rbac/wildcard-verb]:
        evaluation took longer than 1 s
        at ../clusters/prod/binding.yaml:8:1

      failure: the policy bundle `extra`
        cannot be read

    rule                 denied  warnings
    rbac/wildcard-verb        1         0
    schema/unknown-fie
    ld                        0         1

    not judged
      1 failed: the base `../missing` does
        not exist
        - ../overlays/dev
      7 the template of a chart is no
        manifest before it is rendered
        - ../charts/web/templates/1.yaml
        - ../charts/web/templates/2.yaml
        - ../charts/web/templates/3.yaml
        - ../charts/web/templates/4.yaml
        - ../charts/web/templates/5.yaml
        … and 2 more

    read, but no objects of their own: 1
      patch

    environments
      prod (production): 7 objects,
        Kubernetes 1.37
      stage (non-production): 7 objects,
        Kubernetes 1.37 (newest known, no
        version given)

    schemas: 2 objects by embedded
      definitions

    judged 14 objects of 2 files in 2 roots for 2 environments by 38 rules: 1 denied, 1 warning, 8 not judged, 2 failures (exit 1: something was denied)
    "#);
    // Paths and the last line are for copying: they are never broken.
    let lines: Vec<&str> = narrow.trim_end().lines().collect();
    let (_, lines) = lines.split_last().unwrap();
    for line in lines.iter().filter(|line| !line.contains(".yaml")) {
        assert!(line.chars().count() <= 40, "{line}");
    }
}

#[test]
fn color_and_links_come_only_when_asked_for() {
    assert!(!full().human().contains('\u{1b}'));
    let color = full().write(Format::Human, Style { color: true, ..PLAIN });
    assert!(color.contains("\u{1b}[31;1merror[rbac/wildcard-verb]"), "{color:?}");
    assert!(!color.contains("\u{1b}]8;;"));
    let links = full().write(Format::Human, Style { links: true, ..PLAIN });
    let link =
        "  see:    \u{1b}]8;;https://example.com/practice\u{1b}\\Good practice\u{1b}]8;;\u{1b}\\\n";
    assert!(links.contains(link), "{links:?}");
}

#[test]
fn long_lines_and_long_spans_are_cut() {
    let mut repo = Repo::default();
    let long = format!("a: {{b: {}, image: 'nginx', c: {}}}\n", "x".repeat(5000), "y".repeat(5000));
    repo.file("flow.yaml", &long);
    repo.file("block.yaml", &format!("spec:\n{}", "  key: value\n".repeat(30)));
    let meta = rule("workload/latest-image");
    repo.rule(&meta);
    let finding = Finding::new(&meta, repo.span("flow.yaml", "'nginx'"), "no tag");
    repo.judge(finding.with_note("no tag and no digest"), Enforcement::Warn);
    let all = format!("spec:\n{}", "  key: value\n".repeat(30));
    let finding = Finding::new(&meta, repo.span("block.yaml", &all), "no image");
    repo.judge(finding, Enforcement::Warn);
    repo.verdict.summary.objects = 1;
    insta::assert_snapshot!(repo.human(), @r"
      warning[workload/latest-image] (high): no tag
       ╭─[flow.yaml:1:5017]
     1 │ …xxxxxxxxxxxxxx, image: 'nginx', c: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
       ·                         ───┬───
       ·                            ╰── no tag and no digest
       ╰────
      why:    The first sentence says why
      help:   the help of the rule

      warning[workload/latest-image] (high): no image
       ╭─[block.yaml:1:1]
     1 │ spec:
       · ──┬──
       ·   ╰── to line 31
     2 │   key: value
       ╰────
      why:    The first sentence says why
      help:   the help of the rule

    rule                    denied  warnings
    workload/latest-image        0         2

    judged 1 object of 2 files in 0 roots for no known environment by 0 rules: 0 denied, 2 warnings, 0 not judged (exit 0: everything was judged, nothing denied)
    ");
}

#[test]
fn empty_texts_and_ends_of_texts_can_be_pointed_at() {
    let mut repo = Repo::default();
    repo.file("empty.yaml", "");
    repo.file("end.yaml", "a: 1\n");
    repo.file("open.yaml", "a: 1");
    let meta = rule("yaml/syntax-error");
    repo.rule(&meta);
    for (file, text) in [("empty.yaml", ""), ("end.yaml", "a: 1\n"), ("open.yaml", "a: 1")] {
        let mut span = repo.span(file, text);
        span.start = span.end;
        repo.judge(Finding::new(&meta, span, format!("end of {file}")), Enforcement::Deny);
    }
    repo.verdict.summary.objects = 1;
    insta::assert_snapshot!(repo.human(), @r"
      error[yaml/syntax-error] (high): end of empty.yaml
       ╭─[empty.yaml:1:1]
     1 │
       · ▲
       ╰────
      why:    The first sentence says why
      help:   the help of the rule

      error[yaml/syntax-error] (high): end of end.yaml
       ╭─[end.yaml:2:1]
     1 │ a: 1
     2 │
       · ▲
       ╰────
      why:    The first sentence says why
      help:   the help of the rule

      error[yaml/syntax-error] (high): end of open.yaml
       ╭─[open.yaml:1:5]
     1 │ a: 1
       ·     ▲
       ╰────
      why:    The first sentence says why
      help:   the help of the rule

    rule                denied  warnings
    yaml/syntax-error        3         0

    judged 1 object of 3 files in 0 roots for no known environment by 0 rules: 3 denied, 0 warnings, 0 not judged (exit 1: something was denied)
    ");
}

#[test]
fn places_in_one_file_share_their_lines() {
    let mut repo = Repo::default();
    repo.file("a.yaml", "a: 1\nb: 2\na: 3\nc: 4\nd: 5\ne: 6\nf: 7\n");
    let meta = rule("yaml/duplicate-key");
    repo.rule(&meta);
    let finding = Finding::new(&meta, repo.span("a.yaml", "a: 3"), "the key `a` stands twice")
        .with_note("again")
        .with_related(repo.span("a.yaml", "a: 1"), "first")
        .with_related(repo.span("a.yaml", "f: 7"), "far away");
    repo.judge(finding, Enforcement::Deny);
    repo.verdict.summary.objects = 1;
    insta::assert_snapshot!(repo.human(), @r"
      error[yaml/duplicate-key] (high): the key `a` stands twice
       ╭─[a.yaml:3:1]
     1 │ a: 1
       · ──┬─
       ·   ╰── first
     2 │ b: 2
     3 │ a: 3
       · ──┬─
       ·   ╰── again
     4 │ c: 4
       ╰────
       ╭─[a.yaml:7:1]
     6 │ e: 6
     7 │ f: 7
       · ──┬─
       ·   ╰── far away
       ╰────
      why:    The first sentence says why
      help:   the help of the rule

    rule                 denied  warnings
    yaml/duplicate-key        1         0

    judged 1 object of 1 file in 0 roots for no known environment by 0 rules: 1 denied, 0 warnings, 0 not judged (exit 1: something was denied)
    ");
}

#[test]
fn a_failure_says_what_to_do() {
    let mut repo = Repo::default();
    repo.file("tidewaiter.yaml", "enviroments: []\n");
    repo.verdict.failures.push(Failure {
        rule: None,
        span: Some(repo.span("tidewaiter.yaml", "enviroments")),
        reason: "unknown key `enviroments`".to_owned(),
        help: Some("did you mean `environments`?".to_owned()),
    });
    let report = repo.human();
    let (failure, _) = report.split_once("\n\n").unwrap();
    insta::assert_snapshot!(failure, @r"
      failure: unknown key `enviroments`
        at tidewaiter.yaml:1:1
        help: did you mean `environments`?
    ");
}

#[test]
fn what_is_waived_is_one_line() {
    let mut repo = Repo::default();
    repo.file("role.yaml", "verbs: ['*']\n");
    repo.file("tidewaiter.yaml", "waivers:\n- rules: [rbac]\n- rules: [schema]\n");
    repo.verdict.summary.objects = 1;
    let span = repo.span("role.yaml", "'*'");
    for at in ["rules: [rbac]", "rules: [rbac]", "rules: [schema]"] {
        let at = repo.span("tidewaiter.yaml", at);
        repo.waive(Finding::new(&rule("rbac/wildcard-verb"), span, "every verb"), at);
    }
    insta::assert_snapshot!(repo.human(), @r"
    no findings

    3 findings waived by 2 waivers: tidewaiter.yaml:2:3, tidewaiter.yaml:3:3

    judged 1 object of 2 files in 0 roots for no known environment by 0 rules: 0 denied, 0 warnings, 0 not judged, 3 waived (exit 0: everything was judged, nothing denied)
    ");
}

#[test]
fn a_refused_configuration_is_all_there_is_to_say() {
    let mut repo = Repo::default();
    repo.file("tidewaiter.yaml", "rules: []\n");
    repo.verdict.summary.refused = true;
    repo.verdict.failures.push(Failure {
        rule: None,
        span: Some(repo.span("tidewaiter.yaml", "rules")),
        reason: "the configuration is refused: unknown key `rules`".to_owned(),
        help: None,
    });
    insta::assert_snapshot!(repo.human(), @r"
      failure: the configuration is refused: unknown key `rules`
        at tidewaiter.yaml:1:1

    judged 0 objects of 1 file in 0 roots for no known environment by 0 rules: 0 denied, 0 warnings, 0 not judged, 1 failure (exit 2: the configuration is refused, so nothing was judged)
    ");
}

#[test]
fn what_lies_outside_has_no_prefix() {
    let mut repo = Repo::default();
    repo.prefix = "..".to_owned();
    repo.file("a.yaml", "a: 1\n");
    let path = RepoPath::outside(std::path::Path::new("/etc/gate/tidewaiter.yaml"));
    let source = crate::source::Source::new(path, crate::source::Origin::File, b"x: 1\n".to_vec());
    let span = crate::source::Span::start_of(repo.sources.add(source));
    repo.verdict.failures.push(Failure {
        rule: None,
        span: Some(span),
        reason: "refused".to_owned(),
        help: None,
    });
    let report = repo.human();
    assert!(report.contains("    at /etc/gate/tidewaiter.yaml:1:1\n"), "{report}");
}
