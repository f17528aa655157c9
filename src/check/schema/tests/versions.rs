//! What differs between versions of Kubernetes.

use super::*;

#[test]
fn values_of_enumerations_have_versions() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [{name: web}]\n  tolerations: [{key: a, operator: Gt, value: '1'}]\n";
    assert_clean(text);
    let old = KubernetesVersion { major: 1, minor: 30 };
    assert_eq!(
        findings_for(text, old)[0].1,
        "`Gt` is not a value of `spec.tolerations[0].operator`"
    );
}

#[test]
fn a_removed_version_names_its_successor() {
    assert_one(
        "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: a}\n",
        "schema/unknown-kind",
        "Kubernetes 1.37 has no kind `PodDisruptionBudget` in `policy/v1beta1`",
        Some(
            "Kubernetes 1.24 was the last version that served it; use `policy/v1`, which is served since 1.21",
        ),
        "apiVersion",
        "policy/v1beta1",
    );
    let text = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}\n";
    let old = KubernetesVersion { major: 1, minor: 20 };
    let help = "Kubernetes 1.21 is the first version that serves it; use `batch/v1beta1`";
    assert_eq!(findings_for(text, old)[0].2.as_deref(), Some(help));
}

#[test]
fn a_deprecated_version_says_until_when_it_is_served_and_what_to_use() {
    let budget = "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: a}\n";
    let at = |minor| findings_for(budget, KubernetesVersion { major: 1, minor });
    assert_eq!(at(20), []);
    assert_eq!(
        at(21),
        [(
            "schema/deprecated-kind".into(),
            "`PodDisruptionBudget` in `policy/v1beta1` is deprecated since Kubernetes 1.21 and gone from 1.25 on".into(),
            Some("use `policy/v1 PodDisruptionBudget`".into()),
            "apiVersion".into(),
            "policy/v1beta1".into(),
        )]
    );
}

#[test]
fn a_version_that_is_off_by_default_is_told() {
    let text = "apiVersion: networking.k8s.io/v1alpha1\nkind: ClusterCIDR\nmetadata: {name: a}\nspec: {perNodeHostBits: 8}\n";
    let found = findings_for(text, KubernetesVersion { major: 1, minor: 27 });
    assert_eq!(
        (found[0].0.as_str(), found[0].1.as_str(), found[0].2.as_deref()),
        (
            "schema/disabled-api",
            "`ClusterCIDR` in `networking.k8s.io/v1alpha1` is served only where the API server is told to",
            Some("it takes `--runtime-config=networking.k8s.io/v1alpha1=true`"),
        )
    );
}

#[test]
fn what_the_server_only_decodes_may_lack_fields() {
    let text = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec:\n  selector: {matchLabels: {app: db}}\n  template: {spec: {containers: [{image: db}]}}\n";
    let at = |minor| findings_for(text, KubernetesVersion { major: 1, minor });
    assert_eq!(at(33), []);
    assert_eq!(at(34)[0].3, "spec.template.spec.containers[0].name");
}

#[test]
fn a_kind_that_no_version_has_is_misspelt() {
    assert_one(
        "apiVersion: apps/v1\nkind: Deploymnt\nmetadata: {name: a}\n",
        "schema/unknown-kind",
        "Kubernetes 1.37 has no kind `Deploymnt` in `apps/v1`",
        Some("did you mean `Deployment`?"),
        "kind",
        "Deploymnt",
    );
    assert_one(
        "apiVersion: v1\nkind: Deployment\nmetadata: {name: a}\n",
        "schema/unknown-kind",
        "Kubernetes 1.37 has no kind `Deployment` in `v1`",
        Some("use `apps/v1`"),
        "apiVersion",
        "v1",
    );
}

#[test]
fn a_version_without_schemas_cannot_be_judged() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    let (_, results) = results(text, KubernetesVersion { major: 1, minor: 99 });
    let reason = "the schemas of Kubernetes 1.99 are not known, only those of 1.11 to 1.37";
    assert_eq!(results.failures, [failure(reason.to_owned())]);
    assert_eq!(results.findings, []);
}
