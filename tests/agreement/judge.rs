//! The program's own verdict on a case.

use std::sync::Arc;

use serde_json::Value;
use tidewaiter::check::api::ApiCheck;
use tidewaiter::check::schema::{Authority, Definitions, SchemaCheck, Sources};
use tidewaiter::check::{Check, Context, judge_object};
use tidewaiter::document::Document;
use tidewaiter::environment::KubernetesVersion;
use tidewaiter::load::{Dialect, Limits, parse};
use tidewaiter::review::{Apply, Operation, Review};
use tidewaiter::rule::{Enforcement, Registry, Selection};
use tidewaiter::source::{Origin, RepoPath, Source, SourceMap};

use super::cases::Question;

/// One defect that refuses the object.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) rule: String,
    pub(crate) field: String,
    pub(crate) message: String,
}

/// What the program says.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) refusals: Vec<Refusal>,
    /// What could not be judged.
    pub(crate) failures: Vec<String>,
}

/// Asks the program.
#[derive(Debug)]
pub(crate) struct Judge {
    kubernetes: KubernetesVersion,
    checks: Vec<Box<dyn Check>>,
    registry: Registry,
    selection: Selection,
}

impl Judge {
    /// Returns a judge of one version, whose cluster has these custom resources.
    pub(crate) fn new(kubernetes: KubernetesVersion, definitions: &[Value]) -> Self {
        let own = of_repository(definitions);
        let sources = Arc::new(Sources::new(vec![Arc::new(own)]));
        let schema = SchemaCheck::new(Arc::clone(&sources));
        let api = ApiCheck::new(sources);
        let mut registry = Registry::default();
        for meta in tidewaiter::load::rules().into_iter().chain(schema.rules()).chain(api.rules()) {
            registry.add(meta).unwrap();
        }
        let checks: Vec<Box<dyn Check>> = vec![Box::new(schema), Box::new(api)];
        Self { kubernetes, checks, registry, selection: Selection::default() }
    }

    /// Judges one case.
    pub(crate) fn judge(&self, question: &Question) -> Verdict {
        let mut sources = SourceMap::default();
        let mut verdict = Verdict::default();
        let mut read = |name: &str, text: String| {
            let source = Source::new(RepoPath::new(name), Origin::File, text.into_bytes());
            let id = sources.add(source);
            let source = sources.get(id).unwrap();
            let parsed = parse(source, id, Dialect::Kubectl, &Limits::default());
            for problem in &parsed.problems {
                let rule = problem.kind.rule();
                let path = parsed.documents.first().map(|it| it.root.path_at(problem.span.start));
                verdict.refusals.push(Refusal {
                    rule: rule.to_string(),
                    field: path.map(|it| it.to_string()).unwrap_or_default(),
                    message: problem.message.clone(),
                });
            }
            parsed.documents.into_iter().next()
        };
        let (old, new, apply) = match question {
            Question::Object(object) => (None, read("new.json", object.to_string()), Apply::Client),
            Question::Text(text) => (None, read("new.yaml", text.clone()), Apply::Client),
            Question::Update(old, object) => (
                read("old.json", old.to_string()),
                read("new.json", object.to_string()),
                Apply::ServerSide,
            ),
        };
        match &new {
            Some(new) => self.check(&sources, old.as_ref(), new, apply, &mut verdict),
            None if verdict.refusals.is_empty() => {
                verdict.failures.push("there is no document".to_owned());
            }
            None => {}
        }
        verdict
    }

    fn check(
        &self,
        sources: &SourceMap,
        old: Option<&Document>,
        new: &Document,
        apply: Apply,
        verdict: &mut Verdict,
    ) {
        let cx = Context {
            sources,
            kubernetes: self.kubernetes,
            selection: &self.selection,
            deadline: None,
        };
        if new.object.is_none() {
            verdict.failures.push("the document is no object".to_owned());
        }
        let review = Review {
            operation: if old.is_some() { Operation::Update } else { Operation::Create },
            object: new,
            old_object: old,
            apply,
            dry_run: true,
            environment: None,
            provenance: None,
            asked: None,
        };
        let results = judge_object(&self.checks, cx, &review);
        let denies =
            |rule| self.registry.get(rule).is_none_or(|meta| meta.enforcement == Enforcement::Deny);
        verdict.refusals.extend(results.findings.iter().filter(|it| denies(&it.rule)).map(|it| {
            Refusal {
                rule: it.rule.to_string(),
                field: it.path.to_string(),
                message: it.message.clone(),
            }
        }));
        verdict.failures.extend(results.failures.into_iter().map(|it| it.reason));
    }
}

/// Returns the definitions, as if they lay in the repository.
fn of_repository(definitions: &[Value]) -> Definitions {
    let mut own = Definitions::default();
    for definition in definitions {
        let text = definition.to_string().into_bytes();
        let source = Source::new(RepoPath::new("crd.json"), Origin::File, text);
        let mut sources = SourceMap::default();
        let id = sources.add(source);
        let parsed = parse(sources.get(id).unwrap(), id, Dialect::Kubectl, &Limits::default());
        for document in &parsed.documents {
            let authority = Authority::Repository("crd.json".into());
            assert!(own.add(None, authority, document.object.as_ref(), &document.root));
        }
    }
    own
}
