//! How places and values are written in messages.
//!
//! All text of an object is untrusted: it is cut, and what is not printable is replaced.

use crate::document::{Node, NodeKind, Scalar};

/// One step of the walk.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Crumb<'a> {
    /// Into an object, by key.
    Key(&'a str),
    /// Into a list, by position; and the name of the item, where names tell items apart.
    Item(usize, Option<&'a str>),
}

/// The longest text that is quoted from an object, in characters.
const LONGEST: usize = 48;

/// Returns text in backticks, cut and printable.
pub(crate) fn code(text: &str) -> String {
    format!("`{}`", printable(text))
}

fn printable(text: &str) -> String {
    let mut out: String = text
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_control() || c == '`' { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        out.push('…');
    }
    out
}

/// The steps of a longer path are left out in the middle.
const STEPS: (usize, usize) = (6, 12);

/// Returns the path of a field: items by name where names tell them apart.
///
/// E.g. `spec.template.spec.containers[web].image`.
pub(crate) fn place(crumbs: &[Crumb<'_>]) -> String {
    let mut out = String::new();
    let hidden = crumbs.len().saturating_sub(STEPS.0 + STEPS.1);
    for (at, crumb) in crumbs.iter().enumerate() {
        if hidden > 0 && at >= STEPS.0 && at < STEPS.0 + hidden {
            if at == STEPS.0 {
                out.push_str(".…");
            }
            continue;
        }
        let bracketed = match *crumb {
            Crumb::Item(index, None) => index.to_string(),
            Crumb::Item(_, Some(name)) => printable(name),
            Crumb::Key(key) if key.is_empty() || key.contains(['.', '/', '[', ' ']) => {
                printable(key)
            }
            Crumb::Key(key) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(&printable(key));
                continue;
            }
        };
        out.extend(["[", &bracketed, "]"]);
    }
    out
}

/// Returns the path of an object within, or the name of the kind where it is the whole.
pub(crate) fn whole(crumbs: &[Crumb<'_>], kind: &str) -> String {
    match crumbs {
        [] => format!("the {}", printable(kind)),
        _ => format!("`{}`", place(crumbs)),
    }
}

/// Says whether values at this place may be quoted: not where secrets are found in practice.
pub(crate) fn shows_values(crumbs: &[Crumb<'_>]) -> bool {
    const PRIVATE: [&str; 7] =
        ["annotations", "args", "binaryData", "command", "data", "stringData", "value"];
    !crumbs.iter().any(|crumb| matches!(crumb, Crumb::Key(key) if PRIVATE.contains(key)))
}

/// Returns a short text of one line in backticks; nothing for any other.
pub(crate) fn quote(text: &str) -> Option<String> {
    let fits =
        text.chars().nth(LONGEST).is_none() && !text.chars().any(|c| c.is_control() || c == '`');
    match text {
        "" => Some("an empty string".to_owned()),
        _ => fits.then(|| format!("`{text}`")),
    }
}

/// Returns a value without children in backticks, where it is short enough.
pub(crate) fn scalar(node: &Node) -> Option<String> {
    match &node.kind {
        NodeKind::Sequence(_) | NodeKind::Mapping(_) => None,
        NodeKind::Scalar(Scalar::Null) => Some("`null`".to_owned()),
        NodeKind::Scalar(Scalar::Bool(value)) => Some(format!("`{value}`")),
        NodeKind::Scalar(Scalar::Int(value)) => Some(format!("`{value}`")),
        NodeKind::Scalar(Scalar::Uint(value)) => Some(format!("`{value}`")),
        NodeKind::Scalar(Scalar::Float(value)) => Some(format!("`{value}`")),
        NodeKind::Scalar(Scalar::String(text)) => quote(text),
    }
}

/// Says what stands there instead.
pub(crate) fn found(node: &Node, show: bool) -> String {
    let plain = |what: &str, value: Option<String>| match value.filter(|_| show) {
        Some(value) => format!("the {what} {value}"),
        None if what == "integer" => "an integer".to_owned(),
        None => format!("a {what}"),
    };
    match &node.kind {
        NodeKind::Sequence(_) => "a list".to_owned(),
        NodeKind::Mapping(_) => "an object".to_owned(),
        NodeKind::Scalar(Scalar::Null) => "null".to_owned(),
        NodeKind::Scalar(Scalar::Bool(value)) => plain("boolean", Some(format!("`{value}`"))),
        NodeKind::Scalar(Scalar::Int(value)) => plain("integer", Some(format!("`{value}`"))),
        NodeKind::Scalar(Scalar::Uint(value)) => plain("integer", Some(format!("`{value}`"))),
        NodeKind::Scalar(Scalar::Float(value)) => plain("number", Some(format!("`{value}`"))),
        NodeKind::Scalar(Scalar::String(text)) if text.is_empty() => "an empty string".to_owned(),
        NodeKind::Scalar(Scalar::String(text)) => plain("string", quote(text)),
    }
}

/// Says how to turn what stands there into what is wanted, where that is plain.
pub(crate) fn type_help(node: &Node, wanted: &str) -> Option<&'static str> {
    match (&node.kind, wanted) {
        (NodeKind::Scalar(Scalar::Bool(_)), "a string") => Some(
            "put the value in quotes; without them `yes`, `no`, `on` and `off` are booleans too",
        ),
        (NodeKind::Scalar(Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_)), "a string") => {
            Some("put the value in quotes")
        }
        (NodeKind::Scalar(Scalar::String(text)), "an integer") if text.parse::<i64>().is_ok() => {
            Some("remove the quotes")
        }
        (NodeKind::Scalar(Scalar::String(text)), "a number") if text.parse::<f64>().is_ok() => {
            Some("remove the quotes")
        }
        (NodeKind::Scalar(Scalar::String(text)), "a boolean") => {
            matches!(&**text, "true" | "false").then_some("remove the quotes")
        }
        (NodeKind::Scalar(Scalar::String(_)) | NodeKind::Mapping(_), "a list") => {
            Some("start each item with `- `")
        }
        (NodeKind::Sequence(items), "an object") if items.len() == 1 => Some("remove the `- `"),
        _ => None,
    }
}

/// Says whether a string stands for a value that is filled in later.
///
/// Flux and shells write `${VAR}`, kubelet `$(VAR)`, templates `{{ … }}` and `<TOKEN>`, and SOPS
/// `ENC[…]`: what type they will have is not known here.
pub(crate) fn is_placeholder(text: &str) -> bool {
    let token = |text: &str| {
        let Some((_, rest)) = text.split_once('<') else { return false };
        let Some((name, _)) = rest.split_once('>') else { return false };
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' '))
    };
    // Most values are short words: one look rules them out.
    text.contains(['$', '{', '<', '['])
        && (text.contains("${")
            || text.contains("$(")
            || text.contains("{{")
            || text.contains("ENC[")
            || token(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_known() {
        for text in [
            "${VAR}",
            "a-$(VAR)",
            "{{ .Values.x }}",
            "<TOKEN>",
            "<ADD LUN ID Here>",
            "ENC[AES256_GCM,data:x]",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in ["three", "a < b > c", "$5", "[x]", "<>", "<1>"] {
            assert!(!is_placeholder(text), "{text}");
        }
    }
}
