//! Functions over texts.

use super::value::Value;

/// The longest name that Argo CD makes.
const NAME: usize = 253;

/// Makes a text fit for the name of an object: `normalize` of Argo CD (`SanitizeName`).
pub fn normalized(text: &str) -> String {
    let fit = |c: char| if matches!(c, 'a'..='z' | '0'..='9' | '-' | '.') { c } else { '-' };
    let name: String = text.to_lowercase().chars().map(fit).take(NAME).collect();
    name.trim_matches(['-', '.']).to_owned()
}

/// `slugify` of Argo CD: at most `size` characters, cut between words where `smart`.
pub(super) fn slug(text: &str, size: usize, smart: bool) -> String {
    let name = normalized(text);
    let mut out = String::new();
    for character in name.chars() {
        let character = if character == '.' { '-' } else { character };
        if character != '-' || !out.ends_with('-') {
            out.push(character);
        }
    }
    let out = out.trim_matches('-');
    if size == 0 || out.len() <= size {
        return out.to_owned();
    }
    let cut = out.get(..size).unwrap_or(out);
    if !smart {
        return cut.trim_matches('-').to_owned();
    }
    // Words are kept whole, but for the first.
    let mut kept = String::new();
    for word in out.split('-') {
        let next = kept.len() + usize::from(!kept.is_empty()) + word.len();
        if next > size {
            break;
        }
        if !kept.is_empty() {
            kept.push('-');
        }
        kept.push_str(word);
    }
    if kept.is_empty() { cut.to_owned() } else { kept }
}

/// Splits a text into words: at what is neither letter nor digit, and before capitals.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before = ' ';
    for character in text.chars() {
        let breaks = !character.is_alphanumeric()
            || (character.is_uppercase() && (before.is_lowercase() || before.is_numeric()));
        if breaks && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if character.is_alphanumeric() {
            word.push(character);
        }
        before = character;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Writes the first letter of each word large.
pub(super) fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut start = true;
    for character in text.chars() {
        if start {
            out.extend(character.to_uppercase());
        } else {
            out.push(character);
        }
        start = character.is_whitespace();
    }
    out
}

/// Writes a value as YAML in block form, without a line break at the end.
pub(super) fn yaml(value: &serde_json::Value) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out.trim_end_matches('\n').to_owned()
}

fn write(value: &serde_json::Value, indent: usize, out: &mut String) {
    use serde_json::Value as Json;
    let pad = |out: &mut String| out.extend(std::iter::repeat_n(' ', indent));
    match value {
        Json::Object(all) if !all.is_empty() => {
            for (at, (key, value)) in all.iter().enumerate() {
                if at > 0 || out.ends_with('\n') {
                    pad(out);
                }
                out.push_str(&scalar(key));
                out.push(':');
                match value {
                    Json::Object(inner) if !inner.is_empty() => {
                        out.push('\n');
                        write(value, indent + 2, out);
                    }
                    Json::Array(inner) if !inner.is_empty() => {
                        out.push('\n');
                        write(value, indent, out);
                    }
                    _ => {
                        out.push(' ');
                        write(value, indent, out);
                    }
                }
            }
        }
        Json::Array(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                if at > 0 || out.ends_with('\n') {
                    pad(out);
                }
                out.push_str("- ");
                write(item, indent + 2, out);
            }
        }
        Json::Object(_) => out.push_str("{}\n"),
        Json::Array(_) => out.push_str("[]\n"),
        Json::String(text) => {
            out.push_str(&scalar(text));
            out.push('\n');
        }
        other => {
            out.push_str(&other.to_string());
            out.push('\n');
        }
    }
}

/// Writes a text so that it is read as one, whatever it looks like.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(plain)
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if is_word { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// Returns the last part of a path, as Go's `path.Base` does.
pub(super) fn base(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match (path.is_empty(), trimmed.is_empty()) {
        (true, _) => ".",
        (false, true) => "/",
        (false, false) => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }
}

/// Returns a path without `.`, `..` and double slashes, as Go's `path.Clean` does.
pub(super) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|it| *it != "..") => drop(parts.pop()),
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// Compares two values for an order of texts.
pub(super) fn order(a: &Value, b: &Value) -> std::cmp::Ordering {
    a.shown(2).cmp(&b.shown(2))
}
