//! Profiles of seccomp and `AppArmor`, in fields and in the annotations that came before them.

use std::collections::BTreeMap;

use super::annotations::{APP_ARMOR, SECCOMP, SECCOMP_POD};
use super::{Spec, volumes};
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::rule::Rule;
use crate::wording;

pub(super) const RULES: &[&Rule] = &[&PROFILE, &CONTRADICTION];

const PROFILE: Rule = Rule::new(
    "api/invalid-security-profile",
    "Profile of seccomp or AppArmor that cannot be used",
    "A profile is `RuntimeDefault`, `Unconfined` or `Localhost`; only the last one names a file or \
     a profile of the node, and it has to.",
    "set `localhostProfile` with type `Localhost` and no other",
    &["validateSeccompProfileField", "ValidateAppArmorProfileField"],
);

const CONTRADICTION: Rule = Rule::new(
    "api/security-profile-contradiction",
    "Annotation and field name different profiles",
    "A profile may stand in the field and, for nodes of older versions, in an annotation; then \
     both have to say the same.",
    "remove the annotation",
    &[
        "validateSeccompAnnotationsAndFieldsMatch",
        "validateAppArmorAnnotationsAndFieldsMatchOnCreate",
    ],
);

const TYPES: &[&str] = &["Localhost", "RuntimeDefault", "Unconfined"];

/// The longest name of a profile of `AppArmor`, in bytes.
const APP_ARMOR_MAX: usize = 4095;

/// Says what is wrong with the path of a profile below the kubelet's folder.
pub(super) fn local_path(path: &str) -> Option<&'static str> {
    volumes::relative(path).or_else(|| volumes::no_backsteps(path))
}

/// Looks at a profile of seccomp (`validateSeccompProfileField`).
pub(super) fn check_seccomp<'a>(cx: &mut Cx<'a>, profile: Field<'a>) {
    if !profile.exists() {
        return;
    }
    let (kind, file) = (profile.get("type"), profile.get("localhostProfile"));
    cx.require_one_of(kind, TYPES);
    if kind.text() != "Localhost" {
        if file.exists() && !wording::is_placeholder(kind.text()) {
            cx.forbidden(&PROFILE, file, "unless the type is `Localhost`");
        }
    } else if !file.exists() {
        cx.required(&PROFILE, file, "the type `Localhost` needs one");
    } else if let Some(wrong) = local_path(file.text()) {
        cx.invalid(&PROFILE, file, wrong);
    }
}

/// Looks at a profile of `AppArmor` (`ValidateAppArmorProfileField`).
pub(super) fn check_app_armor<'a>(cx: &mut Cx<'a>, profile: Field<'a>) {
    if !profile.exists() || cx.minor < 30 {
        return;
    }
    let (kind, name) = (profile.get("type"), profile.get("localhostProfile"));
    cx.require_one_of(kind, TYPES);
    match kind.text() {
        "Localhost" => {
            let text = name.text();
            if text.trim() != text {
                cx.invalid(&PROFILE, name, "must not begin or end with white space");
            } else if name.is_empty() {
                cx.required(&PROFILE, name, "the type `Localhost` needs one");
            }
            if text.len() > APP_ARMOR_MAX {
                cx.too_long(&PROFILE, name, APP_ARMOR_MAX, "bytes");
            }
        }
        "RuntimeDefault" | "Unconfined" if name.exists() => {
            cx.forbidden(&PROFILE, name, "unless the type is `Localhost`");
        }
        _ => {}
    }
}

/// Looks for annotations that contradict the fields.
pub(super) fn check_annotations_match<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>) {
    if spec.annotations.is_empty() {
        return;
    }
    let of_pod = spec.field.get("securityContext");
    check_match(cx, of_pod.get("seccompProfile"), spec.annotations.get(SECCOMP_POD));
    let of = |prefix: &str| -> BTreeMap<&str, Field<'a>> {
        let entries = spec.annotations.entries();
        entries.filter_map(|(key, it)| Some((key.strip_prefix(prefix)?, it))).collect()
    };
    let (seccomp, mut app_armor) = (of(SECCOMP), of(APP_ARMOR));
    if cx.minor < 30 || spec.os == Some("windows") {
        app_armor.clear();
    }
    if seccomp.is_empty() && app_armor.is_empty() {
        return;
    }
    for container in spec.containers() {
        let (name, own) = (container.get("name").text(), container.get("securityContext"));
        if let Some(annotation) = seccomp.get(name) {
            check_match(cx, own.get("seccompProfile"), *annotation);
        }
        let Some(annotation) = app_armor.get(name) else { continue };
        let profile = own.get("appArmorProfile");
        if profile.exists() {
            check_match(cx, profile, *annotation);
        } else if spec.is_pod {
            // The server puts the annotation's profile into the container's own context.
        } else if let Some(part) = contradiction(of_pod.get("appArmorProfile"), *annotation) {
            tell(cx, of_pod.get("appArmorProfile").get(part));
            cx.named(profile.get(part));
        }
    }
}

fn check_match<'a>(cx: &mut Cx<'a>, profile: Field<'a>, annotation: Field<'a>) {
    if profile.exists()
        && annotation.exists()
        && let Some(part) = contradiction(profile, annotation)
    {
        tell(cx, profile.get(part));
    }
}

fn tell<'a>(cx: &mut Cx<'a>, field: Field<'a>) {
    cx.invalid(&CONTRADICTION, field, "contradicts the annotation for the same profile");
}

/// Returns the part of a profile that an annotation contradicts.
pub(super) fn contradiction(profile: Field<'_>, annotation: Field<'_>) -> Option<&'static str> {
    let text = annotation.str()?;
    match profile.get("type").text() {
        "Unconfined" => (text != "unconfined").then_some("type"),
        "RuntimeDefault" => {
            (!matches!(text, "runtime/default" | "docker/default")).then_some("type")
        }
        "Localhost" => match text.strip_prefix("localhost/") {
            None => Some("type"),
            Some(name) => {
                (profile.get("localhostProfile").str() != Some(name)).then_some("localhostProfile")
            }
        },
        _ => None,
    }
}
