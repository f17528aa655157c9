//! Regular expressions as Go reads them: RE2's syntax, written anew for the `regex` crate.
//!
//! What both accept is not the same: to Go `\d` is an ASCII digit, `a{` a brace and `[a&&b]` three
//! characters, and `a++` and `a{1001}` are errors. Matching takes time in proportion to the text.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use regex::{Regex, RegexBuilder};

/// The largest number of repetitions, also of repetitions within one another.
const MAX_REPEAT: usize = 1000;

/// How deep groups may nest, and what a compiled expression may take.
const MAX_NESTING: u32 = 1000;
const MAX_COMPILED: usize = 10 << 20;

/// Reads an expression of Go's package `regexp`. The error is what is wrong with it.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    let translated = translate(pattern)?;
    let mut builder = RegexBuilder::new(&translated);
    builder.size_limit(MAX_COMPILED).nest_limit(MAX_NESTING);
    builder.build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "expression is too large".to_owned(),
        error => {
            // The lines before the last draw an expression that the user has not written.
            let text = error.to_string();
            text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
    })
}

fn translate(pattern: &str) -> Result<String, String> {
    let mut translator = Translator {
        rest: pattern,
        out: String::with_capacity(pattern.len() * 2),
        groups: Vec::new(),
        names: BTreeSet::new(),
        last: Last::Nothing,
        repeats: 1,
    };
    while !translator.rest.is_empty() {
        translator.next()?;
    }
    if translator.groups.is_empty() { Ok(translator.out) } else { Err("missing closing )".into()) }
}

/// What stands before the place that is read: a repetition needs something, and only once.
#[derive(Clone, Copy, PartialEq)]
enum Last {
    Nothing,
    /// Something in which things are repeated so often.
    Atom(usize),
    Repeated(usize),
}

struct Translator<'a> {
    rest: &'a str,
    out: String,
    /// How often things are repeated in what stands before each open group.
    groups: Vec<usize>,
    names: BTreeSet<&'a str>,
    last: Last,
    /// The most repetitions within one another in the group at hand.
    repeats: usize,
}

impl<'a> Translator<'a> {
    fn take(&mut self) -> Option<char> {
        let first = self.rest.chars().next()?;
        self.rest = self.rest.get(first.len_utf8()..).unwrap_or_default();
        Some(first)
    }

    fn literal(&mut self, character: char) {
        push_literal(&mut self.out, character);
        self.last = Last::Atom(1);
    }

    fn next(&mut self) -> Result<(), String> {
        let start = self.rest;
        let Some(first) = self.take() else { return Ok(()) };
        match first {
            '(' => self.open(start)?,
            ')' => {
                let outer = self.groups.pop().ok_or("unexpected )")?;
                self.out.push(')');
                self.last = Last::Atom(self.repeats);
                self.repeats = self.repeats.max(outer);
            }
            '|' => {
                self.out.push('|');
                self.last = Last::Nothing;
            }
            '*' | '+' | '?' => self.repeat(&first.to_string(), 1)?,
            '{' => match bounds(self.rest) {
                Some((bounds, after)) => {
                    self.rest = after;
                    let (least, most) = bounds?;
                    let text = match most {
                        Some(most) => format!("{{{least},{most}}}"),
                        None => format!("{{{least},}}"),
                    };
                    self.repeat(&text, most.unwrap_or(least).max(1))?;
                }
                None => self.literal('{'),
            },
            '[' => {
                self.class()?;
                self.last = Last::Atom(1);
            }
            '.' | '^' | '$' => {
                self.out.push(first);
                self.last = Last::Atom(1);
            }
            '\\' => self.escape()?,
            other => self.literal(other),
        }
        Ok(())
    }

    fn repeat(&mut self, operator: &str, times: usize) -> Result<(), String> {
        let within = match self.last {
            Last::Atom(within) => within,
            Last::Nothing => {
                return Err(format!("missing argument to repetition operator: `{operator}`"));
            }
            Last::Repeated(_) => {
                return Err(format!("invalid nested repetition operator: `{operator}`"));
            }
        };
        let total = within.saturating_mul(times);
        if total > MAX_REPEAT {
            return Err("invalid repeat count".to_owned());
        }
        self.out.push_str(operator);
        if let Some(after) = self.rest.strip_prefix('?') {
            self.rest = after;
            self.out.push('?');
        }
        self.repeats = self.repeats.max(total);
        self.last = Last::Repeated(total);
        Ok(())
    }

