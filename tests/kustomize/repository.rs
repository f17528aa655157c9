//! Folders on the disk as repositories, and what this program makes of the kustomizations in them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tidewaiter::document::Document;
use tidewaiter::load::{Dialect, Limits, Repository, parse};
use tidewaiter::render::RenderError;
use tidewaiter::source::{KUSTOMIZATION_FILES, Origin, RepoPath, Source, SourceMap};

/// Reads all files below a folder.
pub(crate) fn read(folder: &Path) -> Repository {
    let mut repository = Repository::default();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let mut entries: Vec<_> = fs::read_dir(&next).unwrap().map(|it| it.unwrap()).collect();
        entries.sort_by_key(fs::DirEntry::path);
        for entry in entries {
            let path = entry.path();
            if path.is_dir() && !path.is_symlink() {
                if entry.file_name() != ".git" {
                    folders.push(path);
                }
            } else if let Ok(bytes) = fs::read(&path) {
                let name = path.strip_prefix(folder).unwrap().to_str().map(RepoPath::new);
                let Some(name) = name else { continue };
                repository.add(Source::new(name, Origin::File, bytes), true);
            }
        }
    }
    repository
}

/// Returns the folders that hold a kustomization.
pub(crate) fn roots(repository: &Repository) -> BTreeSet<RepoPath> {
    repository
        .files()
        .filter(|(path, _)| KUSTOMIZATION_FILES.contains(&path.name()))
        .map(|(path, _)| path.parent())
        .collect()
}

/// Reads the output of kustomize.
pub(crate) fn documents(yaml: &str) -> Vec<Document> {
    let mut sources = SourceMap::default();
    let path = RepoPath::new("output.yaml");
    let id = sources.add(Source::new(path, Origin::File, yaml.as_bytes().to_vec()));
    let parsed = parse(sources.get(id).unwrap(), id, Dialect::Kubectl, &Limits::default());
    assert!(parsed.problems.iter().all(|it| !it.is_fatal()), "{:?}\n{yaml}", parsed.problems);
    parsed.documents
}

/// Returns an error as `path:line:column: message`, and its help on a line of its own.
pub(crate) fn shown(repository: &Repository, error: &RenderError) -> String {
    let at = repository.sources().location(error.span);
    let start = at.start;
    let help = error.help.as_ref().map(|help| format!("\n  {help}")).unwrap_or_default();
    format!("{}:{}:{}: {}{help}", at.path, start.line, start.column, error.message)
}
