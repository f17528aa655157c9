//! What a rule is, apart from how it is evaluated.

mod registry;
mod selection;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

pub use registry::{Registry, RegistryError, closest};
pub use selection::{Selection, UnknownRule};

/// The stable name of a rule: `category/kebab-case`, naming the defect.
///
/// E.g. `rbac/wildcard-verb`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(Cow<'static, str>);

impl RuleId {
    /// Names a rule of the program itself.
    pub const fn known(id: &'static str) -> Self {
        Self(Cow::Borrowed(id))
    }

    /// Returns the part before the slash.
    pub fn category(&self) -> &str {
        self.0.split_once('/').map_or(&*self.0, |(category, _)| category)
    }

    /// Returns the whole id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not a rule id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a rule id: write `category/rule-name`, in lower case")]
pub struct InvalidRuleId(String);

impl FromStr for RuleId {
    type Err = InvalidRuleId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let kebab = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_lowercase())
                && !part.ends_with('-')
                && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        match text.split_once('/') {
            Some((category, name)) if kebab(category) && kebab(name) => {
                Ok(Self(Cow::Owned(text.to_owned())))
            }
            _ => Err(InvalidRuleId(text.to_owned())),
        }
    }
}

/// How bad a defect is. Orders findings; never decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Weakens the system.
    Medium,
    /// Breaks something, or opens a way in that needs one more step.
    High,
    /// Gives away the cluster or a credential.
    Critical,
}

impl Severity {
    /// Returns the lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Low, Self::Medium, Self::High, Self::Critical]
            .into_iter()
            .find(|severity| severity.as_str() == text)
            .ok_or(())
    }
}

/// What a finding does to the gate. Resolved per environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Enforcement {
    /// The rule is not evaluated.
    Off,
    /// The finding is shown; the gate stays open.
    Warn,
    /// The finding closes the gate.
    Deny,
}

impl Enforcement {
    /// Returns the lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }
}

impl fmt::Display for Enforcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The text of a file, whatever it is.
    Source,
    /// One object.
    Object,
    /// All objects of one environment.
    Environment,
    /// A change: who made it, who approved it.
    Change,
    /// The run itself: what could and could not be judged.
    Run,
}

impl Scope {
    /// Returns the lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Object => "object",
            Self::Environment => "environment",
            Self::Change => "change",
            Self::Run => "run",
        }
    }
}

/// Where a rule is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Doors {
    /// Only where a repository, or a manifest, is judged: `check`.
    Repository,
    /// There, and where an API server asks: `review`, `serve`.
    Both,
}

impl Doors {
    /// Returns the lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Repository => "repository",
            Self::Both => "both",
        }
    }
}

/// A page that a rule rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What the page is.
    pub title: Cow<'static, str>,
    /// Where it lies.
    pub url: Cow<'static, str>,
}

/// The minor versions of Kubernetes in which a rule holds.
///
/// The API server's own validation changes between versions as schemas do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minors {
    /// The first minor; 0 for always.
    pub first: u32,
    /// The last minor; `None` where it still holds.
    pub last: Option<u32>,
}

impl Minors {
    /// Every version.
    pub const ALL: Self = Self { first: 0, last: None };

    /// Returns the versions from a minor on.
    pub const fn since(first: u32) -> Self {
        Self { first, last: None }
    }

    /// Returns the versions up to a minor, that one included.
    pub const fn until(last: u32) -> Self {
        Self { first: 0, last: Some(last) }
    }

    /// Says whether a minor is one of them.
    pub fn contains(self, minor: u32) -> bool {
        self.first <= minor && self.last.is_none_or(|last| minor <= last)
    }
}

/// Everything there is to say of a rule, whatever engine evaluates it.
///
/// `explain`, SARIF, the documentation and the configuration all read this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleMeta {
    /// The stable name.
    pub id: RuleId,
    /// One line that names the defect.
    pub title: Cow<'static, str>,
    /// Why it is a defect, in Markdown, one or more paragraphs.
    pub description: Cow<'static, str>,
    /// How to mend it, in one or two sentences. The help of findings that bring none.
    pub help: Cow<'static, str>,
    /// How bad it is.
    pub severity: Severity,
    /// What it does to the gate where the configuration says nothing.
    pub enforcement: Enforcement,
    /// What it looks at.
    pub scope: Scope,
    /// Where it is evaluated. At the other door it is not applicable, which is no failure.
    pub doors: Doors,
    /// The versions of Kubernetes in which it holds.
    pub minors: Minors,
    /// The first version of Tidewaiter that had it.
    pub since: Cow<'static, str>,
    /// What it rests on.
    pub references: Vec<Reference>,
}

/// Returns a rule of no meaning, for tests of what handles rules.
#[cfg(test)]
pub(crate) fn fixture(id: &str) -> RuleMeta {
    RuleMeta {
        id: id.parse().unwrap(),
        title: "t".into(),
        description: "d".into(),
        help: "h".into(),
        severity: Severity::High,
        enforcement: Enforcement::Deny,
        scope: Scope::Object,
        doors: Doors::Both,
        minors: Minors::ALL,
        since: "0.1.0".into(),
        references: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_category_and_kebab_case() {
        assert_eq!("rbac/wildcard-verb".parse::<RuleId>().unwrap().category(), "rbac");
        for bad in ["rbac", "rbac/", "/x", "Rbac/x", "rbac/x_y", "rbac/-x", "rbac/x-", "a/b/c"] {
            assert!(bad.parse::<RuleId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn severities_are_ordered() {
        assert!(Severity::Critical > Severity::High && Severity::Medium > Severity::Low);
        assert_eq!("high".parse(), Ok(Severity::High));
    }
}
