//! Semantic versions.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use super::{Row, Scratch, row};
use crate::engine::cel::cost::Cost;
use crate::engine::cel::value::{Evaluated, Failure, OpaqueValue, Value};

pub(super) const ROWS: &[Row] = &[
    row("semver(string): semver", semver).cost(Cost::Traverse).since(33),
    row("semver(string, bool): semver", semver).cost(Cost::Traverse).since(33),
    row("isSemver(string): bool", is_semver).cost(Cost::Traverse).since(33),
    row("isSemver(string, bool): bool", is_semver).cost(Cost::Traverse).since(33),
    row("semver#major(): int", major).since(33),
    row("semver#minor(): int", minor).since(33),
    row("semver#patch(): int", patch).since(33),
];

/// A version, by the rules of Semantic Versioning 2.0.
#[derive(Debug, PartialEq, Eq)]
pub struct Semver {
    numbers: [u64; 3],
    /// The parts after the dash.
    release: Vec<Part>,
    /// What follows the plus; it does not count when versions are compared.
    build: Option<String>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(u64),
    Text(String),
}

fn number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|it| it.is_ascii_digit());
    let leading = text.len() > 1 && text.starts_with('0');
    text.parse().ok().filter(|_| plain && !leading)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
}

impl Semver {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let (major, minor, rest) = (parts.next()?, parts.next()?, parts.next()?);
        let (rest, build) = match rest.split_once('+') {
            Some((rest, build)) => (rest, Some(build)),
            None => (rest, None),
        };
        let (patch, release) = match rest.split_once('-') {
            Some((patch, release)) => (patch, Some(release)),
            None => (rest, None),
        };
        let numbers = [number(major)?, number(minor)?, number(patch)?];
        let mut parts = Vec::new();
        for part in release.into_iter().flat_map(|it| it.split('.')) {
            parts.push(if !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit()) {
                Part::Number(number(part)?)
            } else if is_name(part) {
                Part::Text(part.to_owned())
            } else {
                return None;
            });
        }
        if build.is_some_and(|it| !it.split('.').all(is_name)) {
            return None;
        }
        Some(Self { numbers, release: parts, build: build.map(str::to_owned) })
    }

    /// Reads a version that may begin with `v`, lack numbers, or have leading zeros.
    fn parse_loose(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let mut parts: Vec<String> = text
            .splitn(3, '.')
            .map(|part| {
                let bare = part.trim_start_matches('0');
                match bare.chars().next() {
                    _ if part.len() <= 1 => part.to_owned(),
                    Some(first) if first.is_ascii_digit() => bare.to_owned(),
                    _ => format!("0{bare}"),
                }
            })
            .collect();
        if parts.len() < 3 && parts.last().is_some_and(|it| it.contains(['+', '-'])) {
            return None;
        }
        parts.resize(3, "0".to_owned());
        Self::parse(&parts.join("."))
    }

    /// Compares two versions; the build does not count.
    pub(in crate::engine::cel) fn cmp_precedence(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| {
            match (self.release.is_empty(), other.release.is_empty()) {
                (false, false) => self.release.cmp(&other.release),
                (left, right) => left.cmp(&right),
            }
        })
    }
}

impl fmt::Display for Semver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        for (at, part) in self.release.iter().enumerate() {
            f.write_str(if at == 0 { "-" } else { "." })?;
            match part {
                Part::Number(number) => write!(f, "{number}")?,
                Part::Text(text) => f.write_str(text)?,
            }
        }
        self.build.iter().try_for_each(|build| write!(f, "+{build}"))
    }
}

fn read(args: &[Value<'_>]) -> Result<Option<Semver>, Failure> {
    match args {
        [Value::String(text)] | [Value::String(text), Value::Bool(false)] => {
            Ok(Semver::parse(text.as_str()))
        }
        [Value::String(text), Value::Bool(true)] => Ok(Semver::parse_loose(text.as_str())),
        _ => Err(Failure::no_overload()),
    }
}

fn semver<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let version = read(args)?.ok_or_else(|| Failure::new("not a semantic version"))?;
    Ok(Value::Opaque(OpaqueValue::Semver(Arc::new(version))))
}

fn is_semver<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    Ok(Value::Bool(read(args)?.is_some()))
}

fn part<'a>(args: &[Value<'a>], of: fn(&[u64; 3]) -> u64) -> Evaluated<'a> {
    match args {
        [Value::Opaque(OpaqueValue::Semver(version))] => {
            Ok(Value::Int(i64::try_from(of(&version.numbers)).unwrap_or(i64::MAX)))
        }
        _ => Err(Failure::no_overload()),
    }
}

fn major<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    part(args, |[major, _, _]| *major)
}

fn minor<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    part(args, |[_, minor, _]| *minor)
}

fn patch<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    part(args, |[_, _, patch]| *patch)
}
