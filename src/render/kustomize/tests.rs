//! What renders must give, on small repositories; the expected values are those of kustomize.

mod bounds;
mod gaps;
mod generators;
mod hostile;
mod json_patches;
mod merge_patches;
mod names;
mod replacements;
mod resources;
mod transformers;

use serde_json::Value;

use super::{Cache, LoadRestrictor, kustomize};
use crate::document::{FieldPath, Part, Step};
use crate::load::Repository;
use crate::render::{RenderError, Rendered};
use crate::source::{Origin, RepoPath, Source};

/// A repository in memory.
struct Fixture {
    repository: Repository,
}

impl Fixture {
    /// Makes a repository of files, each a path and its text.
    fn new(files: &[(&str, &str)]) -> Self {
        let mut repository = Repository::default();
        for (path, text) in files {
            let path = RepoPath::new(path);
            repository.add(Source::new(path, Origin::File, text.as_bytes().to_vec()), true);
        }
        Self { repository }
    }

    fn try_render(&self, folder: &str) -> Result<Rendered, RenderError> {
        kustomize(&self.repository, &RepoPath::new(folder), &Cache::default())
    }

    fn render(&self, folder: &str) -> Rendered {
        self.try_render(folder).unwrap_or_else(|error| panic!("{}", self.shown(&error)))
    }

    /// Renders a folder to JSON.
    fn json(&self, folder: &str) -> Vec<Value> {
        self.render(folder).objects.iter().map(|object| object.root.to_json()).collect()
    }

    /// Returns `file: text` of the place that set a value of the only object.
    fn origin(&self, folder: &str, path: &str) -> String {
        let rendered = self.render(folder);
        assert_eq!(rendered.objects.len(), 1, "one object is expected");
        self.origin_in(&rendered, 0, path)
    }

    /// Returns `file: text` of the place that set a value of an object.
    fn origin_in(&self, rendered: &Rendered, object: usize, path: &str) -> String {
        let steps: Vec<Step> = path
            .split(' ')
            .map(|step| step.parse().map_or(Step::Key(step.into()), Step::Index))
            .collect();
        let root = &rendered.objects[object].root;
        assert_eq!(root.descend(&steps).1, steps.len(), "there is no `{path}`");
        let span = root.locate(&FieldPath::from(steps), Part::Value);
        let sources = self.repository.sources();
        format!("{}: {}", sources.path(span), sources.text(span))
    }

    /// Returns `file: text: message` of the error of a folder.
    fn error(&self, folder: &str) -> String {
        self.shown(&self.try_render(folder).unwrap_err())
    }

    fn shown(&self, error: &RenderError) -> String {
        let sources = self.repository.sources();
        let text = sources.text(error.span);
        format!("{}: {text}: {}", sources.path(error.span), error.message)
    }
}

/// A workload to change.
const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  template:
    spec:
      containers:
      - name: main
        image: nginx:1.0
        env:
        - name: MODE
          value: plain
      - name: side
        image: r.example:5000/side@sha256:00
";
