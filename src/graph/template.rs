//! Texts that are templates, not manifests: their braces stand where YAML has none.

/// Says whether a text that YAML refuses is a template that is not filled in.
///
/// Only braces outside block scalars and quotes count. `summary: "{{ $labels.pod }}"` and a script
/// in a `ConfigMap` are data, and say nothing of what is wrong with the text.
pub(super) fn is_template(text: &str) -> bool {
    let mut block: Option<usize> = None;
    for line in text.lines() {
        let body = line.trim_start();
        let indent = line.len() - body.len();
        if body.is_empty() {
            continue;
        }
        if let Some(parent) = block {
            // A directive of a template often stands at the margin, whatever is around it.
            if indent > parent && !is_directive(body) {
                continue;
            }
            if indent > parent {
                return true;
            }
            block = None;
        }
        if body.starts_with('#') {
            continue;
        }
        if has_bare_braces(body) || is_bare_token(body) {
            return true;
        }
        if opens_block(body) {
            block = Some(parent_indent(indent, body));
        }
    }
    false
}

/// Says whether a line is nothing but control flow of a template.
fn is_directive(body: &str) -> bool {
    let inner = body.strip_prefix("{{").map(|rest| rest.trim_start_matches('-').trim_start());
    body.starts_with("{%")
        || inner.is_some_and(|inner| {
            ["if ", "else", "end", "range ", "with ", "include ", "template ", "define ", "block "]
                .iter()
                .any(|word| inner.starts_with(word))
        })
}

/// Says whether braces of a template stand where a key or a value starts.
fn has_bare_braces(body: &str) -> bool {
    let mut rest = body;
    loop {
        if rest.starts_with("{{") || rest.starts_with("{%") || is_percent_token(rest) {
            return true;
        }
        let next = match rest.strip_prefix("- ") {
            Some(item) => item,
            None => match rest.split_once(": ") {
                // A quote opens a scalar that ends who knows where.
                Some((key, value)) if !key.contains(['"', '\'']) || is_quoted(key) => value,
                _ => return false,
            },
        };
        rest = next.trim_start();
    }
}

/// Says whether a text starts with a placeholder such as `%ZONE%`: no YAML value may.
fn is_percent_token(text: &str) -> bool {
    text.strip_prefix('%').and_then(|rest| rest.split_once('%')).is_some_and(|(token, _)| {
        !token.is_empty()
            && token.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    })
}

fn is_quoted(key: &str) -> bool {
    ['"', '\'']
        .iter()
        .any(|quote| key.len() > 1 && key.starts_with(*quote) && key.trim_end().ends_with(*quote))
}

/// Says whether a line is nothing but a placeholder such as `<LABELS>`.
fn is_bare_token(body: &str) -> bool {
    let token = body.trim_end().strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    token.is_some_and(|token| {
        token.starts_with(|c: char| c.is_ascii_uppercase())
            && token.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    })
}

/// Says whether a line opens a block scalar.
fn opens_block(body: &str) -> bool {
    let body = body.split(" #").next().unwrap_or(body).trim_end();
    let header = body.trim_end_matches(|c: char| c.is_ascii_digit() || c == '+' || c == '-');
    let Some(before) = header.strip_suffix(['|', '>']) else { return false };
    before.is_empty() || before.ends_with(' ')
}

/// Returns the indentation that a block scalar's lines exceed.
fn parent_indent(indent: usize, body: &str) -> usize {
    let mut indent = indent;
    let mut rest = body;
    // `- key: |` nests the block below the key, not below the dash.
    while let Some(item) = rest.strip_prefix("- ") {
        if !item.contains(": ") {
            break;
        }
        indent += 2;
        rest = item;
    }
    indent
}

/// Says whether a text looks like a manifest: kind and version stand at the margin of a line.
///
/// Asked only of texts that cannot be read, so it decides what is reported, never what is judged.
pub(super) fn looks_like_manifest(text: &str) -> bool {
    let key = |name: &str| {
        text.lines().any(|line| {
            let line = line.trim_start_matches(['\u{feff}', '{', '"', '\'']);
            let line = line.strip_prefix(name).map(|rest| rest.trim_start_matches(['"', '\'']));
            line.is_some_and(|rest| rest.trim_start().starts_with(':'))
        })
    };
    if text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
        return text.contains("\"apiVersion\"") && text.contains("\"kind\"");
    }
    key("apiVersion") && key("kind")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_at_the_start_of_keys_and_values_make_a_template() {
        for text in [
            "replicas: {{ .Values.replicas }}\n",
            "{{- if .Values.enabled }}\nkind: Pod\n{{- end }}\n",
            "- name: {{ name }}\n",
            "{% if x %}\na: 1\n",
            "data:\n  a: |\n    b\n{{ end }}\n",
            "data:\n  a: |\n    b\n    {{- if x }}\n    c\n",
            "hosts:\n- %TARGET%.%ZONE%\n",
            "annotations:\n  <ISSUER_ANNOTATION_1>\n",
        ] {
            assert!(is_template(text), "{text}");
        }
    }

    #[test]
    fn braces_in_data_do_not() {
        for text in [
            "summary: \"{{ $labels.pod }}\"\nb: [\n",
            "message: hello {{ name }}\nb: [\n",
            "data:\n  run.sh: |\n    echo {{ x }}\n    key: {{ y }}\nb: [\n",
            "- name: x\n  args: >-\n    {{ x }}\nb: [\n",
            "# {{ if }}\nb: [\n",
            "\"a: {{ b\nc: 1\n",
        ] {
            assert!(!is_template(text), "{text}");
        }
    }

    #[test]
    fn a_manifest_says_its_kind_at_the_margin() {
        assert!(looks_like_manifest("---\napiVersion: v1\nkind: Pod\nspec: [\n"));
        assert!(looks_like_manifest("{\"apiVersion\": \"v1\", \"kind\": \"Pod\""));
        assert!(!looks_like_manifest("site: x\nnav:\n  - apiVersion: v1\n    kind: Pod\n"));
    }
}
