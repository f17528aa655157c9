//! No bytes make the scanner panic, and what it underlines is text.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tidewaiter::check::secrets::SecretsCheck;
use tidewaiter::check::{Check as _, Context, Results};
use tidewaiter::environment::KubernetesVersion;
use tidewaiter::load::{Dialect, Limits, objects, parse};
use tidewaiter::review::{Apply, Operation, Review};
use tidewaiter::rule::Selection;
use tidewaiter::source::{Origin, RepoPath, Source, SourceMap};

static CHECK: LazyLock<SecretsCheck> = LazyLock::new(SecretsCheck::new);

fuzz_target!(|bytes: &[u8]| {
    let mut sources = SourceMap::default();
    let id = sources.add(Source::new(RepoPath::new("a.yaml"), Origin::File, bytes.to_vec()));
    let cx = Context {
        sources: &sources,
        kubernetes: KubernetesVersion { major: 1, minor: 37 },
        selection: &Selection::default(),
        deadline: None,
    };
    let mut results = Results::default();
    CHECK.check_source(cx, id, &mut results);
    let source = sources.get(id).unwrap();
    let limits = Limits { depth: 60, nodes: 5_000, documents: 50 };
    for document in &parse(source, id, Dialect::Kubectl, &limits).documents {
        for object in objects(document) {
            let review = Review {
                operation: Operation::Create,
                object: &object.document,
                old_object: None,
                apply: Apply::Client,
                dry_run: false,
                environment: None,
                provenance: None,
                asked: None,
            };
            CHECK.check_object(cx, &review, &mut results);
        }
    }
    assert_eq!(results.failures, []);
    for finding in &results.findings {
        assert!(!sources.text(finding.primary.span).is_empty(), "{finding:?}");
        assert!(finding.related.iter().all(|it| !sources.text(it.span).is_empty()));
    }
});
