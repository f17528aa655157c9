//! Names and amounts of resources.

use crate::document::{NodeKind, Scalar};
use crate::naming::{self, Wrong};
use crate::quantity::Quantity;

use super::cx::Cx;
use super::field::Field;
use super::rule::Rule;

pub(super) const RULES: &[&Rule] = &[&NAME, &AMOUNT];

pub(super) const NAME: Rule = Rule::new(
    "api/unknown-resource",
    "Name of a resource that does not exist here",
    "Containers ask for `cpu`, `memory`, `ephemeral-storage`, `hugepages-<size>` or an extended \
     resource with a domain, such as `nvidia.com/gpu`. Other places take other names.",
    "use a name that the place takes",
    &["ValidateContainerResourceName", "validateResourceName"],
);

pub(super) const AMOUNT: Rule = Rule::new(
    "api/invalid-resource-amount",
    "Amount of a resource that cannot be given",
    "Amounts are not negative. Extended resources and counts of objects are given out whole, huge \
     pages in whole pages.",
    "mend the amount",
    &["ValidateResourceQuantityValue", "ValidateNonnegativeQuantity"],
);

const NO_FRACTION: &str = "must be a whole number";
/// What is said of amounts below zero.
pub(super) const NEGATIVE: &str = "must not be negative";

const HUGE_PAGES: &str = "hugepages-";
const REQUESTS: &str = "requests.";
const REQUESTED_HUGE_PAGES: &str = "requests.hugepages-";

/// The names without a domain that stand for something somewhere.
const STANDARD: &[&str] = &[
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "storage",
    "requests.storage",
    "services.nodeports",
    "services.loadbalancers",
];

/// The names without a domain that count objects.
const COUNTS: &[&str] = &[
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

/// Returns the amount that stands in a field, as a text or as a number, where it is one.
pub(super) fn amount(field: Field<'_>) -> Option<Quantity> {
    match &field.node()?.kind {
        NodeKind::Scalar(Scalar::String(text)) => text.trim().parse().ok(),
        NodeKind::Scalar(Scalar::Int(value)) => Some(Quantity::from(*value)),
        NodeKind::Scalar(Scalar::Uint(value)) => value.to_string().parse().ok(),
        NodeKind::Scalar(Scalar::Float(value)) => value.to_string().parse().ok(),
        _ => None,
    }
}

/// Returns the amount in an entry of a map; an entry without a value is none of it.
pub(super) fn amount_in_map(value: Field<'_>) -> Option<Quantity> {
    if value.exists() { amount(value) } else { Some(Quantity::ZERO) }
}

/// Checks a name that may stand anywhere (`validateResourceName`).
pub(super) fn resource_name(name: &str) -> Wrong {
    naming::qualified_name(name).or_else(|| {
        let known = name.contains('/') || is_standard(name);
        (!known).then_some("must be a resource that Kubernetes knows, or have a domain")
    })
}

/// Checks a name that containers may ask for (`ValidateContainerResourceName`).
pub(super) fn container_resource_name(name: &str) -> Wrong {
    resource_name(name).or_else(|| {
        if !name.contains('/') {
            (!is_container_resource(name))
                .then_some("must be a resource that containers can ask for")
        } else if !is_native(name) && !is_extended(name) {
            Some("must have the form of an extended resource, such as `example.com/device`")
        } else {
            None
        }
    })
}

/// Checks a name in the key of a map.
pub(super) fn check_name<'a>(cx: &mut Cx<'a>, value: Field<'a>, wrong: Wrong) {
    if let Some(wrong) = wrong {
        cx.invalid_key(&NAME, value, wrong);
    }
}

/// Checks the amount of a resource (`ValidateResourceQuantityValue`).
pub(super) fn check_amount<'a>(cx: &mut Cx<'a>, name: &str, value: Field<'a>, amount: &Quantity) {
    if amount.is_negative() {
        cx.invalid(&AMOUNT, value, NEGATIVE);
    }
    if is_integer(name) && !is_whole(amount) {
        cx.invalid(&AMOUNT, value, NO_FRACTION);
    }
}

