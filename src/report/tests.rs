//! What holds for every format.

use std::io::{self, Write};

use proptest::collection;
use proptest::prelude::*;

use super::fixture::{PLAIN, Repo, full, rule};
use super::{Display, Format, Report, Style, write};
use crate::document::{FieldPath, ObjectRef};
use crate::finding::{Failure, Finding};
use crate::judge::NotJudged;
use crate::rule::Enforcement;
use crate::source::{RepoPath, Span};

pub(super) const HOSTILE: &str = "a\n::error::b\r\u{1b}[31m<img src=x onerror=alert(1)>\u{202e}##[error]c \
                       [d](javascript:e) {0} ::error::f";

pub(super) fn hostile() -> Repo {
    let mut repo = Repo::default();
    let file = HOSTILE.replace('/', "-");
    repo.file(&file, &format!("k: v # {HOSTILE}\n"));
    let meta = rule("schema/unknown-field");
    repo.rule(&meta);
    let mut finding = Finding::new(&meta, repo.span(&file, "k: v"), HOSTILE)
        .with_note(HOSTILE)
        .with_help(HOSTILE)
        .with_path(FieldPath::from([HOSTILE]))
        .with_related(repo.span(&file, HOSTILE), HOSTILE)
        .with_object(Some(ObjectRef {
            api_version: HOSTILE.into(),
            kind: HOSTILE.into(),
            namespace: Some(HOSTILE.into()),
            name: HOSTILE.into(),
        }));
    finding.environments.insert(HOSTILE.into());
    repo.judge(finding, Enforcement::Deny);
    repo.environment(HOSTILE, "production", true);
    repo.verdict.failures.push(Failure {
        rule: None,
        span: None,
        reason: HOSTILE.to_owned(),
        help: None,
    });
    repo.verdict.summary.not_judged.push(NotJudged {
        path: RepoPath::new(&file),
        span: None,
        reason: HOSTILE.to_owned(),
        failure: true,
    });
    repo
}

#[test]
fn terminals_and_ci_logs_obey_nothing_of_the_repository() {
    for width in [40, 60, 80, 200] {
        for unicode in [false, true] {
            let written = hostile().write(Format::Human, Style { unicode, width, ..PLAIN });
            for line in written.lines() {
                let bare = line.trim_start();
                assert!(!bare.starts_with("::"), "{line}");
                assert!(!line.contains("##["), "{line}");
                assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
            }
        }
    }
}

#[test]
fn json_carries_hostile_text_unharmed() {
    let written = hostile().write(Format::Json, PLAIN);
    let json: serde_json::Value = serde_json::from_str(&written).unwrap();
    let finding = &json["findings"][0];
    assert_eq!(finding["message"], HOSTILE);
    assert_eq!(finding["path"][0], HOSTILE);
    assert_eq!(finding["object"]["name"], HOSTILE);
    assert_eq!(finding["related"][0]["message"], HOSTILE);
    assert_eq!(finding["location"]["path"], HOSTILE.replace('/', "-"));
    assert!(!written.contains('\u{1b}'));
}

#[test]
fn sarif_makes_neither_links_nor_placeholders_of_hostile_text() {
    let json: serde_json::Value =
        serde_json::from_str(&hostile().write(Format::Sarif, PLAIN)).unwrap();
    let result = &json["runs"][0]["results"][0];
    let message = result["message"]["text"].as_str().unwrap();
    assert_eq!(message, HOSTILE.replace("](", "] (").replace("{0}", "{{0}}"));
    let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert!(uri.as_str().unwrap().starts_with("a%0A%3A%3Aerror%3A%3Ab%0D%1B%5B31m%3Cimg"), "{uri}");
}

#[test]
fn a_planted_secret_is_in_no_format() {
    let value = ["AKIA", "Q3EGZ5TDHJ7WXYP2"].concat();
    let mut repo = Repo::default();
    repo.file("a.yaml", &format!("a: 1\nkey: \"{value}\"\nb: {value}\n"));
    let secret = rule("secrets/aws-access-key");
    let other = rule("schema/wrong-type");
    repo.rule(&secret);
    repo.rule(&other);
    let place = repo.span("a.yaml", &value);
    repo.judge(Finding::new(&secret, place, "an AWS access key"), Enforcement::Deny);
    let leaking = format!("`{value}` is no number");
    let finding = Finding::new(&other, repo.span("a.yaml", "b"), leaking.clone())
        .with_note(leaking.clone())
        .with_help(leaking.clone())
        .with_related(place, leaking.clone());
    repo.judge(finding, Enforcement::Deny);
    let failure = Failure { rule: None, span: Some(place), reason: leaking.clone(), help: None };
    repo.verdict.failures.push(failure);
    let path = RepoPath::new("a.yaml");
    repo.verdict.summary.not_judged.push(NotJudged {
        path,
        span: Some(place),
        reason: leaking,
        failure: true,
    });
    for format in Format::ALL {
        for width in [40, 80] {
            let written = repo.write(format, Style { width, ..PLAIN });
            assert!(!written.replace(['\n', ' '], "").contains(&value), "{format}");
            assert!(written.contains("is no number"), "{format}");
        }
    }
}

