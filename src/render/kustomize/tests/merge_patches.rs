//! Strategic merge patches.

use serde_json::json;

use super::*;

fn patched(patch: &str) -> Fixture {
    let head = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n";
    Fixture::new(&[
        ("kustomization.yaml", "resources: [d.yaml]\npatches:\n- path: p.yaml\n"),
        ("d.yaml", DEPLOYMENT),
        ("p.yaml", &format!("{head}{patch}")),
    ])
}

#[test]
fn items_are_merged_by_their_keys_and_come_first() {
    let fixture = patched(
        "spec: {template: {spec: {containers: [{name: side, image: new}, {name: more}], volumes: \
         [{name: v}]}}}\n",
    );
    assert_eq!(
        fixture.json(".")[0]["spec"]["template"]["spec"],
        json!({
            "containers": [
                {"name": "side", "image": "new"},
                {"name": "more"},
                {"name": "main", "image": "nginx:1.0", "env": [{"name": "MODE", "value": "plain"}]},
            ],
            "volumes": [{"name": "v"}],
        })
    );
    let image = "spec template spec containers 0 image";
    assert_eq!(fixture.origin(".", image), "p.yaml: new");
    let image = "spec template spec containers 2 image";
    assert_eq!(fixture.origin(".", image), "d.yaml: nginx:1.0");
}

#[test]
fn null_removes_and_directives_delete_and_replace() {
    let fixture = patched(
        "spec:\n  replicas: null\n  template:\n    spec:\n      containers:\n      - {name: side, \
         $patch: delete}\n      - name: main\n        env:\n        - $patch: replace\n        - \
         {name: ONLY, value: x}\n",
    );
    assert_eq!(
        fixture.json(".")[0]["spec"],
        json!({"template": {"spec": {"containers": [
            {"name": "main", "image": "nginx:1.0", "env": [{"name": "ONLY", "value": "x"}]}
        ]}}})
    );
    let fixture = patched("spec: {$patch: replace, paused: true}\n");
    assert_eq!(fixture.json(".")[0]["spec"], json!({"paused": true}));
    assert_eq!(fixture.origin(".", "spec paused"), "p.yaml: true");
    let fixture = patched("$patch: delete\n");
    assert_eq!(fixture.json("."), [Value::Null; 0]);
    let fixture = patched("spec: {$patch: rewrite}\n");
    assert_eq!(fixture.error("."), "p.yaml: rewrite: `rewrite` is not a directive of a patch");
}

#[test]
fn kustomize_ignores_the_replacement_of_an_item() {
    let fixture = patched(
        "spec: {template: {spec: {containers: [{name: side, $patch: replace, image: new}]}}}\n",
    );
    assert_eq!(
        fixture.json(".")[0]["spec"]["template"]["spec"]["containers"][0],
        json!({"name": "side", "image": "r.example:5000/side@sha256:00"})
    );
}

#[test]
fn ports_are_merged_by_two_keys() {
    let service = |ports: &str| {
        format!("apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{ports: {ports}}}\n")
    };
    let fixture = Fixture::new(&[
        ("kustomization.yaml", "resources: [s.yaml]\npatches: [{path: p.yaml}]\n"),
        ("s.yaml", &service("[{port: 80, protocol: TCP}, {port: 80, protocol: UDP}]")),
        ("p.yaml", &service("[{port: 80, protocol: UDP, name: u}, {port: 81}]")),
    ]);
    assert_eq!(
        fixture.json(".")[0]["spec"]["ports"],
        json!([
            {"port": 81},
            {"port": 80, "protocol": "TCP"},
            {"port": 80, "protocol": "UDP", "name": "u"},
        ])
    );
}

#[test]
fn lists_of_custom_kinds_are_replaced() {
    let object = |list: &str| {
        format!(
            "apiVersion: x.example/v1\nkind: Thing\nmetadata: {{name: t}}\nspec: {{l: {list}}}\n"
        )
    };
    let fixture = Fixture::new(&[
        ("kustomization.yaml", "resources: [t.yaml]\npatchesStrategicMerge: [p.yaml]\n"),
        ("t.yaml", &object("[{name: a}, {name: b}]")),
        ("p.yaml", &object("[{name: b, v: 1}]")),
    ]);
    assert_eq!(fixture.json(".")[0]["spec"], json!({"l": [{"name": "b", "v": 1}]}));
    assert_eq!(fixture.origin(".", "spec l 0 v"), "p.yaml: 1");
}

#[test]
fn plain_values_are_merged_as_a_set() {
    let object = |list: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c, finalizers: {list}}}\n")
    };
    let fixture = Fixture::new(&[
        ("kustomization.yaml", "resources: [c.yaml]\npatches: [{path: p.yaml}]\n"),
        ("c.yaml", &object("[a, b]")),
        ("p.yaml", &object("[b, c]")),
    ]);
    assert_eq!(fixture.json(".")[0]["metadata"]["finalizers"], json!(["b", "c", "a"]));
}

