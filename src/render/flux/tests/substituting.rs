use serde_json::{Value, json};

use super::{Fixture, Known, Values, app, config_map};
use crate::render::flux::template::{self, Allowance, Lookup};

/// Fills a text in, with some variables.
fn filled(text: &str) -> Result<String, String> {
    let lookup = |name: &str| match name {
        "A" => Lookup::Set("hello world"),
        "P" => Lookup::Set("/usr/local/bin"),
        "U" => Lookup::Set("ünïcode"),
        "EMPTY" => Lookup::Set(""),
        "SECRET" => Lookup::Unknown,
        _ => Lookup::Unset,
    };
    template::parse(text)
        .and_then(|parts| template::fill(&parts, &lookup, &mut |_| (), &mut Allowance::default()))
        .map_err(|bad| format!("{bad:?}"))
}

#[test]
fn every_form_of_an_expression_gives_what_the_library_gives() {
    let cases = [
        ("a ${A} b", "a hello world b"),
        ("${EMPTY}${NONE}", ""),
        ("${NONE:=d}${NONE:-d e}${NONE=d}${NONE:+x}${NONE:?y}", "dd edxy"),
        ("${A:=d} ${A:+x}", "hello world hello world"),
        ("${EMPTY:=d}", "d"),
        ("${NONE:=a ${A} b}", "a hello world b"),
        ("${NONE:=${NONE:-${NONE:=deep}}}", "deep"),
        ("${NONE:=}|${NONE==x}|${NONE:=a:b/c}", "|=x|a:b/c"),
        ("${#A} ${#U} ${#NONE}", "11 9 0"),
        ("${A:6}|${A:0:5}|${A:-5}|${A:3:-2}|${A:8:-9}|${A:99}", "world|hello|hello world|lo wor||"),
        ("${A:x}|${A:1:y}|${A:2:100}|${A:1:${NONE:=2}}", "hello world|hello world|llo world|el"),
        ("${P#*/}|${P##*/}|${P%/*}|${P%%/*}", "usr/local/bin|bin|/usr/local|"),
        (
            "${P#/usr}|${P%bin}|${P#[/x]}|${P#[^a]}|${P#[}|${P#?u}",
            "/local/bin|/usr/local/|usr/local/bin|usr/local/bin|/usr/local/bin|sr/local/bin",
        ),
        ("${A/o/0}|${A//o/0}|${A//o/}|${A/o/}", "hell0 world|hell0 w0rld|hell wrld|hell world"),
        ("${A/#he/HE}|${A/#lo/LO}|${A/%ld/LD}", "HEllo world|hello world|hello worLD"),
        ("${P//\\//-}|${A/${NONE}/x}", "-usr-local-bin|xhello world"),
        ("${A^}|${A^^}|${U^}|${U^^}|${NONE^}", "Hello world|HELLO WORLD|Ünïcode|ÜNÏCODE|"),
        ("${A,}|${A,,}|${A,^}", "hello world|hello world|hello world"),
        ("$${A} $$ $A $ a$", "${A} $ $A $ a$"),
        ("${A}}", "hello world}"),
        ("${NONE:=$$x}", "$$x"),
        (
            "${SECRET} ${SECRET:=d} ${NONE:=${SECRET}} ${A:=${SECRET}}",
            "${SECRET} ${SECRET:=d} ${NONE:=${SECRET}} hello world",
        ),
    ];
    for (text, wanted) in cases {
        assert_eq!(filled(text).as_deref(), Ok(wanted), "{text}");
    }
}

#[test]
fn what_the_library_refuses_is_refused() {
    for text in [
        "${A",
        "${}",
        "${A-b}",
        "${A+b}",
        "${A b}",
        "${A.b}",
        "${A^^^}",
        "${A#}",
        "${A%}",
        "${A/a}",
        "${A:}",
        "${A:1:}",
        "${#}",
        "${#A:1}",
        "${NONE:=x",
        "${A:é}",
        "${U:1:1}",
    ] {
        assert!(filled(text).is_err(), "{text} gives {:?}", filled(text));
    }
    let deep = format!("{}x{}", "${NONE:=".repeat(60), "}".repeat(60));
    assert_eq!(filled(&deep), Err("Depth".to_owned()));
}

#[test]
fn more_text_and_more_work_than_any_object_needs_are_refused() {
    let long = "long".repeat(100);
    let filled = |text: &str, mut allowance: Allowance| {
        let parts = template::parse(text).unwrap();
        template::fill(&parts, &|_| Lookup::Set(&long), &mut |_| (), &mut allowance).is_ok()
    };
    let bytes = |bytes| Allowance { bytes, ..Allowance::default() };
    assert!(filled("${A}${A}", bytes(800)));
    assert!(!filled("${A}${A}", bytes(799)));
    assert!(filled("${A//o/xxx}", bytes(600)));
    assert!(!filled("${A//o/xxx}", bytes(599)));
    let steps = |steps| Allowance { steps, ..Allowance::default() };
    assert!(filled("${A#*n*n*z}", steps(1_000_000)));
    assert!(!filled("${A#*n*n*z}", steps(10_000)));
}

