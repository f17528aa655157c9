//! What containers and pods ask of their node: resources and claims.

use std::collections::{BTreeMap, BTreeSet};

use super::{Spec, annotations};
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::resources::{self, AMOUNT};
use crate::check::api::rule::Rule;
use crate::check::api::shared::UNSUPPORTED;
use crate::naming::{self, Wrong};
use crate::quantity::Quantity;

pub(super) const RULES: &[&Rule] = &[&LIMIT, &CLAIM, &RESIZE, &POD_TOTAL];

const LIMIT: Rule = Rule::new(
    "api/request-above-limit",
    "Request that does not fit its limit",
    "A container may not ask for more than it may use. Extended resources and huge pages cannot be \
     shared out twice, so their requests are their limits, and huge pages need some CPU or memory \
     beside them.",
    "raise the limit or lower the request",
    &["validateResourceRequirements"],
);

const CLAIM: Rule = Rule::new(
    "api/invalid-resource-claim",
    "Claim of a device that leads nowhere",
    "A pod lists its claims by name, each from one object or one template, and its containers refer \
     to those names.",
    "mend the claim",
    &["validatePodResourceClaim", "validateResourceClaimNames"],
);

const RESIZE: Rule = Rule::new(
    "api/invalid-resize-policy",
    "Resize policy that cannot be followed",
    "A container has at most one policy for `cpu` and one for `memory`: `NotRequired` or \
     `RestartContainer`, which a pod that never restarts cannot follow.",
    "mend the policy",
    &["validateResizePolicy"],
);

const POD_TOTAL: Rule = Rule::new(
    "api/containers-above-pod",
    "Containers ask for more than their pod",
    "Where the pod has requests and limits of its own, its containers stay within them.",
    "raise those of the pod or lower those of the containers",
    &["validatePodResources", "validatePodResourceConsistency"],
);

/// The minor in which claims came on by default.
const CLAIMS: u32 = 34;
/// The minor in which pods may have resources of their own by default.
const POD_RESOURCES: u32 = 34;
/// The minor in which containers may be resized by default.
const RESIZES: u32 = 33;

/// How many resources of a pod are held against its containers; there are not so many.
const NAMES_MAX: usize = 64;

/// What a pod may ask for as a whole.
const OF_PODS: &[&str] = &["cpu", "memory"];

fn is_of_pods(name: &str) -> bool {
    OF_PODS.contains(&name) || resources::is_huge_pages(name)
}

fn pod_resource_name(name: &str) -> Wrong {
    resources::resource_name(name)
        .or_else(|| (!is_of_pods(name)).then_some("must be `cpu`, `memory` or huge pages"))
}

/// Looks at the requirements of a container.
pub(super) fn check_container<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, requirements: Field<'a>) {
    check(cx, spec, requirements, false);
    if cx.minor >= CLAIMS {
        check_claims(cx, spec, requirements.get("claims"));
    }
}

/// Looks at what a pod uses beside its containers (`validateOverhead`): limits to the server.
pub(in crate::check::api) fn check_overhead<'a>(
    cx: &mut Cx<'a>,
    overhead: Field<'a>,
    named: Field<'a>,
) {
    let mut seen = Seen::default();
    for (name, value) in overhead.entries() {
        let wrong = resources::container_resource_name(name);
        let named = named.get("limits").get(name);
        check_one(cx, name, value, wrong, named, false);
        seen.add(name);
    }
    seen.check(cx, overhead);
}

/// What the two lists of a container are about.
#[derive(Debug, Default)]
struct Seen {
    pages: bool,
    others: bool,
}

impl Seen {
    fn add(&mut self, name: &str) {
        self.pages |= resources::is_huge_pages(name);
        self.others |= matches!(name, "cpu" | "memory");
    }

    fn check<'a>(&self, cx: &mut Cx<'a>, requirements: Field<'a>) {
        if self.pages && !self.others {
            cx.invalid(&LIMIT, requirements, "must have CPU or memory beside huge pages");
        }
    }
}

