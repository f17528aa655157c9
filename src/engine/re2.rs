//! Regular expressions as Go reads them (RE2), matched in linear time.
//!
//! The `regex` crate has nearly the same syntax. What it reads differently is rewritten: the
//! classes of Perl know ASCII only in Go, a bracket or a doubled operator in a class stands for
//! itself there, and so does a brace that is no repetition.

use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

/// The largest program that a pattern may become, in bytes; schemas come from outside.
const SIZE_LIMIT: usize = 4 << 20;

/// Compiles a pattern.
pub fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(&translate(pattern)).size_limit(SIZE_LIMIT).build()
}

/// Rewrites a pattern into the syntax of the `regex` crate.
fn translate(pattern: &str) -> String {
    // Most patterns need no change.
    if !pattern.contains(['\\', '[', '{']) {
        return pattern.to_owned();
    }
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => escape(&mut rest, &mut out, false),
            '[' => class(&mut rest, &mut out),
            '{' if !is_repetition(rest.clone()) => out.push_str("\\{"),
            _ => out.push(c),
        }
    }
    out
}

/// Copies what follows a backslash.
fn escape(rest: &mut Peekable<Chars<'_>>, out: &mut String, in_class: bool) {
    match rest.next() {
        Some('d') => out.push_str("[0-9]"),
        Some('D') => out.push_str("[^0-9]"),
        Some('w') => out.push_str("[0-9A-Za-z_]"),
        Some('W') => out.push_str("[^0-9A-Za-z_]"),
        Some('s') => out.push_str("[\\t\\n\\f\\r ]"),
        Some('S') => out.push_str("[^\\t\\n\\f\\r ]"),
        Some(c @ ('b' | 'B')) if !in_class => {
            out.extend(["(?-u:\\", c.encode_utf8(&mut [0; 4]), ")"])
        }
        Some(c @ ('<' | '>')) => out.push(c),
        Some('Q') => {
            let mut literal = String::new();
            while let Some(c) = rest.next() {
                if c == '\\' && rest.peek() == Some(&'E') {
                    rest.next();
                    break;
                }
                literal.push(c);
            }
            out.push_str(&regex::escape(&literal));
        }
        // A name or a number in braces.
        Some(c @ ('x' | 'p' | 'P')) if rest.peek() == Some(&'{') => {
            out.extend(['\\', c]);
            for c in rest.by_ref() {
                out.push(c);
                if c == '}' {
                    break;
                }
            }
        }
        // One digit alone would refer back, which Go does not.
        Some(c @ '1'..='7') if !rest.peek().is_some_and(|it| it.is_digit(8)) => {
            out.extend(['\\', c]);
        }
        // Octal, at most three digits.
        Some(c @ '0'..='7') => {
            let mut value = c.to_digit(8).unwrap_or(0);
            for _ in 0..2 {
                let Some(digit) = rest.peek().and_then(|it| it.to_digit(8)) else { break };
                value = value * 8 + digit;
                rest.next();
            }
            out.push_str(&format!("\\x{{{value:x}}}"));
        }
        Some(c) => out.extend(['\\', c]),
        None => out.push('\\'),
    }
}

/// Copies a class, whose bracket is read already.
fn class(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('[');
    if rest.peek() == Some(&'^') {
        rest.next();
        out.push('^');
    }
    // A bracket right at the start stands for itself.
    if rest.peek() == Some(&']') {
        rest.next();
        out.push_str("\\]");
    }
    while let Some(c) = rest.next() {
        match c {
            ']' => {
                out.push(']');
                return;
            }
            '\\' => escape(rest, out, true),
            '[' if rest.peek() == Some(&':') => {
                // A class of POSIX, such as `[:alpha:]`.
                out.push('[');
                for c in rest.by_ref() {
                    out.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            '[' => out.push_str("\\["),
            '&' | '~' if rest.peek() == Some(&c) => out.extend(['\\', c]),
            '-' if rest.peek() == Some(&'-') => out.push_str("\\-"),
            _ => out.push(c),
        }
    }
}

/// Says whether what follows a brace makes it a repetition: `3}`, `3,}` or `3,5}`.
fn is_repetition(rest: Peekable<Chars<'_>>) -> bool {
    let inner: String = rest.take_while(|c| *c != '}').take(12).collect();
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    match inner.split_once(',') {
        Some((least, most)) => digits(least) && (most.is_empty() || digits(most)),
        None => digits(&inner),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn matches(pattern: &str, yes: &[&str], no: &[&str]) {
        let regex = compile(pattern).unwrap();
        for text in yes {
            assert!(regex.is_match(text), "{pattern} takes {text}");
        }
        for text in no {
            assert!(!regex.is_match(text), "{pattern} refuses {text}");
        }
    }

    #[test]
    fn the_classes_of_perl_are_ascii() {
        matches(r"^\d+$", &["12"], &["१२", "1a"]);
        matches(r"^[\w.]+$", &["a_1."], &["é", "-"]);
        matches(r"^\S+$", &["é"], &["a b"]);
        matches(r"^[^\s]+$", &["\u{a0}"], &["a\tb"]);
        matches(r"\bweb\b", &["éweb"], &["aweb"]);
    }

    #[test]
    fn operators_within_a_class_stand_for_themselves() {
        matches(r"^[[a]+$", &["[a"], &["b"]);
        matches(r"^[a&&b]+$", &["a&b"], &["c"]);
        matches(r"^[]a]+$", &["]a"], &["b"]);
        matches(r"^[[:alpha:]-]+$", &["a-b"], &["1"]);
        matches(r"^[a\-z]+$", &["a-z"], &["b"]);
    }

    #[test]
    fn a_brace_that_is_no_repetition_stands_for_itself() {
        matches(r"^\${name}$", &["${name}"], &["$name"]);
        matches(r"^{{.*}}$", &["{{ x }}"], &["{ x }"]);
        matches(r"^a{2,3}$", &["aa", "aaa"], &["a", "aaaa"]);
    }

    #[test]
    fn other_escapes_of_go_are_known() {
        matches(r"^\Qa.b\E$", &["a.b"], &["axb"]);
        matches(r"^\<a\>$", &["<a>"], &["a"]);
        matches(r"^\x{e9}\101$", &["éA"], &["e"]);
        matches(r"^\p{Lu}[\p{Ll}\x{10ffff}]$", &["Éa"], &["aA"]);
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in ["(", "[a", r"\1", "(?=a)", "a**", "(?:a{1000}){1000}{1000}"] {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }
}
