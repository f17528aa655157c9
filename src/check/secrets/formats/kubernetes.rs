//! What opens a cluster, and what opens the files that are sealed for it.

use crate::check::secrets::format::{Alphabet, Format, Shape};
use crate::check::secrets::judges;
use crate::rule::Severity;

pub(super) const FORMATS: &[Format] = &[
    Format {
        id: "secrets/service-account-token",
        noun: "Kubernetes service account token",
        severity: Severity::Critical,
        keywords: &["eyJ"],
        shape: Shape::Token {
            pattern: r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}",
            lead: 0,
            window: 8192,
            alphabet: Alphabet::Url,
        },
        judge: judges::service_account_jwt,
        power: "acts as the service account in the cluster",
        revoke: "delete the Secret that holds it, or the service account; such a token may never end",
        reference: Some((
            "Managing service accounts",
            "https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/kubeconfig-client-key",
        noun: "client key of a kubeconfig",
        severity: Severity::Critical,
        keywords: &["client-key-data"],
        shape: Shape::Value {
            pattern: r"client-key-data\\{0,2}[\x22']?\s{0,4}:\s{0,20}\\{0,2}[\x22']?([A-Za-z0-9+/]{60,}={0,2})",
            window: 24100,
        },
        judge: judges::client_key,
        power: "acts as the user of the kubeconfig in the cluster; a client certificate cannot be revoked",
        revoke: "remove what RBAC grants that user and group, or replace the certificate authority",
        reference: Some((
            "Access to clusters through kubeconfig files",
            "https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/openshift-token",
        noun: "OpenShift access token",
        severity: Severity::Critical,
        keywords: &["sha256~"],
        shape: Shape::Token {
            pattern: r"sha256~[A-Za-z0-9_-]{43}",
            lead: 0,
            window: 51,
            alphabet: Alphabet::Url,
        },
        power: "acts as its user in the cluster",
        revoke: "delete it with `oc delete oauthaccesstoken`",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/age-identity",
        noun: "age identity",
        severity: Severity::Critical,
        keywords: &["AGE-SECRET-KEY-"],
        shape: Shape::Token {
            pattern: r"AGE-SECRET-KEY-(?:PQ-)?1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
            lead: 0,
            window: 80,
            alphabet: Alphabet::Url,
        },
        judge: judges::age,
        power: "decrypts everything that was ever encrypted for it, SOPS files included",
        revoke: "replace the recipient, encrypt again, and change every secret it could read",
        reference: Some(("The age file format", "https://age-encryption.org/v1")),
        ..Format::DEFAULT
    },
];
