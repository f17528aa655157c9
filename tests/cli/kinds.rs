//! Custom resource definitions of the repository, and who judged which kind.

use serde_json::json;

use crate::gate::{GOOD, Gate, Run, check};

/// A definition, with a rule, a default, a version that is no longer served, and a status.
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
          required: [spec]
          properties:
            spec:
              type: object
              required: [size]
              properties:
                size: {type: integer, minimum: 1}
                most: {type: integer, default: 5}
              x-kubernetes-validations:
                - rule: self.size <= self.most
                  message: size must not exceed most
    - name: v1alpha1
      served: false
      storage: false
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";

fn widget(spec: &str) -> String {
    format!("apiVersion: example.com/v1\nkind: Widget\nmetadata: {{name: w}}\nspec: {spec}\n")
}

/// Returns who judged which kind: kind, source, name, objects.
fn kinds(run: &Run) -> Vec<(String, serde_json::Value, serde_json::Value, u64)> {
    let report = run.json();
    let kinds = report["summary"]["kinds"].as_array().unwrap();
    kinds
        .iter()
        .map(|it| {
            let name =
                format!("{} {}", it["apiVersion"].as_str().unwrap(), it["kind"].as_str().unwrap());
            let objects = it["objects"].as_u64().unwrap();
            (name, it["source"].clone(), it["name"].clone(), objects)
        })
        .collect()
}

fn message(run: &Run) -> String {
    run.json()["findings"][0]["message"].as_str().unwrap().to_owned()
}

#[test]
fn a_definition_of_the_repository_judges_as_the_server_does() {
    for (spec, finding, told) in [
        ("{sise: 1, size: 1}", "schema/unknown-field w.yaml:4:8", "`sise`"),
        ("{}", "schema/missing-field w.yaml:4:1", "`size`"),
        ("{size: big}", "schema/wrong-type w.yaml:4:14", "`spec.size`"),
        ("{size: 0}", "schema/invalid-value w.yaml:4:14", "`spec.size`"),
        // The rule sees the default of the field that is not there.
        ("{size: 6}", "schema/broken-rule w.yaml:4:7", "size must not exceed most"),
    ] {
        let run = check([("crd.yaml", DEFINITION), ("w.yaml", &widget(spec))]).run();
        assert_eq!((run.findings(), run.code), (vec![finding.to_owned()], Some(1)), "{spec}");
        assert!(message(&run).contains(told), "{}", message(&run));
    }
    let run = check([("crd.yaml", DEFINITION), ("w.yaml", &widget("{size: 5}"))]).run();
    assert_eq!((run.findings().len(), run.code), (0, Some(0)));
}

#[test]
fn a_version_that_the_definition_does_not_serve_is_refused() {
    let text = widget("{size: 1}").replace("example.com/v1", "example.com/v1alpha1");
    let run = check([("crd.yaml", DEFINITION), ("w.yaml", &text)]).run();
    assert_eq!(run.findings(), ["schema/unserved-version w.yaml:1:13"]);
}

#[test]
fn what_counts_is_the_definition_as_it_is_rendered() {
    // Alone, the patch is no definition, and the base would take any size.
    let patch = "\
- op: add
  path: /spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/size/maximum
  value: 2
";
    let run = check([
        ("crds/kustomization.yaml", "resources: [crd.yaml]\npatches:\n- path: patch.yaml\n  target: {kind: CustomResourceDefinition}\n"),
        ("crds/crd.yaml", DEFINITION),
        ("crds/patch.yaml", patch),
        ("w.yaml", &widget("{size: 3}")),
    ])
    .run();
    assert_eq!(run.findings(), ["schema/invalid-value w.yaml:4:14"]);
}

