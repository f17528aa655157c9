//! The addresses of a Service within the cluster.

use std::collections::BTreeSet;

use super::Type;
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::ip;
use crate::check::api::rule::Rule;
use crate::check::api::shared::DUPLICATE;

pub(super) const CLUSTER_IP: Rule = Rule::new(
    "api/invalid-cluster-ip",
    "Addresses within the cluster that a Service cannot have",
    "`clusterIP` is `None`, or an address, and the first of `clusterIPs`; a second one is of the \
     other family of addresses. Services of type `NodePort` and `LoadBalancer` need an address.",
    "leave `clusterIP` and `clusterIPs` out: the server picks an address",
    &["ValidateServiceClusterIPsRelatedFields"],
);

pub(super) const CLUSTER_IP_CHANGED: Rule = Rule::new(
    "api/cluster-ip-changed",
    "Address of a Service within the cluster changes",
    "Clients hold on to the address of a Service, so it stays until the Service is deleted. A \
     Service does not become headless either.",
    "give the changed Service a new name, or delete the old one first",
    &["validateUpgradeDowngradeClusterIPs", "validateUpgradeDowngradeIPFamilies"],
);

pub(super) const FAMILIES: Rule = Rule::new(
    "api/invalid-ip-family",
    "Families of addresses that contradict the policy or the addresses",
    "A Service with two addresses or two families is not `SingleStack`, and each address is of the \
     family at the same place in the list.",
    "make `ipFamilies`, `ipFamilyPolicy` and `clusterIPs` agree",
    &["ValidateServiceClusterIPsRelatedFields", "initIPFamilyFields"],
);

const NONE: &str = "None";

/// The addresses that the server works with: those of `clusterIPs`, or the one of `clusterIP`.
fn addresses(spec: Field<'_>) -> Vec<Field<'_>> {
    let (one, all) = (spec.get("clusterIP"), spec.get("clusterIPs"));
    if all.is_empty() {
        if one.is_empty() { Vec::new() } else { vec![one] }
    } else {
        all.items().collect()
    }
}

/// Says whether a Service has no address of its own.
pub(super) fn is_headless(spec: Field<'_>) -> bool {
    matches!(addresses(spec).as_slice(), [only] if only.text() == NONE)
}

/// Says the same of a Service that keeps the address which it had where it names none.
pub(super) fn stays_headless(spec: Field<'_>, old: Option<Field<'_>>) -> bool {
    let kept = || {
        addresses(spec).is_empty()
            && old.is_some_and(|it| Type::of(it) != Type::ExternalName && is_headless(it))
    };
    is_headless(spec) || kept()
}

pub(super) fn check<'a>(cx: &mut Cx<'a>, spec: Field<'a>, kind: Type, old: Option<Field<'a>>) {
    let (one, all) = (spec.get("clusterIP"), spec.get("clusterIPs"));
    let addresses = addresses(spec);
    if stays_headless(spec, old) && matches!(kind, Type::NodePort | Type::LoadBalancer) {
        let kind = spec.get("type").text();
        let problem = format!("is `None`, which is not for Services of type `{kind}`");
        cx.invalid(&CLUSTER_IP, addresses.first().copied().unwrap_or(one), &problem);
        name(cx, all, 0);
    }
    if !all.is_empty() {
        if one.is_empty() && old.is_none_or(|it| it.get("clusterIP").is_empty()) {
            cx.invalid(&CLUSTER_IP, all, "must be empty where `clusterIP` is not set");
        } else if !one.is_empty() && addresses.first().is_some_and(|it| it.text() != one.text()) {
            cx.invalid(&CLUSTER_IP, all, "must begin with the value of `clusterIP`");
        }
    }
    if spec.get("ipFamilyPolicy").exists() {
        let policies = &["PreferDualStack", "RequireDualStack", "SingleStack"];
        cx.not_blank(spec.get("ipFamilyPolicy"), policies);
    }
    let mut seen = BTreeSet::new();
    for family in spec.get("ipFamilies").items() {
        cx.not_blank(family, &["IPv4", "IPv6"]);
        if !seen.insert(family.text()) {
            cx.duplicate(&DUPLICATE, family);
        }
    }
    if check_each(cx, all, &addresses, old) {
        check_together(cx, spec, &addresses);
    }
}

