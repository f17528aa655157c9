//! The modules of the folder `policies`, as they were when the program was built.

/// Lists modules by their paths; `tests/policies.rs` holds the list against the folder.
macro_rules! embed {
    ($($path:literal,)*) => {
        [$(($path, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/policies/", $path))),)*]
    };
}

/// Returns the modules that are built in, each its path below `policies` and its text.
///
/// The list is written by hand so that what ships is seen in a review, and so that the build needs
/// no script.
pub fn modules() -> impl Iterator<Item = (&'static str, &'static str)> {
    embed![
        "lib/k8s.rego",
        "lib/pods.rego",
        "lib/rbac.rego",
        "pod_security/added_capability/policy.rego",
        "pod_security/allow_privilege_escalation/policy.rego",
        "pod_security/host_ipc/policy.rego",
        "pod_security/host_network/policy.rego",
        "pod_security/host_path_volume/policy.rego",
        "pod_security/host_pid/policy.rego",
        "pod_security/privileged_container/policy.rego",
        "pod_security/run_as_root/policy.rego",
        "production/latest_image_tag/policy.rego",
        "rbac/anonymous_subject/policy.rego",
        "rbac/bind_verb/policy.rego",
        "rbac/cluster_admin_binding/policy.rego",
        "rbac/escalate_verb/policy.rego",
        "rbac/full_wildcard/policy.rego",
        "rbac/impersonate_verb/policy.rego",
        "rbac/nodes_proxy/policy.rego",
        "rbac/secrets_read/policy.rego",
        "rbac/system_masters_subject/policy.rego",
        "rbac/wildcard_resource/policy.rego",
        "rbac/wildcard_verb/policy.rego",
        "secrets/plaintext_secret/policy.rego",
    ]
    .into_iter()
}
