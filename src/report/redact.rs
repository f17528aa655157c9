//! Keeps the text of found secrets out of every report.
//!
//! A rule never puts a secret's value into a message. This is the second line: a snippet shows
//! whole lines of a file, and another rule may quote a value without knowing what it is.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasick, MatchKind};

use crate::document::{FieldPath, Step};
use crate::finding::Finding;
use crate::judge::Verdict;
use crate::source::{SourceId, SourceMap, Span};

/// The category whose findings point at secrets.
const CATEGORY: &str = "secrets";

/// What stands in a message in place of a secret.
const PLACEHOLDER: &str = "[redacted]";

/// Shorter texts are words of everyday use as often as secrets.
const SHORTEST: usize = 8;

/// Where the secrets stand, and what they are.
#[derive(Debug)]
pub(crate) struct Secrets {
    // Sorted and apart from each other.
    places: BTreeMap<SourceId, Vec<(u32, u32)>>,
    texts: Texts,
}

enum Texts {
    None,
    Some(AhoCorasick),
    // The automaton could not be built, so that any text may hold one.
    Any,
}

// The automaton holds the secrets.
impl std::fmt::Debug for Texts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Texts")
    }
}

/// Says whether a finding points at a secret.
pub(super) fn is_secret(finding: &Finding) -> bool {
    finding.rule.category() == CATEGORY
}

impl Secrets {
    /// Collects the places and texts of all secrets of a verdict.
    pub(crate) fn new(verdict: &Verdict, sources: &SourceMap) -> Self {
        let mut places: BTreeMap<SourceId, Vec<(u32, u32)>> = BTreeMap::new();
        let mut texts = BTreeSet::new();
        // A secret that is let through is one still.
        let waived = verdict.waived.iter().map(|waived| &waived.judged);
        let all = verdict.findings.iter().chain(waived).map(|judged| &judged.finding);
        for finding in all.filter(|finding| is_secret(finding)) {
            let primary = finding.primary.span;
            for span in std::iter::once(primary).chain(finding.related.iter().map(|it| it.span)) {
                places.entry(span.source).or_default().push(extent(span, sources));
            }
            // The name of a key is no secret, but what holds digits may be no name.
            let text = sources.text(primary);
            let digits = text.contains(|c: char| c.is_ascii_digit());
            if digits || key_column(primary, sources).is_none() {
                texts.extend(pieces(text));
            }
        }
        texts.extend(verdict.withheld.texts().flat_map(pieces));
        for ranges in places.values_mut() {
            *ranges = merged(std::mem::take(ranges));
        }
        Self { places, texts: Texts::new(&texts) }
    }

    /// Returns the parts of `start..end` of a source that must not be shown, in order.
    pub(super) fn within(&self, source: SourceId, start: u32, end: u32) -> Vec<(u32, u32)> {
        let Some(ranges) = self.places.get(&source) else {
            return Vec::new();
        };
        let first = ranges.partition_point(|(_, stop)| *stop <= start);
        ranges
            .iter()
            .skip(first)
            .take_while(|(from, _)| *from < end)
            .map(|(from, stop)| (start.max(*from), end.min(*stop)))
            .collect()
    }

    /// Returns where `text` repeats a secret, as byte ranges in order.
    pub(super) fn repeated(&self, text: &str) -> Vec<(usize, usize)> {
        match &self.texts {
            Texts::None => Vec::new(),
            Texts::Some(texts) => texts.find_iter(text).map(|it| (it.start(), it.end())).collect(),
            Texts::Any => vec![(0, text.len())],
        }
    }

    /// Returns `text` without the secrets that it repeats.
    pub(crate) fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let found = self.repeated(text);
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for (start, end) in found {
            out.push_str(text.get(done..start).unwrap_or_default());
            out.push_str(PLACEHOLDER);
            done = end;
        }
        out.push_str(text.get(done..).unwrap_or_default());
        Cow::Owned(out)
    }
}

impl Secrets {
    /// Returns a path without the secrets that stand as keys in it.
    ///
    /// A key without a digit is a name, even where a secret is the same word.
    pub(crate) fn redact_path(&self, path: &FieldPath) -> FieldPath {
        let step = |step: &Step| match step {
            Step::Key(key) if key.contains(|c: char| c.is_ascii_digit()) => {
                Step::Key(self.redact(key).as_ref().into())
            }
            Step::Key(_) | Step::Index(_) => step.clone(),
        };
        path.iter().map(step).collect::<Vec<_>>().into()
    }
}

impl Texts {
    fn new(texts: &BTreeSet<&str>) -> Self {
        if texts.is_empty() {
            return Self::None;
        }
        AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(texts)
            .map_or(Self::Any, Self::Some)
    }
}

