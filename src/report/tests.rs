//! What holds for every format.

use std::io::{self, Write};

use super::fixture::{PLAIN, Repo, full, rule};
use super::{Display, Format, Report, Style, write};
use crate::document::{FieldPath, ObjectRef};
use crate::finding::{Failure, Finding};
use crate::judge::NotJudged;
use crate::rule::Enforcement;
use crate::source::RepoPath;

const HOSTILE: &str = "a\n::error::b\r\u{1b}[31m<img src=x onerror=alert(1)>\u{202e}##[error]c \
                       [d](javascript:e) {0} ::error::f";

fn hostile() -> Repo {
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
    repo.verdict.failures.push(Failure { rule: None, span: None, reason: HOSTILE.to_owned() });
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
            let written = hostile().write(Format::Human, Style { width, unicode, ..PLAIN });
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
    let failure = Failure { rule: None, span: Some(place), reason: leaking.clone() };
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

#[test]
fn formats_are_named() {
    for format in Format::ALL {
        assert_eq!(format.as_str().parse(), Ok(format));
    }
    let err = "xml".parse::<Format>().unwrap_err();
    assert_eq!(err.to_string(), "`xml` is not a format: write `human`, `json` or `sarif`");
}