    fn open(&mut self, start: &'a str) -> Result<(), String> {
        let unsupported = || {
            let shown: String = start.chars().take(4).collect();
            format!("invalid or unsupported Perl syntax: `{shown}`")
        };
        let Some(special) = self.rest.strip_prefix('?') else {
            self.group("(");
            return Ok(());
        };
        let named = special.strip_prefix("P<").or_else(|| special.strip_prefix('<'));
        if let Some(named) = named {
            let (name, after) = named.split_once('>').ok_or_else(unsupported)?;
            let word = |it: u8| it.is_ascii_alphanumeric() || it == b'_';
            if name.is_empty() || !name.bytes().all(word) {
                return Err(format!("invalid named capture: `{name}`"));
            }
            if !self.names.insert(name) {
                return Err(format!("duplicate capture group name: `{name}`"));
            }
            self.rest = after;
            self.group("(");
            return Ok(());
        }
        let end = special.find([':', ')']).ok_or_else(unsupported)?;
        let (flags, after) = special.split_at_checked(end).ok_or_else(unsupported)?;
        let (set, cleared) = flags.split_once('-').map_or((flags, None), |(s, c)| (s, Some(c)));
        let known = |flags: &str| flags.chars().all(|it| "imsU".contains(it));
        if !known(set) || cleared.is_some_and(|it| it.is_empty() || !known(it)) {
            return Err(unsupported());
        }
        // A flag may stand twice in Go.
        let once =
            |flags: &str| "imsU".chars().filter(|it| flags.contains(*it)).collect::<String>();
        let cleared = cleared.map(once).unwrap_or_default();
        let mut set = once(set);
        set.retain(|it| !cleared.contains(it));
        let mut flags = set;
        if !cleared.is_empty() {
            flags.push('-');
            flags.push_str(&cleared);
        }
        self.rest = after.get(1..).unwrap_or_default();
        if after.starts_with(':') {
            self.group(&format!("(?{flags}:"));
        } else if !flags.is_empty() {
            let _ = write!(self.out, "(?{flags})");
            self.last = Last::Nothing;
        }
        Ok(())
    }

    fn group(&mut self, opening: &str) {
        self.out.push_str(opening);
        self.groups.push(self.repeats);
        self.repeats = 1;
        self.last = Last::Nothing;
    }

    fn escape(&mut self) -> Result<(), String> {
        if let Some(quoted) = self.rest.strip_prefix('Q') {
            let (text, after) = quoted.split_once("\\E").unwrap_or((quoted, ""));
            self.rest = after;
            text.chars().for_each(|it| self.literal(it));
            return Ok(());
        }
        let mut characters = self.rest.chars();
        let kind = characters.next().ok_or("trailing backslash at end of expression")?;
        let text = match kind {
            'A' => r"\A",
            'z' => r"\z",
            'b' => r"(?-u:\b)",
            'B' => r"\B",
            'd' => "[0-9]",
            'D' => "[^0-9]",
            's' => r"[\t\n\x0C\r ]",
            'S' => r"[^\t\n\x0C\r ]",
            'w' => "[0-9A-Za-z_]",
            'W' => "[^0-9A-Za-z_]",
            'p' | 'P' => {
                self.rest = characters.as_str();
                let property = self.property(kind == 'P')?;
                self.out.push_str(&property);
                self.last = Last::Atom(1);
                return Ok(());
            }
            _ => {
                let character = self.character()?;
                self.literal(character);
                return Ok(());
            }
        };
        self.rest = characters.as_str();
        self.out.push_str(text);
        self.last = Last::Atom(1);
        Ok(())
    }

