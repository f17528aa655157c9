//! What the objects of Argo CD apply, on small repositories.

mod applications;
mod sets;

use crate::config::Cluster;
use crate::document::{FieldPath, Node, Part};
use crate::graph::Graph;
use crate::load::Repository;
use crate::render::{Applier, Deliveries, Delivery, GapKind, Known, deliver};
use crate::source::{Origin, RepoPath, Source};

/// A repository in memory, and what is applied from it.
struct Fixture {
    repository: Repository,
    deliveries: Deliveries,
}

impl Fixture {
    fn new(files: &[(&str, &str)]) -> Self {
        Self::with(files, Vec::new())
    }

    fn with(files: &[(&str, &str)], clusters: Vec<Cluster>) -> Self {
        let mut repository = Repository::default();
        for (path, text) in files {
            let source = Source::new(RepoPath::new(path), Origin::File, text.as_bytes().to_vec());
            repository.add(source, true);
        }
        let graph = Graph::new(&repository, &[], &[], "1.37".parse().unwrap());
        let known = Known { clusters, ..Known::default() };
        let deliveries = deliver(&repository, &graph, &known, &|| ());
        Self { repository, deliveries }
    }

    fn all(&self, name: &str) -> Vec<&Delivery> {
        let is_it = |it: &&Delivery| match &it.by {
            Applier::ArgoCd(object) => &*object.name == name,
            Applier::Nobody | Applier::Flux(_) => false,
        };
        self.deliveries.all.iter().filter(is_it).collect()
    }

    fn delivery(&self, name: &str) -> &Delivery {
        self.all(name).into_iter().next().unwrap_or_else(|| panic!("nothing is called {name}"))
    }

    /// Returns `Kind namespace/name` of each object.
    fn objects(&self, name: &str) -> Vec<String> {
        let rendered = self.delivery(name).rendered.as_ref().unwrap_or_else(|it| panic!("{it}"));
        let objects = rendered.objects.iter().filter_map(|it| it.object.as_ref());
        objects
            .map(|it| {
                format!("{} {}/{}", it.kind, it.namespace.as_deref().unwrap_or_default(), it.name)
            })
            .collect()
    }

    fn value(&self, name: &str, object: usize, path: &[&str]) -> serde_json::Value {
        let rendered = self.delivery(name).rendered.as_ref().unwrap();
        rendered.objects[object].root.at(path).map_or(serde_json::Value::Null, Node::to_json)
    }

    /// Returns `file: text` of the place that set a value.
    fn origin(&self, name: &str, object: usize, path: &[&str]) -> String {
        let rendered = self.delivery(name).rendered.as_ref().unwrap();
        let mut at = FieldPath::root();
        for key in path {
            at = at.key(*key);
        }
        let span = rendered.objects[object].root.locate(&at, Part::Value);
        let sources = self.repository.sources();
        format!("{}: {}", sources.path(span), sources.text(span))
    }

    fn gaps(&self, name: &str) -> Vec<(GapKind, String)> {
        let rendered = self.delivery(name).rendered.as_ref().unwrap_or_else(|it| panic!("{it}"));
        rendered.gaps.iter().map(|gap| (gap.kind, gap.text.clone())).collect()
    }

    fn error(&self, name: &str) -> String {
        self.delivery(name).rendered.as_ref().unwrap_err().message.clone()
    }

    /// Returns the names of everything that Argo CD applies, with its folder.
    fn applied(&self) -> Vec<String> {
        let applied = self.deliveries.all.iter().filter_map(|it| match &it.by {
            Applier::ArgoCd(object) => {
                let folder = it.folder.as_ref().map_or("-", |it| it.as_str());
                Some(format!("{} {folder}", object.name))
            }
            Applier::Nobody | Applier::Flux(_) => None,
        });
        applied.collect()
    }
}
