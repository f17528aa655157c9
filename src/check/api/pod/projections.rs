//! Projected volumes, and the files of the downward API.

use std::collections::BTreeSet;

use super::volumes::{PATH, VOLUME, check_item, check_mode, check_path};
use super::{Spec, environment};
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::rule::Rule;
use crate::check::api::selector;
use crate::naming;

pub(super) const RULES: &[&Rule] = &[&PROJECTION, &SAME_PATH];

const PROJECTION: Rule = Rule::new(
    "api/invalid-projection",
    "Part of a projected volume that cannot be used",
    "Each source of a projected volume is one Secret, ConfigMap, token, bundle, certificate or \
     list of files of the downward API, and says what is to be projected.",
    "mend the source",
    &["validateProjectionSources"],
);

const SAME_PATH: Rule = Rule::new(
    "api/projected-twice",
    "Two parts of a projected volume have the same path",
    "All parts of a projected volume fill one folder, where each path is one file.",
    "change one of the paths",
    &["validateProjectionSources"],
);

/// The values of `keyType`.
const KEY_TYPES: &[&str] =
    &["ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519", "RSA3072", "RSA4096"];

/// The shortest life of a token, in seconds.
const TOKEN_MIN: i64 = 600;
/// The longest life of a token, in seconds.
const TOKEN_MAX: i64 = 1 << 32;
/// The shortest life of a certificate, in seconds.
const CERTIFICATE_MIN: i64 = 3600;
/// The longest life of a certificate that Kubernetes itself signs, in seconds.
const OWN_CERTIFICATE_MAX: i64 = 24 * 3600;
/// The longest life of a certificate that somebody else signs, in seconds.
const CERTIFICATE_MAX: i64 = 91 * 24 * 3600;

const SOURCES: &[&str] = &[
    "secret",
    "configMap",
    "downwardAPI",
    "serviceAccountToken",
    "clusterTrustBundle",
    "podCertificate",
];

/// The minor in which bundles and certificates came on by default; before, the server drops them.
const CERTIFICATES: u32 = 37;

/// The paths of one volume.
struct Paths<'a> {
    seen: BTreeSet<&'a str>,
    volume: Field<'a>,
}

impl<'a> Paths<'a> {
    fn add(&mut self, cx: &mut Cx<'a>, path: Field<'a>) {
        if !self.seen.insert(path.text()) {
            cx.duplicate(&SAME_PATH, path);
            cx.named(self.volume);
        }
    }

    fn add_if_any(&mut self, cx: &mut Cx<'a>, path: Field<'a>) {
        if !path.is_empty() {
            self.add(cx, path);
        }
    }
}

/// Looks at a projected volume (`validateProjectedVolumeSource`).
pub(super) fn check<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, volume: Field<'a>) {
    check_mode(cx, volume.get("defaultMode"));
    let mut paths = Paths { seen: BTreeSet::new(), volume };
    for source in volume.get("sources").items() {
        let mut sources = 0;
        for key in SOURCES {
            let part = source.get(key);
            let dropped = matches!(*key, "clusterTrustBundle" | "podCertificate");
            if !part.exists() || (dropped && cx.minor < CERTIFICATES) {
                continue;
            }
            sources += 1;
            match *key {
                "secret" | "configMap" => {
                    cx.require(part.get("name"));
                    for item in part.get("items").items() {
                        check_item(cx, item);
                        paths.add_if_any(cx, item.get("path"));
                    }
                }
                "downwardAPI" => {
                    for file in part.get("items").items() {
                        check_downward_file(cx, file, part);
                        paths.add_if_any(cx, file.get("path"));
                    }
                }
                "serviceAccountToken" => check_token(cx, spec, part, volume),
                "clusterTrustBundle" => {
                    check_bundle(cx, part);
                    paths.add(cx, part.get("path"));
                }
                _ => check_certificate(cx, part, &mut paths),
            }
        }
        if sources > 1 {
            cx.invalid(&PROJECTION, source, "has more than one source");
        }
    }
}

