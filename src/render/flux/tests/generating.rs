use serde_json::json;

use super::{Fixture, app, config_map};

const RESOURCES: &str = "resources: [a.yaml]\n";

#[test]
fn a_folder_without_a_kustomization_is_applied_whole_in_the_order_of_its_names() {
    let object = |name| config_map(name, "  a: b\n");
    let files = [
        ("cluster/app.yaml", &*app("")),
        ("apps/web/b.yaml", &object("b")),
        ("apps/web/a-b.yml", &object("a-b")),
        ("apps/web/a/z.yaml", &object("z")),
        ("apps/web/a/b/y.yaml", &object("y")),
        ("apps/web/a.txt", "no: object"),
        ("apps/web/own/listed.yaml", &object("listed")),
        ("apps/web/own/unlisted.yaml", &object("unlisted")),
        ("apps/web/own/deep/unlisted.yaml", &object("deep")),
        ("apps/web/own/kustomization.yaml", "resources: [listed.yaml]\n"),
        ("apps/web/.github/workflow.yaml", "on: push"),
        ("apps/web/empty.yaml", "# nothing\n"),
    ];
    let fixture = Fixture::new(&files);
    assert_eq!(
        fixture.names("app"),
        ["ConfigMap/y", "ConfigMap/z", "ConfigMap/a-b", "ConfigMap/b", "ConfigMap/listed"]
    );
    assert_eq!(fixture.names(""), ["Kustomization/app"]);
}

#[test]
fn a_source_leaves_out_what_its_ignore_files_name() {
    let object = |name| config_map(name, "  a: b\n");
    let source = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\n\
                  metadata: {name: flux-system, namespace: flux-system}\n\
                  spec:\n  url: https://example.com/fleet\n  ignore: |\n    !kept.yaml\n    third.yaml\n";
    let fixture = Fixture::new(&[
        ("cluster/app.yaml", &app("")),
        ("cluster/source.yaml", source),
        (".sourceignore", "# comment\n/apps/web/first.yaml\nkept.yaml\n"),
        ("apps/web/.sourceignore", "second.yaml\n"),
        ("apps/web/first.yaml", &object("first")),
        ("apps/web/kept.yaml", &object("kept")),
        ("apps/web/second.yaml", &object("second")),
        ("apps/web/third.yaml", &object("third")),
        ("apps/web/fourth.yaml", &object("fourth")),
    ]);
    assert_eq!(fixture.names("app"), ["ConfigMap/fourth", "ConfigMap/kept"]);
}

#[test]
fn a_file_that_holds_no_object_breaks_a_generated_kustomization() {
    let fixture =
        Fixture::new(&[("cluster/app.yaml", &app("")), ("apps/web/values.yaml", "replicas: 1\n")]);
    assert_eq!(fixture.error("app"), "replicas: the object has no `kind`");
}

#[test]
fn an_empty_folder_and_an_empty_kustomization_apply_nothing() {
    for file in ["apps/web/readme.txt", "apps/web/kustomization.yaml"] {
        let fixture = Fixture::new(&[("cluster/app.yaml", &app("")), (file, "")]);
        assert_eq!(fixture.names("app"), [""; 0], "{file}");
    }
}

#[test]
fn flux_passes_over_fields_that_it_does_not_know_in_the_kustomization_that_it_applies() {
    let files = [
        ("cluster/app.yaml", &*app("")),
        ("apps/web/kustomization.yaml", "resources: [a.yaml]\nunknown: 1\n"),
        ("apps/web/a.yaml", &config_map("a", "  a: b\n")),
    ];
    assert_eq!(Fixture::new(&files).names("app"), ["ConfigMap/a"]);
}

