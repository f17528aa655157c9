//! What each version of Kubernetes serves of its own kinds, and what takes their place.

use crate::document::ObjectRef;
use crate::environment::KubernetesVersion;
use crate::rule::closest;
use crate::wording;

use super::builtin::{Builtin, Standing, oldest, served};

/// Returns the field that is wrong, what is wrong, and how to mend it.
pub(super) fn unknown_kind(
    builtin: Builtin,
    bit: u64,
    kubernetes: KubernetesVersion,
    object: &ObjectRef,
) -> (&'static str, String, Option<String>) {
    let (group, version, kind) = (object.group(), object.version(), &*object.kind);
    let message = format!(
        "Kubernetes {kubernetes} has no kind {} in {}",
        wording::code(kind),
        wording::code(&object.api_version)
    );
    let home = builtin.replacement(bit, group, version, kind).map(|home| {
        let same = home.kind == kind;
        let whole = if same { String::new() } else { format!(" {}", home.kind) };
        let since = home.since.filter(|since| *since > oldest());
        let since = since.map_or_else(String::new, |it| format!(", which is served since {it}"));
        format!("use `{}{whole}`{since}", home.api_version)
    });
    match served(group, version, kind) {
        Some((first, _)) if first > kubernetes => {
            let help = format!("Kubernetes {first} is the first version that serves it");
            ("apiVersion", message, Some(join(help, home)))
        }
        Some((_, last)) => {
            let help = format!("Kubernetes {last} was the last version that served it");
            ("apiVersion", message, Some(join(help, home)))
        }
        None if home.is_some() => ("apiVersion", message, home),
        None => {
            let near = if kind.len() > 64 {
                None
            } else {
                closest(kind, builtin.kinds(bit, group, Some(version)))
                    .or_else(|| closest(kind, builtin.kinds(bit, group, None)))
            };
            ("kind", message, near.map(|near| format!("did you mean `{near}`?")))
        }
    }
}

fn join(help: String, more: Option<String>) -> String {
    match more {
        Some(more) => format!("{help}; {more}"),
        None => help,
    }
}

/// Says that a kind is deprecated in a version, in the sense of the server's own warning
/// (`k8s.io/apiserver/pkg/endpoints/deprecation`), and what to use instead.
pub(super) fn deprecated(
    object: &ObjectRef,
    standing: &Standing,
) -> Option<(String, Option<String>)> {
    let since = standing.deprecated?;
    let until = standing.removed.map_or_else(String::new, |it| format!(" and gone from {it} on"));
    let message = format!(
        "{} in {} is deprecated since Kubernetes {since}{until}",
        wording::code(&object.kind),
        wording::code(&object.api_version)
    );
    let help = standing
        .replacement
        .as_ref()
        .map(|(api_version, kind)| format!("use `{api_version} {kind}`"));
    Some((message, help))
}

/// Says that a version of an API has to be switched on.
pub(super) fn disabled(
    object: &ObjectRef,
    standing: &Standing,
) -> Option<(String, Option<String>)> {
    standing.is_disabled.then(|| {
        let message = format!(
            "{} in {} is served only where the API server is told to",
            wording::code(&object.kind),
            wording::code(&object.api_version)
        );
        let flag = format!("--runtime-config={}=true", object.api_version);
        (message, Some(format!("it takes `{flag}`")))
    })
}