/// The server names `path` as if it stood beside `sources`.
fn check_token<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, token: Field<'a>, volume: Field<'a>) {
    let seconds = token.get("expirationSeconds");
    if seconds.int().is_some_and(|it| it < TOKEN_MIN) {
        cx.invalid(&PROJECTION, seconds, "must be at least 600, which is ten minutes");
    } else if seconds.int().is_some_and(|it| it > TOKEN_MAX) {
        cx.invalid(&PROJECTION, seconds, "must be at most 2^32");
    }
    let path = token.get("path");
    if path.is_empty() {
        cx.required(&PROJECTION, path, "");
        cx.named(volume.get("path"));
    } else if cx.minor >= 21
        && !spec.had_before(|it| &it.foreign_tokens, has_foreign_token_path)
        && check_path(cx, path)
    {
        cx.named(volume.get("path"));
    }
}

/// Says whether a spec has a token whose path servers once took (`hasNonLocalProjectedTokenPath`).
fn has_foreign_token_path(spec: Field<'_>) -> bool {
    let volumes = spec.get("volumes").items();
    let mut sources = volumes.flat_map(|it| it.at(&["projected", "sources"]).items());
    sources.any(|source| {
        let path = source.at(&["serviceAccountToken", "path"]).text();
        path.starts_with('/') || path.split('/').any(|it| it == "..") || path.starts_with("..")
    })
}

fn check_bundle<'a>(cx: &mut Cx<'a>, bundle: Field<'a>) {
    let (name, signer) = (bundle.get("name"), bundle.get("signerName"));
    match (name.exists(), signer.exists()) {
        (true, true) => cx.invalid(&PROJECTION, bundle, "must name a bundle or a signer, not both"),
        (false, false) => cx.required(&PROJECTION, bundle, "it names a bundle or a signer"),
        (true, false) => {
            if cx.require(name)
                && let Some(wrong) = bundle_name(name.text())
            {
                cx.invalid(&PROJECTION, name, wrong);
            }
            let selector = bundle.get("labelSelector");
            if selector.exists() {
                cx.forbidden(&PROJECTION, selector, "beside `name`");
            }
        }
        (false, true) => {
            check_signer(cx, signer);
            selector::check(cx, bundle.get("labelSelector"));
        }
    }
    cx.require(bundle.get("path"));
    check_path(cx, bundle.get("path"));
}

/// Says what is wrong with the name of a bundle: its signer and a name, or a name without a signer
/// (`ValidateClusterTrustBundleName`).
fn bundle_name(name: &str) -> naming::Wrong {
    let Some((head, tail)) = name.rsplit_once(':') else { return naming::dns_subdomain(name) };
    if head.is_empty() {
        return Some("must be a DNS subdomain, or a signer, `:` and one");
    }
    naming::dns_subdomain(tail)
}

/// Looks at the name of a signer (`ValidateSignerName`).
fn check_signer<'a>(cx: &mut Cx<'a>, signer: Field<'a>) {
    let text = signer.text();
    if text.is_empty() {
        cx.required(&PROJECTION, signer, "");
        return;
    }
    let right = text.split_once('/').is_some_and(|(domain, path)| {
        !path.is_empty()
            && !path.contains('/')
            && domain.contains('.')
            && domain.len() <= naming::SUBDOMAIN_MAX
            && domain.split('.').all(|it| naming::dns_label(it).is_none())
            && path.split('.').all(|it| naming::dns_subdomain(it).is_none())
    });
    if !right {
        cx.invalid(&PROJECTION, signer, "must be a domain and a path, such as `example.com/name`");
    }
}

