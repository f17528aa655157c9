//! JSON as an API server writes it, to spanned trees.
//!
//! RFC 8259, strictly; of two equal keys the last one stands, as in Go. Files of a repository go
//! through the YAML reader, because that is how kubectl reads them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::problem::{Problem, ProblemKind};
use super::yaml::Limits;
use crate::document::{Entry, Node, NodeKind, Scalar};
use crate::source::{Source, SourceId, Span};

/// Reads the JSON value that starts at byte `start` of a source, white space before it skipped.
///
/// Returns the value and the offset after it; nothing where only white space is left.
pub fn json_value(
    source: &Source,
    id: SourceId,
    start: u32,
    limits: &Limits,
) -> Result<Option<(Node, u32)>, Problem> {
    let mut reader =
        Reader { text: source.text(), id, at: start as usize, nodes: limits.nodes, limits };
    reader.skip_space();
    if reader.at >= reader.text.len() {
        return Ok(None);
    }
    let node = reader.value(limits.depth)?;
    Ok(Some((node, offset(reader.at))))
}

struct Reader<'a> {
    text: &'a str,
    id: SourceId,
    at: usize,
    // How many more values may come.
    nodes: usize,
    limits: &'a Limits,
}

/// A mapping with more entries looks for equal keys in an index instead of one by one.
const FEW: usize = 16;

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn span(&self, start: usize) -> Span {
        Span::new(self.id, offset(start), offset(self.at))
    }

    fn error(&self, at: usize, message: impl Into<String>) -> Problem {
        let end =
            self.text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        let span = Span::new(self.id, offset(at), offset(at + end));
        Problem::new(ProblemKind::Syntax, span, message)
    }

    fn limit(&self, message: String) -> Problem {
        let span = Span::new(self.id, offset(self.at), offset(self.at));
        Problem::new(ProblemKind::Limit, span, message)
    }

    /// Reads a value; the reader stands at its first byte.
    fn value(&mut self, depth: usize) -> Result<Node, Problem> {
        if depth == 0 {
            let most = self.limits.depth;
            return Err(self.limit(format!("values are nested deeper than {most} levels")));
        }
        let Some(left) = self.nodes.checked_sub(1) else {
            let most = self.limits.nodes;
            return Err(self.limit(format!("the text holds more than {most} values")));
        };
        self.nodes = left;
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => self.mapping(depth)?,
            Some(b'[') => self.sequence(depth)?,
            Some(b'"') => NodeKind::Scalar(Scalar::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => NodeKind::Scalar(self.number()?),
            Some(b't') => self.word("true", Scalar::Bool(true))?,
            Some(b'f') => self.word("false", Scalar::Bool(false))?,
            Some(b'n') => self.word("null", Scalar::Null)?,
            Some(_) => return Err(self.error(start, "a JSON value is expected here")),
            None => return Err(self.error(start, "the JSON text ends where a value is expected")),
        };
        Ok(Node { span: self.span(start), kind })
    }

    fn word(&mut self, word: &str, scalar: Scalar) -> Result<NodeKind, Problem> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(self.error(self.at, "a JSON value is expected here"));
        }
        self.at += word.len();
        Ok(NodeKind::Scalar(scalar))
    }

    fn mapping(&mut self, depth: usize) -> Result<NodeKind, Problem> {
        self.at += 1;
        let mut entries: Vec<Entry> = Vec::new();
        self.skip_space();
        if self.take(b'}') {
            return Ok(NodeKind::Mapping(entries));
        }
        loop {
            self.skip_space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.error(start, "a key in double quotes is expected here"));
            }
            let key = self.string()?;
            let key_span = self.span(start);
            self.skip_space();
            if !self.take(b':') {
                return Err(self.error(self.at, "`:` is expected here"));
            }
            self.skip_space();
            let value = self.value(depth - 1)?;
            entries.push(Entry { key, key_span, value });
            self.skip_space();
            if self.take(b'}') {
                return Ok(NodeKind::Mapping(last_of_equal(entries)));
            }
            if !self.take(b',') {
                return Err(self.error(self.at, "`,` or `}` is expected here"));
            }
        }
    }

    fn sequence(&mut self, depth: usize) -> Result<NodeKind, Problem> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(NodeKind::Sequence(items));
        }
        loop {
            self.skip_space();
            items.push(self.value(depth - 1)?);
            self.skip_space();
            if self.take(b']') {
                return Ok(NodeKind::Sequence(items));
            }
            if !self.take(b',') {
                return Err(self.error(self.at, "`,` or `]` is expected here"));
            }
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Reads a string; the reader stands at its opening quote.
    fn string(&mut self) -> Result<Arc<str>, Problem> {
        self.at += 1;
        let plain = self.plain();
        if self.take(b'"') {
            return Ok(plain.into());
        }
        let mut out = plain.to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out.into());
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => {
                    let message = "a control character in a string must be escaped";
                    return Err(self.error(self.at, message));
                }
                None => return Err(self.error(self.at, "the JSON text ends within a string")),
            }
            out.push_str(self.plain());
        }
    }

    /// Takes the characters up to a quote, a backslash or a control character.
    fn plain(&mut self) -> &'a str {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))
            .unwrap_or(rest.len());
        let start = self.at;
        self.at += length;
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Reads an escape; the reader stands at its backslash.
    fn escape(&mut self) -> Result<char, Problem> {
        let start = self.at;
        let invalid = |reader: &Self| reader.error(start, "this is no escape of JSON");
        self.at += 1;
        let letter = self.peek().ok_or_else(|| invalid(self))?;
        self.at += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.four_digits().ok_or_else(|| invalid(self))?;
                let code = if (0xd800..0xdc00).contains(&first) {
                    let follows = self.text.get(self.at..).is_some_and(|it| it.starts_with("\\u"));
                    self.at += 2;
                    let second = follows.then(|| self.four_digits()).flatten();
                    let second = second.filter(|it| (0xdc00..0xe000).contains(it));
                    let low = second.ok_or_else(|| self.error(start, LONE_SURROGATE))?;
                    0x1_0000 + ((first - 0xd800) << 10) + (low - 0xdc00)
                } else {
                    first
                };
                char::from_u32(code).ok_or_else(|| self.error(start, LONE_SURROGATE))?
            }
            _ => return Err(invalid(self)),
        })
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    /// Reads a number; the reader stands at its first byte.
    fn number(&mut self) -> Result<Scalar, Problem> {
        let start = self.at;
        self.take(b'-');
        let whole = self.at;
        let mut is_valid = self.digits() > 0;
        // No number but zero itself starts with a zero.
        is_valid &= self.text.as_bytes().get(whole) != Some(&b'0') || self.at == whole + 1;
        let mut is_whole = true;
        if self.take(b'.') {
            is_whole = false;
            is_valid &= self.digits() > 0;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            is_whole = false;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            is_valid &= self.digits() > 0;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        if !is_valid {
            return Err(self.error(start, "this is no number of JSON"));
        }
        if is_whole {
            if let Ok(number) = text.parse() {
                return Ok(Scalar::Int(number));
            }
            if let Ok(number) = text.parse() {
                return Ok(Scalar::Uint(number));
            }
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Scalar::Float(number)),
            _ => Err(self.error(start, "this number is too large for 64 bits")),
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }
}