#[test]
fn a_patch_inline_keeps_its_place_in_the_kustomization() {
    let fixture = Fixture::new(&[
        (
            "kustomization.yaml",
            "resources: [d.yaml]\npatches:\n- target: {kind: Deploy.*, name: w.b}\n  patch: |-\n    \
             kind: Deployment\n    metadata:\n      name: any\n    spec:\n      replicas: 7\n",
        ),
        ("d.yaml", DEPLOYMENT),
    ]);
    assert_eq!(fixture.json(".")[0]["spec"]["replicas"], json!(7));
    assert_eq!(fixture.json(".")[0]["metadata"]["name"], json!("web"));
    assert_eq!(fixture.origin(".", "spec replicas"), "kustomization.yaml: 7");
    let rendered = fixture.render(".");
    let span = rendered.objects[0].root.at(&["spec", "replicas"]).unwrap().span;
    assert_eq!(fixture.repository.sources().location(span).start.line, 9);
}

#[test]
fn a_file_may_hold_patches_for_several_objects() {
    let map = |name: &str, value: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{k: {value}}}\n"
        )
    };
    let fixture = Fixture::new(&[
        ("kustomization.yaml", "resources: [m.yaml]\npatches: [{path: p.yaml}]\n"),
        ("m.yaml", &format!("{}---\n{}", map("a", "x"), map("b", "x"))),
        ("p.yaml", &format!("{}---\n{}", map("b", "2"), map("a", "1"))),
    ]);
    let values: Vec<Value> = fixture.json(".").iter().map(|it| it["data"]["k"].clone()).collect();
    assert_eq!(values, [json!(1), json!(2)]);
}

#[test]
fn a_patch_without_its_object_is_refused() {
    let fixture = Fixture::new(&[
        ("kustomization.yaml", "resources: [d.yaml]\npatches:\n- path: p.yaml\n"),
        ("d.yaml", DEPLOYMENT),
        ("p.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: wev}\n"),
    ]);
    assert_eq!(
        fixture.error("."),
        "kustomization.yaml: p.yaml: no object is called Deployment wev, which the patch is for"
    );
}

#[test]
fn a_patch_that_does_not_fit_is_refused_at_its_value() {
    let fixture = patched("spec: {replicas: [1]}\n");
    assert_eq!(
        fixture.error("."),
        "p.yaml: [1]: the patch sets a list where a single value stands"
    );
}

#[test]
fn names_and_kinds_change_only_where_they_are_allowed_to() {
    let kustomization = |options: &str| {
        format!(
            "resources: [d.yaml]\npatches:\n- target: {{kind: Deployment}}\n  path: p.yaml\n{options}"
        )
    };
    let patch = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: new}\n";
    let options = "  options: {allowNameChange: true, allowKindChange: true}\n";
    let fixture = Fixture::new(&[
        ("a/kustomization.yaml", &kustomization("")),
        ("a/d.yaml", DEPLOYMENT),
        ("a/p.yaml", patch),
        ("b/kustomization.yaml", &kustomization(options)),
        ("b/d.yaml", DEPLOYMENT),
        ("b/p.yaml", patch),
    ]);
    let object = |folder| {
        let object = fixture.json(folder).remove(0);
        (object["kind"].clone(), object["metadata"]["name"].clone())
    };
    assert_eq!(object("a"), (json!("Deployment"), json!("web")));
    assert_eq!(object("b"), (json!("DaemonSet"), json!("new")));
}

#[test]
fn targets_select_by_labels_and_annotations() {
    let map = |name: &str, labels: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, labels: {labels}, \
             annotations: {{team: {name}}}}}\n"
        )
    };
    let fixture = Fixture::new(&[
        (
            "kustomization.yaml",
            "resources: [m.yaml]\npatches:\n- target: {labelSelector: 'tier in (front),!old'}\n  \
             patch: '[{\"op\": \"add\", \"path\": \"/data\", \"value\": {\"l\": \"x\"}}]'\n- target: \
             {annotationSelector: team=c}\n  patch: '[{\"op\": \"add\", \"path\": \"/data\", \
             \"value\": {\"a\": \"x\"}}]'\n",
        ),
        (
            "m.yaml",
            &[
                map("a", "{tier: front}"),
                map("b", "{tier: front, old: 'true'}"),
                map("c", "{tier: back}"),
            ]
            .join("---\n"),
        ),
    ]);
    let data: Vec<Value> = fixture.json(".").iter().map(|it| it["data"].clone()).collect();
    assert_eq!(data, [json!({"l": "x"}), Value::Null, json!({"a": "x"})]);
}
