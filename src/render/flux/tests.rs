//! What the objects of Flux apply, on small repositories; the expected values are those of Flux's
//! own library.

mod generating;
mod substituting;
mod walking;

use serde_json::Value;

use crate::document::{FieldPath, Part, Step};
use crate::graph::{Graph, OtherRepository};
use crate::load::Repository;
use crate::render::{Applier, Deliveries, Delivery, Known, Values, deliver, deliver_from};
use crate::source::{Origin, RepoPath, Source};

/// A repository in memory, and what is applied from it.
struct Fixture {
    repository: Repository,
    deliveries: Deliveries,
}

impl Fixture {
    /// Follows the folder `cluster` of a repository.
    fn new(files: &[(&str, &str)]) -> Self {
        Self::with(files, &Known::default())
    }

    fn with(files: &[(&str, &str)], known: &Known) -> Self {
        Self::of(files, &[], |repository, graph| {
            deliver_from(repository, graph, known, &RepoPath::new("cluster"))
        })
    }

    /// Follows all that a repository holds.
    fn whole(files: &[(&str, &str)]) -> Self {
        Self::of(files, &[], |repository, graph| {
            deliver(repository, graph, &Known::default(), &|| ())
        })
    }

    fn of(
        files: &[(&str, &str)],
        others: &[(&str, RepoPath)],
        follow: impl FnOnce(&Repository, &Graph) -> Deliveries,
    ) -> Self {
        let mut repository = Repository::default();
        for (path, text) in files {
            let path = match path.strip_prefix("../") {
                Some(inside) => RepoPath::beside(1, inside),
                None => RepoPath::new(path),
            };
            repository.add(Source::new(path, Origin::File, text.as_bytes().to_vec()), true);
        }
        let others: Vec<OtherRepository> = others
            .iter()
            .map(|(url, root)| {
                repository.add_other(root.clone());
                OtherRepository { url: (*url).to_owned(), root: root.clone() }
            })
            .collect();
        let graph = Graph::new(&repository, &[], &others, "1.37".parse().unwrap());
        let deliveries = follow(&repository, &graph);
        Self { repository, deliveries }
    }

    fn delivery(&self, name: &str) -> &Delivery {
        let is_it = |it: &&Delivery| match &it.by {
            Applier::Nobody => name.is_empty(),
            Applier::Flux(object) | Applier::ArgoCd(object) => &*object.name == name,
        };
        self.deliveries.all.iter().find(is_it).unwrap_or_else(|| panic!("nothing is called {name}"))
    }

    /// Returns the objects that a Kustomization applies.
    fn objects(&self, name: &str) -> Vec<Value> {
        let delivery = self.delivery(name);
        let rendered = delivery.rendered.as_ref().unwrap_or_else(|error| panic!("{error}"));
        rendered.objects.iter().map(|object| object.root.to_json()).collect()
    }

    /// Returns `Kind/name` of each of them.
    fn names(&self, name: &str) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let objects = self.objects(name);
        let named = |it: &Value| format!("{}/{}", text(&it["kind"]), text(&it["metadata"]["name"]));
        objects.iter().map(named).collect()
    }

    /// Returns `file: text` of the place that set a value of an object.
    fn origin(&self, name: &str, object: usize, path: &str) -> String {
        let steps: Vec<Step> = path
            .split(' ')
            .map(|step| step.parse().map_or(Step::Key(step.into()), Step::Index))
            .collect();
        let root = &self.delivery(name).rendered.as_ref().unwrap().objects[object].root;
        assert_eq!(root.descend(&steps).1, steps.len(), "there is no `{path}`");
        let span = root.locate(&FieldPath::from(steps), Part::Value);
        let sources = self.repository.sources();
        format!("{}: {}", sources.path(span), sources.text(span))
    }

    /// Returns `text: message` of the error of a Kustomization.
    fn error(&self, name: &str) -> String {
        let error = self.delivery(name).rendered.as_ref().unwrap_err();
        format!("{}: {}", self.repository.sources().text(error.span), error.message)
    }

    /// Returns `kind: place: text` of what a Kustomization leaves out.
    fn gaps(&self, name: &str) -> Vec<String> {
        let rendered = self.delivery(name).rendered.as_ref().unwrap();
        let shown = |gap: &crate::render::Gap| {
            let place = self.repository.sources().text(gap.span);
            format!("{:?}: {place}: {}", gap.kind, gap.text)
        };
        rendered.gaps.iter().map(shown).collect()
    }
}

/// Returns a Kustomization called `app` that applies the folder `apps/web`, with more of a `spec`.
fn app(more: &str) -> String {
    kustomization("app", "./apps/web", more)
}

fn kustomization(name: &str, path: &str, more: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n\
         metadata:\n  name: {name}\n  namespace: flux-system\nspec:\n  path: {path}\n  \
         sourceRef:\n    kind: GitRepository\n    name: flux-system\n{more}"
    )
}

/// Returns a `ConfigMap` with some data.
fn config_map(name: &str, data: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n{data}")
}
