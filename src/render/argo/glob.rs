//! The patterns that Argo CD filters files with: those of `gobwas/glob` without separators.

use regex::Regex;

/// A pattern over a whole path: `*` for any text, slashes included, `?`, `[ab]`, `{a,b}`.
pub(super) struct Glob(Option<Regex>);

/// How many bytes a compiled pattern may take.
const SIZE: usize = 1 << 20;

impl Glob {
    /// Compiles a pattern. One that is none matches nothing, as in Argo CD.
    pub(super) fn new(pattern: &str) -> Self {
        let compiled = translated(pattern)
            .and_then(|text| regex::RegexBuilder::new(&text).size_limit(SIZE).build().ok());
        Self(compiled)
    }

    pub(super) fn matches(&self, path: &str) -> bool {
        self.0.as_ref().is_some_and(|regex| regex.is_match(path))
    }
}

fn translated(pattern: &str) -> Option<String> {
    let mut out = String::from(r"(?s)\A(?:");
    let mut depth = 0_usize;
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '{' => {
                depth += 1;
                out.push_str("(?:");
            }
            '}' if depth > 0 => {
                depth -= 1;
                out.push(')');
            }
            ',' if depth > 0 => out.push('|'),
            '[' => {
                out.push('[');
                if characters.next_if_eq(&'!').is_some() {
                    out.push('^');
                }
                loop {
                    match characters.next()? {
                        ']' => break,
                        '-' => out.push('-'),
                        '\\' => out.push_str(&regex::escape(&characters.next()?.to_string())),
                        inside => out.push_str(&regex::escape(&inside.to_string())),
                    }
                }
                out.push(']');
            }
            '\\' => out.push_str(&regex::escape(&characters.next()?.to_string())),
            plain => out.push_str(&regex::escape(&plain.to_string())),
        }
    }
    if depth > 0 {
        return None;
    }
    out.push_str(r")\z");
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_whole_paths() {
        let cases = [
            ("*.yaml", "a/b.yaml", true),
            ("*.yaml", "a.yml", false),
            ("{a,b}/*.yaml", "b/c.yaml", true),
            ("{a,b}/*.yaml", "c/c.yaml", false),
            ("env-?.yaml", "env-1.yaml", true),
            ("[!a]*", "b.yaml", true),
            ("[!a]*", "a.yaml", false),
            ("a.yaml", "xa.yaml", false),
            (r"\*.yaml", "*.yaml", true),
            ("{a", "a", false),
            ("[a", "a", false),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(Glob::new(pattern).matches(path), expected, "{pattern} {path}");
        }
    }
}
