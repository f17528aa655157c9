//! The annotations of pods that mean something to the server.

use std::collections::BTreeSet;

use super::Spec;
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::rule::Rule;
use crate::naming;

use super::profiles;

pub(super) const RULES: &[&Rule] = &[&ANNOTATION];

pub(super) const ANNOTATION: Rule = Rule::new(
    "api/invalid-pod-annotation",
    "Annotation of a pod that the server does not understand",
    "Some annotations of pods are settings: profiles of AppArmor and seccomp, which name a \
     container of the pod, and the cost of deleting the pod, which is a number.",
    "mend the annotation, or use the field that replaces it",
    &[
        "ValidatePodSpecificAnnotations",
        "ValidateAppArmorPodAnnotations",
        "ValidateSeccompPodAnnotations",
    ],
);

pub(super) const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";
pub(super) const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
pub(super) const SECCOMP: &str = "container.seccomp.security.alpha.kubernetes.io/";
pub(super) const MIRROR: &str = "kubernetes.io/config.mirror";
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// The most bytes that keys and values may have (`TotalAnnotationSizeLimitB`).
const MAX_SIZE: usize = 256 * 1024;

/// Looks at the annotations of a pod or a template (`ValidatePodSpecificAnnotations`).
pub(super) fn check<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>) {
    let mut names: Option<BTreeSet<&str>> = None;
    for (key, value) in spec.annotations.entries() {
        let Some(text) = value.str() else { continue };
        let problem = if key == MIRROR {
            spec.field
                .get("nodeName")
                .is_empty()
                .then_some("must stand in pods that name their node only")
        } else if key == DELETION_COST {
            (cx.minor >= 22 && !is_cost(text)).then_some("must be a whole number of 32 bits")
        } else if key == SECCOMP_POD || key.starts_with(SECCOMP) {
            seccomp_profile(text)
        } else if let Some(name) = key.strip_prefix(APP_ARMOR) {
            let names = names
                .get_or_insert_with(|| spec.containers().map(|it| it.get("name").text()).collect());
            if names.contains(name) {
                app_armor_profile(text)
            } else {
                Some("must belong to a container of the pod")
            }
        } else {
            None
        };
        if let Some(problem) = problem {
            cx.invalid(&ANNOTATION, value, problem);
            cx.named(spec.named_annotations.get(key));
        }
    }
}

/// Looks at the form of keys and at the size of the annotations of a template.
pub(super) fn check_form<'a>(cx: &mut Cx<'a>, rule: &'static Rule, template: Field<'a>) {
    let annotations = template.at(&["metadata", "annotations"]);
    let mut size = 0;
    for (key, value) in annotations.entries() {
        // Letters of either case are fine here.
        let wrong = naming::qualified_name(key)
            .and_then(|_| naming::qualified_name(&key.to_ascii_lowercase()));
        if let Some(wrong) = wrong {
            cx.invalid_key_of(rule, annotations, key, wrong);
            cx.named(template.get("annotations"));
        }
        size += key.len() + value.text().len();
    }
    if size > MAX_SIZE {
        cx.too_long(rule, annotations, MAX_SIZE, "bytes of keys and values");
        cx.named(template.get("annotations"));
    }
}

/// Says whether a text is a cost of deletion: no sign `+`, no leading zeros.
fn is_cost(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = text == "0" || text.starts_with('-') || !digits.starts_with(['0', '+']);
    plain && text.parse::<i32>().is_ok()
}

/// Says what is wrong with a profile of `AppArmor` (`ValidateAppArmorProfileFormat`).
fn app_armor_profile(text: &str) -> Option<&'static str> {
    let known = matches!(text, "" | "runtime/default" | "unconfined");
    (!known && !text.starts_with("localhost/"))
        .then_some("must be `runtime/default`, `unconfined` or `localhost/<profile>`")
}

/// Says what is wrong with a profile of seccomp (`ValidateSeccompProfile`).
fn seccomp_profile(text: &str) -> Option<&'static str> {
    match text {
        "runtime/default" | "docker/default" | "unconfined" => None,
        _ => match text.strip_prefix("localhost/") {
            Some(path) => profiles::local_path(path),
            None => Some("must be `runtime/default`, `unconfined` or `localhost/<path>`"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::api::fixture::findings;

    fn paths(kind: &str, annotations: &str) -> Vec<String> {
        let pod = "spec: {containers: [{name: c, image: i, securityContext: {appArmorProfile: {type: Unconfined}}}]}";
        let object = match kind {
            "Pod" => format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: a, annotations: {{{annotations}}}}}\n{pod}\n"
            ),
            _ => format!(
                "apiVersion: v1\nkind: PodTemplate\nmetadata: {{name: a}}\ntemplate:\n  metadata: {{annotations: {{{annotations}}}}}\n  {pod}\n"
            ),
        };
        findings(37, &object).into_iter().map(|it| it.2).collect()
    }

    #[test]
    fn annotations_of_pods_are_understood() {
        let key = format!("{APP_ARMOR}c");
        assert!(paths("Pod", &format!("{key}: unconfined")).is_empty());
        assert_eq!(
            paths("Pod", &format!("{key}: x")).first(),
            Some(&format!("metadata.annotations[{key}]"))
        );
        assert_eq!(
            paths("PodTemplate", &format!("{APP_ARMOR}d: unconfined")),
            [format!("template.annotations[{APP_ARMOR}d]")]
        );
        assert_eq!(paths("PodTemplate", "a b: c"), ["template.annotations"]);
        assert_eq!(
            paths("PodTemplate", &format!("{key}: runtime/default")),
            ["template.spec.containers[0].securityContext.appArmorProfile.type"]
        );
    }

    #[test]
    fn costs_are_plain_numbers() {
        for good in ["0", "5", "-5", "-05"] {
            assert!(is_cost(good), "{good}");
        }
        for bad in ["", "+5", "05", "3000000000", "a"] {
            assert!(!is_cost(bad), "{bad}");
        }
    }
}
