//! Ignore files, which hide untracked files only.

use std::path::Path;
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::read;
use crate::source::RepoPath;

/// The longest ignore file that is read, in bytes.
const IGNORE_FILE: usize = 4 << 20;

/// The ignore files that hold in a folder, from the nearest to the top.
#[derive(Debug)]
pub(super) struct Rules {
    matcher: Gitignore,
    above: Option<Arc<Self>>,
}

impl Rules {
    /// Returns the rules of a folder: its own ignore files before those of the folders above.
    pub(super) fn of(folder: &Path, above: Option<Arc<Self>>) -> Option<Arc<Self>> {
        // Later lines win, and `.ignore` speaks after `.gitignore`.
        Self::from_files(folder, &[".gitignore", ".ignore"], above)
    }

    /// Returns the rules that the repository itself keeps beside its index.
    pub(super) fn of_repository(root: &Path) -> Option<Arc<Self>> {
        Self::from_files(root, &[".git/info/exclude"], None)
    }

    fn from_files(folder: &Path, files: &[&str], above: Option<Arc<Self>>) -> Option<Arc<Self>> {
        let mut builder = GitignoreBuilder::new(folder);
        let mut any = false;
        for file in files {
            let Ok(bytes) = read::bounded(&folder.join(file), IGNORE_FILE) else { continue };
            let text = String::from_utf8_lossy(&bytes);
            for line in text.trim_start_matches('\u{feff}').lines() {
                // git passes over a pattern that it cannot read, too.
                any |= builder.add_line(None, line).is_ok();
            }
        }
        match builder.build() {
            Ok(matcher) if any && !matcher.is_empty() => Some(Arc::new(Self { matcher, above })),
            _ => above,
        }
    }

    /// Says whether the rules hide a path whose parent they do not hide.
    pub(super) fn hide(&self, path: &Path, is_folder: bool) -> bool {
        let mut rules = Some(self);
        while let Some(here) = rules {
            match here.matcher.matched(path, is_folder) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => rules = here.above.as_deref(),
            }
        }
        false
    }
}

/// Patterns as git has them, for the paths of a repository; later ones win.
#[derive(Debug, Default)]
pub struct Patterns(Vec<(RepoPath, Gitignore)>);

impl Patterns {
    /// Adds the lines of an ignore file of a folder.
    pub fn add<'a>(&mut self, folder: &RepoPath, lines: impl IntoIterator<Item = &'a str>) {
        let mut builder = GitignoreBuilder::new(folder.as_str());
        let mut any = false;
        for line in lines {
            // A line that cannot be read matches nothing.
            any |= builder.add_line(None, line).is_ok();
        }
        if let Ok(matcher) = builder.build()
            && any
            && !matcher.is_empty()
        {
            self.0.push((folder.clone(), matcher));
        }
    }

    /// Says whether they name a file or a folder around it; none where they do not speak of it.
    pub fn names(&self, path: &RepoPath) -> Option<bool> {
        if path.is_outside() {
            return None;
        }
        let around = self.0.iter().rev().filter(|(folder, _)| path.is_within(folder));
        around.map(|(_, matcher)| matcher).find_map(|matcher| {
            match matcher.matched_path_or_any_parents(path.as_str(), false) {
                Match::Ignore(_) => Some(true),
                Match::Whitelist(_) => Some(false),
                Match::None => None,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_patterns_win_and_a_folder_stands_for_what_it_holds() {
        let mut patterns = Patterns::default();
        patterns.add(&RepoPath::root(), ["/*", "!/clusters", "*.md"]);
        patterns.add(&RepoPath::new("clusters/dev"), ["secret/", "!kept.md"]);
        let names = |path: &str| patterns.names(&RepoPath::new(path));
        assert_eq!(names("apps/web/a.yaml"), Some(true));
        assert_eq!(names("clusters/prod/a.yaml"), Some(false));
        assert_eq!(names("clusters/prod/a.md"), Some(true));
        assert_eq!(names("clusters/dev/kept.md"), Some(false));
        assert_eq!(names("clusters/dev/secret/a.yaml"), Some(true));
        assert_eq!(Patterns::default().names(&RepoPath::new("a.yaml")), None);
    }
}
