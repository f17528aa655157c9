use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::document::Node;
use crate::source::{Origin, RepoPath, SourceMap};

/// A text and what Kubernetes' own readers make of it, as JSON: kubectl's (`YAMLReader` of
/// apimachinery and `YAMLToJSON` of `sigs.k8s.io/yaml` 1.6.0) and kustomize's (kyaml 0.21.1).
/// `None` where the reader refuses the text or a part of it. Annotations are what `kustomize build`
/// prints, because it sets them anew.
type Case = (&'static str, &'static str, Option<&'static str>, Option<&'static str>);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("anchors and aliases", "a: &x 1\nb: *x\n", Some("[{\"a\":1,\"b\":1}]"), Some("[{\"a\":1,\"b\":1}]")),
    ("an anchor may be defined twice", "a: &x 1\nb: &x 2\nc: *x\n", Some("[{\"a\":1,\"b\":2,\"c\":2}]"), Some("[{\"a\":1,\"b\":2,\"c\":2}]")),
    ("a merge before an explicit key", "d: &d {k: 1, l: 2}\ne:\n  <<: *d\n  k: 3\n", Some("[{\"d\":{\"k\":1,\"l\":2},\"e\":{\"k\":3,\"l\":2}}]"), Some("[{\"d\":{\"k\":1,\"l\":2},\"e\":{\"k\":3,\"l\":2}}]")),
    ("a list of merges, of which the first wins", "a: &a {k: 1}\nb: &b {k: 2, l: 3}\nc:\n  <<: [*a, *b]\n", Some("[{\"a\":{\"k\":1},\"b\":{\"k\":2,\"l\":3},\"c\":{\"k\":1,\"l\":3}}]"), Some("[{\"a\":{\"k\":1},\"b\":{\"k\":2,\"l\":3},\"c\":{\"k\":1,\"l\":3}}]")),
    ("a tagged merge key", "a: &a {k: 1}\nb:\n  !!merge <<: *a\n", Some("[{\"a\":{\"k\":1},\"b\":{\"k\":1}}]"), Some("[{\"a\":{\"k\":1},\"b\":{\"k\":1}}]")),
    ("words of YAML 1.1", "a: yes\nb: Off\nc: n\nd: 'yes'\n", Some("[{\"a\":true,\"b\":false,\"c\":false,\"d\":\"yes\"}]"), Some("[{\"a\":\"yes\",\"b\":\"Off\",\"c\":\"n\",\"d\":\"yes\"}]")),
    ("numbers in other bases", "a: 0644\nb: 0x1F\nc: 0b11\nd: 1_000\ne: 0o14\n", Some("[{\"a\":420,\"b\":31,\"c\":3,\"d\":1000,\"e\":12}]"), Some("[{\"a\":420,\"b\":31,\"c\":3,\"d\":1000,\"e\":12}]")),
    ("sexagesimal stays text", "a: 12:30\nb: 190:20:30\n", Some("[{\"a\":\"12:30\",\"b\":\"190:20:30\"}]"), Some("[{\"a\":\"12:30\",\"b\":\"190:20:30\"}]")),
    ("floats that are whole", "a: 1.0\nb: 1e3\nc: 1.5\n", Some("[{\"a\":1,\"b\":1000,\"c\":1.5}]"), Some("[{\"a\":1,\"b\":1000,\"c\":1.5}]")),
    ("dates", "a: 2001-01-01\nb: 2001-12-14 21:59:43.10\n", Some("[{\"a\":\"2001-01-01\",\"b\":\"2001-12-14 21:59:43.10\"}]"), Some("[{\"a\":\"2001-01-01T00:00:00Z\",\"b\":\"2001-12-14T21:59:43.1Z\"}]")),
    ("nulls", "a: ~\nb:\nc: null\nd: ''\n", Some("[{\"a\":null,\"b\":null,\"c\":null,\"d\":\"\"}]"), Some("[{\"a\":null,\"b\":null,\"c\":null,\"d\":\"\"}]")),
    ("block scalars", "a: |\n  x\n   y\n\nb: >-\n  p\n  q\nc: |+\n  z\n\n", Some("[{\"a\":\"x\\n y\\n\",\"b\":\"p q\",\"c\":\"z\\n\\n\"}]"), Some("[{\"a\":\"x\\n y\\n\",\"b\":\"p q\",\"c\":\"z\\n\\n\"}]")),
    ("a folded text with a deeper line", "a: >\n  f(x,\n    y\n  )\n", Some("[{\"a\":\"f(x,\\n  y\\n)\\n\"}]"), Some("[{\"a\":\"f(x,\\n\\n  y\\n)\\n\"}]")),
    ("a folded text that starts deeper", "a: >2\n    x\n  y\n  z\n", Some("[{\"a\":\"  x\\ny z\\n\"}]"), Some("[{\"a\":\"  x\\ny z\\n\"}]")),
    ("a folded text with blank lines", "a: >\n  x\n\n  y\n\n    z\n  w\n", Some("[{\"a\":\"x\\ny\\n\\n  z\\nw\\n\"}]"), Some("[{\"a\":\"x\\ny\\n\\n\\n  z\\nw\\n\"}]")),
    ("a folded text that keeps its end", "a: >+\n  x\n  y\n\n\n", Some("[{\"a\":\"x y\\n\\n\\n\"}]"), Some("[{\"a\":\"x y\\n\\n\\n\\n\"}]")),
    ("a folded annotation is set anew", "metadata:\n  annotations:\n    a: >\n      f(x,\n        y\n      )\n", Some("[{\"metadata\":{\"annotations\":{\"a\":\"f(x,\\n  y\\n)\\n\"}}}]"), Some("[{\"metadata\":{\"annotations\":{\"a\":\"f(x,\\n  y\\n)\\n\"}}}]")),
    ("a block scalar without a line end", "a: |\n  x", Some("[{\"a\":\"x\\n\"}]"), Some("[{\"a\":\"x\"}]")),
    ("line ends of another system", "a: 1\r\nb: |\r\n  x\r\n  y\r\n---\r\nc: 2\r\n", Some("[{\"a\":1,\"b\":\"x\\ny\\n\"},{\"c\":2}]"), Some("[{\"a\":1,\"b\":\"x\\ny\\n\"},{\"c\":2}]")),
    ("a byte order mark", "\u{feff}a: 1\n", Some("[{\"a\":1}]"), Some("[{\"a\":1}]")),
    ("comments and empty documents", "# c\n---\n# d\n---\na: 1\n---\n\n---\nb: 2\n", Some("[{\"a\":1},{\"b\":2}]"), Some("[{\"a\":1},{\"b\":2}]")),
    ("a comment after the dashes", "a: 1\n--- # next\nb: 2\n", Some("[{\"a\":1},{\"b\":2}]"), Some("[{\"a\":1},{\"b\":2}]")),
    ("text after an end of document", "a: 1\n...\nb: 2\n---\nc: 3\n", Some("[{\"a\":1},{\"c\":3}]"), Some("[{\"a\":1},{\"c\":3}]")),
    ("dashes inside a block scalar", "a: |\n  x\n  ---\n  y\n", Some("[{\"a\":\"x\\n---\\ny\\n\"}]"), Some("[{\"a\":\"x\\n---\\ny\\n\"}]")),
    ("escapes", "a: \"\\x41\\u00e9\\n\\t\\\"\"\n", Some("[{\"a\":\"A\\u00e9\\n\\t\\\"\"}]"), Some("[{\"a\":\"A\\u00e9\\n\\t\\\"\"}]")),
    ("plain text over several lines", "a: x\n  y\n\n  z\n", Some("[{\"a\":\"x y\\nz\"}]"), Some("[{\"a\":\"x y\\nz\"}]")),
    ("flow collections over several lines", "a: [1,\n  {b: c,\n   d: e}]\n", Some("[{\"a\":[1,{\"b\":\"c\",\"d\":\"e\"}]}]"), Some("[{\"a\":[1,{\"b\":\"c\",\"d\":\"e\"}]}]")),
    ("a key with a colon and one with a space", "\"a:b\": 1\nc d: 2\n", Some("[{\"a:b\":1,\"c d\":2}]"), Some("[{\"a:b\":1,\"c d\":2}]")),
    ("an unknown tag", "a: !x true\nb: !y {c: 1}\n", Some("[{\"a\":\"true\",\"b\":{\"c\":1}}]"), Some("[{\"a\":\"true\",\"b\":{\"c\":1}}]")),
    ("tags of the core schema", "a: !!str 1\nb: !!int \"1\"\nc: !!float 1\n", Some("[{\"a\":\"1\",\"b\":1,\"c\":1}]"), Some("[{\"a\":\"1\",\"b\":1,\"c\":1}]")),
    ("JSON", "{\"a\": [1, 2.5, true, null, \"x\\/y\\ud83d\\ude00\"]}\n", Some("[{\"a\":[1,2.5,true,null,\"x/y\\ud83d\\ude00\"]}]"), None),
    ("two JSON values", "{\"a\": 1}\n{\"b\": 2}\n", Some("[{\"a\":1},{\"b\":2}]"), Some("[{\"a\":1}]")),
    ("a tab after the colon", "a:\t1\n", Some("[{\"a\":1}]"), Some("[{\"a\":1}]")),
    ("keys that are no strings", "m:\n  1: a\n  true: b\n  1.5: c\n", Some("[{\"m\":{\"1\":\"a\",\"1.5\":\"c\",\"true\":\"b\"}}]"), None),
    ("a date as a key", "m:\n  2001-01-01: a\n", Some("[{\"m\":{\"2001-01-01\":\"a\"}}]"), None),
    ("an empty key", "m:\n  ? \n  : a\n", None, Some("[{\"m\":{\"\":\"a\"}}]")),
    ("a template", "a: {{ .Values.x }}\n", None, None),
    ("a duplicate key", "a: 1\na: 2\n", Some("[{\"a\":2}]"), None),
    ("an unknown alias", "a: *x\n", None, None),
    ("an alias to itself", "a: &a [*a]\n", None, None),
    ("a number that JSON lacks", "a: .inf\n", None, None),
    ("another version", "%YAML 1.2\n---\na: 1\n", None, None),
    ("text after the dashes", "a: 1\n---{}\nb: 2\n", None, None),
    ("a tab as indentation", "a:\n\tb: 1\n", None, None),
    ("a bad indentation", "a: 1\n b: 2\n", None, None),
    ("an open quote", "a: \"x\n", None, None),
    ("an open bracket", "a: [1, 2\n", None, None),
];