fn check_certificate<'a>(cx: &mut Cx<'a>, part: Field<'a>, paths: &mut Paths<'a>) {
    check_signer(cx, part.get("signerName"));
    let annotations = part.get("userAnnotations");
    for (key, _) in annotations.entries() {
        let wrong = naming::qualified_name(&key.to_ascii_lowercase());
        if wrong.is_some() || !key.contains('/') {
            let wrong = wrong.unwrap_or("must have a domain, such as `example.com/name`");
            cx.invalid_key_of(&PROJECTION, annotations, key, wrong);
        }
    }
    cx.require_one_of(part.get("keyType"), KEY_TYPES);
    let seconds = part.get("maxExpirationSeconds");
    let signer = part.get("signerName").text();
    let domain = signer.split_once('/').map_or(signer, |(domain, _)| domain);
    let own = domain == "kubernetes.io" || domain.ends_with(".kubernetes.io");
    let max = if own { OWN_CERTIFICATE_MAX } else { CERTIFICATE_MAX };
    if seconds.int().is_some_and(|it| it < CERTIFICATE_MIN || it > max) {
        cx.invalid(&PROJECTION, seconds, &format!("must be between {CERTIFICATE_MIN} and {max}"));
    }
    let mut any = false;
    for key in ["credentialBundlePath", "keyPath", "certificateChainPath"] {
        let path = part.get(key);
        if !path.is_empty() {
            any = true;
            check_path(cx, path);
            paths.add(cx, path);
        }
    }
    if !any {
        cx.required(&PROJECTION, part, "it says where the key or the certificate is put");
    }
}

/// Looks at a file of the downward API (`validateDownwardAPIVolumeFile`).
///
/// The server names the list of the files instead of the file: `named`.
pub(super) fn check_downward_file<'a>(cx: &mut Cx<'a>, file: Field<'a>, named: Field<'a>) {
    let path = file.get("path");
    if path.is_empty() {
        cx.required(&PATH, path, "");
        cx.named(named.get("path"));
    }
    if check_path(cx, path) {
        cx.named(named.get("path"));
    }
    let (field, resource) = (file.get("fieldRef"), file.get("resourceFieldRef"));
    match (field.exists(), resource.exists()) {
        (false, false) => {
            cx.required(&VOLUME, file, "it needs `fieldRef` or `resourceFieldRef`");
            cx.named(named);
        }
        (false, true) => {
            environment::check_resource(cx, resource, named.get("resourceFieldRef"), true);
        }
        (true, both) => {
            let at = named.get("fieldRef");
            environment::check_field(cx, field, at, environment::FIELDS_OF_VOLUMES);
            if both {
                cx.invalid(&VOLUME, file, "must have `fieldRef` or `resourceFieldRef`, not both");
                cx.named(named);
            }
        }
    }
    if check_mode(cx, file.get("mode")) {
        cx.named(named.get("mode"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::api::fixture::{findings, pod};

    #[test]
    fn parts_of_a_projected_volume() {
        for (sources, refused) in [
            ("{serviceAccountToken: {path: t}}", ""),
            (
                "{serviceAccountToken: {path: t, expirationSeconds: 5}}",
                "sources[0].serviceAccountToken.expirationSeconds",
            ),
            ("{serviceAccountToken: {path: /t}}", "path"),
            ("{secret: {name: s}, configMap: {name: m}}", "sources[0]"),
            ("{secret: {name: s, items: [{key: k, path: p}, {key: l, path: p}]}}", ""),
            ("{clusterTrustBundle: {path: p}}", "sources[0].clusterTrustBundle"),
            ("{clusterTrustBundle: {name: a:B, path: p}}", "sources[0].clusterTrustBundle.name"),
            (
                "{clusterTrustBundle: {signerName: a/b, path: p}}",
                "sources[0].clusterTrustBundle.signerName",
            ),
            (
                "{podCertificate: {signerName: a.b/c, keyType: RSA, keyPath: k}}",
                "sources[0].podCertificate.keyType",
            ),
            (
                "{podCertificate: {signerName: a.b/c, keyType: ED25519}}",
                "sources[0].podCertificate",
            ),
            ("{downwardAPI: {items: [{path: p}]}}", "sources[0].downwardAPI"),
        ] {
            let object =
                pod(&format!("volumes: [{{name: v, projected: {{sources: [{sources}]}}}}]"));
            let found = findings(37, &object);
            let denied = found.iter().filter(|it| {
                !matches!(&*it.0, "api/overlapping-volume-paths" | "api/projected-twice")
            });
            let paths: Vec<&str> =
                denied.map(|it| it.2.strip_prefix("spec.volumes[0].projected.").unwrap()).collect();
            assert_eq!(paths.join(" "), refused, "{sources}");
        }
    }

    #[test]
    fn bundles_and_signers_have_names() {
        assert_eq!(bundle_name("a:b:c"), None);
        assert!(bundle_name(":c").is_some() && bundle_name("A").is_some());
    }
}