#[test]
fn the_object_adds_to_the_kustomization_of_the_folder() {
    let more = "  targetNamespace: shop\n  namePrefix: pre-\n  nameSuffix: -suf\n  \
                patches:\n  - patch: |\n      - {op: add, path: /data/patched, value: \"yes\"}\n    \
                target: {kind: ConfigMap}\n  \
                components: [../component, ../none]\n  ignoreMissingComponents: true\n  \
                commonMetadata:\n    labels: {team: web}\n    annotations: {note: here}\n";
    let files = [
        ("cluster/app.yaml", &*app(more)),
        ("apps/web/kustomization.yaml", "resources: [a.yaml]\nnamespace: other\n"),
        ("apps/web/a.yaml", &config_map("a", "  a: b\n")),
        (
            "apps/component/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n\
             patches:\n- patch: |\n    - {op: add, path: /data/component, value: x}\n  \
             target: {kind: ConfigMap}\n",
        ),
    ];
    let fixture = Fixture::new(&files);
    assert_eq!(
        fixture.objects("app"),
        [json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": "pre-a-suf",
                "namespace": "shop",
                "labels": {"team": "web"},
                "annotations": {"note": "here"},
            },
            "data": {"a": "b", "component": "x", "patched": "yes"},
        })]
    );
    let origin = |path| fixture.origin("app", 0, path);
    assert_eq!(origin("metadata namespace"), "cluster/app.yaml: shop");
    assert_eq!(origin("metadata labels team"), "cluster/app.yaml: web");
    assert_eq!(origin("data patched"), "cluster/app.yaml: \"yes\"");
    assert_eq!(origin("data component"), "apps/component/kustomization.yaml: x");
    assert_eq!(origin("data a"), "apps/web/a.yaml: b");
}

#[test]
fn a_component_that_is_missing_or_remote_is_an_error() {
    let error = |component: &str| {
        let more = format!("  components: [{component}]\n");
        let object = config_map("a", "  a: b\n");
        Fixture::new(&[
            ("cluster/app.yaml", &app(&more)),
            ("apps/web/kustomization.yaml", RESOURCES),
            ("apps/web/a.yaml", &object),
        ])
        .error("app")
    };
    assert_eq!(error("../none"), "../none: there is no file or folder `../none`");
    assert_eq!(
        error("https://example.com/x"),
        "https://example.com/x: the component `https://example.com/x` must be a path inside the \
         source"
    );
}

#[test]
fn images_are_merged_into_those_of_the_folder_by_name() {
    let deployment = |name: &str, image: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\n\
             spec: {{containers: [{{name: c, image: {image}}}]}}\n"
        )
    };
    let more = "  images:\n  - {name: one, newTag: v2}\n  - {name: two, newName: two.example.com/two}\n  \
                - {name: three, digest: 'sha256:b'}\n";
    let own = "resources: [a.yaml]\nimages:\n- {name: one, newName: one.example.com/one, digest: 'sha256:a'}\n\
               - {name: two, newTag: v1}\n";
    let objects = ["one", "two", "three"].map(|name| deployment(name, name)).join("---\n");
    let files = [
        ("cluster/app.yaml", &*app(more)),
        ("apps/web/kustomization.yaml", own),
        ("apps/web/a.yaml", &objects),
    ];
    let images: Vec<_> = Fixture::new(&files)
        .objects("app")
        .iter()
        .map(|it| it["spec"]["containers"][0]["image"].clone())
        .collect();
    assert_eq!(images, ["one.example.com/one:v2", "two.example.com/two:v1", "three@sha256:b"]);
}

#[test]
fn patches_of_older_versions_hold_too() {
    let more = "  patchesStrategicMerge:\n  - apiVersion: v1\n    kind: ConfigMap\n    \
                metadata: {name: a}\n    data: {merged: x}\n  \
                patchesJson6902:\n  - target: {kind: ConfigMap, name: a}\n    \
                patch:\n    - {op: remove, path: /data/a}\n";
    let files = [
        ("cluster/app.yaml", &*app(more)),
        ("apps/web/kustomization.yaml", RESOURCES),
        ("apps/web/a.yaml", &config_map("a", "  a: b\n")),
    ];
    assert_eq!(Fixture::new(&files).objects("app")[0]["data"], json!({"merged": "x"}));
}
