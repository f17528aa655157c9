//! Where schemas come from: `--schema-location`, `--schema-cache` and `schemas` in the
//! configuration.

use crate::gate::{GOOD, Gate, Run, check};

const GOOD_WIDGET: &str =
    "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: 1}\n";

/// A Widget with one unknown field, at 4:8.
const BAD_WIDGET: &str =
    "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {sise: 1}\n";

const UNKNOWN_FIELD: &str = "schema/unknown-field a.yaml:4:8";
const UNKNOWN_KIND: &str = "coverage/unknown-kind a.yaml:1:13";

/// A JSON Schema of a Widget, as kubeconform and the catalog of Datree have them.
const SCHEMA: &str = r#"{
  "type": "object",
  "properties": {
    "spec": {
      "type": "object",
      "properties": {"size": {"type": "integer"}},
      "additionalProperties": false
    }
  }
}"#;

const DEFINITION: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.example.com
spec:
  group: example.com
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                size: {type: integer}
";

/// The document that an API server publishes for the group.
const OPEN_API: &str = r##"{
  "openapi": "3.0.0",
  "components": {"schemas": {
    "com.example.v1.Widget": {
      "type": "object",
      "properties": {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object", "additionalProperties": true},
        "spec": {"allOf": [{"$ref": "#/components/schemas/com.example.v1.WidgetSpec"}], "default": {}}
      },
      "x-kubernetes-group-version-kind": [
        {"group": "example.com", "version": "v1", "kind": "Widget"}
      ]
    },
    "com.example.v1.WidgetSpec": {
      "type": "object",
      "properties": {"size": {"type": "integer"}}
    }
  }}
}"##;

/// Each layout: the file of a folder `s`, what it holds, and arguments that name it.
const LAYOUTS: [(&str, &str, &[&str]); 10] = [
    ("s/master-standalone-strict/widget-example-v1.json", SCHEMA, &["--schema-location", "s"]),
    ("s/v1.37.1-standalone/widget-example-v1.json", SCHEMA, &["--schema-location", "s/"]),
    ("s/example.com/widget_v1.json", SCHEMA, &["--schema-location", "s"]),
    (
        "s/example.com/widget_v1.json",
        SCHEMA,
        &["--schema-location", "s/{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json"],
    ),
    (
        "s/widget-example-v1.json",
        SCHEMA,
        &["--schema-location", "./s/{{- .ResourceKind -}}{{.KindSuffix}}.json"],
    ),
    ("s/apis/example.com/v1.json", OPEN_API, &["--schema-location", "s"]),
    ("s/apis/example.com/v1.json", OPEN_API, &["--local-schemas", "s"]),
    ("s/widgets.yaml", DEFINITION, &["--schema-location", "s"]),
    ("s/widgets.yaml", DEFINITION, &["--schema-location", "s/widgets.yaml"]),
    ("s/widgets.yaml", DEFINITION, &["--local-crds", "s"]),
];

/// Returns a check of one Widget beside a folder that it is not part of.
fn widget(text: &str, files: &[(&str, &str)]) -> Gate {
    Gate::new()
        .repo([("a.yaml", text)])
        .repo(files.iter().copied())
        .args(["check", "a.yaml", "--format", "json"])
}

