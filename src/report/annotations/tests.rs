use super::super::Format;
use super::super::fixture::{PLAIN, Repo, full, rule};
use super::super::tests::{HOSTILE, hostile};
use super::*;
use crate::finding::Finding;
use crate::rule::RuleMeta;
use crate::source::{Source, SourceId};

fn annotations(repo: &Repo) -> Vec<String> {
    repo.write(Format::Annotations, PLAIN).lines().map(str::to_owned).collect()
}

/// Reads a command as the runner does.
fn runner(line: &str) -> (String, BTreeMap<String, String>, String) {
    let rest = line.strip_prefix("::").unwrap();
    let (head, data) = rest.split_once("::").unwrap();
    let (name, properties) = head.split_once(' ').unwrap();
    let decode = |text: &str| {
        let text = text.replace("%0D", "\r").replace("%0A", "\n");
        let text = text.replace("%3A", ":").replace("%2C", ",");
        text.replace("%25", "%")
    };
    let properties = properties.split(',').map(|it| {
        let (name, value) = it.split_once('=').unwrap();
        (name.to_owned(), decode(value))
    });
    (name.to_owned(), properties.collect(), decode(data))
}

fn many(repo: &mut Repo, meta: &RuleMeta, path: &str, count: usize, enforcement: Enforcement) {
    let lines: Vec<String> = (0..count).map(|n| format!("k{n}: v\n")).collect();
    let text = lines.concat();
    repo.file(path, &text);
    for n in 0..count {
        let span = repo.span(path, &format!("k{n}:"));
        repo.judge(Finding::new(meta, span, format!("`k{n}` is wrong")), enforcement);
    }
}

