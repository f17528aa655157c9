use crate::check::api::fixture::{
    assert_clean, assert_one, assert_refused, assert_update, findings,
};

fn object(kind: &str, metadata: &str) -> String {
    let version = match kind {
        "StatefulSet" => "apps/v1",
        "ClusterRole" => "rbac.authorization.k8s.io/v1",
        "PodDisruptionBudget" => "policy/v1",
        _ => "v1",
    };
    format!("apiVersion: {version}\nkind: {kind}\nmetadata: {metadata}\n")
}

#[test]
fn names_have_the_form_of_their_kind() {
    assert_one(
        &object("ConfigMap", "{name: Web}"),
        "api/invalid-name",
        "`Web` in `metadata.name` must be a DNS subdomain: lower-case letters, digits, `-` and \
         `.`, each part beginning and ending with a letter or a digit",
        "metadata.name",
        "Web",
    );
    assert_clean(&object("ConfigMap", "{name: web.example.com}"));
    assert_refused(&object("Namespace", "{name: web.example.com}"), &["metadata.name"]);
    assert_clean(&object("ClusterRole", "{name: 'system:web'}"));
    assert_refused(&object("ClusterRole", "{name: a/b}"), &["metadata.name"]);
    assert_refused(&object("PodDisruptionBudget", "{name: ..}"), &["metadata.name"]);
}

#[test]
fn forms_of_names_changed_with_versions() {
    let service = object("Service", "{name: 1a}");
    let set = object("StatefulSet", "{name: a.b}");
    let refused = |minor, text| findings(minor, text).iter().any(|it| it.2 == "metadata.name");
    assert!(refused(35, &service) && !refused(36, &service));
    assert!(!refused(26, &set) && refused(27, &set));
}

#[test]
fn an_object_has_a_name_or_a_prefix() {
    assert_refused(&object("ConfigMap", "{}"), &["metadata.name"]);
    assert_clean(&object("ConfigMap", "{generateName: web-}"));
    assert_refused(&object("ConfigMap", "{generateName: Web-}"), &["metadata.generateName"]);
    assert_clean("apiVersion: tool.example.com/v1\nkind: Settings\n");
    assert_clean("apiVersion: authorization.k8s.io/v1\nkind: SelfSubjectAccessReview\n");
}

#[test]
fn namespaces_are_labels_where_objects_have_one() {
    assert_refused(&object("ConfigMap", "{name: a, namespace: A.b}"), &["metadata.namespace"]);
    assert_clean(&object("ClusterRole", "{name: a, namespace: A.b}"));
}

#[test]
fn labels_are_short_and_plain() {
    assert_one(
        &object("ConfigMap", "{name: a, labels: {app: a b}}"),
        "api/invalid-label",
        "`a b` in `metadata.labels.app` must be letters, digits, `-`, `_` and `.`, beginning and \
         ending with a letter or a digit",
        "metadata.labels",
        "a b",
    );
    assert_one(
        &object("ConfigMap", "{name: a, labels: {a/b/c: d}}"),
        "api/invalid-label",
        "the key `a/b/c` in `metadata.labels` must have at most one `/`, between a DNS subdomain \
         and a name",
        "metadata.labels",
        "a/b/c",
    );
    assert_clean(&object("ConfigMap", "{name: a, labels: {example.com/app: ''}}"));
}

#[test]
fn annotations_have_keys_of_labels_and_a_size() {
    assert_clean(&object("ConfigMap", "{name: a, annotations: {Example.com/A: any text}}"));
    assert_refused(
        &object("ConfigMap", "{name: a, annotations: {a b: c}}"),
        &["metadata.annotations"],
    );
    let large = "x".repeat(256 * 1024);
    assert_refused(
        &object("ConfigMap", &format!("{{name: a, annotations: {{a: {large}}}}}")),
        &["metadata.annotations"],
    );
}

#[test]
fn owners_are_named_in_full() {
    let owners = |text: &str| object("ConfigMap", &format!("{{name: a, ownerReferences: {text}}}"));
    assert_clean(&owners("[{apiVersion: v1, kind: Node, name: a, uid: b, controller: true}]"));
    assert_refused(
        &owners("[{apiVersion: a/b/c, name: a}]"),
        &[
            "metadata.ownerReferences[0].apiVersion",
            "metadata.ownerReferences[0].kind",
            "metadata.ownerReferences[0].uid",
        ],
    );
    let one = "{apiVersion: v1, kind: Node, name: a, uid: b, controller: true}";
    assert_refused(&owners(&format!("[{one}, {one}]")), &["metadata.ownerReferences"]);
}

#[test]
fn finalizers_have_a_domain() {
    let finalizers =
        |kind: &str, text: &str| object(kind, &format!("{{name: a, finalizers: {text}}}"));
    assert_clean(&finalizers("ConfigMap", "[kubernetes, example.com/a]"));
    assert_refused(&finalizers("ConfigMap", "[a]"), &["metadata.finalizers[0]"]);
    assert_clean(&finalizers("PodDisruptionBudget", "[a]"));
    assert_refused(
        &finalizers("ConfigMap", "[orphan, foregroundDeletion]"),
        &["metadata.finalizers"],
    );
    let custom = "apiVersion: example.com/v1\nkind: Web\nmetadata: {name: a, finalizers: [a.b]}\n";
    let found = findings(37, custom);
    assert_eq!(
        found.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(),
        ["api/unqualified-finalizer"]
    );
}

#[test]
fn what_an_export_brings_along_is_refused() {
    assert_refused(
        &object("ConfigMap", "{name: a, resourceVersion: '12', uid: a}"),
        &["metadata.resourceVersion"],
    );
    assert_clean(&object("ConfigMap", "{name: a, resourceVersion: '0'}"));
}

#[test]
fn identity_stays() {
    let old = object("ConfigMap", "{name: a, uid: b}");
    assert_update(&old, &object("ConfigMap", "{name: a}"), &[]);
    assert_update(&old, &object("ConfigMap", "{name: a, uid: c}"), &["metadata.uid"]);
}
