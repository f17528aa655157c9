//! Files and folders, and the order of what comes out of them.

use serde_json::json;

use super::*;

fn config_map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n")
}

fn names(fixture: &Fixture, folder: &str) -> Vec<String> {
    fixture
        .render(folder)
        .objects
        .iter()
        .map(|object| object.object.as_ref().unwrap().name.to_string())
        .collect()
}

#[test]
fn files_folders_and_bases_are_put_together() {
    let fixture = Fixture::new(&[
        ("o/kustomization.yaml", "resources: [x.yaml, ../b]\nbases: [../c]\n"),
        ("o/x.yaml", &config_map("x")),
        ("b/kustomization.yml", "resources: [b.yaml]\n"),
        ("b/b.yaml", &format!("{}---\n# nothing\n---\n{}", config_map("y1"), config_map("y2"))),
        ("c/Kustomization", "resources: [z.yaml]\n"),
        ("c/z.yaml", &config_map("z")),
    ]);
    assert_eq!(names(&fixture, "o"), ["x", "y1", "y2", "z"]);
    let read: Vec<String> = fixture.render("o").read.iter().map(ToString::to_string).collect();
    assert_eq!(
        read,
        [
            "b/b.yaml",
            "b/kustomization.yml",
            "c/Kustomization",
            "c/z.yaml",
            "o/kustomization.yaml",
            "o/x.yaml"
        ]
    );
}

#[test]
fn lists_are_unwrapped() {
    let fixture = Fixture::new(&[
        ("kustomization.yaml", "resources: [l.yaml]\n"),
        (
            "l.yaml",
            "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: \
             a}}\n- {apiVersion: v1, kind: Service, metadata: {name: b}}\n",
        ),
    ]);
    assert_eq!(names(&fixture, "."), ["a", "b"]);
}

#[test]
fn the_legacy_order_is_the_default() {
    let objects = "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: d}\n---\nkind: \
                   Other\napiVersion: x.example/v1\nmetadata: {name: o}\n---\nkind: \
                   Namespace\napiVersion: v1\nmetadata: {name: ns}\n";
    let fixture = Fixture::new(&[
        ("a/kustomization.yaml", "resources: [o.yaml]\n"),
        ("a/o.yaml", objects),
        ("b/kustomization.yaml", "resources: [o.yaml]\nsortOptions: {order: fifo}\n"),
        ("b/o.yaml", objects),
        (
            "c/kustomization.yaml",
            "resources: [o.yaml]\nsortOptions: {order: legacy, legacySortOptions: {orderFirst: \
             [Other], orderLast: [Namespace]}}\n",
        ),
        ("c/o.yaml", objects),
        ("d/kustomization.yaml", "resources: [o.yaml]\nsortOptions: {order: random}\n"),
        ("d/o.yaml", objects),
    ]);
    assert_eq!(names(&fixture, "a"), ["ns", "d", "o"]);
    assert_eq!(names(&fixture, "b"), ["d", "o", "ns"]);
    assert_eq!(names(&fixture, "c"), ["o", "d", "ns"]);
    assert_eq!(
        fixture.error("d"),
        "d/kustomization.yaml: random: `sortOptions.order` is neither `fifo` nor `legacy`"
    );
}

#[test]
fn local_objects_are_left_out() {
    let object = |name: &str, value: &str| {
        format!(
            "apiVersion: v1\nkind: A\nmetadata: {{name: {name}, annotations: \
             {{config.kubernetes.io/local-config: '{value}'}}}}\n"
        )
    };
    let fixture = Fixture::new(&[
        ("kustomization.yaml", "resources: [a.yaml, b.yaml]\n"),
        ("a.yaml", &object("a", "true")),
        ("b.yaml", &object("b", "false")),
    ]);
    assert_eq!(names(&fixture, "."), ["b"]);
}