/// Looks at one resource, and returns its amount where it is one.
fn check_one<'a>(
    cx: &mut Cx<'a>,
    name: &'a str,
    value: Field<'a>,
    wrong: Wrong,
    named: Field<'a>,
    keep_pages: bool,
) -> Option<Quantity> {
    if let Some(wrong) = wrong {
        cx.invalid_key(&resources::NAME, value, wrong);
        cx.named(named);
    }
    let amount = resources::amount_in_map(value)?;
    if amount.is_negative() {
        cx.invalid(&AMOUNT, value, resources::NEGATIVE);
        cx.named(named);
    }
    if resources::is_integer(name) && !resources::is_whole(&amount) {
        cx.invalid(&AMOUNT, value, "must be a whole number");
        cx.named(named);
    }
    if resources::is_huge_pages(name) && !keep_pages && !resources::is_whole_pages(name, &amount) {
        cx.invalid(&AMOUNT, value, "must be a whole number of pages");
        cx.named(named);
    }
    Some(amount)
}

/// Looks at limits and requests (`validateResourceRequirements`).
fn check<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, requirements: Field<'a>, of_pod: bool) {
    if !requirements.exists() {
        return;
    }
    let form = if of_pod { pod_resource_name } else { resources::container_resource_name };
    let keep_pages = spec.had_before(|it| &it.broken_pages, has_broken_pages);
    let mut seen = Seen::default();
    // The server gives a pod the requests of its containers before it looks.
    let containers = spec.field.get("containers").items();
    seen.others = of_pod
        && spec.is_pod
        && containers.map(|it| it.get("resources")).any(|it| {
            ["limits", "requests"]
                .iter()
                .any(|list| it.get(list).entries().any(|(name, _)| OF_PODS.contains(&name)))
        });
    let (limit_map, request_map) = (requirements.get("limits"), requirements.get("requests"));
    let mut limits = BTreeMap::new();
    for (name, value) in limit_map.entries() {
        let amount = check_one(cx, name, value, form(name), value, keep_pages);
        seen.add(name);
        limits.insert(name, amount);
    }
    for (name, value) in request_map.entries() {
        seen.add(name);
        let Some(amount) = check_one(cx, name, value, form(name), value, keep_pages) else {
            continue;
        };
        match limits.get(name) {
            Some(Some(limit)) if amount > *limit => {
                cx.invalid(&LIMIT, value, "must not be more than the limit");
                cx.named(request_map);
            }
            Some(Some(limit)) if amount != *limit && !resources::may_overcommit(name) => {
                cx.invalid(&LIMIT, value, "must be the same as the limit");
                cx.named(request_map);
            }
            None if !resources::may_overcommit(name) => {
                cx.invalid(&LIMIT, value, "must have a limit beside it");
                cx.named(limit_map);
            }
            _ => {}
        }
    }
    seen.check(cx, requirements);
}

/// Says whether a spec has huge pages in parts, which servers once took.
fn has_broken_pages(spec: Field<'_>) -> bool {
    super::containers_of(spec)
        .flat_map(|it| {
            let requirements = it.get("resources");
            requirements.get("limits").entries().chain(requirements.get("requests").entries())
        })
        .filter(|(name, _)| resources::is_huge_pages(name))
        .any(|(name, value)| {
            resources::amount(value).is_some_and(|it| !resources::is_whole_pages(name, &it))
        })
}

/// Looks at the claims of a container (`validateResourceClaimNames`).
fn check_claims<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, claims: Field<'a>) {
    let mut names: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut partly = BTreeSet::new();
    for claim in claims.items() {
        let (name, request) = (claim.get("name").text(), claim.get("request"));
        if name.is_empty() {
            cx.required(&CLAIM, claim, "it needs a name");
            continue;
        }
        let twice = names.contains(&(name, ""))
            || !names.insert((name, request.text()))
            || (request.is_empty() && partly.contains(name));
        if !request.is_empty() {
            cx.name(request, naming::dns_label);
            partly.insert(name);
        }
        if twice {
            cx.invalid(&CLAIM, claim, "stands there twice");
        }
        if !spec.claims.contains(name) {
            cx.invalid(&CLAIM, claim, "must name one of `resourceClaims`");
        }
    }
}

