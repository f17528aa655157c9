//! Finds secrets in a text: keywords of all formats at once, then each format where its own stand.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::bytes::{Regex, RegexBuilder};

use super::format::{Candidate, Format, Shape, Verdict};
use super::{base64, formats, placeholder};

/// How often text in base64 is decoded: a value of a `Secret`, and what was encoded before that.
const DEPTH: usize = 2;

/// What was found in a text. Holds places only, so that printing it gives nothing away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    /// The format, by its position in [`Scanner::formats`].
    pub(super) format: usize,
    /// The secret, or the base64 text that holds it.
    pub(super) token: Range<usize>,
    /// What it belongs to, e.g. the id of the key.
    pub(super) related: Option<Range<usize>>,
    /// What can be told of it.
    pub(super) verdict: Verdict,
    /// The length of the secret itself, in bytes.
    pub(super) len: usize,
    /// Whether it was found by decoding base64.
    pub(super) is_encoded: bool,
}

/// All that a scan gives.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// What was found, in the order of the text.
    pub(super) hits: Vec<Hit>,
    /// The formats whose pattern could not be compiled, and which were not looked for.
    pub(super) broken: BTreeSet<usize>,
}

/// How much of a text is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Everything.
    Full,
    /// Only what is certain by itself, for files full of random text.
    Distinctive,
}

/// The formats, and the automaton that finds all their keywords in one pass.
pub(super) struct Scanner {
    formats: Vec<&'static Format>,
    automaton: AhoCorasick,
    // The formats of each keyword of the automaton.
    by_keyword: Vec<Vec<usize>>,
    // Compiled at the first keyword: most formats are never met.
    patterns: Vec<OnceLock<Option<Regex>>>,
}

impl Scanner {
    /// Builds the automaton of all formats.
    pub(super) fn new() -> Result<Self, aho_corasick::BuildError> {
        let formats: Vec<_> = formats::all().collect();
        let mut keywords: Vec<&str> = Vec::new();
        let mut by_keyword: Vec<Vec<usize>> = Vec::new();
        for (index, format) in formats.iter().enumerate() {
            for keyword in format.keywords {
                let known = keywords.iter().zip(&mut by_keyword).find(|(it, _)| *it == keyword);
                if let Some((_, users)) = known {
                    users.push(index);
                } else {
                    keywords.push(keyword);
                    by_keyword.push(vec![index]);
                }
            }
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .match_kind(MatchKind::Standard)
            .build(&keywords)?;
        let patterns = formats.iter().map(|_| OnceLock::new()).collect();
        Ok(Self { formats, automaton, by_keyword, patterns })
    }

    /// Returns a format by its position.
    pub(super) fn format(&self, index: usize) -> Option<&'static Format> {
        self.formats.get(index).copied()
    }

    /// Finds the secrets in a text, those in base64 included.
    pub(super) fn scan(&self, text: &[u8], mode: Mode) -> Scan {
        self.scan_to_depth(text, mode, DEPTH)
    }

    /// Finds the secrets in a text that was decoded from base64 before.
    pub(super) fn scan_decoded(&self, text: &[u8]) -> Scan {
        self.scan_to_depth(text, Mode::Full, DEPTH - 1)
    }

    fn scan_to_depth(&self, text: &[u8], mode: Mode, depth: usize) -> Scan {
        let mut scan = Scan::default();
        self.scan_keywords(text, mode, &mut scan);
        keep_first(&mut scan.hits);
        if mode == Mode::Full && depth > 0 {
            self.scan_runs(text, depth, &mut scan);
        }
        scan
    }

    fn scan_keywords(&self, text: &[u8], mode: Mode, scan: &mut Scan) {
        for found in self.automaton.find_overlapping_iter(text) {
            let users = self.by_keyword.get(found.pattern().as_usize()).map_or(&[][..], |it| it);
            for index in users {
                let Some(format) = self.format(*index) else { continue };
                if mode == Mode::Distinctive && !format.is_distinctive() {
                    continue;
                }
                let keyword = found.range();
                match self.find(*index, format, text, keyword) {
                    Ok(Some(it)) => scan.hits.push(Hit {
                        format: *index,
                        len: it.token.len(),
                        token: it.token,
                        related: it.related,
                        verdict: it.verdict,
                        is_encoded: false,
                    }),
                    Ok(None) => {}
                    Err(Broken) => {
                        scan.broken.insert(*index);
                    }
                }
            }
        }
    }

    /// Looks for one secret of one format at one keyword.
    fn find(
        &self,
        index: usize,
        format: &Format,
        text: &[u8],
        keyword: Range<usize>,
    ) -> Result<Option<Candidate>, Broken> {
        let (token, random) = match &format.shape {
            Shape::Code(find) => {
                return Ok(find(text, keyword).filter(|it| it.verdict != Verdict::Refuted));
            }
            Shape::Token { pattern, lead, window, alphabet } => {
                let Some(start) = keyword.start.checked_sub(*lead) else { return Ok(None) };
                let has_neighbor = start
                    .checked_sub(1)
                    .and_then(|before| text.get(before))
                    .is_some_and(|byte| alphabet.has(*byte) && !ends_escape(text, start));
                if has_neighbor {
                    return Ok(None);
                }
                let found = self.pattern(index, pattern)?.find(window_of(text, start, *window));
                let Some(found) = found else { return Ok(None) };
                let token = start..start + found.end();
                if text.get(token.end).is_some_and(|byte| alphabet.has(*byte)) {
                    return Ok(None);
                }
                let random = if *lead == 0 { keyword.end..token.end } else { token.clone() };
                (token, random)
            }
            Shape::Value { pattern, window } => {
                let seen = window_of(text, keyword.start, *window);
                let groups = self.pattern(index, pattern)?.captures(seen);
                let Some(value) = groups.and_then(|groups| groups.get(1)) else {
                    return Ok(None);
                };
                let token = keyword.start + value.start()..keyword.start + value.end();
                (token.clone(), token)
            }
        };
        let bytes = |range: Range<usize>| text.get(range).unwrap_or_default();
        let verdict = (format.judge)(bytes(token.clone()));
        let is_secret = match verdict {
            Verdict::Genuine => true,
            Verdict::Refuted => false,
            // A value is judged by its own format: it may be chosen by a person.
            Verdict::Plausible | Verdict::Doubtful => {
                matches!(format.shape, Shape::Value { .. })
                    || !placeholder::is_made_up(bytes(random))
            }
        };
        Ok(is_secret.then_some(Candidate { token, related: None, verdict }))
    }

