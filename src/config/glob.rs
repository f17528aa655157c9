//! Globs over paths of the repository.

use std::fmt;

use globset::{GlobBuilder, GlobMatcher};

use crate::source::RepoPath;

/// A glob over paths: `*` within a segment, `**` across segments, `{a,b}`, `[ab]`, `?`.
///
/// A glob that matches a folder matches everything below it.
#[derive(Clone)]
pub struct Glob {
    text: String,
    matcher: GlobMatcher,
}

/// Why a text is not a glob.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a path pattern: {reason}")]
pub struct InvalidGlob {
    text: String,
    reason: String,
}

impl Glob {
    /// Compiles a pattern that is relative to `folder`.
    pub fn new(folder: &RepoPath, pattern: &str) -> Result<Self, InvalidGlob> {
        let invalid = |reason: String| InvalidGlob { text: pattern.to_owned(), reason };
        let relative = pattern.strip_prefix("./").unwrap_or(pattern).trim_end_matches('/');
        if relative.starts_with('/') || relative.split('/').any(|part| part == "..") {
            return Err(invalid("it must stay inside the folder of the configuration".to_owned()));
        }
        let full = match (folder.is_root(), relative) {
            (true, relative) => relative.to_owned(),
            (false, "." | "") => globset::escape(folder.as_str()),
            (false, relative) => format!("{}/{relative}", globset::escape(folder.as_str())),
        };
        let full = if full == "." { "**".to_owned() } else { full };
        let matcher = GlobBuilder::new(&full)
            .literal_separator(true)
            .build()
            .map_err(|error| invalid(error.kind().to_string()))?
            .compile_matcher();
        Ok(Self { text: pattern.to_owned(), matcher })
    }

    /// Says whether the glob matches the path or a folder above it.
    pub fn matches(&self, path: &RepoPath) -> bool {
        let mut path = path.clone();
        loop {
            if self.matcher.is_match(path.as_str()) {
                return true;
            }
            if path.is_root() {
                return false;
            }
            path = path.parent();
        }
    }

    /// Returns the pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

/// A pattern for a name: `*`, `?`, `{a,b}`, `[ab]`; anything else stands for itself.
#[derive(Clone)]
pub(super) struct NamePattern(GlobMatcher);

impl NamePattern {
    pub(super) fn new(text: &str) -> Result<Self, InvalidName> {
        let invalid = |reason: String| InvalidName { text: text.to_owned(), reason };
        let glob = GlobBuilder::new(text).build().map_err(|it| invalid(it.kind().to_string()))?;
        Ok(Self(glob.compile_matcher()))
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

impl fmt::Debug for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0.glob().glob(), f)
    }
}

/// Why a text is no pattern for a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a name pattern: {reason}")]
pub(super) struct InvalidName {
    text: String,
    reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_in_a_name_stands_for_any_text() {
        let matches = |pattern, name| NamePattern::new(pattern).unwrap().matches(name);
        assert!(matches("node-exporter", "node-exporter"));
        assert!(!matches("node-exporter", "node-exporter-2"));
        assert!(matches("node-*", "node-exporter"));
        assert!(matches("system:*", "system:a/b"));
        assert!(matches("*", ""));
        assert!(!matches("", "web"));
        assert!(NamePattern::new("a[").is_err());
    }

    fn glob(pattern: &str) -> Glob {
        Glob::new(&RepoPath::new("fleet"), pattern).unwrap()
    }

    #[test]
    fn a_folder_stands_for_what_is_below() {
        assert!(glob("clusters/prod").matches(&RepoPath::new("fleet/clusters/prod/a/b.yaml")));
        assert!(!glob("clusters/prod").matches(&RepoPath::new("fleet/clusters/prod-eu/b.yaml")));
    }

    #[test]
    fn a_star_stays_in_its_segment() {
        assert!(glob("apps/*/prod").matches(&RepoPath::new("fleet/apps/web/prod/a.yaml")));
        assert!(!glob("apps/*/prod").matches(&RepoPath::new("fleet/apps/web/x/prod/a.yaml")));
        assert!(glob("apps/**/prod").matches(&RepoPath::new("fleet/apps/web/x/prod/a.yaml")));
    }

    #[test]
    fn the_folder_itself_is_a_dot() {
        assert!(glob(".").matches(&RepoPath::new("fleet/a.yaml")));
        assert!(!glob(".").matches(&RepoPath::new("other/a.yaml")));
        assert!(Glob::new(&RepoPath::root(), ".").unwrap().matches(&RepoPath::new("a.yaml")));
    }

    #[test]
    fn patterns_that_leave_the_folder_are_refused() {
        assert!(Glob::new(&RepoPath::root(), "../x").is_err());
        assert!(Glob::new(&RepoPath::root(), "/etc").is_err());
        assert!(Glob::new(&RepoPath::root(), "a[").is_err());
    }
}