#[test]
fn findings_failures_and_what_was_not_judged_are_annotated() {
    insta::assert_snapshot!(full().write(Format::Annotations, PLAIN), @r##"
    ::error file=clusters/prod/binding.yaml,line=8,endLine=8,col=1,endColumn=9,title=rbac/wildcard-verb could not be evaluated::evaluation took longer than 1 s
    ::error title=could not be judged::the policy bundle `extra` cannot be read
    ::error file=overlays/dev,title=could not be judged::the base `../missing` does not exist
    ::error file=apps/web/role.yaml,line=8,endLine=8,col=13,endColumn=16,title=rbac/wildcard-verb (high)::Role `web` grants every verb on `pods`%0Aobject: Role shop/web (rbac.authorization.k8s.io/v1)%0Ain: prod, stage%0Ahelp: list the verbs that the workload needs
    ::warning file=clusters/prod/binding.yaml,line=5,endLine=5,col=1,endColumn=8,title=schema/unknown-field (high)::unknown field `roleref` in RoleBinding%0Ahelp: the help of the rule
    "##);
}

#[test]
fn columns_are_given_within_one_line_only() {
    let mut repo = Repo::default();
    repo.file("a.yaml", "a: 1\nb: 2\n");
    let meta = rule("schema/unknown-field");
    repo.judge(Finding::new(&meta, repo.span("a.yaml", "a: 1\nb"), "two lines"), Enforcement::Warn);
    let lines = annotations(&repo);
    let title = "title=schema/unknown-field (high)";
    assert_eq!(lines[0], format!("::warning file=a.yaml,line=1,endLine=2,{title}::two lines"));
}

#[test]
fn hostile_text_stays_within_its_annotation() {
    let repo = hostile();
    let lines = annotations(&repo);
    // The failure, the file that was not judged, and the finding.
    assert_eq!(lines.len(), 3);
    for line in &lines {
        assert!(line.starts_with("::error "), "{line}");
        assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
        assert!(!line.contains("##["), "{line}");
        let head = line.strip_prefix("::").unwrap().split_once("::").unwrap().0;
        assert!(!head.contains("::"), "{line}");
    }
    let (level, properties, message) = runner(&lines[2]);
    assert_eq!(level, "error");
    assert_eq!(message.lines().count(), 4, "{message}");
    assert!(message.starts_with("a\\n::error::b\\r\\u{1b}[31m<img"), "{message}");
    assert_eq!(properties["title"], "schema/unknown-field (high)");
    let names: Vec<&str> = properties.keys().map(String::as_str).collect();
    assert_eq!(names, ["col", "endColumn", "endLine", "file", "line", "title"]);
    assert!(
        HOSTILE.starts_with("a\n::error::b\r") && properties["file"].starts_with("a\n::error::b\r")
    );
}

#[test]
fn names_of_files_come_out_of_the_runner_as_they_are() {
    for path in [
        "a\nb.yaml",
        "x::error::pwned.yaml",
        "x%0A::set-output name=a::b.yaml",
        "a,b=c.yaml",
        "-rf.yaml",
        "$(id).yaml",
        "`id`.yaml",
        "a|b.yaml",
        "with space.yaml",
        "100%.yaml",
        "%2C.yaml",
        "\"quoted\".yaml",
        "ä.yaml",
    ] {
        let mut repo = Repo::default();
        repo.file(path, "a: 1\n");
        let meta = rule("schema/unknown-field");
        repo.judge(Finding::new(&meta, repo.span(path, "a"), "wrong"), Enforcement::Deny);
        let lines = annotations(&repo);
        let (_, properties, message) = runner(&lines[0]);
        assert_eq!(properties["file"], path);
        assert_eq!(message, "wrong");
    }
}

#[test]
fn codes_of_the_runner_in_a_message_are_text() {
    let mut repo = Repo::default();
    repo.file("a.yaml", "a: 1\n");
    let mut meta = rule("schema/unknown-field");
    meta.help = "".into();
    let message = "100%0A::error::x %25 `y`";
    repo.judge(Finding::new(&meta, repo.span("a.yaml", "a"), message), Enforcement::Deny);
    let lines = annotations(&repo);
    assert!(lines[0].ends_with("::100%250A::error::x %2525 `y`"), "{}", lines[0]);
    assert_eq!(runner(&lines[0]).2, message);
}

#[test]
fn no_more_are_written_than_a_step_shows_and_the_others_are_counted() {
    let mut repo = Repo::default();
    let low = RuleMeta { severity: Severity::Low, ..rule("schema/low") };
    let critical = RuleMeta { severity: Severity::Critical, ..rule("schema/critical") };
    many(&mut repo, &low, "a.yaml", 12, Enforcement::Deny);
    many(&mut repo, &critical, "b.yaml", 2, Enforcement::Deny);
    many(&mut repo, &low, "c.yaml", 11, Enforcement::Warn);
    let reason = "evaluation took longer than 1 s".to_owned();
    repo.verdict.failures.push(Failure { rule: None, span: None, reason, help: None });
    let lines = annotations(&repo);
    let titles: Vec<String> = lines.iter().map(|it| runner(it).1["title"].clone()).collect();
    assert_eq!(titles[..2], ["schema/critical (critical)", "schema/critical (critical)"]);
    assert_eq!(titles[2], "could not be judged");
    assert_eq!(lines.iter().filter(|it| it.starts_with("::error ")).count(), 10);
    assert_eq!(lines.iter().filter(|it| it.starts_with("::warning ")).count(), 10);
    assert_eq!(
        runner(lines.last().unwrap()).2,
        "5 more errors and 1 more warning in a.yaml (5), c.yaml (1): a step shows 10 annotations of \
         each level; the summary of the job and the other reports hold all"
    );
}

#[test]
fn ten_of_each_are_not_counted() {
    let mut repo = Repo::default();
    many(&mut repo, &rule("schema/low"), "a.yaml", 10, Enforcement::Deny);
    repo.verdict.summary.objects = 1;
    let lines = annotations(&repo);
    assert_eq!(lines.len(), 10);
    assert!(lines.iter().all(|it| it.starts_with("::error ")));
}

#[test]
fn a_pass_says_nothing_but_that_nothing_was_judged() {
    let mut repo = Repo::default();
    assert_eq!(
        annotations(&repo),
        ["::notice title=Tidewaiter::nothing was judged: no file was read"]
    );
    repo.file("a.yaml", "a: 1\n");
    repo.verdict.summary.objects = 1;
    assert_eq!(annotations(&repo), [""; 0]);
}

#[test]
fn standard_input_is_no_file() {
    let mut repo = Repo::default();
    let source = Source::new(RepoPath::new("<stdin>"), Origin::Stdin, b"a: 1\n".to_vec());
    let id: SourceId = repo.sources.add(source);
    let meta = rule("schema/unknown-field");
    repo.judge(Finding::new(&meta, Span::new(id, 3, 4), "wrong"), Enforcement::Deny);
    repo.verdict.summary.objects = 1;
    assert_eq!(
        annotations(&repo),
        ["::error title=schema/unknown-field (high)::wrong%0Aat: <stdin>:1:4"]
    );
}

#[test]
fn a_file_outside_of_the_repository_is_named_in_words() {
    let mut repo = Repo::default();
    let path = RepoPath::outside(std::path::Path::new("/etc/gate/tidewaiter.yaml"));
    let id = repo.sources.add(Source::new(path, Origin::File, b"a: 1\n".to_vec()));
    let meta = rule("config/unknown-environment");
    repo.judge(Finding::new(&meta, Span::new(id, 0, 1), "wrong"), Enforcement::Warn);
    repo.verdict.summary.objects = 1;
    assert_eq!(
        annotations(&repo),
        ["::warning title=config/unknown-environment (high)::wrong%0A\
          at: /etc/gate/tidewaiter.yaml:1:1"]
    );
}
