//! Namespace, labels, annotations, replicas, images, and transformers in files of their own.

use serde_json::json;

use super::*;

fn transformed(kustomization: &str, object: &str) -> Fixture {
    let kustomization = format!("resources: [r.yaml]\n{kustomization}");
    Fixture::new(&[("kustomization.yaml", &kustomization), ("r.yaml", object)])
}

#[test]
fn the_namespace_goes_to_what_has_one() {
    let fixture = transformed(
        "namespace: prod\n",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: old}\n---\napiVersion: \
         rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: cr}\n---\napiVersion: \
         rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: rb}\nsubjects:\n- {kind: \
         ServiceAccount, name: default}\n- {kind: ServiceAccount, name: foreign, namespace: \
         elsewhere}\n---\napiVersion: x.example/v1\nkind: Cluster\nmetadata: {name: c, namespace: \
         dev}\n",
    );
    let rendered = fixture.render(".");
    let json: Vec<Value> = rendered.objects.iter().map(|it| it.root.to_json()).collect();
    assert_eq!(json[0]["metadata"], json!({"name": "prod"}));
    assert_eq!(json[1]["metadata"], json!({"name": "cr"}));
    assert_eq!(json[2]["metadata"], json!({"name": "rb", "namespace": "prod"}));
    assert_eq!(
        json[2]["subjects"],
        json!([
            {"kind": "ServiceAccount", "name": "default", "namespace": "prod"},
            {"kind": "ServiceAccount", "name": "foreign", "namespace": "elsewhere"},
        ])
    );
    assert_eq!(json[3]["metadata"], json!({"name": "c", "namespace": "prod"}));
    let set = "kustomization.yaml: prod";
    assert_eq!(fixture.origin_in(&rendered, 0, "metadata name"), set);
    assert_eq!(fixture.origin_in(&rendered, 2, "subjects 0 namespace"), set);
    assert_eq!(fixture.origin_in(&rendered, 3, "metadata namespace"), set);
}

#[test]
fn a_namespace_that_makes_two_objects_one_is_refused() {
    let fixture = transformed(
        "namespace: prod\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: a}\n---\napiVersion: \
         v1\nkind: Secret\nmetadata: {name: s, namespace: b}\n",
    );
    assert_eq!(
        fixture.error("."),
        "kustomization.yaml: prod: with this namespace two objects are both called Secret s in prod"
    );
}

#[test]
fn common_labels_reach_templates_and_selectors() {
    let fixture = transformed("commonLabels: {app: shop}\n", DEPLOYMENT);
    let object = fixture.json(".").remove(0);
    assert_eq!(object["metadata"]["labels"], json!({"app": "shop"}));
    assert_eq!(object["spec"]["selector"], json!({"matchLabels": {"app": "shop"}}));
    assert_eq!(object["spec"]["template"]["metadata"], json!({"labels": {"app": "shop"}}));
    let set = "kustomization.yaml: shop";
    assert_eq!(fixture.origin(".", "metadata labels app"), set);
    assert_eq!(fixture.origin(".", "spec selector matchLabels app"), set);
}

#[test]
fn labels_reach_what_they_are_told_to() {
    let fixture = transformed(
        "labels:\n- pairs: {a: '1'}\n- pairs: {b: '2'}\n  includeTemplates: true\n- pairs: {c: \
         '3'}\n  includeSelectors: true\n- pairs: {d: '4'}\n  fields: [{path: spec/strategy/labels, \
         kind: Deployment, create: true}]\n",
        DEPLOYMENT,
    );
    let object = fixture.json(".").remove(0);
    assert_eq!(object["metadata"]["labels"], json!({"a": "1", "b": "2", "c": "3", "d": "4"}));
    assert_eq!(object["spec"]["template"]["metadata"], json!({"labels": {"b": "2", "c": "3"}}));
    assert_eq!(object["spec"]["selector"], json!({"matchLabels": {"c": "3"}}));
    assert_eq!(object["spec"]["strategy"], json!({"labels": {"d": "4"}}));
    assert_eq!(fixture.origin(".", "metadata labels b"), "kustomization.yaml: '2'");
}

#[test]
fn common_annotations_reach_templates() {
    let fixture = transformed("commonAnnotations: {owner: me}\n", DEPLOYMENT);
    let object = fixture.json(".").remove(0);
    assert_eq!(object["metadata"]["annotations"], json!({"owner": "me"}));
    assert_eq!(object["spec"]["template"]["metadata"], json!({"annotations": {"owner": "me"}}));
    let path = "spec template metadata annotations owner";
    assert_eq!(fixture.origin(".", path), "kustomization.yaml: me");
}

#[test]
fn replicas_are_set_by_the_first_or_the_current_name() {
    let fixture = transformed("namePrefix: p-\nreplicas:\n- {name: web, count: 5}\n", DEPLOYMENT);
    assert_eq!(fixture.json(".")[0]["spec"]["replicas"], json!(5));
    assert_eq!(fixture.origin(".", "spec replicas"), "kustomization.yaml: 5");
    let fixture = transformed("replicas:\n- {name: wev, count: 5}\n", DEPLOYMENT);
    assert_eq!(fixture.error("."), "kustomization.yaml: wev: no workload is called `wev`");
}