const LONE_SURROGATE: &str = "this is one half of a character; the other half is missing";

/// Keeps the last of the entries with equal keys, as Go does.
fn last_of_equal(mut entries: Vec<Entry>) -> Vec<Entry> {
    let repeats = if entries.len() <= FEW {
        entries
            .iter()
            .enumerate()
            .any(|(at, entry)| entries.iter().take(at).any(|earlier| earlier.key == entry.key))
    } else {
        let mut keys: Vec<&str> = entries.iter().map(|it| &*it.key).collect();
        keys.sort_unstable();
        keys.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
    };
    if repeats {
        let last: BTreeMap<Arc<str>, usize> =
            entries.iter().enumerate().map(|(at, it)| (Arc::clone(&it.key), at)).collect();
        let mut at = 0;
        entries.retain(|entry| {
            at += 1;
            last.get(&entry.key) == Some(&(at - 1))
        });
    }
    entries
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::{Origin, RepoPath, SourceMap};

    fn read(text: &str) -> (SourceMap, Result<Option<(Node, u32)>, Problem>) {
        let mut sources = SourceMap::default();
        let path = RepoPath::new("a.json");
        let id = sources.add(Source::new(path, Origin::Admission, text.into()));
        let value = json_value(sources.get(id).unwrap(), id, 0, &Limits::default());
        (sources, value)
    }

    fn value(text: &str) -> serde_json::Value {
        read(text).1.unwrap_or_else(|it| panic!("{text}: {it:?}")).unwrap().0.to_json()
    }

    fn refused(text: &str) -> String {
        read(text).1.unwrap_err().message
    }

    #[test]
    fn values_have_their_places() {
        let (sources, value) = read(r#" {"a": [1, "b\u0041"], "c": {"d": null}} rest"#);
        let (node, end) = value.unwrap().unwrap();
        assert_eq!(sources.text(node.get("a").unwrap().items()[1].span), r#""b\u0041""#);
        assert_eq!(node.get("a").unwrap().items()[1].as_str(), Some("bA"));
        assert_eq!(sources.text(node.get("c").unwrap().entry("d").unwrap().key_span), r#""d""#);
        assert_eq!(sources.text(Span { end: end + 5, start: end, ..node.span }), " rest");
    }

    #[test]
    fn of_equal_keys_the_last_one_stands() {
        assert_eq!(value(r#"{"a": 1, "b": 2, "a": 3}"#), serde_json::json!({"b": 2, "a": 3}));
        let many: Vec<String> = (0..40).map(|it| format!("\"k{}\": {it}", it % 30)).collect();
        assert_eq!(value(&format!("{{{}}}", many.join(",")))["k5"], 35);
        assert_eq!(value(r#"{"request": 1, "Request": 2}"#)["request"], 1);
    }

    #[test]
    fn numbers_keep_what_64_bits_can_hold() {
        assert_eq!(
            value("[18446744073709551615, -9223372036854775808]").to_string(),
            "[18446744073709551615,-9223372036854775808]"
        );
        assert_eq!(value("12345678901234567890123"), 12_345_678_901_234_567_890_123f64);
        for text in ["1e400", "-1e400"] {
            assert_eq!(refused(text), "this number is too large for 64 bits");
        }
        for text in ["01", "-", "1.", "1e", "+1", ".5", "NaN", "-Infinity"] {
            assert!(!refused(text).is_empty());
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["{", "[1,]", "{\"a\" 1}", "{a: 1}", "\"a", "tru", "\"\u{1}\"", "\"\\x\"", "\0"]
        {
            assert!(!refused(text).is_empty(), "{text}");
        }
        for text in ["\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\ud800"] {
            assert_eq!(refused(text), LONE_SURROGATE);
        }
        assert_eq!(value("\"\\ud83d\\ude00\\u0000\""), "\u{1f600}\0");
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let deep = "[".repeat(100_000);
        assert_eq!(refused(&deep), "values are nested deeper than 250 levels");
        let deep = "{\"a\":".repeat(100_000);
        assert_eq!(refused(&deep), "values are nested deeper than 250 levels");
        let wide = format!("[{}0]", "0,".repeat(2_000_000));
        assert_eq!(refused(&wide), "the text holds more than 2000000 values");
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_filter("finite", |it| it.is_finite()).prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|it| serde_json::Value::Object(it.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_another_library_writes_is_read(json in json()) {
            let pretty = serde_json::to_string_pretty(&json).unwrap();
            prop_assert_eq!(value(&pretty).to_string(), json.to_string());
        }

        #[test]
        fn what_another_library_refuses_is_refused(text in "[\\[\\]{}:,\"\\\\a0-2.eE+ -]{0,12}") {
            // Go reads `-0` as the integer 0, as we do; the other library keeps the sign.
            prop_assume!(!text.contains("-0"));
            let ours = read(&text).1.ok().flatten().filter(|(_, end)| {
                text.get(*end as usize..).is_some_and(|rest| rest.trim().is_empty())
            });
            let theirs = serde_json::from_str::<serde_json::Value>(&text).ok();
            prop_assert_eq!(ours.map(|it| it.0.to_json()), theirs);
        }
    }
}