fn read(text: &str, dialect: Dialect) -> (SourceMap, SourceId, Parsed) {
    let mut sources = SourceMap::default();
    let path = RepoPath::new("a.yaml");
    let id = sources.add(Source::new(path, Origin::File, text.as_bytes().to_vec()));
    let parsed = parse(sources.get(id).unwrap(), id, dialect, &Limits::default());
    (sources, id, parsed)
}

#[test]
fn texts_are_read_as_kubernetes_reads_them() {
    let mut wrong = Vec::new();
    for (name, text, kubectl, kustomize) in CASES {
        for (dialect, wanted) in [(Dialect::Kubectl, kubectl), (Dialect::Kustomize, kustomize)] {
            let (_, _, parsed) = read(text, dialect);
            // kubectl keeps the last of two equal keys, and a finding says so; kustomize refuses.
            let refused = parsed.problems.iter().any(|it| {
                it.is_fatal()
                    || dialect == Dialect::Kustomize && it.kind == ProblemKind::DuplicateKey
            });
            let values: Vec<Value> = parsed.documents.iter().map(|it| it.root.to_json()).collect();
            let wanted: Option<Vec<Value>> = wanted.map(|it| serde_json::from_str(it).unwrap());
            let read = (!refused).then_some(values);
            if read != wanted {
                wrong.push(format!("{name} ({dialect:?}): {read:?}, not {wanted:?}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_bad_document_does_not_hide_the_next_one() {
    let (sources, _, parsed) = read("a: 1\n---\nb: [\n---\nc: 3\n", Dialect::Kubectl);
    let values: Vec<Value> = parsed.documents.iter().map(|it| it.root.to_json()).collect();
    assert_eq!(values, [serde_json::json!({"a": 1}), serde_json::json!({"c": 3})]);
    let problem = &parsed.problems[0];
    assert_eq!((parsed.problems.len(), problem.kind), (1, ProblemKind::Syntax));
    assert!((3..=4).contains(&sources.location(problem.span).start.line));
}

#[test]
fn a_duplicate_key_shows_both_places() {
    let (sources, _, parsed) = read("a: 1\nb: 2\n\"a\": 3\n", Dialect::Kubectl);
    let problem = &parsed.problems[0];
    assert_eq!(sources.text(problem.span), "\"a\"");
    assert_eq!(sources.text(problem.related.as_ref().unwrap().0), "a");
    assert_eq!(sources.location(problem.span).start.line, 3);
}

#[test]
fn a_merge_below_a_key_overrides_it_for_kubectl() {
    let text = "d: &d {k: 1}\ne:\n  k: 2\n  <<: *d\n";
    let (sources, _, parsed) = read(text, Dialect::Kubectl);
    assert_eq!(parsed.documents[0].root.at(&["e", "k"]).unwrap().to_json(), 1);
    assert_eq!(sources.text(parsed.problems[0].span), "<<");
    let (_, _, parsed) = read(text, Dialect::Kustomize);
    assert_eq!(parsed.documents[0].root.at(&["e", "k"]).unwrap().to_json(), 2);
    assert_eq!(parsed.problems, []);
}

#[test]
fn spans_underline_what_stands_there() {
    let text = "spec:\n  # c\n  items:\n    - name: \"a b\"\n      size: 10Gi\n";
    let (sources, _, parsed) = read(text, Dialect::Kubectl);
    let root = &parsed.documents[0].root;
    let item = &root.at(&["spec", "items"]).unwrap().items()[0];
    assert_eq!(sources.text(item.get("name").unwrap().span), "\"a b\"");
    assert_eq!(sources.text(item.entry("size").unwrap().key_span), "size");
    assert_eq!(sources.text(item.span), "name: \"a b\"\n      size: 10Gi");
}

#[test]
fn bombs_and_deep_texts_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        let previous = format!("*a{}", n - 1);
        let items = vec![previous; 9].join(", ");
        bomb = format!("{bomb}a{n}: &a{n} [{items}]\n");
    }
    let deep = "[".repeat(100_000);
    let braces = "{\"a\":".repeat(100_000);
    let dashes = format!("{}x", "- ".repeat(100_000));
    for text in [&bomb, &deep, &braces, &dashes] {
        for dialect in [Dialect::Kubectl, Dialect::Kustomize] {
            let (_, _, parsed) = read(text, dialect);
            assert_eq!(parsed.documents.len(), 0);
            assert_eq!(parsed.problems.len(), 1);
            assert_eq!(parsed.problems[0].kind, ProblemKind::Limit);
        }
    }
}

/// Every span lies in the text, on the borders of characters.
fn check(sources: &SourceMap, id: SourceId, parsed: &Parsed) {
    fn node(it: &crate::document::Node, text: &str, id: SourceId) {
        span(it.span, text, id);
        for item in it.items() {
            node(item, text, id);
        }
        for entry in it.entries() {
            span(entry.key_span, text, id);
            node(&entry.value, text, id);
        }
    }
    fn span(span: Span, text: &str, id: SourceId) {
        assert_eq!(span.source, id);
        assert!(text.get(span.start as usize..span.end as usize).is_some(), "{span:?}");
    }
    let text = sources.get(id).unwrap().text();
    for document in &parsed.documents {
        node(&document.root, text, id);
    }
    for problem in &parsed.problems {
        span(problem.span, text, id);
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,80}") {
        for dialect in [Dialect::Kubectl, Dialect::Kustomize] {
            let (sources, id, parsed) = read(&text, dialect);
            check(&sources, id, &parsed);
        }
    }

    #[test]
    fn anything_like_yaml_is_read_without_a_panic(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "a", "b: ", "- ", "\n", "\n  ", "\n    ", "? ", ": ", "&x ", "*x", "!!str ", "!t ",
                "|", ">-", "\"", "'", "{", "}", "[", "]", ", ", "---\n", "...\n", "#c\n", "\t",
                "<<: ", "é", "\u{85}", "\u{feff}", "\r\n", "0x1", "1e9", "~", "%YAML 1.2\n", "{{",
            ]),
            0..24,
        )
    ) {
        let text = parts.concat();
        for dialect in [Dialect::Kubectl, Dialect::Kustomize] {
            let (sources, id, parsed) = read(&text, dialect);
            check(&sources, id, &parsed);
        }
    }
}