/// Renders a `ConfigMap` with variables, and returns its `data`.
fn data(variables: &str, data: &str) -> Value {
    let fixture = Fixture::new(&[
        ("cluster/app.yaml", &app(&format!("  postBuild:\n    substitute:\n{variables}"))),
        ("apps/web/a.yaml", &config_map("a", data)),
    ]);
    fixture.objects("app")[0]["data"].clone()
}

#[test]
fn a_value_is_read_again_and_may_change_its_type() {
    let variables = "      N: \"12\"\n      T: \"true\"\n      Y: \"yes\"\n      L: \"[a, 1]\"\n      \
                     C: \"a: b\"\n      D: \"2024-01-01\"\n      Q: it's\n";
    let text = "  n: ${N}\n  quoted: \"${N}\"\n  t: ${T}\n  y: ${Y}\n  l: ${L}\n  none: ${NONE}\n  \
                text: n ${N}\n  star: \"*${N}\"\n  lines: |\n    ${C}\n    $${kept}\n  d: ${D}\n  \
                ${Q}: x\n  tab: \"\\t${N}\"\n";
    assert_eq!(
        data(variables, text),
        json!({
            "n": 12, "quoted": 12, "t": true, "y": true, "l": ["a", 1], "none": null,
            "text": "n 12", "star": "*12", "lines": "a: b\n${kept}\n", "d": "2024-01-01",
            "it's": "x", "tab": "\t12",
        })
    );
}

#[test]
fn an_item_of_a_list_becomes_what_its_text_then_is() {
    let fixture = Fixture::new(&[
        ("cluster/app.yaml", &app("  postBuild:\n    substitute: {C: \"a: b\", N: \"1\"}\n")),
        (
            "apps/web/a.yaml",
            "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\nspec:\n- ${C}\n- ${N}\n",
        ),
    ]);
    assert_eq!(fixture.objects("app")[0]["spec"], json!([{"a": "b"}, 1]));
}

#[test]
fn what_is_no_yaml_any_more_is_an_error_without_the_value() {
    let fixture = Fixture::new(&[
        ("cluster/app.yaml", &app("  postBuild:\n    substitute: {C: \"hidden: value\"}\n")),
        ("apps/web/a.yaml", &config_map("a", "  a: ${C}\n")),
    ]);
    assert_eq!(fixture.error("app"), "${C}: with its variables filled in, `${C}` is no YAML");
}

#[test]
fn an_expression_that_cannot_be_read_names_its_place() {
    let fixture = Fixture::new(&[
        ("cluster/app.yaml", &app("  postBuild:\n    substitute: {A: b}\n")),
        ("apps/web/a.yaml", &config_map("a", "  a: echo ${x[0]}\n")),
    ]);
    assert_eq!(fixture.error("app"), "echo ${x[0]}: Flux cannot read the variable in `${x[0]}`");
}

#[test]
fn a_value_points_at_what_set_its_variable() {
    let more = "  postBuild:\n    substitute: {HOST: example.com}\n    \
                substituteFrom: [{kind: ConfigMap, name: settings}]\n";
    let settings = config_map("settings", "  PORT: \"8080\"\n  HOST: hidden\n")
        .replace("name: settings", "name: settings\n  namespace: flux-system");
    let fixture = Fixture::new(&[
        ("cluster/app.yaml", &app(more)),
        ("cluster/settings.yaml", &settings),
        (
            "apps/web/a.yaml",
            &config_map(
                "a",
                "  port: ${PORT}\n  host: ${HOST}\n  url: http://${HOST}\n  d: ${NONE:=x}\n",
            ),
        ),
    ]);
    assert_eq!(
        fixture.objects("app")[0]["data"],
        json!({"port": 8080, "host": "example.com", "url": "http://example.com", "d": "x"})
    );
    assert_eq!(fixture.origin("app", 0, "data port"), "cluster/settings.yaml: \"8080\"");
    assert_eq!(fixture.origin("app", 0, "data host"), "cluster/app.yaml: example.com");
    assert_eq!(fixture.origin("app", 0, "data url"), "apps/web/a.yaml: http://${HOST}");
    assert_eq!(fixture.origin("app", 0, "data d"), "apps/web/a.yaml: ${NONE:=x}");
}

#[test]
fn without_variables_nothing_is_filled_in_unless_it_always_is() {
    let object = config_map("a", "  a: ${A:=b} $${c}\n");
    let rendered = |more: &str| {
        let fixture =
            Fixture::new(&[("cluster/app.yaml", &app(more)), ("apps/web/a.yaml", &object)]);
        fixture.objects("app")[0]["data"]["a"].clone()
    };
    assert_eq!(rendered(""), "${A:=b} $${c}");
    assert_eq!(rendered("  postBuild: {substitute: {}}\n"), "${A:=b} $${c}");
    assert_eq!(rendered("  postBuild: {substituteStrategy: Always}\n"), "b ${c}");
    assert_eq!(rendered("  postBuild: {substitute: {X: y}}\n"), "b ${c}");
}

