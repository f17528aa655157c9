//! Folders and files of the repository that generators go over.

use std::collections::BTreeSet;

use crate::document::Node;
use crate::load::Repository;
use crate::render::argo::glob::Glob;
use crate::source::RepoPath;

/// The patterns of a generator, each with its place.
pub(super) struct Paths<'a> {
    included: Vec<&'a Node>,
    excluded: Vec<&'a str>,
}

impl<'a> Paths<'a> {
    pub(super) fn of(items: &'a [Node]) -> Self {
        let mut paths = Self { included: Vec::new(), excluded: Vec::new() };
        for item in items {
            let Some(path) = item.get("path") else { continue };
            if item.get("exclude").and_then(Node::as_bool) == Some(true) {
                paths.excluded.extend(path.as_str());
            } else {
                paths.included.push(path);
            }
        }
        paths
    }

    /// Returns the folders below `base` that are chosen, each with the pattern that does.
    pub(super) fn folders(
        &self,
        repository: &Repository,
        base: &RepoPath,
    ) -> Vec<(String, &'a Node)> {
        let mut all: BTreeSet<RepoPath> = BTreeSet::new();
        for (path, _) in repository.below(base) {
            let mut folder = path.parent();
            while folder.is_within(base) && folder != *base && all.insert(folder.clone()) {
                folder = folder.parent();
            }
        }
        let is_hidden = |path: &str| path.split('/').any(|part| part.starts_with('.'));
        let names: BTreeSet<String> =
            all.iter().map(|it| relative(it, base)).filter(|it| !is_hidden(it)).collect();
        names
            .into_iter()
            .filter(|name| !self.excluded.iter().any(|pattern| matches(pattern, name)))
            .filter_map(|name| {
                let by = self
                    .included
                    .iter()
                    .find(|node| node.as_str().is_some_and(|pattern| matches(pattern, &name)))?;
                Some((name, *by))
            })
            .collect()
    }

    /// Returns the files below `base` that are chosen, as `git ls-files` chooses them.
    pub(super) fn files(&self, repository: &Repository, base: &RepoPath) -> Vec<RepoPath> {
        let included: Vec<File<'_>> =
            self.included.iter().filter_map(|node| node.as_str()).map(File::new).collect();
        let excluded: Vec<File<'_>> = self.excluded.iter().copied().map(File::new).collect();
        let chosen = |patterns: &[File<'_>], path: &str| patterns.iter().any(|it| it.chooses(path));
        let all = repository.below(base).map(|(path, _)| path);
        let mut files: Vec<&RepoPath> = all
            .filter(|path| {
                let name = relative(path, base);
                chosen(&included, &name) && !chosen(&excluded, &name)
            })
            .collect();
        files.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        files.into_iter().cloned().collect()
    }
}

/// A pattern of files: a path, a folder, or one with `*`, which matches slashes too.
struct File<'a> {
    text: &'a str,
    glob: Glob,
}

impl<'a> File<'a> {
    fn new(text: &'a str) -> Self {
        let text = text.trim_start_matches("./").trim_end_matches('/');
        Self { text, glob: Glob::new(text) }
    }

    fn chooses(&self, path: &str) -> bool {
        let inside = path.strip_prefix(self.text).is_some_and(|rest| rest.starts_with('/'));
        path == self.text || inside || self.glob.matches(path)
    }
}

/// Returns a path relative to a folder around it.
pub(super) fn relative(path: &RepoPath, base: &RepoPath) -> String {
    let inside: Vec<&str> = path.segments().skip(base.segments().count()).collect();
    inside.join("/")
}

/// Matches a path as Go's `path.Match` does: segment by segment.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<&str>, Vec<&str>) =
        (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len()
        && pattern.iter().zip(&path).all(|(pattern, part)| {
            // Braces mean nothing to Go.
            let escaped = pattern.replace('{', r"\{").replace('}', r"\}").replace("[^", "[!");
            Glob::new(&escaped).matches(part)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_within_a_segment() {
        assert!(matches("apps/*", "apps/web"));
        assert!(!matches("apps/*", "apps/web/dev"));
        assert!(!matches("apps/**", "apps/web/dev"));
        assert!(matches("*/*/dev", "apps/web/dev"));
        assert!(matches("apps/we[a-c]", "apps/web"));
        assert!(!matches("apps/{web,api}", "apps/web"));
    }
}