#[test]
fn images_get_new_names_tags_and_digests() {
    let image = |change: &str, container: usize| {
        let fixture = transformed(&format!("images:\n- {change}\n"), DEPLOYMENT);
        let path = format!("spec template spec containers {container} image");
        let containers = &fixture.json(".")[0]["spec"]["template"]["spec"]["containers"];
        let image = containers[container]["image"].as_str().unwrap().to_owned();
        (image, fixture.origin(".", &path))
    };
    let at = |text: &str| format!("kustomization.yaml: {text}");
    assert_eq!(
        image("{name: nginx, newName: r.example/n, newTag: '2'}", 0),
        ("r.example/n:2".to_owned(), at("'2'"))
    );
    assert_eq!(image("{name: nginx, newName: other}", 0), ("other:1.0".to_owned(), at("other")));
    assert_eq!(
        image("{name: nginx, digest: 'sha256:11'}", 0),
        ("nginx@sha256:11".to_owned(), at("'sha256:11'"))
    );
    // kustomize changes every image of a container twice, which shows with a suffix alone.
    assert_eq!(
        image("{name: nginx, tagSuffix: -slim}", 0),
        ("nginx:1.0-slim-slim".to_owned(), at("-slim"))
    );
    assert_eq!(
        image("{name: 'r.example:5000/side', newTag: '3'}", 1),
        ("r.example:5000/side:3".to_owned(), at("'3'"))
    );
    let kept = "r.yaml: nginx:1.0".to_owned();
    assert_eq!(image("{name: ngin, newTag: '3'}", 0), ("nginx:1.0".to_owned(), kept));
}

#[test]
fn images_of_custom_kinds_are_found_in_their_containers() {
    let fixture = transformed(
        "images:\n- {name: a, newTag: '2'}\n",
        "apiVersion: x.example/v1\nkind: Thing\nmetadata: {name: t}\nspec: {deep: {initContainers: \
         [{image: 'a:1'}]}, image: 'a:1'}\n",
    );
    assert_eq!(
        fixture.json(".")[0]["spec"],
        json!({"deep": {"initContainers": [{"image": "a:2"}]}, "image": "a:1"})
    );
}

#[test]
fn configurations_add_fields() {
    let fixture = Fixture::new(&[
        (
            "kustomization.yaml",
            "resources: [t.yaml]\nconfigurations: [c.yaml]\nimages: [{name: a, newTag: \
             '2'}]\ncommonLabels: {l: x}\n",
        ),
        (
            "c.yaml",
            "images: [{kind: Thing, path: spec/image}]\ncommonLabels: [{kind: Thing, path: \
             spec/labels, create: true}]\n",
        ),
        (
            "t.yaml",
            "apiVersion: x.example/v1\nkind: Thing\nmetadata: {name: t}\nspec: {image: 'a:1'}\n",
        ),
        ("bad/kustomization.yaml", "configurations: [c.yaml]\n"),
        ("bad/c.yaml", "varReference: [{path: a, apiGroup: b}]\n"),
    ]);
    assert_eq!(fixture.json(".")[0]["spec"], json!({"image": "a:2", "labels": {"l": "x"}}));
    assert_eq!(
        fixture.error("bad"),
        "bad/c.yaml: apiGroup: a field of a configuration has no field `apiGroup`"
    );
}

#[test]
fn transformers_in_files_are_run() {
    let fixture = Fixture::new(&[
        ("kustomization.yaml", "resources: [d.yaml]\ntransformers: [t.yaml]\n"),
        ("d.yaml", DEPLOYMENT),
        (
            "t.yaml",
            "apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: a}\nlabels: {l: \
             x}\nfieldSpecs: [{path: metadata/labels, create: true}]\n---\napiVersion: \
             builtin\nkind: AnnotationsTransformer\nmetadata: {name: b}\nannotations: {k: \
             v}\nfieldSpecs: [{path: metadata/annotations, create: true}]\n---\napiVersion: \
             builtin\nkind: NamespaceTransformer\nmetadata: {name: c, namespace: \
             prod}\n---\napiVersion: builtin\nkind: PrefixSuffixTransformer\nmetadata: {name: \
             d}\nprefix: p-\nfieldSpecs: [{path: metadata/name}]\n---\napiVersion: builtin\nkind: \
             PatchTransformer\nmetadata: {name: e}\ntarget: {kind: Deployment}\npatch: '[{\"op\": \
             \"remove\", \"path\": \"/spec/template\"}]'\n---\napiVersion: builtin\nkind: \
             ReplicaCountTransformer\nmetadata: {name: f}\nreplica: {name: web, count: \
             4}\nfieldSpecs: [{path: spec/replicas}]\n",
        ),
        ("u/kustomization.yaml", "resources: [d.yaml]\ntransformers: [t.yaml]\n"),
        ("u/d.yaml", DEPLOYMENT),
        ("u/t.yaml", "apiVersion: builtin\nkind: SortOrderTransformer\nmetadata: {name: a}\n"),
    ]);
    assert_eq!(
        fixture.json("."),
        [json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": "p-web", "namespace": "prod", "labels": {"l": "x"}, "annotations": {"k": "v"}
            },
            "spec": {"replicas": 4},
        })]
    );
    assert_eq!(fixture.origin(".", "metadata namespace"), "t.yaml: prod");
    assert_eq!(fixture.origin(".", "metadata labels l"), "t.yaml: x");
    assert_eq!(
        fixture.error("u"),
        "u/t.yaml: SortOrderTransformer: kustomize has no `SortOrderTransformer` that can be used here"
    );
}