/// Looks at the claims of a pod (`validatePodResourceClaims`).
pub(super) fn check_pod_claims<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>) {
    if cx.minor < CLAIMS {
        return;
    }
    let is_mirror = spec.is_pod && spec.annotations.get(annotations::MIRROR).exists();
    let mut names = BTreeSet::new();
    for claim in spec.field.get("resourceClaims").items() {
        if is_mirror {
            cx.invalid(&CLAIM, claim, "must not stand in a static pod");
            continue;
        }
        let name = claim.get("name");
        cx.require_name_by(&CLAIM, name, naming::dns_label);
        if !name.is_empty() && !names.insert(name.text()) {
            cx.duplicate(&CLAIM, name);
        }
        let (object, template) =
            (claim.get("resourceClaimName"), claim.get("resourceClaimTemplateName"));
        if object.exists() == template.exists() {
            let problem = if object.exists() {
                "must name a claim or a template, not both"
            } else {
                "must name a claim or a template"
            };
            cx.invalid(&CLAIM, claim, problem);
        }
        cx.name(object, naming::dns_subdomain);
        cx.name(template, naming::dns_subdomain);
    }
}

/// Looks at what happens when a container is resized (`validateResizePolicy`).
pub(super) fn check_resize<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, policies: Field<'a>) {
    if cx.minor < RESIZES {
        return;
    }
    let mut names = BTreeSet::new();
    for policy in policies.items() {
        let (name, restart) = (policy.get("resourceName"), policy.get("restartPolicy"));
        if !names.insert(name.text()) {
            cx.invalid(&RESIZE, policy, "is for the same resource as another policy");
        }
        for (field, values) in
            [(name, OF_PODS), (restart, &["NotRequired", "RestartContainer"] as &[&str])]
        {
            if field.is_empty() {
                cx.required(&RESIZE, field, "");
                cx.named(policies);
            } else if field.str().is_some_and(|it| !values.contains(&it)) {
                cx.not_supported(&UNSUPPORTED, field, values);
                cx.named(policies);
            }
        }
        if spec.restart_policy == "Never" && restart.text() == "RestartContainer" {
            cx.invalid(&RESIZE, restart, "must be `NotRequired` in a pod that never restarts");
            cx.named(policies);
        }
    }
}

/// Looks at the requirements of a pod as a whole (`validatePodResources`).
pub(super) fn check_pod<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>) {
    let requirements = spec.field.get("resources");
    if cx.minor < POD_RESOURCES || !requirements.exists() {
        return;
    }
    if spec.os == Some("windows") {
        cx.forbidden(&POD_TOTAL, requirements, "for a pod of Windows");
        return;
    }
    if !requirements.get("claims").is_empty() {
        cx.forbidden(&POD_TOTAL, requirements.get("claims"), "for a pod as a whole");
    }
    check(cx, spec, requirements, true);
    check_consistency(cx, spec, requirements);
}

/// Holds the containers against their pod (`validatePodResourceConsistency`).
fn check_consistency<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, requirements: Field<'a>) {
    for (name, value) in requirements.get("requests").entries().take(NAMES_MAX) {
        let Some(own) = resources::amount(value) else { continue };
        if exceeds(spec, "requests", name, &own) {
            cx.invalid(&POD_TOTAL, value, "must be at least what the containers ask for together");
        }
    }
    let limits = requirements.get("limits");
    for (name, value) in limits.entries().take(NAMES_MAX) {
        let Some(own) = resources::amount(value) else { continue };
        if resources::is_huge_pages(name) && exceeds(spec, "limits", name, &own) {
            cx.invalid(&POD_TOTAL, value, "must be at least what the containers may use together");
        }
        for (at, container) in spec.field.get("containers").items().enumerate() {
            let limit = container.at(&["resources", "limits"]).get(name);
            if resources::amount(limit).is_some_and(|it| it > own) {
                cx.invalid(&POD_TOTAL, limit, "must not be more than the limit of the pod");
                cx.named(requirements.get("containers").index(at).get(name).get("limits"));
            }
        }
    }
}

