use super::*;
use crate::document::Node;
use crate::source::{Origin, RepoPath, Source, SourceMap, Span};

/// Builds a tree whose places are of no meaning.
fn node(value: &serde_json::Value) -> Node {
    let mut sources = SourceMap::default();
    let source = Source::new(RepoPath::new("a.yaml"), Origin::File, Vec::new());
    Node::from_json(value, Span::start_of(sources.add(source)))
}

fn in_minor(text: &str, minor: u32) -> String {
    shown(text, &Environment::for_stored(minor), &Variables::new())
}

fn shown(text: &str, environment: &Environment, variables: &Variables<'_>) -> String {
    match compile(text, environment) {
        Ok(program) => match program.evaluate(variables, &mut Budget::default()) {
            Ok(value) => value.to_string(),
            Err(error) => format!("failed: {error}"),
        },
        Err(errors) => format!("refused: {}", errors[0].message),
    }
}

fn all(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(in_minor(text, 37), *expected, "{text}");
    }
}

#[test]
fn arithmetic_is_exact_or_fails() {
    all(&[
        ("1 + 2 * 3 - 4 / 2 % 3", "5"),
        ("9223372036854775807 + 1", "failed: integer overflow"),
        ("1u - 2u", "failed: unsigned integer overflow"),
        ("1 / 0", "failed: division by zero"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("--1", "1"),
        ("9223372036854775808", "refused: invalid int literal"),
        ("0xff + 1", "256"),
        ("1 + 1.0", "refused: found no matching overload for '_+_' applied to '(int, double)'"),
        ("b'a' + b'\\x62'", "b\"ab\""),
    ]);
}

#[test]
fn numbers_compare_across_their_types() {
    all(&[
        (
            "1 == 1.0 && 1u == 1 && 1 < 1.5 && 2u > 1",
            "refused: found no matching overload for '_==_' applied to '(int, double)'",
        ),
        ("dyn(1) == 1.0 && dyn(1u) == 1 && 1 < 1.5 && 2u > 1", "true"),
        ("dyn(1.0) in [1, 2]", "true"),
        ("{1: 'a'}[dyn(1u)]", "\"a\""),
        ("double('NaN') == double('NaN')", "false"),
    ]);
    assert!(in_minor("1 < 1.5", 27).starts_with("refused"), "came with 1.28");
}

#[test]
fn logic_makes_up_for_failures() {
    all(&[
        ("1 / 0 == 1 || true", "true"),
        ("1 / 0 == 1 && false", "false"),
        ("1 / 0 == 1 || false", "failed: division by zero"),
        ("[1, 2].exists(x, 1 / (x - 1) == 1)", "true"),
        ("[1, 2].all(x, 1 / (x - 1) == 2)", "false"),
        ("true ? 1 : 1 / 0", "1"),
        ("dyn(1) || false", "failed: no such overload"),
    ]);
}

#[test]
fn macros_run_over_lists_and_maps() {
    all(&[
        ("[1, 2, 3].map(x, x > 1, x * 2)", "[4, 6]"),
        ("[1, 2, 3].filter(x, x != 2)", "[1, 3]"),
        ("[1, 2, 2].exists_one(x, x == 2)", "false"),
        ("{'a': 1, 'b': 2}.map(k, k)", "[\"a\", \"b\"]"),
        ("{'a': 1}.transformMap(k, v, v + 1)", "{\"a\": 2}"),
        ("['a'].transformMapEntry(i, v, {v: i})", "{\"a\": 0}"),
        ("[3, 1].transformList(i, v, i + v)", "[3, 2]"),
        ("[[1], [2, 3]].map(x, x.map(y, y + size(x)))", "[[2], [4, 5]]"),
        ("['b', 'a'].sortBy(x, x)", "[\"a\", \"b\"]"),
        ("has({'a': 1}.a) && !has({'a': 1}.b)", "true"),
        ("[1].all(1, true)", "refused: argument must be a simple name"),
        ("has('a')", "refused: invalid argument to has() macro"),
    ]);
    assert!(in_minor("[1].all(i, v, true)", 31).starts_with("refused"), "came with 1.32");
}

#[test]
fn optional_values_spread() {
    all(&[
        ("optional.none().orValue(1)", "1"),
        ("optional.of({'a': 1}).a", "optional.of(1)"),
        ("{'a': {'b': 1}}.?a.?c.orValue(5)", "5"),
        ("[?optional.none(), 2, ?optional.of(1)]", "[2, 1]"),
        ("{?'a': optional.none(), 'b': 2}", "{\"b\": 2}"),
        ("optional.of(1).optMap(x, x + 1)", "optional.of(2)"),
        ("[1][?5].hasValue()", "false"),
        ("optional.none().value()", "failed: optional.none() dereference"),
    ]);
}

#[test]
fn strings_count_code_points() {
    all(&[
        ("'a\u{1f600}b'.indexOf('b')", "2"),
        ("'a\u{1f600}b'.substring(1, 2)", "\"\u{1f600}\""),
        ("size('h\u{e9}llo')", "5"),
        ("'abcabc'.lastIndexOf('bc', 3)", "1"),
        ("'abc'.charAt(3)", "\"\""),
        ("'abc'.charAt(4)", "failed: index out of range: 4"),
        ("'a,b,c'.split(',', 2)", "[\"a\", \"b,c\"]"),
        ("'aaaa'.replace('a', 'b', 2)", "\"bbaa\""),
        ("'%s is %.2f and %x'.format(['a', dyn(1.5), dyn(255)])", "\"a is 1.50 and ff\""),
        (
            "'%d'.format(['a'])",
            "refused: error during formatting: decimal clause can only be used on integers, was given string",
        ),
        (
            "'a'.matches('[')",
            "refused: invalid matches argument: error parsing regexp: missing closing ]",
        ),
        ("'a1b22'.findAll('[0-9]+')", "[\"1\", \"22\"]"),
    ]);
}

#[test]
fn times_have_zones_and_bounds() {
    all(&[
        ("timestamp('2023-01-01T05:00:00Z').getHours('America/New_York')", "0"),
        ("timestamp('2023-01-01T05:30:00Z').getFullYear('-08:00')", "2022"),
        ("string(timestamp('2023-01-01T00:00:00.5+02:00'))", "\"2023-01-01T00:00:00.5+02:00\""),
        ("timestamp('9999-12-31T23:59:59Z') + duration('1s')", "failed: timestamp overflow"),
        (
            "timestamp('2023-02-29T00:00:00Z')",
            "refused: type conversion error from 'string' to 'google.protobuf.Timestamp'",
        ),
        ("duration('1h30m').getMinutes()", "90"),
        ("string(duration('1h0.5s'))", "\"3600.5s\""),
        ("timestamp('2024-03-01T00:00:00Z').getDayOfYear()", "60"),
        ("timestamp(0).getDayOfWeek()", "4"),
    ]);
}

#[test]
fn the_libraries_of_kubernetes_are_there() {
    all(&[
        ("quantity('1Ki').add(quantity('24')).compareTo(quantity('1048'))", "0"),
        ("quantity('1500m').isInteger()", "false"),
        ("cidr('10.0.0.0/8').containsIP('10.1.2.3')", "true"),
        ("cidr('10.1.2.3/8').masked()", "cidr(\"10.0.0.0/8\")"),
        ("isIP('::ffff:1.2.3.4')", "false"),
        ("ip.isCanonical('2001:DB8::1')", "false"),
        ("url('https://u@h:8/a%2Fb?x=1&x=2').getQuery()", "{\"x\": [\"1\", \"2\"]}"),
        ("url('https://[::1]:8/').getHostname()", "\"::1\""),
        ("semver('v1.2', true).isLessThan(semver('1.2.1-rc.1'))", "true"),
        ("format.dns1123Label().validate('a-').hasValue()", "true"),
        ("[1, 3, 2].isSorted() || [1, 2].sum() == 3", "true"),
        ("sets.contains([1, 2], [2])", "true"),
        ("type(ip('::1')) == net.IP", "true"),
    ]);
    assert!(in_minor("ip('::1')", 29).starts_with("refused"), "came with 1.30");
}

#[test]
fn the_checker_refuses_what_the_server_refuses() {
    all(&[
        ("foo", "refused: undeclared reference to 'foo' (in container '')"),
        ("1.foo()", "refused: undeclared reference to 'foo' (in container '')"),
        ("1 foo", "refused: expected an operator or the end, but found `foo`"),
        ("[1, 'a']", "refused: expected type 'int' but found 'string'"),
        ("'a' && true", "refused: expected type 'bool' but found 'string'"),
        ("namespace", "refused: reserved identifier: namespace"),
        ("authorizer", "refused: undeclared reference to 'authorizer' (in container '')"),
        ("Object{}", "refused: undeclared reference to 'Object' (in container '')"),
    ]);
    let mutation = Environment::for_stored(37).with_mutation();
    let patch = "[JSONPatch{op: 'add', path: '/a/' + jsonpatch.escapeKey('b/c'), value: Object.spec{a: 1}}]";
    assert!(compile(patch, &mutation).is_ok());
    assert!(compile("JSONPatch{op: 1}", &mutation).is_err());
}

#[test]
fn nodes_are_read_through_their_types() {
    let set = Type::List(Arc::new(ListType { item: Type::String, kind: ListKind::Set }));
    let port = Type::object(
        "self.ports.@idx",
        [(Arc::from("name"), Type::String), (Arc::from("port"), Type::Int)],
    );
    let map = ListKind::Map(vec![Arc::from("name")]);
    let ports = Type::List(Arc::new(ListType { item: port, kind: map }));
    let of = Type::object(
        "self",
        [
            (Arc::from("since"), Type::Timestamp),
            (Arc::from("size"), Type::Dyn),
            (Arc::from("a__dash__b"), Type::Int),
            (Arc::from("__namespace__"), Type::String),
            (Arc::from("gone"), Type::String),
            (Arc::from("set"), set),
            (Arc::from("ports"), ports),
            (Arc::from("ratio"), Type::Double),
        ],
    );
    let new = node(&serde_json::json!({
        "since": "2023-01-01T00:00:00Z", "size": "5%", "a-b": 1, "namespace": "n", "gone": null,
        "set": ["a", "b"], "ports": [{"name": "x", "port": 1}, {"name": "y", "port": 2}],
        "ratio": 2, "unknown": 1
    }));
    let old = node(&serde_json::json!({
        "set": ["b", "a"], "ports": [{"name": "y", "port": 2}, {"name": "x", "port": 1}]
    }));
    let environment =
        Environment::for_stored(37).with("self", of.clone()).with("oldSelf", of.clone());
    let variables = Variables::new().with_node("self", &new, &of).with_node("oldSelf", &old, &of);
    for (text, expected) in [
        ("self.since.getFullYear()", "2023"),
        ("type(self.size) == string && self.size.endsWith('%')", "true"),
        ("self.a__dash__b", "1"),
        ("self.__namespace__ + self.namespace", "\"nn\""),
        ("has(self.gone)", "false"),
        ("self.gone", "failed: no such key: gone"),
        ("self.set == oldSelf.set && self.ports == oldSelf.ports", "true"),
        ("self.set + ['c', 'a']", "[\"a\", \"b\", \"c\"]"),
        (
            "(self.ports + [{'name': 'x', 'port': 9}]).map(p, p.port)",
            "refused: found no matching overload for '_+_' applied to '(list(self.ports.@idx), list(map(string, dyn)))'",
        ),
        ("self.ratio * 1.5", "3.0"),
        ("self.unknown", "refused: undefined field 'unknown'"),
        ("self.ports[0].port + oldSelf.ports[0].port", "3"),
        ("self == self && self != oldSelf", "true"),
    ] {
        assert_eq!(shown(text, &environment, &variables), expected, "{text}");
    }
    let program = compile("self.ratio > 1.0", &environment).unwrap();
    assert!(program.uses("self") && !program.uses("oldSelf"));
    assert_eq!(*program.result_type(), Type::Bool);
}

#[test]
fn evaluation_has_its_cost() {
    let cost = |text: &str| {
        let program = compile(text, &Environment::for_stored(37)).unwrap();
        let mut budget = Budget::default();
        assert!(program.evaluate(&Variables::new(), &mut budget).is_ok(), "{text}");
        RUNTIME_BUDGET - budget.left()
    };
    // As cel-go counts.
    for (text, expected) in [
        ("1 + 1", 1),
        ("[1, 2, 3]", 0),
        ("[1 + 1]", 11),
        ("{'a': 1 + 1}", 31),
        ("[1, 2, 3].all(x, x > 0)", 16),
        ("[1, 2, 3].map(x, x * 2)", 43),
        ("'aaaaaaaaaaa'.contains('a')", 2),
        ("has({'a': 1}.a)", 1),
        ("{}.?a", 1),
    ] {
        assert_eq!(cost(text), expected, "{text}");
    }
}

#[test]
fn what_costs_too_much_is_given_up() {
    let list = format!("[{}]", vec!["1"; 100].join(", "));
    let text = format!("{list}.all(a, {list}.all(b, {list}.all(c, {list}.all(d, a == d))))");
    let program = compile(&text, &Environment::for_stored(37)).unwrap();
    let mut budget = Budget::default();
    let evaluate = |budget: &mut Budget| program.evaluate(&Variables::new(), budget).unwrap_err();
    assert_eq!(evaluate(&mut budget), EvaluationError::CallLimit);
    let mut budget = Budget::new(1000);
    assert_eq!(evaluate(&mut budget), EvaluationError::Budget);
    assert_eq!(budget.left(), 0);
}

#[test]
fn depth_and_length_are_bounded() {
    let refused = |text: &str| compile(text, &Environment::for_stored(37)).is_err();
    assert_eq!(in_minor(&format!("{}1{}", "(".repeat(90), ")".repeat(90)), 37), "1");
    assert_eq!(in_minor(&format!("1{}", " + 1".repeat(60)), 37), "61");
    let nested = format!("{}1{}", "[1].all(x, 1 == ".repeat(40), ")".repeat(40));
    assert!(refused(&nested), "a boolean is no number");
    let nested = format!("{}true{}", "[1].all(x, ".repeat(40), ")".repeat(40));
    assert_eq!(in_minor(&nested, 37), "true");
    assert!(refused(&format!("{}1{}", "(".repeat(2000), ")".repeat(2000))));
    assert!(refused(&format!("1{}", " + 1".repeat(2000))));
    assert!(!refused(&format!("true{}", " && true".repeat(2000))));
    assert!(refused(&format!("optional.of(1){}", ".optMap(x, x)".repeat(60))));
    assert!(refused(&"1".repeat(100_001)));
    assert!(!refused(&format!("{}true", "!".repeat(5000))));
}

#[test]
fn places_of_errors_lie_between_characters() {
    let text = "'\\\u{65e5}'";
    let errors = compile(text, &Environment::for_stored(37)).unwrap_err();
    assert_eq!(text.get(errors[0].range.clone()), Some("\\\u{65e5}"));
}