    /// Reads the name of a Unicode class after `\p`.
    fn property(&mut self, negated: bool) -> Result<String, String> {
        let invalid = || "invalid character class range".to_owned();
        let name = match self.rest.strip_prefix('{') {
            Some(inner) => {
                let (name, after) = inner.split_once('}').ok_or_else(invalid)?;
                self.rest = after;
                name.to_owned()
            }
            None => self.take().ok_or_else(invalid)?.to_string(),
        };
        let (name, negated) = match name.strip_prefix('^') {
            Some(name) => (name, !negated),
            None => (name.as_str(), negated),
        };
        if name.is_empty() || !name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_') {
            return Err(invalid());
        }
        Ok(format!(r"\{}{{{name}}}", if negated { 'P' } else { 'p' }))
    }

    /// Reads what stands for one character after a backslash.
    fn character(&mut self) -> Result<char, String> {
        let kind = self.take().ok_or("trailing backslash at end of expression")?;
        let invalid = || format!("invalid escape sequence: `\\{kind}`");
        Ok(match kind {
            'a' => '\u{7}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => {
                let split = match self.rest.strip_prefix('{') {
                    Some(inner) => inner.split_once('}'),
                    None => self.rest.split_at_checked(2),
                };
                let (digits, after) = split.ok_or_else(invalid)?;
                self.rest = after;
                let plain = digits.bytes().all(|it| it.is_ascii_hexdigit());
                let value = u32::from_str_radix(digits, 16).ok().filter(|_| plain);
                value.and_then(char::from_u32).ok_or_else(invalid)?
            }
            '0'..='7' => {
                let octal = |it: char| it.to_digit(8);
                // One digit that is not zero would be a reference to a group.
                if kind != '0' && self.rest.chars().next().and_then(octal).is_none() {
                    return Err(invalid());
                }
                let mut value = octal(kind).unwrap_or_default();
                for _ in 0..2 {
                    let Some(digit) = self.rest.chars().next().and_then(octal) else { break };
                    value = value * 8 + digit;
                    self.take();
                }
                char::from_u32(value).ok_or_else(invalid)?
            }
            other if other.is_ascii() && !other.is_ascii_alphanumeric() => other,
            _ => return Err(invalid()),
        })
    }

    /// Reads a class after its bracket.
    fn class(&mut self) -> Result<(), String> {
        let missing = || "missing closing ]".to_owned();
        self.out.push('[');
        if let Some(after) = self.rest.strip_prefix('^') {
            self.rest = after;
            self.out.push('^');
        }
        let mut first = true;
        loop {
            if !first && let Some(after) = self.rest.strip_prefix(']') {
                self.rest = after;
                self.out.push(']');
                return Ok(());
            }
            first = false;
            if let Some(named) = self.rest.strip_prefix("[:")
                && let Some((name, after)) = named.split_once(":]")
            {
                let known = [
                    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower",
                    "print", "punct", "space", "upper", "word", "xdigit",
                ];
                if !known.contains(&name.strip_prefix('^').unwrap_or(name)) {
                    return Err(format!("invalid character class range: `[:{name}:]`"));
                }
                let _ = write!(self.out, "[:{name}:]");
                self.rest = after;
                continue;
            }
            if let Some(escaped) = self.rest.strip_prefix('\\') {
                let mut characters = escaped.chars();
                let kind = characters.next().unwrap_or_default();
                let text = match kind {
                    'd' => "0-9",
                    'D' => "[^0-9]",
                    's' => r"\t\n\x0C\r\x20",
                    'S' => r"[^\t\n\x0C\r\x20]",
                    'w' => "0-9A-Za-z_",
                    'W' => "[^0-9A-Za-z_]",
                    _ => "",
                };
                if !text.is_empty() {
                    self.out.push_str(text);
                    self.rest = characters.as_str();
                    continue;
                }
                if kind == 'p' || kind == 'P' {
                    self.rest = characters.as_str();
                    let property = self.property(kind == 'P')?;
                    self.out.push_str(&property);
                    continue;
                }
            }
            let low = self.class_character().ok_or_else(missing)??;
            let high = match self.rest.strip_prefix('-') {
                Some(after) if !after.is_empty() && !after.starts_with(']') => {
                    self.rest = after;
                    self.class_character().ok_or_else(missing)??
                }
                _ => low,
            };
            if high < low {
                return Err(format!("invalid character class range: `{low}-{high}`"));
            }
            push_literal(&mut self.out, low);
            if high > low {
                self.out.push('-');
                push_literal(&mut self.out, high);
            }
        }
    }

    fn class_character(&mut self) -> Option<Result<char, String>> {
        match self.take()? {
            '\\' => Some(self.character()),
            other => Some(Ok(other)),
        }
    }
}

