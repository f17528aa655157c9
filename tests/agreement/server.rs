//! Asks a real API server about the variants.

use std::path::Path;

use serde_json::{Value, json};
use tidewaiter::check::KindScope;
use tidewaiter::check::schema::{newest, plural, scope};
use tidewaiter::naming::dns_label;

use super::cases::{self, Case};
use super::cluster::{Cluster, User};
use super::variants::Variant;

/// Starts a server, asks it everything, and returns its version and its verdicts.
///
/// Left out is what says nothing of validity: conflicts, missing things, admission.
pub(crate) fn ask(tools: &Path, variants: Vec<Variant>) -> (String, Vec<Case>) {
    let folder = tempfile::Builder::new().prefix("tidewaiter-agreement-").tempdir().unwrap();
    let cluster = Cluster::start(tools, folder.path());
    let version = cluster.get("/version").json()["gitVersion"].as_str().unwrap().to_owned();
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "market"}});
    assert_eq!(cluster.create(User::Admin, "/api/v1/namespaces", &namespace).status, 201);
    for definition in super::definitions() {
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let response = cluster.create(User::Admin, path, &definition);
        assert_eq!(response.status, 201, "{}", response.message());
        let served = format!("/apis/{}/v1", definition["spec"]["group"].as_str().unwrap());
        super::process::wait_for("custom resource that is served", || {
            cluster.get(&served).status == 200
        });
    }
    let asked = variants.into_iter().filter_map(|variant| {
        let path = format!("{}?dryRun=All&fieldValidation=Strict", collection(&variant.object));
        // Some objects make a handler of the server panic, which ends the connection.
        let response = cluster.try_create(User::Admin, &path, &variant.object).ok()?;
        if matches!(response.status, 403 | 404 | 409 | 500..) {
            return None;
        }
        let status = response.json();
        let verdict = json!({
            "id": format!("r:{}", variant.name),
            "object": variant.object,
            "accepted": response.status < 300,
            "code": response.status,
            "message": status["message"],
            "causes": status["details"]["causes"],
        });
        Some(cases::case(verdict))
    });
    (version, asked.collect())
}

/// Returns where objects of a kind are created.
fn collection(object: &Value) -> String {
    let text = |key: &str| object[key].as_str().unwrap_or_default();
    let (group, version) = text("apiVersion").split_once('/').unwrap_or(("", text("apiVersion")));
    let root = if group.is_empty() {
        format!("/api/{version}")
    } else {
        format!("/apis/{group}/{version}")
    };
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or("market");
    // What is no name of a namespace cannot stand in a path.
    let namespace = if dns_label(namespace).is_none() { namespace } else { "market" };
    match (
        plural(newest(), group, version, text("kind")),
        scope(newest(), group, version, text("kind")),
    ) {
        (Some(plural), Some(KindScope::Cluster)) => format!("{root}/{plural}"),
        (Some(plural), _) => format!("{root}/namespaces/{namespace}/{plural}"),
        (None, _) => format!("{root}/namespaces/{namespace}/stalls"),
    }
}
