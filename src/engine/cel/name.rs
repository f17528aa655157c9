//! Names of properties that CEL could not name: `__dash__` and its kin.

use std::borrow::Cow;

/// Names that no variable may have.
pub(super) const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Says whether a name is a word of the language: a literal, an operator, or reserved.
pub fn is_word(name: &str) -> bool {
    matches!(name, "true" | "false" | "null" | "in") || RESERVED.contains(&name)
}

/// Parts of names, and what stands for them.
const ESCAPES: &[(&str, &str)] =
    &[("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__")];

/// Returns the name by which expressions call a property; `None` where they cannot.
pub fn escape(name: &str) -> Option<Cow<'_, str>> {
    if name.is_empty() || name.starts_with(|it: char| it.is_ascii_digit()) {
        return None;
    }
    if is_word(name) {
        return Some(Cow::Owned(format!("__{name}__")));
    }
    if !name.bytes().all(|it| it.is_ascii_alphanumeric() || b"_.-/".contains(&it)) {
        return None;
    }
    if !name.contains("__") && !name.contains(['.', '-', '/']) {
        return Some(Cow::Borrowed(name));
    }
    let mut out = String::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let escaped = ESCAPES
            .iter()
            .find_map(|(plain, escaped)| rest.strip_prefix(plain).map(|after| (*escaped, after)));
        if let Some((escaped, after)) = escaped {
            out.push_str(escaped);
            rest = after;
        } else {
            out.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    Some(Cow::Owned(out))
}

/// Says whether a name is a word of the language.
pub(super) fn is_reserved(name: &str) -> bool {
    is_word(name)
}

/// Says whether a name may stand for another one.
pub fn needs_unescape(name: &str) -> bool {
    name.contains("__")
}

/// Returns the property that a name stands for; `None` where it stands for none.
pub fn unescape(name: &str) -> Option<Cow<'_, str>> {
    if !needs_unescape(name) {
        return Some(Cow::Borrowed(name));
    }
    let mut out = String::new();
    let mut rest = name;
    while let Some(at) = rest.find("__") {
        let (before, after) = rest.split_at_checked(at)?;
        let inner = after.strip_prefix("__")?;
        let end = inner.find('_').unwrap_or(inner.len());
        let (word, close) = inner.split_at_checked(end)?;
        let Some(next) = close.strip_prefix("__").filter(|_| !word.is_empty()) else {
            // Two underscores that begin no escape: one of them is as it stands.
            out.push_str(before);
            out.push('_');
            rest = after.strip_prefix('_')?;
            continue;
        };
        out.push_str(before);
        match ESCAPES.iter().find(|(_, escaped)| escaped.trim_matches('_') == word) {
            Some((plain, _)) => out.push_str(plain),
            None if is_word(word) && name.len() == word.len() + 4 => out.push_str(word),
            None => return None,
        }
        rest = next;
    }
    out.push_str(rest);
    Some(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_such_that_expressions_can_say() {
        for (name, escaped) in [
            ("spec", Some("spec")),
            ("a-b", Some("a__dash__b")),
            ("a.b/c", Some("a__dot__b__slash__c")),
            ("a__b", Some("a__underscores__b")),
            ("a_b", Some("a_b")),
            ("namespace", Some("__namespace__")),
            ("int", Some("int")),
            ("1a", None),
            ("", None),
            ("a b", None),
            ("\u{e4}", None),
        ] {
            assert_eq!(escape(name).as_deref(), escaped, "{name}");
            if let Some(escaped) = escaped {
                assert_eq!(unescape(escaped).as_deref(), Some(name), "{escaped}");
            }
        }
    }

    #[test]
    fn what_stands_for_nothing_is_refused() {
        assert_eq!(unescape("a__nothing__b"), None);
        assert_eq!(unescape("a__namespace__"), None);
        assert_eq!(unescape("a__b").as_deref(), Some("a__b"));
    }
}
