//! What the rules are, for `rules` and `explain`.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use serde::Serialize;

use super::{Style, text};
use crate::rule::{Doors, Minors, Registry, RuleMeta};

/// What a list of rules is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListFormat {
    /// One line for each rule.
    Text,
    /// An array of objects.
    Json,
}

impl ListFormat {
    /// All formats.
    pub const ALL: [Self; 2] = [Self::Text, Self::Json];

    /// Returns the name that the command line uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for ListFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a text names no format of a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a format: write `text` or `json`")]
pub struct UnknownListFormat(String);

impl FromStr for ListFormat {
    type Err = UnknownListFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| UnknownListFormat(text.to_owned()))
    }
}

/// Writes the list of all rules.
pub fn write_rules(registry: &Registry, format: ListFormat, out: &mut dyn Write) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    match format {
        ListFormat::Text => {
            let longest = registry.iter().map(|rule| rule.id.as_str().len()).max().unwrap_or(0);
            for rule in registry.iter() {
                writeln!(
                    out,
                    "{:longest$}  {:8}  {:4}  {}",
                    rule.id.as_str(),
                    rule.severity,
                    rule.enforcement,
                    text::escape(&rule.title),
                )?;
            }
        }
        ListFormat::Json => {
            let rules: Vec<RuleV1<'_>> = registry.iter().map(RuleV1::new).collect();
            serde_json::to_writer_pretty(&mut out, &rules)?;
            writeln!(out)?;
        }
    }
    out.flush()
}

/// Writes all there is to say of one rule.
pub fn write_explanation(meta: &RuleMeta, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let width = style.width.clamp(40, 100);
    let mut out = io::BufWriter::new(out);
    let theme = super::human::theme(style);
    writeln!(out, "{}", theme.styles.error.style(meta.id.as_str()))?;
    paragraphs(&meta.title, width, "", &mut out)?;
    writeln!(out)?;
    for (name, value) in [
        ("severity", meta.severity.as_str()),
        ("by default", meta.enforcement.as_str()),
        ("looks at", meta.scope.as_str()),
        ("judged at", doors(meta.doors)),
        ("Kubernetes", &minors(meta.minors)),
        ("since", &meta.since),
    ] {
        // Rules of the user's own policies say no version, and most rules always hold.
        if !value.is_empty() {
            writeln!(out, "{name:12}{}", text::escape(value))?;
        }
    }
    for (heading, body) in [("Why", &meta.description), ("How to fix", &meta.help)] {
        if !body.trim().is_empty() {
            writeln!(out, "\n{}", theme.styles.help.style(heading))?;
            paragraphs(body, width, "  ", &mut out)?;
        }
    }
    if !meta.references.is_empty() {
        writeln!(out, "\n{}", theme.styles.help.style("References"))?;
        for reference in &meta.references {
            // An address is never broken, so that it can be followed.
            writeln!(out, "  {}", text::escape(&reference.title))?;
            writeln!(out, "    {}", text::escape(&reference.url))?;
        }
    }
    out.flush()
}

/// Returns where a rule is evaluated, for people.
fn doors(doors: Doors) -> &'static str {
    match doors {
        Doors::Repository => "the repository only",
        Doors::Both => "the repository and the cluster",
    }
}

/// Returns the versions of Kubernetes in which a rule holds, for people; nothing for all.
fn minors(minors: Minors) -> String {
    match (minors.first, minors.last) {
        (0, None) => String::new(),
        (first, None) => format!("1.{first} and later"),
        (0, Some(last)) => format!("up to 1.{last}"),
        (first, Some(last)) => format!("1.{first} to 1.{last}"),
    }
}

/// Writes Markdown: paragraphs and items are wrapped, code stays as it is.
fn paragraphs(markdown: &str, width: usize, indent: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut paragraph = String::new();
    let mut fenced = false;
    let flush = |paragraph: &mut String, out: &mut dyn Write| -> io::Result<()> {
        let words: Vec<&str> = paragraph.split_whitespace().collect();
        if words.is_empty() {
            return Ok(());
        }
        let item = words.first().is_some_and(|word| ["-", "*"].contains(word));
        let text = text::escape(&words.join(" ")).into_owned();
        let inner = if item { "  " } else { "" };
        let columns = width.saturating_sub(indent.len() + inner.len());
        for (n, line) in text::wrap(&text, columns).iter().enumerate() {
            let inner = if n == 0 { "" } else { inner };
            writeln!(out, "{indent}{inner}{line}")?;
        }
        paragraph.clear();
        Ok(())
    };
    for line in markdown.trim().lines() {
        let bare = line.trim();
        if bare.starts_with("```") {
            flush(&mut paragraph, out)?;
            fenced = !fenced;
        } else if fenced || (paragraph.is_empty() && line.starts_with("    ")) {
            let code = if fenced { line } else { bare };
            writeln!(out, "{indent}    {}", text::unwrapped(code))?;
        } else if bare.is_empty() {
            flush(&mut paragraph, out)?;
            writeln!(out)?;
        } else {
            if bare.starts_with("- ") || bare.starts_with("* ") {
                flush(&mut paragraph, out)?;
            }
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(bare);
        }
    }
    flush(&mut paragraph, out)
}