/// Reads a text line by line and with the parser, where the former is enough for it.
fn both_ways(text: &str, dialect: Dialect) -> Option<[(Option<Node>, Vec<Problem>); 2]> {
    let place = build::Place { text, json: false, source: SourceId::NOWHERE, base: 7 };
    let reader = build::Reader { dialect, ends_last_line: dialect == Dialect::Kubectl };
    let limits = Limits { depth: 20, ..Limits::default() };
    let mut shared = shared::Shared::default();
    let (node, found) = build::by_lines(place, reader, &limits, &mut shared)?;
    let mut problems = Vec::new();
    let parsed = build::by_parser(place, reader, &limits, &mut shared, &mut problems);
    Some([(Some(node), found), (parsed, problems)])
}

#[test]
fn plain_documents_need_no_parser() {
    for text in [
        "a: 1\n",
        "---\n# c\na:\n  b: x y # c\n\n  c:\nd:\n- e\n- f: 1\n  g: 2\n- - h\n  - i\n",
        "- a\n- b: 'x: y'\n  c: \"d # e\"\n",
        "a: [--b, \":80\", c]\nd: {}\ne: []\n\"f\": x\n  y\n    z\ng: 1",
        "a: 1\na: 2\n",
        "a: |\n  b: c\n\n    d  \n\n# e\nf:\n  - |-\n    g\n\n  - 'h\n    i'\n  - \"j: k\n     l\"\n",
    ] {
        for dialect in [Dialect::Kubectl, Dialect::Kustomize] {
            let [lines, parser] = both_ways(text, dialect).expect(text);
            assert_eq!(lines, parser, "{text}");
        }
    }
}