/// Says whether an amount is a whole number once it is rounded up to thousandths.
pub(super) fn is_whole(amount: &Quantity) -> bool {
    amount.milli_value().is_none_or(|it| it % 1000 == 0)
}

/// Says whether an amount is a multiple of the page size in a resource's name
/// (`IsHugePageResourceValueDivisible`).
pub(super) fn is_whole_pages(name: &str, amount: &Quantity) -> bool {
    let Some(size) = name.strip_prefix(HUGE_PAGES).and_then(|it| it.parse::<Quantity>().ok())
    else {
        return false;
    };
    if size.signum() <= 0 || !is_whole(&size) {
        return false;
    }
    match (amount.value(), size.value()) {
        (Some(amount), Some(size)) if size != 0 => amount % size == 0,
        _ => true,
    }
}

/// Says whether a name stands for something somewhere (`IsStandardResourceName`).
pub(super) fn is_standard(name: &str) -> bool {
    STANDARD.contains(&name) || is_quota_huge_pages(name)
}

/// Says whether containers can ask for a name without a domain
/// (`IsStandardContainerResourceName`).
pub(super) fn is_container_resource(name: &str) -> bool {
    matches!(name, "cpu" | "memory" | "ephemeral-storage") || is_huge_pages(name)
}

/// Says whether a name is one of Kubernetes' own (`IsNativeResource`).
pub(super) fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// Says whether a name is that of an extended resource (`IsExtendedResourceName`).
pub(super) fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with(REQUESTS)
        && naming::qualified_name(&format!("{REQUESTS}{name}")).is_none()
}

/// Says whether a name is that of huge pages of some size (`IsHugePageResourceName`).
pub(super) fn is_huge_pages(name: &str) -> bool {
    name.starts_with(HUGE_PAGES)
}

/// Says whether a quota may limit huge pages by a name (`IsQuotaHugePageResourceName`).
pub(super) fn is_quota_huge_pages(name: &str) -> bool {
    is_huge_pages(name) || name.starts_with(REQUESTED_HUGE_PAGES)
}

/// Says whether a name is given out in whole numbers (`IsIntegerResourceName`).
pub(super) fn is_integer(name: &str) -> bool {
    COUNTS.contains(&name) || is_extended(name)
}

/// Says whether the pods of a node may ask for less than they are allowed to use
/// (`IsOvercommitAllowed`).
pub(super) fn may_overcommit(name: &str) -> bool {
    is_native(name) && !is_huge_pages(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_containers() {
        for name in ["cpu", "memory", "hugepages-2Mi", "nvidia.com/gpu", "kubernetes.io/batteries"]
        {
            assert_eq!(container_resource_name(name), None, "{name}");
        }
        let long = format!("{}.com/a", "a".repeat(246));
        for name in ["", "gpu", "pods", "requests.cpu", "cpu ", "requests.a.com/b", "a/b/c", &long]
        {
            assert!(container_resource_name(name).is_some(), "{name}");
        }
        assert_eq!(resource_name("pods"), None);
    }

    #[test]
    fn huge_pages_come_whole() {
        let whole = |name, amount: &str| is_whole_pages(name, &amount.parse().unwrap());
        assert!(whole("hugepages-2Mi", "4Mi"));
        assert!(!whole("hugepages-2Mi", "3Mi"));
        assert!(!whole("hugepages-0", "1"));
        assert!(!whole("hugepages-big", "1"));
    }

    #[test]
    fn extended_resources_come_whole() {
        assert!(is_integer("nvidia.com/gpu") && !is_integer("cpu"));
        assert!(is_whole(&"2000m".parse().unwrap()));
        assert!(!is_whole(&"500m".parse().unwrap()));
    }
}
