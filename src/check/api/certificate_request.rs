//! `CertificateSigningRequests` and `ClusterTrustBundles`.

use std::collections::BTreeSet;

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::forms::{INVALID, OUT_OF_RANGE};
use super::rule::Rule;
use super::shared::{DUPLICATE, MISSING};
use crate::naming::{self, Wrong};

const GROUP: &str = "certificates.k8s.io";

pub(super) const KINDS: &[Kind] = &[
    Kind { group: GROUP, name: "CertificateSigningRequest", validate, update: None },
    Kind {
        group: GROUP,
        name: "ClusterTrustBundle",
        validate: bundle,
        update: Some(bundle_update),
    },
];

pub(super) const RULES: &[&Rule] = &[&SIGNER];

const SIGNER: Rule = Rule::new(
    "api/invalid-signer-name",
    "Name of a signer that nobody can have",
    "Signers are named by a domain and a path, such as `kubernetes.io/kubelet-serving`, of at most \
     571 characters.",
    "write a domain, `/` and a path",
    &["ValidateSignerName"],
);

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    let is_v1 = cx.object.version() == "v1";
    if !spec.get("request").exists() {
        cx.require(spec.get("request"));
    }
    let usages = spec.get("usages");
    if is_v1 {
        cx.require(usages);
    }
    let mut seen = BTreeSet::new();
    for usage in usages.items().filter(|_| is_v1) {
        // The schema refuses other texts.
        cx.not_blank(usage, &[]);
        if !seen.insert(usage.text()) {
            cx.duplicate(&DUPLICATE, usage);
        }
    }
    let signer = spec.get("signerName");
    if is_v1 && signer.text() == "kubernetes.io/legacy-unknown" {
        cx.invalid(&SIGNER, signer, "is not for this version of the API");
    } else if is_v1 || signer.exists() {
        check_signer(cx, signer);
    }
    let seconds = spec.get("expirationSeconds");
    if seconds.int().is_some_and(|it| it < 600) && cx.minor >= 22 {
        cx.invalid(&OUT_OF_RANGE, seconds, "must be at least 600");
    }
}

fn check_signer<'a>(cx: &mut Cx<'a>, signer: Field<'a>) {
    if !cx.require(signer) {
        return;
    }
    if let Some(wrong) = wrong_signer(signer.text()) {
        cx.invalid(&SIGNER, signer, wrong);
    }
    if signer.text().len() > 571 {
        cx.too_long(&SIGNER, signer, 571, "characters");
    }
}

/// Checks a domain of at least two parts, `/` and a path of subdomains.
fn wrong_signer(text: &str) -> Wrong {
    let Some((domain, path)) = text.split_once('/') else {
        return Some("must be a domain, `/` and a path");
    };
    if path.contains('/') {
        return Some("must have one `/`");
    }
    naming::dns_subdomain(domain)
        .or_else(|| {
            (!domain.contains('.')).then_some("must begin with a domain of two parts or more")
        })
        .or_else(|| (path.is_empty()).then_some("must have a path after the domain"))
        .or_else(|| naming::dns_subdomain(path))
}

fn bundle<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    let (signer, name) = (spec.get("signerName"), object.at(&["metadata", "name"]));
    if signer.is_empty() {
        if name.text().contains(':') {
            cx.invalid(&INVALID, name, "must not have `:` where there is no `signerName`");
        }
    } else {
        check_signer(cx, signer);
        let prefix = format!("{}:", signer.text().replace('/', ":"));
        if !name.text().starts_with(&prefix) {
            cx.invalid(&INVALID, name, &format!("must begin with `{prefix}`"));
        }
    }
    let trust = spec.get("trustBundle");
    if !trust.text().contains("-----BEGIN CERTIFICATE-----") {
        if trust.is_empty() {
            cx.required(&MISSING, trust, "a bundle holds at least one certificate");
        } else {
            cx.invalid(&INVALID, trust, "must hold certificates in PEM");
        }
    }
}

fn bundle_update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let way = ["spec", "signerName"];
    cx.unchanged(new.at(&way), old.at(&way));
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_refused};

    #[test]
    fn requests_have_signers_and_usages() {
        let request = |spec: &str| {
            format!(
                "apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\nmetadata: {{name: a}}\nspec: {{request: eA==, {spec}}}\n"
            )
        };
        assert_clean(&request("signerName: a.b/c, usages: [client auth]"));
        assert_refused(
            &request("signerName: a/c, usages: []"),
            &["spec.usages", "spec.signerName"],
        );
        assert_refused(
            &request("signerName: a.b/c, usages: [client auth, client auth], expirationSeconds: 1"),
            &["spec.usages[1]", "spec.expirationSeconds"],
        );
    }
}
