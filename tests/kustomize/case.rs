//! The cases: a text with the files of a small repository and what kustomize makes of it.
//!
//! ```text
//! What the case is about.
//! == kustomization.yaml
//! resources: [a.yaml]
//! == a.yaml
//! ...
//! == rendered
//! What kustomize prints.
//! ```
//!
//! The folder of the first file is built. Where kustomize refuses it, `== refused` holds its error,
//! and `== error` what this program says instead: the place, the message, and the help.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use tidewaiter::load::Repository;
use tidewaiter::render::{self, Cache};
use tidewaiter::source::{Origin, RepoPath, Source};

use crate::agreement::{Outcome, difference};
use crate::oracle::Kustomize;
use crate::origins::Origins;
use crate::repository;

#[derive(Debug)]
struct Case {
    path: PathBuf,
    about: String,
    files: Vec<(String, String)>,
    rendered: Option<String>,
    refused: Option<String>,
    error: Option<String>,
}

impl Case {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap();
        let mut case = Self {
            path,
            about: String::new(),
            files: Vec::new(),
            rendered: None,
            refused: None,
            error: None,
        };
        let (about, sections) = text.split_once("\n== ").unwrap_or((&text, ""));
        about.trim().clone_into(&mut case.about);
        for section in sections.split("\n== ").filter(|it| !it.is_empty()) {
            let (name, text) = section.split_once('\n').unwrap_or((section, ""));
            // The line break before the next section belongs to the file.
            let mut text = text.to_owned();
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            match name {
                "rendered" => case.rendered = Some(text),
                "refused" => case.refused = Some(text.trim().to_owned()),
                "error" => case.error = Some(text.trim().to_owned()),
                name => case.files.push((name.to_owned(), text)),
            }
        }
        assert!(!case.files.is_empty(), "{} has no files", case.path.display());
        case
    }

    fn write(&self) {
        let mut text = format!("{}\n", self.about);
        let mut section = |name: &str, content: &str| {
            text.extend(["== ", name, "\n", content]);
            if !text.ends_with('\n') {
                text.push('\n');
            }
        };
        for (name, content) in &self.files {
            section(name, content);
        }
        let results =
            [("rendered", &self.rendered), ("refused", &self.refused), ("error", &self.error)];
        for (name, content) in results {
            if let Some(content) = content {
                section(name, content);
            }
        }
        fs::write(&self.path, text).unwrap();
    }

    fn folder(&self) -> RepoPath {
        RepoPath::new(&self.files[0].0).parent()
    }

    fn repository(&self) -> Repository {
        let mut repository = Repository::default();
        for (path, text) in &self.files {
            let source = Source::new(RepoPath::new(path), Origin::File, text.as_bytes().to_vec());
            repository.add(source, true);
        }
        repository
    }

    /// Asks kustomize; what differs from what is stored is returned, or stored.
    fn ask(&mut self, kustomize: &Kustomize, record: bool) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        // kustomize shows the path as it is without links.
        let root = folder.path().canonicalize().unwrap();
        for (path, text) in &self.files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let answer = kustomize.build(&root.join(self.folder().as_str()));
        let plain = |text: String| {
            let root = root.display().to_string();
            let text = text.replace(&format!("{root}/"), "").replace(&root, ".");
            // Addresses in its memory.
            let (mut out, mut rest) = (String::new(), text.as_str());
            while let Some((before, after)) = rest.split_once("&{0x") {
                out.push_str(before);
                out.push_str("&{0x…");
                rest = after.trim_start_matches(|c: char| c.is_ascii_hexdigit());
            }
            out + rest
        };
        let (rendered, refused) = match answer {
            Ok(yaml) => (Some(yaml), None),
            Err(error) => (None, Some(plain(error))),
        };
        if record {
            (self.rendered, self.refused) = (rendered, refused);
            self.error = None;
            if self.refused.is_some() {
                self.error = Some(self.ours().err().unwrap_or_default());
            }
            self.write();
            return None;
        }
        (rendered != self.rendered || refused.is_some() != self.refused.is_some())
            .then(|| "kustomize says something else than what is stored".to_owned())
    }

    /// Renders the case: its objects, or the error as it is shown.
    fn ours(&self) -> Result<Vec<tidewaiter::document::Document>, String> {
        let repository = self.repository();
        let rendered = render::kustomize(&repository, &self.folder(), &Cache::default());
        match rendered {
            Ok(rendered) => Ok(rendered.objects),
            Err(error) => Err(repository::shown(&repository, &error)),
        }
    }

    /// Returns what is wrong with the render of this case.
    fn judge(&self) -> Option<String> {
        match (self.ours(), &self.rendered, &self.error) {
            (Ok(ours), Some(rendered), None) => {
                let (outcome, why) = difference(&ours, &repository::documents(rendered));
                (outcome != Outcome::Equal).then_some(why)
            }
            (Err(error), None, Some(stored)) => {
                (error != *stored).then(|| format!("refused with\n{error}\ninstead of\n{stored}"))
            }
            (Ok(_), _, _) => Some(format!("rendered, but kustomize says {:?}", self.refused)),
            (Err(error), _, _) => Some(format!("refused, but kustomize renders it\n{error}")),
        }
    }
}

/// Holds all cases; `true` where all are as they should be.
pub(crate) fn hold(kustomize: Option<&Kustomize>, record: bool) -> bool {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kustomize/cases");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "there are no cases");
    let wrong: Vec<String> = paths
        .par_iter()
        .filter_map(|path| {
            let mut case = Case::read(path.clone());
            let asked = kustomize.and_then(|kustomize| case.ask(kustomize, record));
            let why = asked.or_else(|| case.judge())?;
            Some(format!("{}: {why}", path.file_name().unwrap().display()))
        })
        .collect();
    for line in &wrong {
        println!("{line}");
    }
    let asked = if kustomize.is_some() { ", kustomize was asked" } else { "" };
    println!("{} of {} cases hold{asked}", paths.len() - wrong.len(), paths.len());
    let mut origins = Origins::default();
    for path in &paths {
        let case = Case::read(path.clone());
        origins.add(&case.repository(), &[case.folder()]);
    }
    println!("{origins}");
    wrong.is_empty() && origins.are_exact()
}
