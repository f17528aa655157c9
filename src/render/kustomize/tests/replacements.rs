//! Values that are copied from object to object: replacements and variables.

use serde_json::json;

use super::*;

const SOURCE: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: src}
data: {host: a.b.c, ns: deep}
spec: {n: 7}
---
apiVersion: v1
kind: Pod
metadata: {name: pod}
spec:
  containers:
  - name: c
    image: x:1
    args: ['--ns=$(NS)', '$(NUM)', '$$(NS)', '$(OTHER)']
    env: [{name: A, value: old}, {name: B, value: old}]
  hostNetwork: false
";

fn pod(kustomization: &str) -> (Fixture, Value) {
    let kustomization = format!("resources: [r.yaml]\n{kustomization}");
    let fixture = Fixture::new(&[("kustomization.yaml", &kustomization), ("r.yaml", SOURCE)]);
    let pod = fixture.json(".").remove(1);
    (fixture, pod)
}

#[test]
fn replacements_copy_values_and_parts_of_them() {
    let (fixture, pod) = pod(
        "replacements:\n- source: {kind: ConfigMap, name: src, fieldPath: data.host, \
         options: {delimiter: '.', index: 1}}\n  targets:\n  - select: {kind: Pod}\n    fieldPaths:\n    \
         - spec.containers.[name=c].image\n    options: {delimiter: ':', index: 1}\n  - select: {kind: \
         Pod}\n    fieldPaths: [metadata.labels.made]\n    options: {create: true}\n- source: {kind: \
         ConfigMap, fieldPath: data.ns}\n  targets:\n  - select: {name: p.*}\n    fieldPaths:\n    - \
         spec.containers.*.env.[name=B].value\n",
    );
    assert_eq!(pod["spec"]["containers"][0]["image"], json!("x:b"));
    assert_eq!(pod["metadata"]["labels"], json!({"made": "b"}));
    assert_eq!(
        pod["spec"]["containers"][0]["env"],
        json!([{"name": "A", "value": "old"}, {"name": "B", "value": "deep"}])
    );
    let rendered = fixture.render(".");
    assert_eq!(
        fixture.origin_in(&rendered, 1, "spec containers 0 image"),
        "kustomization.yaml: spec.containers.[name=c].image"
    );
    assert_eq!(
        fixture.origin_in(&rendered, 1, "metadata labels made"),
        "kustomization.yaml: metadata.labels.made"
    );
}

#[test]
fn values_keep_the_type_of_their_field() {
    let (_, pod) =
        pod("replacements:\n- sourceValue: 'true'\n  targets:\n  - select: {kind: Pod}\n    \
         fieldPaths: [spec.hostNetwork, 'spec.containers.0.image']\n");
    assert_eq!(pod["spec"]["hostNetwork"], json!(true));
    assert_eq!(pod["spec"]["containers"][0]["image"], json!("true"));
}

#[test]
fn replacements_can_stand_in_files_and_reject_objects() {
    let fixture = Fixture::new(&[
        ("kustomization.yaml", "resources: [r.yaml]\nreplacements: [{path: p.yaml}]\n"),
        ("r.yaml", SOURCE),
        (
            "p.yaml",
            "- sourceValue: new\n  targets:\n  - select: {version: v1}\n    reject: [{kind: \
             Pod}]\n    fieldPaths: [data.host]\n",
        ),
    ]);
    assert_eq!(fixture.json(".")[0]["data"]["host"], json!("new"));
    let rendered = fixture.render(".");
    assert_eq!(fixture.origin_in(&rendered, 0, "data host"), "p.yaml: data.host");
}

#[test]
fn replacements_that_find_nothing_are_refused() {
    for (replacement, expected) in [
        (
            "{source: {kind: Secret}, targets: [{select: {kind: Pod}}]}",
            "{kind: Secret}: no object is `kind: Secret`, the source of the replacement",
        ),
        (
            "{source: {version: v1}, targets: [{select: {kind: Pod}}]}",
            "{version: v1}: several objects are `version: v1`, the source of the replacement",
        ),
        (
            "{source: {kind: ConfigMap, fieldPath: data.none}, targets: [{select: {kind: Pod}}]}",
            "data.none: ConfigMap src has nothing at `data.none` to be copied",
        ),
        (
            "{sourceValue: x, targets: [{select: {kind: Pod}, fieldPaths: [spec.none]}]}",
            "spec.none: Pod pod has nothing at `spec.none`",
        ),
        (
            "{sourceValue: x, targets: [{fieldPaths: [spec.none]}]}",
            "{fieldPaths: [spec.none]}: the target of the replacement selects nothing",
        ),
        ("{sourceValue: x}", "{sourceValue: x}: the replacement has no `targets`"),
    ] {
        let kustomization = format!("resources: [r.yaml]\nreplacements:\n- {replacement}\n");
        let fixture = Fixture::new(&[("kustomization.yaml", &kustomization), ("r.yaml", SOURCE)]);
        assert_eq!(fixture.error("."), format!("kustomization.yaml: {expected}"));
    }
}

#[test]
fn variables_are_replaced_where_they_are_known() {
    let (fixture, pod) = pod(
        "vars:\n- {name: NS, objref: {apiVersion: v1, kind: ConfigMap, name: src}, \
         fieldref: {fieldpath: data.ns}}\n- {name: NUM, objref: {apiVersion: v1, kind: ConfigMap, name: \
         src}, fieldref: {fieldpath: spec.n}}\n",
    );
    assert_eq!(pod["spec"]["containers"][0]["args"], json!(["--ns=deep", 7, "$(NS)", "$(OTHER)"]));
    let rendered = fixture.render(".");
    assert_eq!(fixture.origin_in(&rendered, 1, "spec containers 0 args 1"), "r.yaml: 7");
}

#[test]
fn variables_that_have_no_value_are_refused() {
    let nothing = "{name: V, objref: {apiVersion: v1, kind: Secret, name: s}}";
    for (var, at, expected) in [
        (nothing, nothing, "no object fits the variable `V`"),
        (
            "{name: V, objref: {apiVersion: v1, kind: Pod, name: pod}, fieldref: {fieldpath: a.b}}",
            "a.b",
            "Pod pod has no field `a.b` for the variable `V`",
        ),
    ] {
        let kustomization = format!("resources: [r.yaml]\nvars:\n- {var}\n");
        let fixture = Fixture::new(&[("kustomization.yaml", &kustomization), ("r.yaml", SOURCE)]);
        assert_eq!(fixture.error("."), format!("kustomization.yaml: {at}: {expected}"));
    }
}
