//! Kinds that look like objects and that no cluster has.
//!
//! A kind stands here only if no API server serves it: an entry can then hide nothing that would
//! be applied.

use super::role::Role;
use crate::document::{Document, NodeKind};

/// API groups of which every kind is read by a client or a node, never by an API server.
const GROUPS: [&str; 36] = [
    "admission.config.k8s.io",
    "apiserver.config.k8s.io",
    "apiserver.k8s.io",
    "audit.k8s.io",
    "backstage.io",
    "chainsaw.kyverno.io",
    "cli.kyverno.io",
    "client.authentication.k8s.io",
    "clientauthentication.k8s.io",
    "clusterctl.cluster.x-k8s.io",
    "config.kubernetes.io",
    "controller-runtime.sigs.k8s.io",
    "controllermanager.config.k8s.io",
    "credentialprovider.kubelet.k8s.io",
    "ctlptl.dev",
    "eksctl.io",
    "eventratelimit.admission.k8s.io",
    "garden.io",
    "imagepolicy.k8s.io",
    "imgpkg.carvel.dev",
    "k0sctl.k0sproject.io",
    "k3d.io",
    "kapp.k14s.io",
    "kbld.k14s.io",
    "kind.x-k8s.io",
    "kpt.dev",
    "krew.googlecontainertools.github.com",
    "kubeadm.k8s.io",
    "kubecontrollermanager.config.k8s.io",
    "kubelet.config.k8s.io",
    "kubeproxy.config.k8s.io",
    "kubescheduler.config.k8s.io",
    "kuttl.dev",
    "meta.pkg.crossplane.io",
    "schema.plugin.fluxcd.io",
    "vendir.k14s.io",
];

/// Further groups, where the kind has to match as well.
const KINDS: [(&str, &str); 7] = [
    ("mirror.openshift.io", "ImageSetConfiguration"),
    ("pod-security.admission.config.k8s.io", "PodSecurityConfiguration"),
    ("resourcequota.admission.k8s.io", "Configuration"),
    ("scorecard.operatorframework.io", "Configuration"),
    ("score.dev", "Workload"),
    ("skaffold", "Config"),
    ("test.gatekeeper.sh", "Suite"),
];

/// What configures kustomize, by group: its own, and the plugins that teams use.
const KUSTOMIZE: [&str; 3] = ["builtin", "kustomize.config.k8s.io", "viaduct.ai"];

/// Returns the role of a document that has an `apiVersion` and a `kind`, from what it says itself.
pub(super) fn role(document: &Document) -> Option<Role> {
    let object = document.object.as_ref()?;
    let (version, kind) = (&*object.api_version, &*object.kind);
    if version.starts_with("ENC[") || kind.starts_with("ENC[") {
        return Some(Role::Encrypted);
    }
    let group = version.split_once('/').map_or(version, |(group, _)| group);
    if matches!(group, "kustomize.config.k8s.io" | "builtin")
        && matches!(kind, "Kustomization" | "Component")
    {
        return Some(Role::Kustomization);
    }
    if KUSTOMIZE.contains(&group)
        || (group == "policy.open-cluster-management.io"
            && matches!(kind, "PolicyGenerator" | "PolicyGenTemplate"))
    {
        return Some(Role::KustomizeConfig);
    }
    if GROUPS.contains(&group) || KINDS.contains(&(group, kind)) {
        return Some(Role::ClientConfig);
    }
    let has = |key: &str| document.root.get(key).is_some();
    match (version, kind) {
        // kubeconfig, and the configuration of clients that came after it.
        ("v1", "Config") if !has("metadata") || has("clusters") || has("contexts") => {
            Some(Role::ClientConfig)
        }
        // Talos' documents of a machine configuration.
        ("v1alpha1", _) if kind.ends_with("Config") => Some(Role::ClientConfig),
        ("template.openshift.io/v1", "Template") => Some(Role::OpenShiftTemplate),
        ("v1", "Template") if has("objects") => Some(Role::OpenShiftTemplate),
        _ => None,
    }
}

/// Says whether what a document calls itself is a placeholder, which no API server accepts.
pub(super) fn is_placeholder(document: &Document) -> bool {
    let braces = |text: &str| text.contains("{{") || text.contains("{%") || is_token(text);
    document.object.as_ref().is_some_and(|object| {
        braces(&object.api_version)
            || braces(&object.kind)
            || braces(&object.name)
            || object.namespace.as_deref().is_some_and(braces)
    }) || matches!(
        document.root.at(&["metadata", "name"]).map(|name| &name.kind),
        Some(NodeKind::Mapping(_) | NodeKind::Sequence(_))
    )
}

/// Says whether a text holds a placeholder such as `<CLUSTER_NAME>`.
fn is_token(text: &str) -> bool {
    text.split('<').skip(1).any(|rest| {
        rest.split_once('>').is_some_and(|(token, _)| {
            token.starts_with(|c: char| c.is_ascii_uppercase())
                && token.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        })
    })
}
