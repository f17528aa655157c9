//! No bytes make the reader panic, and every place it names lies in the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidewaiter::document::{FieldPath, Node, NodeKind, Part};
use tidewaiter::load::{Dialect, Limits, objects, parse};
use tidewaiter::source::{Origin, RepoPath, Source, SourceMap, Span};

// Small enough for aliases to reach them within a few hundred bytes.
const LIMITS: Limits = Limits { depth: 60, nodes: 5_000, documents: 50 };

fuzz_target!(|bytes: &[u8]| {
    let mut sources = SourceMap::default();
    let id = sources.add(Source::new(RepoPath::new("a.yaml"), Origin::File, bytes.to_vec()));
    let source = sources.get(id).unwrap();
    let inside = |span: Span| {
        assert_eq!(span.source, id);
        assert!(span.start <= span.end);
        let range = span.start as usize..span.end as usize;
        assert!(source.text().get(range).is_some(), "{span:?} of {}", source.text().len());
    };
    for dialect in [Dialect::Kubectl, Dialect::Kustomize] {
        let parsed = parse(source, id, dialect, &LIMITS);
        for problem in &parsed.problems {
            inside(problem.span);
            if let Some((span, _)) = &problem.related {
                inside(*span);
            }
        }
        for document in &parsed.documents {
            inside(document.span);
            let mut count = 0;
            check(&document.root, 0, &mut count, &inside);
            assert!(count <= LIMITS.nodes);
            assert_eq!(document.root.locate(&FieldPath::root(), Part::Value), document.root.span);
            drop(document.root.to_json());
            for object in objects(document) {
                inside(object.document.span);
            }
        }
    }
});

fn check(node: &Node, depth: usize, count: &mut usize, inside: &impl Fn(Span)) {
    assert!(depth <= LIMITS.depth);
    *count += 1;
    inside(node.span);
    match &node.kind {
        NodeKind::Scalar(_) => {}
        NodeKind::Sequence(items) => {
            for item in items {
                check(item, depth + 1, count, inside);
            }
        }
        NodeKind::Mapping(entries) => {
            for entry in entries {
                inside(entry.key_span);
                check(&entry.value, depth + 1, count, inside);
            }
        }
    }
}