#[test]
fn annotations_become_texts_and_empty_ones_go_away() {
    let fixture = Fixture::new(&[
        ("kustomization.yaml", "resources: [a.yaml]\n"),
        (
            "a.yaml",
            "apiVersion: v1\nkind: A\nmetadata: {name: a, annotations: {i: 1440, t: true, e: }, \
             labels: {i: 1}}\n---\napiVersion: v1\nkind: A\nmetadata: {name: b, annotations: {}}\n",
        ),
    ]);
    assert_eq!(
        fixture.json("."),
        [
            json!({"apiVersion": "v1", "kind": "A", "metadata": {
                "name": "a", "annotations": {"i": "1440", "t": "true", "e": ""}, "labels": {"i": 1}
            }}),
            json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "b"}}),
        ]
    );
}

#[test]
fn what_is_not_an_object_is_refused() {
    for (text, expected) in [
        ("metadata: {name: a}\n", "a.yaml: metadata: the object has no `kind`"),
        ("kind: A\nmetadata: {}\n", "a.yaml: kind: the A has no `metadata.name`"),
        ("- 1\n", "a.yaml: - 1: an object is expected here, but this is none"),
        ("kind: A\nkind: B\n", "a.yaml: kind: the key `kind` stands twice in one map"),
    ] {
        let fixture =
            Fixture::new(&[("kustomization.yaml", "resources: [a.yaml]\n"), ("a.yaml", text)]);
        assert_eq!(fixture.error("."), expected);
    }
}

#[test]
fn what_is_missing_is_named_at_its_line() {
    let fixture = Fixture::new(&[
        ("a/kustomization.yaml", "resources:\n- ../nowhere\n"),
        ("b/kustomization.yaml", "resources:\n- ../empty\n"),
        ("empty/x.yaml", &config_map("x")),
        ("c/kustomization.yaml", "resource:\n- x.yaml\n"),
        ("d/kustomization.yaml", ""),
    ]);
    assert_eq!(
        fixture.error("a"),
        "a/kustomization.yaml: ../nowhere: there is no file or folder `../nowhere`"
    );
    assert_eq!(
        fixture.error("b"),
        "b/kustomization.yaml: ../empty: the folder `empty` has no kustomization"
    );
    assert_eq!(
        fixture.error("c"),
        "c/kustomization.yaml: resource: a kustomization has no field `resource`"
    );
    assert_eq!(fixture.error("d"), "d/kustomization.yaml: : the kustomization is empty");
}

#[test]
fn two_objects_of_one_id_are_refused() {
    let fixture = Fixture::new(&[
        ("kustomization.yaml", "resources: [a.yaml, b.yaml]\n"),
        ("a.yaml", &config_map("x")),
        ("b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: default}\n"),
    ]);
    assert_eq!(
        fixture.error("."),
        "kustomization.yaml: b.yaml: `b.yaml` brings ConfigMap x, which is there already from line 1 of `a.yaml`"
    );
}

#[test]
fn components_change_what_is_there() {
    let fixture = Fixture::new(&[
        ("o/kustomization.yaml", "resources: [x.yaml]\ncomponents: [../c]\nnameSuffix: -o\n"),
        ("o/x.yaml", &config_map("x")),
        (
            "c/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: \
             [w.yaml]\nnamePrefix: c-\n",
        ),
        ("c/w.yaml", &config_map("w")),
        ("r/kustomization.yaml", "resources: [../c]\n"),
        ("w/kustomization.yaml", "components: [../b]\n"),
        ("b/kustomization.yaml", "resources: [x.yaml]\n"),
        ("b/x.yaml", &config_map("x")),
    ]);
    assert_eq!(names(&fixture, "o"), ["c-w-o", "c-x-o"]);
    assert_eq!(fixture.error("r"), "r/kustomization.yaml: ../c: `../c` is a component");
    assert_eq!(fixture.error("w"), "w/kustomization.yaml: ../b: `../b` is no component");
}

#[test]
fn folded_texts_come_back_as_kustomize_writes_them() {
    let fixture = Fixture::new(&[
        ("kustomization.yaml", "resources: [a.yaml]\n"),
        (
            "a.yaml",
            "apiVersion: v1\nkind: A\nmetadata: {name: a}\nfolded: >-\n  a\n    b\nliteral: |-\n  \
             a\n    b\n",
        ),
    ]);
    let object = fixture.json(".").remove(0);
    assert_eq!(object["folded"], json!("a\n\n  b"));
    assert_eq!(object["literal"], json!("a\n  b"));
}