/// The server knows only the list, at whose place the single address stands.
fn name<'a>(cx: &mut Cx<'a>, all: Field<'a>, at: usize) {
    cx.named(all.index(at));
}

/// Says whether every address is one.
fn check_each<'a>(
    cx: &mut Cx<'a>,
    all: Field<'a>,
    addresses: &[Field<'a>],
    old: Option<Field<'a>>,
) -> bool {
    let old = old.map(self::addresses).unwrap_or_default();
    let mut right = true;
    for (at, address) in addresses.iter().copied().enumerate() {
        let text = address.text();
        if at == 0 && text == NONE {
            if addresses.len() > 1 {
                cx.invalid(&CLUSTER_IP, all, "must hold nothing else where it holds `None`");
                right = false;
            }
            continue;
        }
        if old.iter().any(|it| it.text() == text) {
            continue;
        }
        if let Some(wrong) = ip::wrong_address(cx.minor, text) {
            cx.invalid(&ip::ADDRESS, address, wrong);
            name(cx, all, at);
            right = false;
        } else {
            ip::warn_address(cx, address);
        }
    }
    if addresses.len() > 2 {
        cx.invalid(&CLUSTER_IP, all, "must hold at most two addresses");
    }
    right
}

fn check_together<'a>(cx: &mut Cx<'a>, spec: Field<'a>, addresses: &[Field<'a>]) {
    let all = spec.get("clusterIPs");
    let is_v6 =
        |field: Field<'a>| ip::address(field.text()).is_some_and(|it| it.to_canonical().is_ipv6());
    if addresses.len() > 1 {
        let sixes = addresses.iter().filter(|it| is_v6(**it)).count();
        if sixes == 0 || sixes == addresses.len() {
            cx.invalid(&CLUSTER_IP, all, "must hold one address of each family");
        }
    }
    let families = spec.get("ipFamilies");
    if !is_headless(spec) {
        for (at, (address, family)) in addresses.iter().copied().zip(families.items()).enumerate() {
            let wanted = match family.text() {
                "IPv4" => false,
                "IPv6" => true,
                _ => continue,
            };
            if is_v6(address) != wanted {
                let problem = format!("is not of the family `{}`", family.text());
                cx.invalid(&FAMILIES, address, &problem);
                name(cx, all, at);
            }
        }
    }
    let policy = spec.get("ipFamilyPolicy");
    if policy.text() == "SingleStack" {
        for (count, what) in [(addresses.len(), "addresses"), (families.len(), "families")] {
            if count == 2 {
                cx.invalid(&FAMILIES, policy, &format!("contradicts the two {what}"));
            }
        }
    }
}

/// Checks that the addresses of old stay, whatever of them is written.
pub(super) fn check_update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    if Type::of(new) == Type::ExternalName || Type::of(old) == Type::ExternalName {
        return;
    }
    let (now, before) = (addresses(new), addresses(old));
    let was_headless = is_headless(old);
    if now.is_empty() || (was_headless && is_headless(new)) {
        return;
    }
    let all = new.get("clusterIPs");
    // A Service that was given its address by the server has one, though no manifest names it.
    let changes =
        before.first().is_none_or(|it| Some(it.text()) != now.first().map(|it| it.text()));
    if let Some(first) = now.first().copied()
        && changes
    {
        cx.immutable(&CLUSTER_IP_CHANGED, first);
        name(cx, all, 0);
    }
    if let (Some(second), Some(earlier)) = (now.get(1).copied(), before.get(1))
        && second.text() != earlier.text()
    {
        cx.immutable(&CLUSTER_IP_CHANGED, second);
        name(cx, all, 1);
    }
    if was_headless || is_headless(new) {
        return;
    }
    let (families, old_families) = (new.get("ipFamilies"), old.get("ipFamilies"));
    let same = |at| {
        let text = |families: Field<'a>| families.items().nth(at).map(Field::text);
        text(families) == text(old_families)
    };
    if !families.is_empty() && !old_families.is_empty() {
        let both = families.len() == 2 && old_families.len() == 2;
        if !same(0) || (both && !same(1)) {
            cx.immutable(&CLUSTER_IP_CHANGED, families);
            cx.named(families.index(0));
        }
    }
}