    fn pattern(&self, index: usize, pattern: &str) -> Result<&Regex, Broken> {
        self.patterns
            .get(index)
            .and_then(|cell| cell.get_or_init(|| compile(pattern)).as_ref())
            .ok_or(Broken)
    }

    /// Decodes the runs of base64 and finds the secrets in them.
    fn scan_runs(&self, text: &[u8], depth: usize, scan: &mut Scan) {
        let mut inner = Vec::new();
        // Both are in the order of the text, so one pass tells which runs are known already.
        let mut known = scan.hits.iter().map(|hit| hit.token.clone()).peekable();
        for run in base64::runs(text) {
            while known.next_if(|token| token.end <= run.start).is_some() {}
            if known.peek().is_some_and(|token| token.start < run.end) {
                continue;
            }
            let Some(decoded) = text.get(run.clone()).and_then(base64::decode_text) else {
                continue;
            };
            let found = self.scan_to_depth(&decoded, Mode::Full, depth - 1);
            inner.extend(encoded(found.hits, &run));
            scan.broken.extend(found.broken);
        }
        scan.hits.append(&mut inner);
        scan.hits.sort_by_key(|hit| (hit.token.start, hit.format));
    }
}

// The automaton's own text is a page of states.
impl std::fmt::Debug for Scanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scanner").field("formats", &self.formats.len()).finish_non_exhaustive()
    }
}

/// A pattern that could not be compiled.
struct Broken;

/// Moves what was found in decoded text to the place of its encoded form, one of each format.
pub(super) fn encoded(hits: Vec<Hit>, place: &Range<usize>) -> impl Iterator<Item = Hit> {
    let mut seen = BTreeSet::new();
    hits.into_iter().filter(move |hit| seen.insert(hit.format)).map(move |hit| Hit {
        token: place.clone(),
        related: None,
        is_encoded: true,
        ..hit
    })
}

/// Of hits that overlap, keeps the one whose format stands first.
fn keep_first(hits: &mut Vec<Hit>) {
    hits.sort_by_key(|hit| (hit.token.start, hit.format));
    let mut kept: Vec<Hit> = Vec::with_capacity(hits.len());
    for hit in hits.drain(..) {
        match kept.last_mut() {
            Some(last) if hit.token.start < last.token.end => {
                if hit.format < last.format {
                    *last = hit;
                }
            }
            _ => kept.push(hit),
        }
    }
    *hits = kept;
}

fn compile(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(&format!(r"\A(?:{pattern})")).unicode(false).build().ok()
}

fn window_of(text: &[u8], start: usize, window: usize) -> &[u8] {
    text.get(start..text.len().min(start + window)).unwrap_or_default()
}

/// Says whether an escape of JSON, YAML or a URL ends before `at`: `\n`, `\u003d`, `%3D`.
fn ends_escape(text: &[u8], at: usize) -> bool {
    let before = text.get(at.saturating_sub(6)..at).unwrap_or_default();
    match before {
        [.., b'\\', letter] => letter.is_ascii_lowercase(),
        [b'\\', b'u', digits @ ..] => digits.iter().all(u8::is_ascii_hexdigit),
        [.., b'%', high, low] => high.is_ascii_hexdigit() && low.is_ascii_hexdigit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles_and_sees_its_own_secrets_whole() {
        let scanner = Scanner::new().unwrap();
        for format in &scanner.formats {
            let (pattern, window) = match format.shape {
                Shape::Token { pattern, window, .. } | Shape::Value { pattern, window } => {
                    (pattern, window)
                }
                Shape::Code(_) => continue,
            };
            let regex = compile(pattern).unwrap_or_else(|| panic!("{}", format.id));
            assert!(regex.captures_len() <= 2, "{}", format.id);
            assert!(window <= 1 << 15, "{}", format.id);
        }
    }

    #[test]
    fn the_format_that_stands_first_wins_an_overlap() {
        let hit = |format, token| Hit {
            format,
            token,
            related: None,
            verdict: Verdict::Plausible,
            len: 1,
            is_encoded: false,
        };
        let mut hits = vec![hit(5, 0..30), hit(2, 4..20), hit(1, 30..31)];
        keep_first(&mut hits);
        assert_eq!(hits, [hit(2, 4..20), hit(1, 30..31)]);
    }

    #[test]
    fn an_escape_is_no_neighbor() {
        for text in ["a\\n", "\\\\n", "\\u003d", "x%3D"] {
            assert!(ends_escape(text.as_bytes(), text.len()), "{text}");
        }
        for text in ["an", "%zz", "003d", "", "\\N"] {
            assert!(!ends_escape(text.as_bytes(), text.len()), "{text}");
        }
    }
}
