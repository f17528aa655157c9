//! Writes the verdict. Every format has its own mirror of what it shows; none of them decides.
//!
//! All text of the repository under check is hostile here: terminals get it escaped, the machine
//! formats get it as strings, and the text of a found secret reaches none of them.

mod address;
mod annotations;
mod human;
mod json;
mod manifests;
mod markdown;
mod notes;
mod origins;
mod redact;
mod rules;
mod sarif;
mod text;

pub mod progress;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

pub(crate) use json::{Explanation, explain};
pub use manifests::write_manifests;
pub use notes::{Notes, write_notes};
pub use origins::write_origins;
pub(crate) use redact::Secrets as Redaction;
pub use rules::{ListFormat, write_explanation, write_rules};
pub(crate) use text::escape as one_line;

use crate::finding::Finding;
use crate::judge::Verdict;
use crate::rule::Registry;
use crate::source::SourceMap;

/// Everything that a report is written from.
#[derive(Debug)]
pub struct Report<'a> {
    /// What was decided.
    pub verdict: &'a Verdict,
    /// The texts that the spans of the verdict point into.
    pub sources: &'a SourceMap,
    /// The rules of the run.
    pub registry: &'a Registry,
    /// How places are named and linked.
    pub display: Display,
}

impl Report<'_> {
    /// Returns how a finding is mended: by its own words, else by those of its rule.
    pub(crate) fn help<'a>(&'a self, finding: &'a Finding) -> Option<&'a str> {
        let of_rule = || self.registry.get(&finding.rule).map(|meta| &*meta.help);
        finding.help.as_deref().or_else(of_rule).filter(|help| !help.is_empty())
    }
}

/// How places are named and linked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Display {
    /// What leads from the working directory to the root of the repository, e.g. `../..`.
    ///
    /// The human report puts it before every path so that a terminal can open it; empty where both
    /// are the same.
    pub prefix: String,
    /// Where the files can be read, which the Markdown report links to.
    pub source_url: Option<SourceUrl>,
}

/// The address of the root of the repository on a site that shows it, at the commit under check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceUrl(String);

/// Why a text is no address of a repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write an address like `https://github.com/owner/name/blob/COMMIT`")]
pub struct InvalidSourceUrl;

impl SourceUrl {
    /// Returns the address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SourceUrl {
    type Err = InvalidSourceUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        // What a link may hold without being escaped, and nothing that ends a path.
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/:%@+".contains(c);
        match rest {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_alphanumeric()) => {
                if !rest.chars().all(plain) {
                    return Err(InvalidSourceUrl);
                }
                Ok(Self(text.trim_end_matches('/').to_owned()))
            }
            _ => Err(InvalidSourceUrl),
        }
    }
}

/// What a report is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people, in a terminal or a log.
    Human,
    /// The program's own JSON, version 1; `schemas/output/report-v1.json` describes it.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// Workflow commands of GitHub Actions, which become annotations of the change.
    Annotations,
    /// For people, as the summary of a job.
    Markdown,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 5] =
        [Self::Human, Self::Json, Self::Sarif, Self::Annotations, Self::Markdown];

    /// Returns the name that the command line uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Annotations => "annotations",
            Self::Markdown => "markdown",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a text names no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a format: write `human`, `json`, `sarif`, `annotations` or `markdown`")]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

/// What the place that receives a human report can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether it understands colors.
    pub color: bool,
    /// Whether it has more characters than ASCII to draw with.
    pub unicode: bool,
    /// Its width in columns; less than 40 counts as 40.
    pub width: usize,
    /// Whether it understands hyperlinks (OSC 8).
    pub links: bool,
}

/// Writes a report.
///
/// The error of `out` is handed up as it is, so that a caller can tell a closed pipe.
pub fn write(
    report: &Report<'_>,
    format: Format,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(1 << 16, out);
    match format {
        Format::Human => human::write(report, style, &mut out)?,
        Format::Json => json::write(report, &mut out)?,
        Format::Sarif => sarif::write(report, &mut out)?,
        Format::Annotations => annotations::write(report, &mut out)?,
        Format::Markdown => markdown::write(report, &mut out)?,
    }
    out.flush()
}