/// Returns the lines of a secret's text that are long enough to be looked for elsewhere.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(|line| line.trim().trim_matches(['"', '\'']))
        .filter(|line| line.chars().count() >= SHORTEST)
}

/// Returns the range that hides the secret of a span.
///
/// A span on a key hides what stands under the key; an empty one hides the rest of its line.
fn extent(span: Span, sources: &SourceMap) -> (u32, u32) {
    let Some(source) = sources.get(span.source) else {
        return (span.start, span.end);
    };
    let line_end = |offset| {
        let number = source.position(offset).line;
        (number, source.line(number).map_or(offset, |(_, end)| end))
    };
    if span.start == span.end {
        return (span.start, line_end(span.start).1.max(span.end));
    }
    let Some(column) = key_column(span, sources) else {
        return (span.start, span.end);
    };
    let (mut number, mut end) = line_end(span.end);
    loop {
        number += 1;
        let Some((from, to)) = source.line(number) else { break };
        let line = source.text().get(from as usize..to as usize).unwrap_or_default();
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        if indent <= column && indent < line.len() {
            break;
        }
        end = to;
    }
    (span.start, end)
}

/// Returns the column, in bytes from 0, of a span that is the key of a mapping.
fn key_column(span: Span, sources: &SourceMap) -> Option<usize> {
    let source = sources.get(span.source)?;
    let number = source.position(span.end).line;
    let (start, end) = source.line(number)?;
    let rest = source.text().get(span.end as usize..end as usize)?;
    let after = rest.trim_start_matches(['"', '\'']).trim_start();
    let key = after.strip_prefix(':').is_some_and(|value| {
        // In block style a space must follow; in JSON it need not.
        value.is_empty() || value.starts_with([' ', '\t']) || rest.starts_with('"')
    });
    key.then(|| (span.start as usize).saturating_sub(start as usize))
}

fn merged(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    ranges.sort_unstable();
    let mut out: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
    for (start, end) in ranges {
        match out.last_mut() {
            Some((_, stop)) if start <= *stop => *stop = end.max(*stop),
            _ => out.push((start, end)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{Repo, rule};
    use crate::rule::Enforcement;

    fn hidden(text: &str, secret: &str) -> Vec<String> {
        let mut repo = Repo::default();
        repo.file("a.yaml", text);
        let span = repo.span("a.yaml", secret);
        let finding = Finding::new(&rule("secrets/plaintext-password"), span, "a password");
        repo.judge(finding, Enforcement::Deny);
        let secrets = Secrets::new(&repo.verdict, &repo.sources);
        let all = secrets.within(span.source, 0, u32::try_from(text.len()).unwrap());
        all.iter()
            .map(|(from, to)| text.get(*from as usize..*to as usize).unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_value_is_hidden_and_nothing_else() {
        assert_eq!(
            hidden("user: me\npassword: correct-horse # old\n", "correct-horse"),
            ["correct-horse"]
        );
    }

    #[test]
    fn a_key_hides_what_stands_under_it() {
        assert_eq!(
            hidden("a: 1\npassword: correct-horse\nb: 2\n", "password"),
            ["password: correct-horse"]
        );
        let block = "data:\n  key: |\n    one\n\n    two\n  other: 1\n";
        assert_eq!(hidden(block, "key"), ["key: |\n    one\n\n    two"]);
        assert_eq!(hidden("{\"token\":\"abc\"}", "token"), ["token\":\"abc\"}"]);
    }

    #[test]
    fn a_secret_that_is_let_through_is_hidden_still() {
        let mut repo = Repo::default();
        repo.file("a.yaml", "password: correct-horse\n");
        let span = repo.span("a.yaml", "correct-horse");
        let finding = Finding::new(&rule("secrets/plaintext-password"), span, "a password");
        repo.waive(finding, span);
        let secrets = Secrets::new(&repo.verdict, &repo.sources);
        assert_eq!(secrets.redact("`correct-horse`"), "`[redacted]`");
        assert_eq!(secrets.within(span.source, 0, 100), [(span.start, span.end)]);
    }

    #[test]
    fn a_secret_is_taken_out_of_messages_that_quote_it() {
        let mut repo = Repo::default();
        repo.file("a.yaml", "password: correct-horse\n");
        let span = repo.span("a.yaml", "correct-horse");
        let finding = Finding::new(&rule("secrets/plaintext-password"), span, "a password");
        repo.judge(finding, Enforcement::Deny);
        let secrets = Secrets::new(&repo.verdict, &repo.sources);
        assert_eq!(
            secrets.redact("`correct-horse` is not a port, correct-horses neither"),
            "`[redacted]` is not a port, [redacted]s neither"
        );
        assert_eq!(secrets.redact("nothing"), "nothing");
        assert!(!format!("{secrets:?}").contains("horse"));
    }
}
