//! `ServiceCIDRs` and `IPAddresses`: where the addresses of Services come from.

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::forms::{IMMUTABLE, INVALID};
use super::ip;
use super::rule::Rule;
use super::shared::MISSING;
use crate::naming;

const GROUP: &str = "networking.k8s.io";

pub(super) const KINDS: &[Kind] = &[
    Kind { group: GROUP, name: "ServiceCIDR", validate, update: Some(update) },
    Kind { group: GROUP, name: "IPAddress", validate: address, update: Some(address_update) },
];

pub(super) const RULES: &[&Rule] = &[];

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let ranges = object.at(&["spec", "cidrs"]);
    if ranges.is_empty() {
        cx.required(&MISSING, ranges, "at least one range is needed");
        return;
    }
    if ranges.len() > 2 {
        cx.invalid(&INVALID, ranges, "must hold at most two ranges");
        return;
    }
    for range in ranges.items() {
        ip::check_canonical_range(cx, range);
    }
    let mut families = ranges.items().map(|it| ip::range(it.text()).map(ip::Range::is_v6));
    if let (Some(Some(one)), Some(Some(two))) = (families.next(), families.next())
        && one == two
    {
        cx.invalid(&INVALID, ranges, "must hold one range of each family of addresses");
    }
}

fn update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let way = ["spec", "cidrs"];
    let (ranges, old_ranges) = (new.at(&way), old.at(&way));
    let grows = ranges.len() == 2 && old_ranges.len() == 1 && cx.minor >= 33;
    if ranges.len() != old_ranges.len() && !grows {
        cx.immutable(&IMMUTABLE, ranges);
        return;
    }
    for (range, old) in ranges.items().zip(old_ranges.items()) {
        cx.unchanged(range, old);
    }
}

fn address<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let parent = object.at(&["spec", "parentRef"]);
    if !parent.exists() {
        cx.required(&MISSING, parent, "");
        return;
    }
    cx.name_if_any(parent.get("group"), naming::dns_subdomain);
    cx.require_name(parent.get("resource"), naming::path_segment);
    cx.require_name(parent.get("name"), naming::path_segment);
    cx.name_if_any(parent.get("namespace"), naming::path_segment);
}

fn address_update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let way = ["spec", "parentRef"];
    cx.unchanged(new.at(&way), old.at(&way));
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_refused, assert_update};

    fn cidr(ranges: &str) -> String {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: {{name: a}}\nspec: {{cidrs: [{ranges}]}}\n"
        )
    }

    #[test]
    fn one_range_of_each_family() {
        assert_clean(&cidr("10.0.0.0/8, '2001:db8::/64'"));
        assert_refused(&cidr(""), &["spec.cidrs"]);
        assert_refused(&cidr("10.0.0.0/8, 11.0.0.0/8"), &["spec.cidrs"]);
        assert_refused(&cidr("'2001:DB8::/64'"), &["spec.cidrs[0]"]);
    }

    #[test]
    fn ranges_stay_and_a_second_may_come() {
        assert_update(&cidr("10.0.0.0/8"), &cidr("10.0.0.0/8, '2001:db8::/64'"), &[]);
        assert_update(&cidr("10.0.0.0/8"), &cidr("11.0.0.0/8"), &["spec.cidrs[0]"]);
    }
}