#[test]
fn the_same_verdict_gives_the_same_bytes() {
    for format in Format::ALL {
        assert_eq!(full().write(format, PLAIN), full().write(format, PLAIN));
    }
}

// A pipe whose other end was closed after some bytes.
struct Closed(usize);

impl Write for Closed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let n = bytes.len().min(self.0);
        self.0 -= n;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_pipe_is_handed_up() {
    let repo = full();
    let report = Report {
        verdict: &repo.verdict,
        sources: &repo.sources,
        registry: &repo.registry,
        display: Display::default(),
    };
    for format in Format::ALL {
        for after in [0, 10, 100] {
            let err = write(&report, format, PLAIN, &mut Closed(after)).unwrap_err();
            assert_eq!(err.kind(), io::ErrorKind::BrokenPipe, "{format}");
        }
    }
}

proptest! {
    // However the line is cut, nothing of the secret is left, neither at its place nor elsewhere.
    #[test]
    fn no_part_of_a_secret_is_shown(
        before in "[a-f: ]{0,300}",
        between in "[a-f: \\n]{1,300}",
        after in "[a-f: ]{0,300}",
        place in 0_u32..900,
        width in 1_usize..200,
    ) {
        let value = ["Z9X8Q7W6", "J5V4K3P2", "N1M0"].concat();
        let mut repo = Repo::default();
        repo.file("a.yaml", &format!("{before}{value}{between}{value}{after}"));
        let span = repo.span("a.yaml", &value);
        let finding = Finding::new(&rule("secrets/token"), span, "a token");
        let other = Span::new(span.source, place, place + 3);
        repo.judge(finding.with_related(other, "here"), Enforcement::Deny);
        repo.judge(Finding::new(&rule("yaml/other"), other, "other"), Enforcement::Deny);
        repo.judge(Finding::new(&rule("yaml/same"), span, "same"), Enforcement::Deny);
        for format in Format::ALL {
            let written = repo.write(format, Style { width, ..PLAIN });
            for part in ["Z9X8", "W6J5", "K3P2", "N1M0"] {
                prop_assert!(!written.contains(part), "{written}");
            }
        }
    }

    // Texts of everything that is hard to lay out, and spans that fit none of them.
    #[test]
    fn any_span_of_any_text_can_be_written(
        texts in collection::vec("([a-z: #\\-\"']|[\\n\\r\\t]|[\u{1b}\u{202e}\u{feff}\u{301}漢é🏴]){0,120}", 1..3),
        spans in collection::vec((0_usize..3, 0_u32..200, 0_u32..200), 1..5),
        note in "[a-z ]{0,60}",
        secret in any::<bool>(),
        unicode in any::<bool>(),
        color in any::<bool>(),
        width in 1_usize..120,
    ) {
        let mut repo = Repo::default();
        for (n, text) in texts.iter().enumerate() {
            repo.file(&format!("{n}.yaml"), text);
        }
        let ids: Vec<_> = repo.sources.iter().map(|(id, _)| id).collect();
        let span = |(n, start, end): &(usize, u32, u32)| Span::new(ids[n % ids.len()], *start, *end);
        let meta = rule(if secret { "secrets/token" } else { "schema/wrong-type" });
        let mut finding = Finding::new(&meta, span(&spans[0]), "mismatch").with_note(note.clone());
        for place in &spans[1..] {
            finding = finding.with_related(span(place), note.clone());
        }
        repo.judge(finding, Enforcement::Deny);
        for format in Format::ALL {
            let written = repo.write(format, Style { color, unicode, width, links: false });
            prop_assert!(written.contains("mismatch"));
            prop_assert!(color || !written.contains('\u{1b}'), "an escape sequence");
        }
    }
}

#[test]
fn formats_are_named() {
    for format in Format::ALL {
        assert_eq!(format.as_str().parse(), Ok(format));
    }
    let err = "xml".parse::<Format>().unwrap_err();
    assert_eq!(
        err.to_string(),
        "`xml` is not a format: write `human`, `json`, `sarif`, `annotations` or `markdown`"
    );
}