#[test]
fn objects_that_say_so_are_left_alone() {
    for field in ["labels", "annotations"] {
        let object = config_map("a", "  a: ${X}\n").replace(
            "name: a\n",
            &format!("name: a\n  {field}: {{kustomize.toolkit.fluxcd.io/substitute: disabled}}\n"),
        );
        let fixture = Fixture::new(&[
            ("cluster/app.yaml", &app("  postBuild: {substitute: {X: y}}\n")),
            ("apps/web/a.yaml", &object),
        ]);
        assert_eq!(fixture.objects("app")[0]["data"], json!({"a": "${X}"}));
    }
}

#[test]
fn later_objects_win_and_lines_are_joined() {
    let more = "  postBuild:\n    substituteFrom:\n    - {kind: ConfigMap, name: one}\n    \
                - {kind: Secret, name: two}\n";
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: two, namespace: flux-system}\n\
                  data: {B: Ygo=, C: cGFja2Vk}\nstringData: {C: plain}\n";
    let one = config_map("one", "  A: |\n    a\n    b\n  B: one\n")
        .replace("name: one", "name: one\n  namespace: flux-system");
    let fixture = Fixture::new(&[
        ("cluster/app.yaml", &app(more)),
        ("cluster/one.yaml", &one),
        ("cluster/two.yaml", secret),
        ("apps/web/a.yaml", &config_map("a", "  a: ${A}\n  b: ${B}\n  c: ${C}\n")),
    ]);
    assert_eq!(fixture.objects("app")[0]["data"], json!({"a": "ab", "b": "b", "c": "plain"}));
}

const FROM: &str = "  postBuild:\n    substitute: {A: a}\n    \
                    substituteFrom: [{kind: Secret, name: cluster}]\n";

fn with_unknown(more: &[(&str, &str)], known: &Known) -> Fixture {
    let object = config_map("a", "  a: ${A}\n  b: ${B}\n  c: ${B:=c}\n  d: $${d}\n");
    let app = app(FROM);
    let mut files = vec![("cluster/app.yaml", &*app), ("apps/web/a.yaml", &*object)];
    files.extend(more);
    Fixture::with(&files, known)
}

#[test]
fn values_that_only_the_cluster_has_keep_the_text_of_the_variable_and_say_so() {
    let fixture = with_unknown(&[], &Known::default());
    assert_eq!(
        fixture.objects("app")[0]["data"],
        json!({"a": "a", "b": "${B}", "c": "${B:=c}", "d": "${d}"})
    );
    assert_eq!(fixture.gaps("app"), ["UnknownValues: cluster: Secret/cluster"]);
    let fixture = with_unknown(&[], &Known { as_rendered: true, ..Known::default() });
    assert_eq!(
        fixture.objects("app")[0]["data"],
        json!({"a": "a", "b": null, "c": "c", "d": "${d}"})
    );
}

#[test]
fn what_is_encrypted_is_never_a_value() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: cluster, namespace: flux-system}\n\
                  stringData: {B: 'ENC[AES256_GCM,data:eA==,iv:eA==,tag:eA==,type:str]'}\n\
                  sops: {version: 3.9.0}\n";
    let fixture = with_unknown(&[("cluster/secret.yaml", secret)], &Known::default());
    assert_eq!(fixture.objects("app")[0]["data"]["b"], "${B}");
    assert_eq!(fixture.gaps("app"), ["UnknownValues: cluster: Secret/cluster"]);
}

#[test]
fn somebody_may_say_what_the_cluster_has() {
    let mut values = Values::default();
    values.give("Secret", "flux-system", "cluster", [("B".to_owned(), "given".to_owned())]);
    values.give("Secret", "elsewhere", "cluster", [("B".to_owned(), "other".to_owned())]);
    let known = Known { values: vec![values], ..Known::default() };
    let fixture = with_unknown(&[], &known);
    assert_eq!(
        fixture.objects("app")[0]["data"],
        json!({"a": "a", "b": "given", "c": "given", "d": "${d}"})
    );
    assert_eq!(fixture.gaps("app"), [""; 0]);
    assert_eq!(fixture.origin("app", 0, "data b"), "apps/web/a.yaml: ${B}");
    assert!(!format!("{known:?}").contains("given"));
}

#[test]
fn names_and_values_that_flux_refuses_are_errors() {
    let error = |substitute: &str| {
        let more = format!("  postBuild:\n    substitute: {{{substitute}}}\n");
        let object = config_map("a", "  a: ${A}\n");
        Fixture::new(&[("cluster/app.yaml", &app(&more)), ("apps/web/a.yaml", &object)])
            .error("app")
    };
    assert_eq!(error("a.b: c"), "a.b: `a.b` is no name of a variable");
    assert_eq!(error("A: 1"), "1: the variable `A` must be a string");
}
