//! Why a module cannot be read, or a rule not evaluated.

use std::fmt;
use std::time::Duration;

use super::outline::is_builtin;

/// A place in a module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The name of the module.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, in characters, from 1.
    pub column: u32,
}

impl Place {
    /// Returns a place that `regorus` names in a module of this text: to it a tab is four columns
    /// wide, and to editors one character.
    pub(super) fn in_text(file: &str, text: &str, line: u32, column: u32) -> Self {
        let index = (line as usize).saturating_sub(1);
        let mut width = 1;
        let mut characters = 1;
        for c in text.lines().nth(index).unwrap_or_default().chars() {
            if width >= column {
                break;
            }
            width += if c == '\t' { 4 } else { 1 };
            characters += 1;
        }
        Self { file: file.to_owned(), line, column: characters + column.saturating_sub(width) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Why a module cannot be read, or a rule not evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegoError {
    /// The engine says what is wrong, and often where.
    #[error("{message}")]
    Refused {
        /// Where it is wrong.
        place: Option<Place>,
        /// What is wrong: one sentence. Never a value of the input.
        message: String,
    },
    /// The evaluation was stopped.
    #[error("it did not finish within {} ms", .0.as_millis())]
    TimeLimit(Duration),
    /// The interpreter broke.
    #[error("the Rego interpreter broke while evaluating it")]
    Panicked,
}

impl RegoError {
    /// Returns the place, where there is one.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Refused { place, .. } => place.as_ref(),
            Self::TimeLimit(_) | Self::Panicked => None,
        }
    }

    /// Returns the error with its place as editors count, in one of these modules: names and texts.
    pub(super) fn in_modules(self, modules: &[(String, String)]) -> Self {
        match self {
            Self::Refused { place: Some(place), message } => {
                let text = modules.iter().find(|(name, _)| *name == place.file);
                let place = text.map_or(place.clone(), |(name, text)| {
                    Place::in_text(name, text, place.line, place.column)
                });
                Self::Refused { place: Some(place), message }
            }
            other => other,
        }
    }

    /// Reads an error of `regorus`, which is a text with a drawing in it.
    pub(super) fn of(error: &anyhow::Error, time_limit: Duration) -> Self {
        let is_limit = |cause: &(dyn std::error::Error + 'static)| {
            matches!(
                cause.downcast_ref::<regorus::LimitError>(),
                Some(regorus::LimitError::TimeLimitExceeded { .. })
            )
        };
        if error.chain().any(is_limit) {
            return Self::TimeLimit(time_limit);
        }
        let text = error.to_string();
        let place = text.lines().find_map(|line| line.strip_prefix("--> ")).and_then(place);
        let message = match text.split_once("\nerror: ") {
            Some((_, message)) => message,
            None => &text,
        };
        Self::Refused { place, message: one_line(message) }
    }

    /// Reads an error of an evaluation, and leaves out what it quotes of the input.
    pub(super) fn of_evaluation(error: &anyhow::Error, time_limit: Duration) -> Self {
        match Self::of(error, time_limit) {
            Self::Refused { place, message } => {
                Self::Refused { place, message: without_values(&message) }
            }
            other => other,
        }
    }
}

/// Reads `file:line:column`; the file may hold colons.
fn place(text: &str) -> Option<Place> {
    let mut parts = text.trim_end().rsplitn(3, ':');
    let column = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    Some(Place { file: parts.next()?.to_owned(), line, column })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Cuts a message before the first quoted text that is not the name of a builtin.
///
/// `regorus` quotes values of the input in backticks, and they may be secrets. A value may hold
/// backticks itself, so nothing after the first one is trusted.
fn without_values(message: &str) -> String {
    let mut kept = String::new();
    for (index, part) in message.split('`').enumerate() {
        if index % 2 == 0 {
            kept.push_str(part);
        } else if is_builtin(part) {
            kept.push('`');
            kept.push_str(part);
            kept.push('`');
        } else {
            let kept = kept.trim_end();
            let kept =
                kept.strip_suffix("Got").or_else(|| kept.strip_suffix("got")).unwrap_or(kept);
            return kept.trim_end_matches([' ', '.', ',']).to_owned();
        }
    }
    kept.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_from_the_drawing() {
        let text = "\n--> C:/x/policy.rego:3:14\n  |\n3 | x := 1 +\n  |        ^\nerror: expecting \
                    expression";
        let error = RegoError::of(&anyhow::anyhow!(text), Duration::ZERO);
        let place = Place { file: "C:/x/policy.rego".into(), line: 3, column: 14 };
        let message = "expecting expression".to_owned();
        assert_eq!(error, RegoError::Refused { place: Some(place), message });
    }

    #[test]
    fn a_tab_is_one_character() {
        let text = "package a\n\tx := 1\n\ty := \"ä\" + z\n";
        for (column, expected) in [(1, 1), (5, 2), (10, 7), (16, 13), (40, 37)] {
            assert_eq!(Place::in_text("a", text, 3, column).column, expected, "{column}");
        }
    }

    #[test]
    fn values_are_cut_from_messages() {
        let cut = without_values("`startswith` expects string argument. Got `hun`ter2` instead");
        assert_eq!(cut, "`startswith` expects string argument");
        assert_eq!(without_values("divide by zero"), "divide by zero");
    }
}
