//! JSON patches.

use serde_json::json;

use super::*;

fn patched(operations: &str) -> Fixture {
    Fixture::new(&[
        (
            "kustomization.yaml",
            "resources: [d.yaml]\npatches:\n- target: {group: apps, version: v1, kind: Deployment, \
             name: web}\n  path: p.yaml\n",
        ),
        ("d.yaml", DEPLOYMENT),
        ("p.yaml", operations),
    ])
}

#[test]
fn all_operations_are_applied_in_order() {
    let fixture = patched(
        "- {op: test, path: /spec/replicas, value: 1}\n- {op: replace, path: /spec/replicas, value: \
         3}\n- {op: add, path: /metadata/labels, value: {a~b: x}}\n- {op: copy, from: \
         /metadata/labels/a~0b, path: /metadata/labels/c~1d}\n- {op: move, from: \
         /metadata/labels/a~0b, path: /metadata/labels/e}\n- {op: remove, path: \
         /spec/template/spec/containers/0}\n- {op: add, path: /spec/template/spec/containers/-, \
         value: {name: last}}\n- {op: add, path: /spec/template/spec/containers/0, value: {name: \
         first}}\n",
    );
    let object = fixture.json(".").remove(0);
    assert_eq!(object["spec"]["replicas"], json!(3));
    assert_eq!(object["metadata"]["labels"], json!({"c/d": "x", "e": "x"}));
    assert_eq!(
        object["spec"]["template"]["spec"]["containers"],
        json!([
            {"name": "first"},
            {"name": "side", "image": "r.example:5000/side@sha256:00"},
            {"name": "last"},
        ])
    );
    assert_eq!(fixture.origin(".", "spec replicas"), "p.yaml: 3");
    assert_eq!(fixture.origin(".", "metadata labels e"), "p.yaml: x");
    assert_eq!(fixture.origin(".", "spec template spec containers 0 name"), "p.yaml: first");
    let kept = "spec template spec containers 1 name";
    assert_eq!(fixture.origin(".", kept), "d.yaml: side");
}

#[test]
fn an_inline_patch_keeps_its_place_in_the_kustomization() {
    let fixture = Fixture::new(&[
        (
            "kustomization.yaml",
            "resources: [d.yaml]\npatches:\n- target: {kind: Deployment}\n  patch: |\n    - op: \
             replace\n      path: /spec/replicas\n      value: 9\n",
        ),
        ("d.yaml", DEPLOYMENT),
    ]);
    assert_eq!(fixture.origin(".", "spec replicas"), "kustomization.yaml: 9");
    let fixture = Fixture::new(&[
        (
            "kustomization.yaml",
            "resources: [d.yaml]\npatchesJson6902:\n- target: {kind: Deployment, name: web, version: \
             v1}\n  patch: '[{\"op\": \"replace\", \"path\": \"/spec/replicas\", \"value\": 8}]'\n",
        ),
        ("d.yaml", DEPLOYMENT),
    ]);
    assert_eq!(fixture.origin(".", "spec replicas"), "kustomization.yaml: 8");
}

#[test]
fn annotations_can_be_added_to_an_object_that_has_none() {
    let fixture = patched("- {op: add, path: /metadata/annotations/a~1b, value: x}\n");
    assert_eq!(fixture.json(".")[0]["metadata"]["annotations"], json!({"a/b": "x"}));
}

#[test]
fn a_replaced_key_need_not_be_there() {
    let fixture = patched("- {op: replace, path: /spec/paused, value: true}\n");
    assert_eq!(fixture.json(".")[0]["spec"]["paused"], json!(true));
}

#[test]
fn operations_that_fail_are_named_at_their_place() {
    for (operations, expected) in [
        (
            "- {op: remove, path: /spec/paused}\n",
            "p.yaml: /spec/paused: the object has nothing at `/spec/paused`",
        ),
        (
            "- {op: add, path: /spec/a/b, value: 1}\n",
            "p.yaml: /spec/a/b: the object has nothing at `/spec/a/b`",
        ),
        (
            "- {op: add, path: /spec/template/spec/containers/9, value: {}}\n",
            "p.yaml: /spec/template/spec/containers/9: the object has nothing at \
             `/spec/template/spec/containers/9`",
        ),
        (
            "- {op: test, path: /spec/replicas, value: 2}\n",
            "p.yaml: 2: the object does not have the tested value at `/spec/replicas`",
        ),
        (
            "- {op: put, path: /spec/replicas, value: 2}\n",
            "p.yaml: put: `put` is not an operation of a JSON patch",
        ),
        (
            "- {op: copy, path: /spec/replicas}\n",
            "p.yaml: {op: copy, path: /spec/replicas}: the operation of a JSON patch has no `from`",
        ),
    ] {
        assert_eq!(patched(operations).error("."), expected);
    }
}

#[test]
fn a_json_patch_needs_a_target() {
    let fixture = Fixture::new(&[
        ("kustomization.yaml", "resources: [d.yaml]\npatches:\n- path: p.yaml\n"),
        ("d.yaml", DEPLOYMENT),
        ("p.yaml", "- {op: remove, path: /spec/replicas}\n"),
    ]);
    assert_eq!(fixture.error("."), "kustomization.yaml: p.yaml: the JSON patch has no `target`");
}

#[test]
fn a_target_that_fits_nothing_is_no_error() {
    let fixture = Fixture::new(&[
        (
            "kustomization.yaml",
            "resources: [d.yaml]\npatches:\n- path: p.yaml\n  target: {kind: Deploy}\n",
        ),
        ("d.yaml", DEPLOYMENT),
        ("p.yaml", "- {op: remove, path: /spec/replicas}\n"),
    ]);
    assert_eq!(fixture.json(".")[0]["spec"]["replicas"], json!(1));
}
