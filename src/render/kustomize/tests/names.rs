//! Prefixes, suffixes, hashes, and what refers to the names that they change.

use serde_json::json;

use super::*;

#[test]
fn references_follow_prefixes_and_suffixes() {
    let fixture = Fixture::new(&[
        ("kustomization.yaml", "resources: [r.yaml]\nnamePrefix: a-\nnameSuffix: -z\n"),
        (
            "r.yaml",
            "apiVersion: v1\nkind: Service\nmetadata: {name: svc}\n---\napiVersion: \
             networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: ing}\nspec: {defaultBackend: \
             {service: {name: svc}}, rules: [{http: {paths: [{backend: {service: {name: other}}}]}}]}\n",
        ),
    ]);
    let rendered = fixture.render(".");
    let json: Vec<Value> = rendered.objects.iter().map(|it| it.root.to_json()).collect();
    assert_eq!(json[0]["metadata"]["name"], json!("a-svc-z"));
    assert_eq!(
        json[1]["spec"],
        json!({
            "defaultBackend": {"service": {"name": "a-svc-z"}},
            "rules": [{"http": {"paths": [{"backend": {"service": {"name": "other"}}}]}}],
        })
    );
    let set = "kustomization.yaml: -z";
    assert_eq!(fixture.origin_in(&rendered, 1, "spec defaultBackend service name"), set);
    assert_eq!(fixture.origin_in(&rendered, 0, "metadata name"), set);
}

#[test]
fn a_prefix_alone_is_the_origin_of_the_name() {
    let fixture = Fixture::new(&[
        ("kustomization.yaml", "resources: [d.yaml]\nnamePrefix: a-\n"),
        ("d.yaml", DEPLOYMENT),
    ]);
    assert_eq!(fixture.origin(".", "metadata name"), "kustomization.yaml: a-");
}

#[test]
fn role_bindings_follow_roles_and_accounts() {
    let fixture = Fixture::new(&[
        ("kustomization.yaml", "resources: [r.yaml]\nnamespace: prod\nnamePrefix: a-\n"),
        (
            "r.yaml",
            "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: sa}\n---\napiVersion: \
             rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\n---\napiVersion: \
             rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r}\n---\napiVersion: \
             rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b}\nroleRef: \
             {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}\nsubjects: [{kind: \
             ServiceAccount, name: sa}]\n",
        ),
    ]);
    let binding = fixture.json(".").pop().unwrap();
    assert_eq!(binding["roleRef"]["name"], json!("a-r"));
    assert_eq!(
        binding["subjects"],
        json!([{"kind": "ServiceAccount", "name": "a-sa", "namespace": "prod"}])
    );
}

#[test]
fn kinds_that_name_others_keep_their_names() {
    let fixture = Fixture::new(&[
        ("kustomization.yaml", "resources: [r.yaml]\nnamePrefix: a-\n"),
        (
            "r.yaml",
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: ns}\n---\napiVersion: \
             apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: \
             t.x.example}\n",
        ),
    ]);
    let names: Vec<Value> =
        fixture.json(".").iter().map(|it| it["metadata"]["name"].clone()).collect();
    assert_eq!(names, [json!("ns"), json!("t.x.example")]);
}

#[test]
fn two_bases_with_the_same_names_are_kept_apart() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {volumes: [{name: v, configMap: \
               {name: c}}]}\n";
    let fixture = Fixture::new(&[
        ("kustomization.yaml", "resources: [a, b]\n"),
        ("a/kustomization.yaml", "resources: [../base]\nnamePrefix: a-\n"),
        ("b/kustomization.yaml", "resources: [../base]\nnamePrefix: b-\n"),
        ("base/kustomization.yaml", "resources: [p.yaml, c.yaml]\n"),
        ("base/p.yaml", pod),
        ("base/c.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"),
    ]);
    let volumes: Vec<Value> = fixture
        .json(".")
        .iter()
        .filter(|it| it["kind"] == "Pod")
        .map(|it| it["spec"]["volumes"][0]["configMap"]["name"].clone())
        .collect();
    assert_eq!(volumes, [json!("a-c"), json!("b-c")]);
}

#[test]
fn configurations_add_references() {
    let fixture = Fixture::new(&[
        (
            "kustomization.yaml",
            "resources: [t.yaml]\nnamePrefix: a-\nconfigurations: \
             [c.yaml]\nconfigMapGenerator:\n- {name: values, literals: [a=b], options: \
             {disableNameSuffixHash: true}}\n",
        ),
        (
            "c.yaml",
            "nameReference:\n- kind: ConfigMap\n  version: v1\n  fieldSpecs: [{path: \
             spec/valuesFrom/name, kind: HelmRelease}]\n",
        ),
        (
            "t.yaml",
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: t}\nspec: \
             {valuesFrom: [{kind: ConfigMap, name: values}]}\n",
        ),
    ]);
    let release = fixture.json(".").pop().unwrap();
    assert_eq!(release["spec"]["valuesFrom"][0]["name"], json!("a-values"));
}