fn failures(run: &Run) -> Vec<String> {
    let report = run.json();
    let failures = report["failures"].as_array().unwrap();
    failures.iter().map(|it| it["reason"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_layout_knows_a_kind_that_the_program_does_not() {
    assert_eq!(widget(BAD_WIDGET, &[]).run().findings(), [UNKNOWN_KIND]);
    for (path, text, arguments) in LAYOUTS {
        let files = [(path, text)];
        let bad = widget(BAD_WIDGET, &files).args(arguments.iter().copied()).run();
        assert_eq!((bad.findings(), bad.code), (vec![UNKNOWN_FIELD.into()], Some(1)), "{path}");
        assert_eq!(
            bad.json()["findings"][0]["message"],
            "unknown field `sise` in `spec`",
            "{path}"
        );
        let good = widget(GOOD_WIDGET, &files).args(arguments.iter().copied()).run();
        assert_eq!((good.findings(), good.code), (Vec::new(), Some(0)), "{path}");
    }
}

#[test]
fn the_configuration_names_places_too() {
    for (location, path, text) in [
        ("schemas", "schemas/example.com/widget_v1.json", SCHEMA),
        ("schemas/{{ .ResourceKind }}.json", "schemas/widget.json", SCHEMA),
        ("crds", "crds/widgets.yaml", DEFINITION),
    ] {
        let config = format!("schemas:\n  - location: \"{location}\"\n    reason: our own\n");
        let run = widget(BAD_WIDGET, &[(path, text), ("tidewaiter.yaml", &config)]).run();
        assert_eq!(run.findings(), [UNKNOWN_FIELD], "{location}");
    }
}

#[test]
fn the_first_place_that_knows_a_kind_decides() {
    let files = [("open/widget.json", "{}"), ("strict/widget.json", SCHEMA)];
    let open = "open/{{ .ResourceKind }}.json";
    let strict = "strict/{{ .ResourceKind }}.json";
    for (first, second, expected) in [(open, strict, 0), (strict, open, 1)] {
        let arguments = ["--schema-location", first, "--schema-location", second];
        let run = widget(BAD_WIDGET, &files).args(arguments).run();
        assert_eq!(run.findings().len(), expected, "{first}");
    }
    let config = format!("schemas: [{{location: '{open}'}}]\n");
    let files =
        [("open/widget.json", "{}"), ("strict/widget.json", SCHEMA), ("tidewaiter.yaml", &*config)];
    // The command line comes before the configuration.
    let run = widget(BAD_WIDGET, &files).args(["--schema-location", strict]).run();
    assert_eq!(run.findings(), [UNKNOWN_FIELD]);
}

#[test]
fn a_place_stands_before_the_schemas_of_the_program_unless_those_are_named_first() {
    let files = [("a.yaml", GOOD), ("s/configmap.json", "{\"required\": [\"data\"]}")];
    let own = ["--schema-location", "s/{{ .ResourceKind }}.json"];
    let run = check(files).args(["a.yaml"]).args(own).run();
    assert_eq!(run.findings(), ["schema/missing-field a.yaml:2:7"]);
    for default in
        ["default", "https://raw.githubusercontent.com/yannh/kubernetes-json-schema/master"]
    {
        let run = check(files).args(["a.yaml", "--schema-location", default]).args(own).run();
        assert_eq!((run.findings().len(), run.code), (0, Some(0)), "{default}");
    }
}

#[test]
fn published_places_are_answered_without_a_connection() {
    let arguments = [
        "--schema-location",
        "default",
        "--schema-location",
        "https://raw.githubusercontent.com/datreeio/CRDs-catalog/main/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json",
        "--schema-location",
        "/nowhere/flux-crd-schemas",
    ];
    let run = check([("a.yaml", GOOD)]).args(arguments).run();
    assert_eq!((run.findings().len(), run.code, run.stderr.as_str()), (0, Some(0), ""));
}

#[test]
fn another_host_is_named_as_not_read() {
    let address = "https://example.com/{{ .ResourceKind }}.json";
    let run = widget(BAD_WIDGET, &[]).args(["--schema-location", address]).run();
    assert_eq!(run.findings(), ["coverage/remote-schema <command line>:1:1", UNKNOWN_KIND]);
    let config = format!("schemas:\n- location: '{address}'\n");
    let run = widget(BAD_WIDGET, &[("tidewaiter.yaml", &config)]).run();
    assert_eq!(run.findings(), [UNKNOWN_KIND, "coverage/remote-schema tidewaiter.yaml:2:13"]);
    assert_eq!(run.code, Some(0));
}

#[test]
fn the_cache_of_kubeconform_is_read() {
    // The name is the SHA-256 of `https://example.com/widget.json`.
    let name = "cache/1df7899cb88234c376e2a9fc3b0020bc47754a025dd34e648a1ab26a2f63944c";
    let arguments = [
        "--schema-location",
        "https://example.com/{{ .ResourceKind }}.json",
        "--schema-cache",
        "cache",
    ];
    let run = widget(BAD_WIDGET, &[(name, SCHEMA)]).args(arguments).run();
    assert_eq!(run.findings(), [UNKNOWN_FIELD]);
}

#[test]
fn a_place_that_cannot_be_used_is_refused() {
    let refuses = |location: &str, message: &str| {
        let message = format!("the schema location `{location}` cannot be used: {message}");
        widget(GOOD_WIDGET, &[]).args(["--schema-location", location]).run().refuses(&message);
    };
    refuses("nowhere", "it does not exist");
    refuses("{{ .Group", "the `{{` in column 1 is not closed by `}}`");
    refuses(
        "{{ .Kind }}.json",
        "there is no variable `.Kind` (column 4); did you mean `.ResourceKind`?",
    );
}

#[test]
fn a_place_of_the_configuration_that_cannot_be_used_is_refused_where_it_stands() {
    let config = "schemas:\n  - location: ../elsewhere\n";
    let run =
        Gate::new().repo([("a.yaml", GOOD), ("tidewaiter.yaml", config)]).args(["check"]).run();
    assert_eq!(run.code, Some(2));
    insta::assert_snapshot!(run.stdout.split("\n\n").next().unwrap(), @r"
      failure: the location of schemas cannot be used: it leads out of the folder of the configuration
        at tidewaiter.yaml:2:15
    ");
}

#[test]
fn a_schema_that_cannot_be_used_closes_the_gate() {
    for (text, reason) in [
        ("{\n  \"type\": object\n}", "it is not JSON: expected value at line 2 column 11"),
        ("{\"properties\": {\"spec\": {\"type\": 1}}}", "(at `/properties/spec/type`)"),
        ("{\"$ref\": \"other.json\"}", "`other.json` is not beside it"),
        ("{\"$ref\": \"../a.yaml\"}", "it refers to"),
    ] {
        let run = widget(GOOD_WIDGET, &[("s/example.com/widget_v1.json", text)])
            .args(["--schema-location", "s"])
            .run();
        assert_eq!(run.code, Some(2), "{text}");
        let failures = failures(&run);
        assert_eq!(failures.len(), 1, "{failures:?}");
        let start = "the schema `s/example.com/widget_v1.json` cannot be used: ";
        assert!(failures[0].starts_with(start) && failures[0].contains(reason), "{failures:?}");
    }
    // What no object needs is not read.
    let run = check([("a.yaml", GOOD), ("s/example.com/widget_v1.json", "{")])
        .args(["a.yaml", "--schema-location", "s"])
        .run();
    assert_eq!(run.code, Some(0));
}

#[test]
fn the_cluster_is_judged_by_the_same_places() {
    let question = |object: &str| {
        let object: String = object.lines().flat_map(|line| ["    ", line, "\n"]).collect();
        format!(
            "apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\nrequest:\n  uid: u\n  \
             kind: {{group: example.com, version: v1, kind: Widget}}\n  \
             resource: {{group: example.com, version: v1, resource: widgets}}\n  \
             name: w\n  namespace: x\n  operation: CREATE\n  userInfo: {{username: u}}\n  \
             object:\n{object}"
        )
    };
    for (path, text) in
        [("schemas/example.com/widget_v1.json", SCHEMA), ("schemas/widgets.yaml", DEFINITION)]
    {
        let review = |object: &str| {
            Gate::new()
                .repo([("tidewaiter.yaml", "schemas: [{location: schemas}]\n"), (path, text)])
                .args(["review", "--config", "tidewaiter.yaml"])
                .stdin(&question(object))
                .run()
        };
        let denied = review(BAD_WIDGET);
        assert_eq!(denied.code, Some(1), "{denied:?}");
        assert!(denied.stdout.contains("unknown field `sise`"), "{denied:?}");
        assert_eq!(review(GOOD_WIDGET).code, Some(0));
    }
    let broken = Gate::new()
        .repo([
            ("tidewaiter.yaml", "schemas: [{location: schemas}]\n"),
            ("schemas/example.com/widget_v1.json", "{"),
        ])
        .args(["review", "--config", "tidewaiter.yaml"])
        .stdin(&question(GOOD_WIDGET))
        .run();
    assert_eq!(broken.code, Some(2));
    assert!(broken.stderr.contains("`schemas/example.com/widget_v1.json`"), "{broken:?}");
}