#[test]
fn a_definition_of_the_same_environment_comes_first() {
    let open = DEFINITION.replace("minimum: 1", "minimum: -9");
    let run = check([
        ("clusters/dev/crd.yaml", &*open),
        ("clusters/dev/w.yaml", &widget("{size: -1}")),
        ("clusters/prod/crd.yaml", DEFINITION),
        ("clusters/prod/w.yaml", &widget("{size: -1}")),
    ])
    .run();
    assert_eq!(run.findings(), ["schema/invalid-value clusters/prod/w.yaml:4:14"]);
    let report = run.json();
    assert_eq!(report["findings"][0]["environments"], json!(["prod"]));
    let sources: Vec<_> =
        kinds(&run).into_iter().filter(|it| it.0.ends_with("Widget")).map(|it| it.2).collect();
    assert_eq!(sources, [json!("clusters/dev/crd.yaml"), json!("clusters/prod/crd.yaml")]);
}

#[test]
fn a_definition_of_the_repository_comes_before_all_others() {
    let files = [
        ("crd.yaml", DEFINITION),
        ("w.yaml", &*widget("{size: 0}")),
        ("s/example.com/widget_v1.json", "{}"),
    ];
    let run = Gate::new()
        .repo(files)
        .args(["check", "crd.yaml", "w.yaml", "--format", "json", "--schema-location", "s"])
        .run();
    assert_eq!(run.findings(), ["schema/invalid-value w.yaml:4:14"]);
}

#[test]
fn a_definition_that_cannot_be_used_is_named() {
    let broken = DEFINITION.replace("most: {type: integer, default: 5}", "most: 5");
    let run = check([("crd.yaml", &*broken), ("w.yaml", &widget("{size: 1}"))]).run();
    // What is wrong with the definition is found where it stands, and denied.
    assert_eq!(run.code, Some(1), "{run:?}");
    let report = run.json();
    let reason = report["failures"][0]["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("the definition of `Widget` in crd.yaml cannot be used: "),
        "{reason}"
    );
}

#[test]
fn the_report_says_who_judged_which_kind() {
    let issuer = "apiVersion: cert-manager.io/v1\nkind: Issuer\nmetadata: {name: a}\n\
                  spec: {selfSigned: {}}\n";
    let gadget = "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: g}\n";
    let unknown = "apiVersion: example.org/v1\nkind: Nobody\nmetadata: {name: n}\n";
    let run = Gate::new()
        .repo([
            ("m/crd.yaml", DEFINITION),
            ("m/w.yaml", &*widget("{size: 1}")),
            ("m/a.yaml", GOOD),
            ("m/b.yaml", &GOOD.replace("good", "better")),
            ("m/issuer.yaml", issuer),
            ("m/gadget.yaml", gadget),
            ("m/unknown.yaml", unknown),
            ("s/example.com/gadget_v1.json", "{}"),
        ])
        .args(["check", "m", "--format", "json", "--schema-location", "s"])
        .run();
    let mut kinds = kinds(&run);
    let issuer = kinds.iter_mut().find(|it| it.0.ends_with(" Issuer")).unwrap();
    // Which release is embedded is not this test's matter.
    let package = std::mem::take(&mut issuer.2);
    assert!(package.as_str().is_some_and(|it| it.contains("cert-manager")), "{package}");
    assert_eq!(
        kinds,
        [
            (
                "apiextensions.k8s.io/v1 CustomResourceDefinition".to_owned(),
                json!("kubernetes"),
                json!(null),
                1
            ),
            ("cert-manager.io/v1 Issuer".to_owned(), json!("embedded"), json!(null), 1),
            ("example.com/v1 Gadget".to_owned(), json!("user"), json!("s"), 1),
            ("example.com/v1 Widget".to_owned(), json!("repository"), json!("crd.yaml"), 1),
            ("example.org/v1 Nobody".to_owned(), json!(null), json!(null), 1),
            ("v1 ConfigMap".to_owned(), json!("kubernetes"), json!(null), 2),
        ]
    );
    assert_eq!(run.findings(), ["coverage/unknown-kind unknown.yaml:1:13"]);
}
