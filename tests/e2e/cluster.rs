//! An etcd and a kube-apiserver, and who asks them.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};

use crate::client::{Client, Response};
use crate::process::{Process, free_port, wait_for};

/// An authority and what it signed.
#[derive(Debug)]
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) der: CertificateDer<'static>,
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let (der, pem) = (certificate.der().clone(), certificate.pem());
        Self { issuer: Issuer::new(params, key), der, pem }
    }

    /// Returns a certificate for the loopback address, and its key, both in PEM.
    pub(crate) fn issue(&self) -> (String, String) {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum User {
    /// The creator of the cluster, whom no rule is about.
    Admin,
    /// A person with every right.
    Alice,
    /// The reconciler: impersonated, so that it has no groups.
    Flux,
}

/// The servers. They end when it is dropped.
#[derive(Debug)]
pub(crate) struct Cluster {
    client: Client,
    pub(crate) audit_log: PathBuf,
    api: Process,
    _etcd: Process,
}

const FLUX: &str = "system:serviceaccount:flux-system:kustomize-controller";

impl Cluster {
    /// Starts the servers with the programs of `tools`, and their data in `folder`.
    pub(crate) fn start(tools: &Path, folder: &Path) -> Self {
        let at = |name: &str| folder.join(name).display().to_string();
        let (etcd_port, peer_port, port) = (free_port(), free_port(), free_port());
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let flag = |name: &str, value: String| format!("--{name}={value}");
        let etcd = Process::start(
            &tools.join("etcd"),
            &[
                flag("data-dir", at("etcd")),
                flag("listen-client-urls", url(etcd_port)),
                flag("advertise-client-urls", url(etcd_port)),
                flag("listen-peer-urls", url(peer_port)),
                flag("unsafe-no-fsync", "true".to_owned()),
            ],
            &folder.join("etcd.log"),
        );
        let authority = Authority::new();
        let (certificate, key) = authority.issue();
        let signing = KeyPair::generate().unwrap();
        let tokens = "admin-token,system:admin,1,\"system:masters\"\n\
                      alice-token,alice@example.com,2,\"system:masters\"\n";
        let policy = json!({
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived"],
            "rules": [{"level": "Metadata", "verbs": ["create", "update", "patch"]}],
        });
        for (name, text) in [
            ("api.crt", certificate),
            ("api.key", key),
            ("signing.key", signing.serialize_pem()),
            ("signing.pub", signing.public_key_pem()),
            ("ca.crt", authority.pem.clone()),
            ("tokens.csv", tokens.to_owned()),
            ("audit-policy.json", policy.to_string()),
        ] {
            fs::write(folder.join(name), text).unwrap();
        }
        let api = Process::start(
            &tools.join("kube-apiserver"),
            &[
                flag("etcd-servers", url(etcd_port)),
                flag("bind-address", "127.0.0.1".to_owned()),
                flag("secure-port", port.to_string()),
                flag("endpoint-reconciler-type", "none".to_owned()),
                flag("tls-cert-file", at("api.crt")),
                flag("tls-private-key-file", at("api.key")),
                flag("client-ca-file", at("ca.crt")),
                flag("token-auth-file", at("tokens.csv")),
                flag("authorization-mode", "RBAC".to_owned()),
                flag("service-account-issuer", "https://e2e.example.com".to_owned()),
                flag("service-account-key-file", at("signing.pub")),
                flag("service-account-signing-key-file", at("signing.key")),
                flag("service-cluster-ip-range", "10.0.0.0/24".to_owned()),
                flag("allow-privileged", "true".to_owned()),
                flag("disable-admission-plugins", "ServiceAccount".to_owned()),
                flag("audit-policy-file", at("audit-policy.json")),
                flag("audit-log-path", at("audit.log")),
            ],
            &folder.join("kube-apiserver.log"),
        );
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut cluster = Self {
            client: Client::new(address, &authority.der),
            audit_log: folder.join("audit.log"),
            api,
            _etcd: etcd,
        };
        wait_for("API server that is ready", || {
            assert!(cluster.api.is_running(), "the API server ended: {}", cluster.api.written());
            cluster.try_ask(User::Admin, "GET", "/readyz", None).is_ok_and(|it| it.status == 200)
        });
        cluster
    }

    fn try_ask(
        &self,
        user: User,
        method: &str,
        path: &str,
        body: Option<(&str, &[u8])>,
    ) -> std::io::Result<Response> {
        let token = match user {
            User::Admin | User::Flux => "Bearer admin-token",
            User::Alice => "Bearer alice-token",
        };
        let mut headers = vec![("Authorization", token), ("Accept", "application/json")];
        if matches!(user, User::Flux) {
            headers.push(("Impersonate-User", FLUX));
        }
        if let Some((content_type, _)) = body {
            headers.push(("Content-Type", content_type));
        }
        self.client.send(method, path, &headers, body.map_or(&[], |(_, body)| body))
    }

    fn ask(&self, user: User, method: &str, path: &str, body: Option<(&str, &[u8])>) -> Response {
        self.try_ask(user, method, path, body).unwrap_or_else(|it| panic!("{method} {path}: {it}"))
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.ask(User::Admin, "GET", path, None)
    }

    /// Creates an object; an error where the server does not answer.
    pub(crate) fn try_create(
        &self,
        user: User,
        path: &str,
        object: &Value,
    ) -> std::io::Result<Response> {
        let body = object.to_string();
        self.try_ask(user, "POST", path, Some(("application/json", body.as_bytes())))
    }

    pub(crate) fn create(&self, user: User, path: &str, object: &Value) -> Response {
        let body = object.to_string();
        self.ask(user, "POST", path, Some(("application/json", body.as_bytes())))
    }

    pub(crate) fn replace(&self, user: User, path: &str, object: &Value) -> Response {
        let body = object.to_string();
        self.ask(user, "PUT", path, Some(("application/json", body.as_bytes())))
    }

    pub(crate) fn merge(&self, user: User, path: &str, change: &Value) -> Response {
        let body = change.to_string();
        self.ask(user, "PATCH", path, Some(("application/merge-patch+json", body.as_bytes())))
    }

    pub(crate) fn delete(&self, user: User, path: &str) -> Response {
        self.ask(user, "DELETE", path, None)
    }

    /// Applies an object on the server's side, as kustomize-controller does it.
    pub(crate) fn apply(&self, path: &str, object: &Value, dry_run: bool) -> Response {
        let dry_run = if dry_run { "&dryRun=All" } else { "" };
        let path = format!("{path}?fieldManager=kustomize-controller&force=true{dry_run}");
        let body = object.to_string();
        let body = Some(("application/apply-patch+yaml", body.as_bytes()));
        self.ask(User::Flux, "PATCH", &path, body)
    }

    /// Opens a connection to a subresource, e.g. `exec`, which no kubelet answers.
    pub(crate) fn connect(&self, user: User, path: &str) -> Response {
        self.ask(user, "POST", path, None)
    }
}
