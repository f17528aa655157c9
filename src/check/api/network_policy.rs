//! `NetworkPolicies`.

use std::collections::BTreeSet;

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::forms::INVALID;
use super::rule::Rule;
use super::service::ports;
use super::shared::MISSING;
use super::{ip, selector};

pub(super) const KINDS: &[Kind] = &[
    Kind { group: "networking.k8s.io", name: "NetworkPolicy", validate, update: None },
    Kind { group: "extensions", name: "NetworkPolicy", validate, update: None },
];

pub(super) const RULES: &[&Rule] = &[&PEER, &PORTS];

const PEER: Rule = Rule::new(
    "api/invalid-network-peer",
    "Peer of a NetworkPolicy that is nobody, or two things at once",
    "A peer is chosen by selectors or by a block of addresses, never by both. Blocks that are left \
     out lie within the block.",
    "write a selector or an `ipBlock`; make two peers of the two",
    &["ValidateNetworkPolicyPeer", "ValidateIPBlock"],
);

const PORTS: Rule = Rule::new(
    "api/invalid-network-ports",
    "Range of ports of a NetworkPolicy that is none",
    "`endPort` ends a range that a number in `port` begins.",
    "write the first port of the range as a number in `port`",
    &["ValidateNetworkPolicyPort"],
);

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    let old = cx.old.map(|it| it.get("spec"));
    let keeps = old.is_some_and(|it| selector::has_invalid_value(it.get("podSelector")));
    let old_ranges = old.map(ranges).unwrap_or_default();
    selector::check_leniently(cx, spec.get("podSelector"), keeps);
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for rule in spec.get(direction).items() {
            for port in rule.get("ports").items() {
                check_ports(cx, port);
            }
            for peer in rule.get(peers).items() {
                check_peer(cx, peer, keeps, &old_ranges);
            }
        }
    }
    let types = spec.get("policyTypes");
    if types.len() > 2 {
        cx.invalid(&INVALID, types, "must hold at most two values");
        return;
    }
    for kind in types.items() {
        cx.not_blank(kind, &["Ingress", "Egress"]);
    }
}

/// Returns all ranges of a policy, which may stay anywhere in it.
fn ranges(spec: Field<'_>) -> BTreeSet<&str> {
    let mut ranges = BTreeSet::new();
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        let rules = spec.get(direction).items();
        for block in rules.flat_map(|it| it.get(peers).items()).map(|it| it.get("ipBlock")) {
            ranges.extend(block.get("cidr").str());
            ranges.extend(block.get("except").items().filter_map(Field::str));
        }
    }
    ranges
}

fn check_ports<'a>(cx: &mut Cx<'a>, item: Field<'a>) {
    let (port, end) = (item.get("port"), item.get("endPort"));
    if item.get("protocol").exists() {
        cx.not_blank(item.get("protocol"), &["TCP", "UDP", "SCTP"]);
    }
    ports::check_number_or_name(cx, port);
    let Some(last) = end.int() else { return };
    match port.int() {
        Some(first) => {
            if last < first {
                cx.invalid(&PORTS, end, "must not be less than `port`");
            }
            ports::check_number(cx, end);
        }
        None if port.exists() => cx.forbidden(&PORTS, end, "beside a `port` that is a name"),
        None => cx.forbidden(&PORTS, end, "without `port`"),
    }
}

fn check_peer<'a>(cx: &mut Cx<'a>, peer: Field<'a>, keeps: bool, old: &BTreeSet<&str>) {
    let block = peer.get("ipBlock");
    let selectors = [peer.get("podSelector"), peer.get("namespaceSelector")];
    for selector in selectors {
        selector::check_leniently(cx, selector, keeps);
    }
    let chosen = selectors.iter().any(|it| it.exists());
    if block.exists() {
        check_block(cx, block, old);
        if chosen {
            cx.invalid(&PEER, peer, "must not have selectors beside `ipBlock`");
        }
    } else if !chosen {
        cx.required(&PEER, peer, "a peer has a selector or an `ipBlock`");
    }
}

fn check_block<'a>(cx: &mut Cx<'a>, block: Field<'a>, old: &BTreeSet<&str>) {
    let cidr = block.get("cidr");
    if cidr.is_empty() {
        cx.required(&MISSING, cidr, "");
        return;
    }
    check_range(cx, cidr, old);
    let Some(range) = ip::range(cidr.text()) else { return };
    for except in block.get("except").items() {
        check_range(cx, except, old);
        if ip::range(except.text()).is_some_and(|it| !range.is_wider_than(it)) {
            cx.invalid(&PEER, except, "must lie within `cidr`, and be smaller");
        }
    }
}

fn check_range<'a>(cx: &mut Cx<'a>, range: Field<'a>, old: &BTreeSet<&str>) {
    match ip::wrong_range(cx.minor, range.text()) {
        Some(wrong) if !range.exists() || !old.contains(range.text()) => {
            cx.invalid(&ip::RANGE, range, wrong);
        }
        // The server warns of ranges from 1.33 on.
        _ if cx.minor >= 33 => ip::warn_range(cx, range),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_one, assert_refused, assert_update};

    fn policy(rule: &str) -> String {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: a}}\nspec: {{podSelector: {{}}, ingress: [{{{rule}}}]}}\n"
        )
    }

    #[test]
    fn a_peer_is_one_thing() {
        assert_clean(&policy("from: [{podSelector: {}, namespaceSelector: {}}]"));
        assert_refused(&policy("from: [{}]"), &["spec.ingress[0].from[0]"]);
        assert_refused(
            &policy("from: [{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]"),
            &["spec.ingress[0].from[0]"],
        );
    }

    #[test]
    fn blocks_hold_what_they_leave_out() {
        let block = "from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]";
        assert_clean(&policy(block));
        assert_one(
            &policy(&block.replace("10.1.0.0/16", "11.1.0.0/16")),
            "api/invalid-network-peer",
            "`11.1.0.0/16` in `spec.ingress[0].from[0].ipBlock.except[0]` must lie within `cidr`, and be smaller",
            "spec.ingress[0].from[0].ipBlock.except[0]",
            "11.1.0.0/16",
        );
        let odd = policy(&block.replace("10.0.0.0/8", "10.0.0.1/8"));
        assert_refused(&odd, &["spec.ingress[0].from[0].ipBlock.cidr"]);
        // It stays where it was, and is warned of.
        assert_update(&odd, &odd, &["spec.ingress[0].from[0].ipBlock.cidr"]);
    }

    #[test]
    fn ports_are_numbers_names_and_ranges() {
        assert_clean(&policy("ports: [{port: 80, endPort: 90}, {port: http}, {}]"));
        assert_refused(&policy("ports: [{port: 0}]"), &["spec.ingress[0].ports[0].port"]);
        for fields in ["port: 80, endPort: 79", "port: http, endPort: 90", "endPort: 90"] {
            assert_refused(
                &policy(&format!("ports: [{{{fields}}}]")),
                &["spec.ingress[0].ports[0].endPort"],
            );
        }
    }
}