/// Lines that are read without the parser, and some that nearly are.
const LINES: &[&str] = &[
    "a: 1",
    "b:",
    "c: x y # c",
    "d:",
    "- e",
    "- f: 1",
    "- - g",
    "- h:",
    "-",
    "- ",
    "i",
    "# c",
    "",
    "",
    "j: 'k: l'",
    "\"m\": \"n\"",
    "o: [p, \":80\", 'q']",
    "r: {}",
    "s: []",
    "- [t]",
    "- 'u'",
    "- {}",
    "v: 'it''s'",
    "w: \"\\n\"",
    "x: y: z",
    "a:b",
    "a :",
    "a: -",
    "a: - b",
    "[-]: c",
    "[a]: b",
    "{}x",
    "a: &b c",
    "a: *b",
    "a: !!str 1",
    "a: |",
    "a: >-",
    "? a",
    ": b",
    "---",
    "...",
    "%TAG",
    "<<: {}",
    "a: ~",
    "yes: on",
    "1: 2001-01-01",
    "a: http://b:80/#c",
    "a: \"",
    "a: '",
    "a: [b, {c: d}]",
    "a: [-]",
    "a: |",
    "a: |-",
    "- |",
    "a: 'b",
    "a: \"b",
    "b'",
    "b\"",
    "b' # c",
    "a: [b:c]",
    "a: [b",
    "é: ü",
    "a:\tb",
    "\ta: b",
    "a: b\r",
    "a: 'b' c",
    "a: b  ",
    "a:  b",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn lines_are_read_as_the_parser_reads_them(
        lines in proptest::collection::vec(
            (0_usize..4, proptest::sample::select(LINES)),
            1..10,
        ),
        end in proptest::sample::select(&["", "\n", "\n\n", "\n "][..]),
    ) {
        let lines = lines.iter().map(|(depth, line)| format!("{}{line}", "  ".repeat(*depth)));
        let text = lines.collect::<Vec<_>>().join("\n") + end;
        for dialect in [Dialect::Kubectl, Dialect::Kustomize] {
            if let Some([lines, parser]) = both_ways(&text, dialect) {
                prop_assert_eq!(lines, parser, "{}", text);
            }
        }
    }
}