/// Says whether the containers have more of a resource together than their pod: sidecars and the
/// others run beside one another, other init containers one at a time.
fn exceeds<'a>(spec: &Spec<'a>, list: &'a str, name: &'a str, own: &Quantity) -> bool {
    let of = |container: Field<'a>| {
        let requirements = container.get("resources");
        let value = requirements.get(list).get(name);
        let value = if value.exists() || !spec.is_pod {
            value
        } else {
            requirements.get("limits").get(name)
        };
        resources::amount(value).and_then(|it| it.scaled(-3)).unwrap_or_default()
    };
    let Some(own) = own.scaled(-3) else { return false };
    let mut together =
        spec.field.get("containers").items().fold(0_i64, |sum, it| sum.saturating_add(of(it)));
    let (mut sidecars, mut most) = (0_i64, 0_i64);
    for container in spec.field.get("initContainers").items() {
        if container.get("restartPolicy").text() == "Always" {
            sidecars = sidecars.saturating_add(of(container));
            most = most.max(sidecars);
        } else {
            most = most.max(sidecars.saturating_add(of(container)));
        }
    }
    together = together.saturating_add(sidecars);
    together.max(most) > own
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_containers, assert_one, assert_pods, container};

    #[test]
    fn requests_fit_limits() {
        assert_containers(&[
            ("resources: {limits: {cpu: 100m}, requests: {cpu: 0.1}}", &[]),
            ("resources: {limits: {cpu: null}, requests: {cpu: 1}}", &["resources.requests"]),
            ("resources: {requests: {a.com/gpu: 1}}", &["resources.limits"]),
            (
                "resources: {limits: {a.com/gpu: 2}, requests: {a.com/gpu: 1}}",
                &["resources.requests"],
            ),
            ("resources: {limits: {a.com/gpu: 500m}}", &["resources.limits[a.com/gpu]"]),
            ("resources: {limits: {gpu: 1}}", &["resources.limits.gpu"]),
            ("resources: {limits: {hugepages-2Mi: 4Mi}}", &["resources"]),
            (
                "resources: {limits: {hugepages-2Mi: 3Mi, cpu: 1}}",
                &["resources.limits.hugepages-2Mi"],
            ),
        ]);
        assert_one(
            &container("resources: {limits: {cpu: 1}, requests: {cpu: 2}}"),
            "api/request-above-limit",
            "`2` in `spec.containers[c].resources.requests.cpu` must not be more than the limit",
            "spec.containers[0].resources.requests",
            "2",
        );
    }

    #[test]
    fn claims_are_listed_by_the_pod() {
        let claim = "resourceClaims: [{name: x, resourceClaimName: y}]";
        let with = |claims: &str| {
            format!(
                "{claim}, initContainers: [{{name: b, image: i, resources: {{claims: [{claims}]}}}}]"
            )
        };
        assert_pods(&[
            (&with("{name: x, request: a}, {name: x, request: b}"), &[]),
            (&with("{name: z}"), &["initContainers[0].resources.claims[0]"]),
            (&with("{name: x}, {name: x, request: b}"), &["initContainers[0].resources.claims[1]"]),
            (&with("{name: x, request: b}, {name: x}"), &["initContainers[0].resources.claims[1]"]),
            ("resourceClaims: [{name: x}]", &["resourceClaims[0]"]),
        ]);
    }

    #[test]
    fn containers_stay_within_their_pod() {
        let with = |own: &str| {
            format!(
                "resources: {{{own}}}, initContainers: [{{name: b, image: i, resources: {{requests: {{cpu: 2}}}}}}]"
            )
        };
        assert_pods(&[
            (&with("requests: {cpu: 2}"), &[]),
            (&with("requests: {cpu: 1}"), &["resources.requests.cpu"]),
            (&with("limits: {ephemeral-storage: 1Gi}"), &["resources.limits.ephemeral-storage"]),
        ]);
    }

    #[test]
    fn resizes_have_policies() {
        assert_containers(&[
            ("resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}]", &[]),
            (
                "resizePolicy: [{resourceName: gpu, restartPolicy: Never}]",
                &["resizePolicy", "resizePolicy"],
            ),
        ]);
    }
}
