//! What the embedded store holds.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;

fn schema(group: &str, version: &str, kind: &str) -> Value {
    find(group, version, kind).unwrap().unwrap().schema.clone()
}

#[test]
fn every_embedded_schema_reads() {
    let mut all = 0;
    for group in groups() {
        for it in kinds(group) {
            let crd = find(group, it.version, it.kind).unwrap().unwrap();
            assert!(crd.schema.is_object(), "{it:?}");
            assert!(!it.plural.is_empty() && !it.source.is_empty(), "{it:?}");
            all += 1;
        }
    }
    assert!(all >= 700, "{all}");
}

#[test]
fn a_definition_is_as_its_project_publishes_it() {
    let gateway = schema("gateway.networking.k8s.io", "v1", "Gateway");
    let listeners = &gateway["properties"]["spec"]["properties"]["listeners"];
    assert_eq!(listeners["x-kubernetes-list-map-keys"], json!(["name"]));
    let rules = listeners["x-kubernetes-validations"].as_array().unwrap();
    assert!(rules.iter().any(|it| it["rule"].as_str().unwrap().contains("l.tls")));
    assert_eq!(gateway["description"], Value::Null);
    let status = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    assert_eq!(schema("cert-manager.io", "v1", "Certificate")["properties"]["status"], status);
}

#[test]
fn older_versions_are_still_known() {
    for (group, version, kind) in [
        ("helm.toolkit.fluxcd.io", "v2beta1", "HelmRelease"),
        ("source.toolkit.fluxcd.io", "v1beta2", "OCIRepository"),
        ("external-secrets.io", "v1beta1", "ExternalSecret"),
        ("gateway.networking.k8s.io", "v1alpha2", "TLSRoute"),
        ("karpenter.sh", "v1beta1", "NodePool"),
        ("traefik.containo.us", "v1alpha1", "IngressRoute"),
    ] {
        let found = find(group, version, kind).unwrap().unwrap();
        assert_eq!((found.group, found.version, found.kind), (group, version, kind));
        assert_eq!(found.fidelity, Fidelity::Full);
    }
}

#[test]
fn kinds_know_their_scope_and_plural() {
    assert_eq!(scope("cert-manager.io", "v1", "ClusterIssuer"), Some(KindScope::Cluster));
    assert_eq!(scope("cert-manager.io", "v1", "Issuer"), Some(KindScope::Namespaced));
    assert_eq!(scope("cert-manager.io", "v2", "Issuer"), None);
    let names: BTreeSet<&str> = kinds("bitnami.com").map(|it| it.plural).collect();
    assert_eq!(names, BTreeSet::from(["sealedsecrets"]));
    assert_eq!(kinds("example.com").count(), 0);
}

#[test]
fn what_is_not_embedded_is_not_found() {
    assert_eq!(find("cert-manager.io", "v1", "Certifcate").unwrap(), None);
    assert_eq!(find("", "v1", "Pod").unwrap(), None);
}

#[test]
fn one_schema_is_shared_while_it_is_held() {
    let first = find("bitnami.com", "v1alpha1", "SealedSecret").unwrap().unwrap();
    let second = find("bitnami.com", "v1alpha1", "SealedSecret").unwrap().unwrap();
    assert!(Arc::ptr_eq(&first, &second));
}

#[test]
fn kinds_without_a_definition_are_partial() {
    let group = find("user.openshift.io", "v1", "Group").unwrap().unwrap();
    assert_eq!(group.fidelity, Fidelity::Partial);
    assert_eq!(
        group.schema,
        json!({
            "type": "object",
            "properties": {
                "apiVersion": {"type": "string", "nullable": true},
                "kind": {"type": "string", "nullable": true},
                "metadata": {"type": "object"},
                "users": {
                    "type": "array",
                    "nullable": true,
                    "items": {"type": "string", "nullable": true},
                },
            },
        })
    );
}

#[test]
fn cut_or_foreign_bytes_are_refused() {
    assert!(Store::read(BYTES).is_ok());
    for end in [0, 7, 8, 9, 200, 10_000, BYTES.len() / 2, BYTES.len() - 1] {
        assert!(Store::read(&BYTES[..end]).is_err(), "{end}");
    }
    assert_eq!(Store::read(b"TWCRDS00").unwrap_err(), EmbeddedError("unknown format"));
}