// One rule of the list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleV1<'a> {
    id: &'a str,
    title: &'a str,
    severity: &'a str,
    enforcement: &'a str,
    scope: &'a str,
    doors: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kubernetes: Option<MinorsV1>,
    since: &'a str,
    description: &'a str,
    help: &'a str,
    references: Vec<ReferenceV1<'a>>,
}

// The first and the last version of Kubernetes in which a rule holds, where they are bounded.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MinorsV1 {
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
}

// One page that a rule rests on.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReferenceV1<'a> {
    title: &'a str,
    url: &'a str,
}

impl<'a> RuleV1<'a> {
    fn new(meta: &'a RuleMeta) -> Self {
        Self {
            id: meta.id.as_str(),
            title: &meta.title,
            severity: meta.severity.as_str(),
            enforcement: meta.enforcement.as_str(),
            scope: meta.scope.as_str(),
            doors: meta.doors.as_str(),
            kubernetes: (meta.minors != Minors::ALL).then(|| MinorsV1 {
                first: (meta.minors.first > 0).then(|| format!("1.{}", meta.minors.first)),
                last: meta.minors.last.map(|last| format!("1.{last}")),
            }),
            since: &meta.since,
            description: &meta.description,
            help: &meta.help,
            references: meta
                .references
                .iter()
                .map(|it| ReferenceV1 { title: &it.title, url: &it.url })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{PLAIN, rule};
    use crate::rule::{Enforcement, Severity};

    fn registry() -> Registry {
        let mut registry = Registry::default();
        let mut low = rule("workload/latest-image");
        low.severity = Severity::Low;
        low.enforcement = Enforcement::Warn;
        registry.add(low).unwrap();
        registry.add(rule("rbac/wildcard-verb")).unwrap();
        registry
    }

    fn listed(format: ListFormat) -> String {
        let mut out = Vec::new();
        write_rules(&registry(), format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_rule_is_a_line() {
        insta::assert_snapshot!(listed(ListFormat::Text), @r"
        rbac/wildcard-verb     high      deny  Title of the rule
        workload/latest-image  low       warn  Title of the rule
        ");
    }

    #[test]
    fn json_has_every_field_of_a_rule() {
        let rules: serde_json::Value = serde_json::from_str(&listed(ListFormat::Json)).unwrap();
        assert_eq!(
            rules[0],
            serde_json::json!({
                "id": "rbac/wildcard-verb",
                "title": "Title of the rule",
                "severity": "high",
                "enforcement": "deny",
                "scope": "object",
                "doors": "both",
                "since": "0.1.0",
                "description":
                    "The first sentence says why. The second says more.\n\nA paragraph.",
                "help": "the help of the rule",
                "references": [
                    {"title": "Good practice", "url": "https://example.com/practice"},
                ],
            })
        );
        assert_eq!(rules.as_array().unwrap().len(), 2);
    }

    #[test]
    fn the_versions_of_kubernetes_are_told_where_they_are_bounded() {
        let mut meta = rule("api/invalid-name");
        meta.minors = Minors { first: 29, last: Some(33) };
        let mut out = Vec::new();
        write_explanation(&meta, PLAIN, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("\nKubernetes  1.29 to 1.33\n"), "{text}");
        assert_eq!(minors(Minors::since(30)), "1.30 and later");
        assert_eq!(minors(Minors::until(30)), "up to 1.30");
        let json = serde_json::to_value(RuleV1::new(&meta)).unwrap();
        assert_eq!(json["kubernetes"], serde_json::json!({"first": "1.29", "last": "1.33"}));
    }

    #[test]
    fn an_explanation_says_it_all() {
        let mut meta = rule("rbac/wildcard-verb");
        meta.description = "A wildcard grants the verbs of later versions too, and those of every \
                            aggregated API.\n\n- `escalate` and `bind` are among them,\n  which \
                            is enough to become an administrator\n- `impersonate` is another\n\n\
                            ```yaml\nverbs: [\"*\"]\n```\n"
            .into();
        let mut out = Vec::new();
        write_explanation(&meta, Style { width: 60, ..PLAIN }, &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        rbac/wildcard-verb
        Title of the rule

        severity    high
        by default  deny
        looks at    object
        judged at   the repository and the cluster
        since       0.1.0

        Why
          A wildcard grants the verbs of later versions too, and
          those of every aggregated API.

          - `escalate` and `bind` are among them, which is enough
            to become an administrator
          - `impersonate` is another

              verbs: ["*"]

        How to fix
          the help of the rule

        References
          Good practice
            https://example.com/practice
        "#);
    }
}
