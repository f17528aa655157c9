//! Text as HTML in which nothing is a link, a mention or a tag.

use super::super::text;

/// Characters of a text, before it is escaped; more is cut.
const LONGEST: usize = 1000;

/// From this length on, hexadecimal digits read as the name of a commit.
const COMMIT: usize = 7;

/// Returns a text as code.
pub(super) fn code(text: &str) -> String {
    wrapped(&short(text))
}

/// Returns a sentence, with what stands in backticks, and every word that is not plain, as code.
pub(super) fn prose(text: &str) -> String {
    let text = short(text);
    let parts: Vec<&str> = text.split('`').collect();
    // An odd backtick closes nothing.
    if parts.len().is_multiple_of(2) {
        return words(&text);
    }
    let mut out = String::with_capacity(text.len() * 2);
    for (n, part) in parts.iter().enumerate() {
        out.push_str(&if n % 2 == 0 { words(part) } else { wrapped(part) });
    }
    out
}

fn words(text: &str) -> String {
    let words: Vec<String> = text
        .split(' ')
        .map(|word| if is_plain(word) { escaped(word) } else { wrapped(word) })
        .collect();
    words.join(" ")
}

/// Says whether a word is one of a language, or a small number, with its punctuation: no address,
/// no name of a person, an issue or a commit, and no picture.
fn is_plain(word: &str) -> bool {
    let core = word.trim_start_matches(['(', '"']).trim_end_matches([',', '.', ';', ':', ')', '"']);
    let commit = core.len() >= COMMIT && core.chars().all(|c| c.is_ascii_hexdigit());
    let letters = core.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '-' | '\''));
    let number = core.chars().all(|c| c.is_ascii_digit());
    !commit && (letters || number)
}

fn wrapped(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("<code>{}</code>", escaped(text)) }
}

/// Escapes for HTML, in an element and in a quoted attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Returns the start of a text as one line without control characters.
fn short(text: &str) -> String {
    let start: String = text.chars().take(LONGEST).collect();
    let cut = if start.len() < text.len() { "…" } else { "" };
    format!("{}{cut}", text::escape(&start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_backticks_is_code() {
        assert_eq!(prose("Role `a` grants `*`"), "Role <code>a</code> grants <code>*</code>");
        assert_eq!(prose("the key's value (1 of 3)."), "the key&#39;s value (1 of 3).");
    }

    #[test]
    fn words_that_a_site_links_are_code() {
        for word in [
            "@user",
            "#12",
            "GH-12",
            "a@b.example",
            "https://evil.example",
            "www.evil.example",
            ":smile:",
            "deadbeef",
            "12345678",
            "[a](b)",
            "<b>",
            "**x**",
            "_x_",
            "&amp;",
            "|",
            "~~x~~",
            "$x$",
            "\\@user",
            "owner/name#1",
        ] {
            assert_eq!(prose(word), format!("<code>{}</code>", escaped(word)), "{word}");
            assert_eq!(
                prose(&format!("a {word} b")),
                format!("a <code>{}</code> b", escaped(word))
            );
        }
    }

    #[test]
    fn an_odd_backtick_opens_nothing() {
        assert_eq!(prose("a `@user"), "a <code>`@user</code>");
        assert_eq!(prose("`a` @user `b`"), "<code>a</code> <code>@user</code> <code>b</code>");
    }

    #[test]
    fn a_text_is_one_line_and_not_long() {
        assert_eq!(code("a\n\n<script>\u{1b}"), "<code>a\\n\\n&lt;script&gt;\\u{1b}</code>");
        assert_eq!(code(&"x".repeat(2000)), format!("<code>{}…</code>", "x".repeat(1000)));
    }
}