/// Writes a character such that it stands for itself.
fn push_literal(out: &mut String, character: char) {
    if character.is_alphanumeric() {
        out.push(character);
    } else {
        let _ = write!(out, "\\x{{{:x}}}", u32::from(character));
    }
}

/// Reads `n}`, `n,}` or `n,m}`; the outer `None` where it is none of these.
#[expect(clippy::type_complexity, reason = "two numbers, what is left, and two ways to fail")]
fn bounds(text: &str) -> Option<(Result<(usize, Option<usize>), String>, &str)> {
    let (inner, after) = text.split_once('}')?;
    let (least, most) = inner.split_once(',').map_or((inner, Some(inner)), |(least, most)| {
        (least, Some(most).filter(|it| !it.is_empty()))
    });
    let number = |text: &str| {
        let plain = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
        let leading = text.len() > 1 && text.starts_with('0');
        (plain && !leading).then(|| text.parse().unwrap_or(usize::MAX))
    };
    let least = number(least)?;
    let most = match most {
        Some(most) => Some(number(most)?),
        None => None,
    };
    let valid = least <= MAX_REPEAT && most.is_none_or(|it| it <= MAX_REPEAT && it >= least);
    let bounds = if valid { Ok((least, most)) } else { Err("invalid repeat count".to_owned()) };
    Some((bounds, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        compile(pattern).unwrap().is_match(text)
    }

    #[test]
    fn perl_classes_are_ascii() {
        assert!(matches(r"^\d$", "1"));
        assert!(!matches(r"^\d$", "\u{663}"));
        assert!(!matches(r"^\w$", "\u{e9}"));
        assert!(!matches(r"^\s$", "\u{a0}"));
        assert!(matches(r"^[^\w-]$", "\u{e9}"));
        assert!(matches(r"\pL", "\u{e9}"));
        assert!(!matches(r"\p{^Greek}", "\u{3b1}"));
    }

    #[test]
    fn what_go_takes_for_characters_stands_for_itself() {
        for (pattern, text) in [
            ("^a{$", "a{"),
            ("^a{,2}$", "a{,2}"),
            ("^[a&&b]+$", "a&&b"),
            ("^[[a]+$", "[a"),
            ("^[]a]+$", "]a"),
            ("^[a-]+$", "a-"),
            (r"^\Qa.b\E$", "a.b"),
            (r"^\101\x{42}\x43$", "ABC"),
            (r"^\<\_\-$", "<_-"),
            ("^}]$", "}]"),
            (r"^[\]\\]+$", r"]\"),
            ("^[~~a]+$", "~a"),
        ] {
            assert!(matches(pattern, text), "{pattern}");
        }
        assert!(!matches(r"^\Qa.b\E$", "axb"));
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for pattern in [
            "a++",
            "a**",
            "a{2}{3}",
            "*a",
            "a|*",
            "(*)",
            "a{1001}",
            "(a{500}){3}",
            "a{3,2}",
            "(?=a)",
            "(?x)a",
            r"(a)\1",
            r"\Z",
            r"\C",
            r"\u0041",
            r"\é",
            "[b-a]",
            "[a",
            "[]",
            "(a",
            "a)",
            r"\",
            "(?P<n>a)(?P<n>b)",
            r"\p{Foo}",
            "[[:nothing:]]",
        ] {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn groups_and_flags_are_as_in_go() {
        assert!(matches("^(?i)k$", "K"));
        assert!(matches("^(?i:a)b$", "Ab"));
        assert!(!matches("^(?i:a)b$", "AB"));
        assert!(matches("^(?P<1a>a)(?<b>b)$", "ab"));
        assert!(matches("(?s)^a.b$", "a\nb"));
        assert!(!matches("^a.b$", "a\nb"));
        assert!(!matches("^a$", "a\n"));
        assert!(matches("(?ii)a", "A"));
    }
}
