//! Endpoints and `EndpointSlices`.

use std::collections::BTreeSet;

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::forms::INVALID;
use super::rule::Rule;
use super::service::ports::{self, PORT};
use super::shared::{DUPLICATE, MISSING};
use super::{ip, selector};
use crate::naming;

const SLICES: &str = "discovery.k8s.io";

pub(super) const KINDS: &[Kind] = &[
    Kind { group: "", name: "Endpoints", validate, update: None },
    Kind { group: SLICES, name: "EndpointSlice", validate: slice, update: Some(slice_update) },
];

pub(super) const RULES: &[&Rule] = &[&TOO_MANY];

const TOO_MANY: Rule = Rule::new(
    "api/too-many-endpoints",
    "EndpointSlice or one of its endpoints is too large",
    "A slice holds at most 1000 endpoints, an endpoint at most 100 addresses and 8 hints.",
    "spread the endpoints over several slices",
    &["validateEndpoints", "validatePorts", "validateHints"],
);

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let subsets = object.get("subsets");
    if cx.old.is_some_and(|it| it.get("subsets").equals(subsets)) {
        return;
    }
    for subset in subsets.items() {
        if subset.get("addresses").is_empty() && subset.get("notReadyAddresses").is_empty() {
            cx.required(&MISSING, subset, "it has `addresses` or `notReadyAddresses`");
        }
        for key in ["addresses", "notReadyAddresses"] {
            for address in subset.get(key).items() {
                check_address(cx, address);
            }
        }
        let ports = subset.get("ports");
        for port in ports.items() {
            check_port(cx, port, ports.len() > 1);
        }
    }
}

fn check_address<'a>(cx: &mut Cx<'a>, address: Field<'a>) {
    let ip = address.get("ip");
    if ip::check_address(cx, ip, None) {
        ip::check_endpoint(cx, ip);
        if cx.minor >= 33 {
            ip::warn_address(cx, ip);
        }
    }
    cx.name_if_any(address.get("hostname"), naming::dns_label);
    cx.name(address.get("nodeName"), naming::dns_subdomain);
}

fn check_port<'a>(cx: &mut Cx<'a>, port: Field<'a>, several: bool) {
    let name = port.get("name");
    if several && name.is_empty() {
        cx.required(&MISSING, name, "where there are several ports each needs a name");
    }
    if let Some(wrong) = naming::dns_label(name.text())
        && !name.is_empty()
    {
        cx.invalid(&PORT, name, wrong);
    }
    ports::check_number(cx, port.get("port"));
    cx.name(port.get("appProtocol"), naming::qualified_name);
}

fn slice<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let ports = object.get("ports");
    if ports.len() > 20_000 {
        cx.too_long(&TOO_MANY, ports, 20_000, "items");
        return;
    }
    let mut names = BTreeSet::new();
    for port in ports.items() {
        let name = port.get("name");
        if let Some(wrong) = naming::dns_label(name.text())
            && !name.is_empty()
        {
            cx.invalid(&PORT, name, wrong);
        }
        if !names.insert(name.text()) {
            cx.duplicate(&PORT, name);
        }
        cx.name(port.get("appProtocol"), naming::qualified_name);
        if port.get("protocol").exists() {
            cx.not_blank(port.get("protocol"), &["SCTP", "TCP", "UDP"]);
        }
    }
    let kind = object.get("addressType");
    if kind.is_empty() && cx.object.version() == "v1" {
        cx.require(kind);
    }
    let endpoints = object.get("endpoints");
    if cx.old.is_some_and(|it| it.get("endpoints").equals(endpoints)) {
        return;
    }
    if endpoints.len() > 1000 {
        cx.too_long(&TOO_MANY, endpoints, 1000, "items");
        return;
    }
    for endpoint in endpoints.items() {
        check_endpoint(cx, endpoint, kind.text());
    }
}

fn check_endpoint<'a>(cx: &mut Cx<'a>, endpoint: Field<'a>, kind: &str) {
    let addresses = endpoint.get("addresses");
    if addresses.is_empty() {
        cx.required(&MISSING, addresses, "an endpoint has at least one address");
    } else if addresses.len() > 100 {
        cx.too_long(&TOO_MANY, addresses, 100, "items");
    }
    for address in addresses.items() {
        check_typed_address(cx, address, addresses, kind);
    }
    cx.name(endpoint.get("nodeName"), naming::dns_subdomain);
    cx.name(endpoint.get("hostname"), naming::dns_label);
    // The newer version drops what the field holds; `topology` is that of the older one.
    let topology = endpoint.get("topology");
    if topology.len() > 16 {
        cx.too_long(&TOO_MANY, topology, 16, "entries");
        cx.named(endpoint.get("deprecatedTopology"));
    }
    selector::check_labels(cx, &INVALID, topology);
    check_hints(cx, endpoint.at(&["hints", "forZones"]), naming::label_value);
    check_hints(cx, endpoint.at(&["hints", "forNodes"]), naming::dns_subdomain);
}

fn check_typed_address<'a>(cx: &mut Cx<'a>, address: Field<'a>, all: Field<'a>, kind: &str) {
    let is_v6 = ip::address(address.text()).map(|it| it.to_canonical().is_ipv6());
    match (kind, is_v6) {
        ("IPv4", Some(true)) => {
            cx.invalid(&ip::ADDRESS, address, "must be an address of IPv4");
            cx.named(all);
        }
        ("IPv6", Some(false)) => {
            cx.invalid(&ip::ADDRESS, address, "must be an address of IPv6");
            cx.named(all);
        }
        ("IPv4", _) if ip::check_address(cx, address, None) => ip::check_endpoint(cx, address),
        ("IPv6", None) => {
            ip::check_address(cx, address, None);
        }
        // Newer servers insist on the canonical form.
        ("IPv6", _) if cx.minor >= 33 => {
            ip::check_canonical_address(cx, address);
            ip::check_endpoint(cx, address);
        }
        ("IPv6", _) => ip::check_endpoint(cx, address),
        ("FQDN", _) => {
            cx.require_name(address, naming::fully_qualified_domain_name);
        }
        _ => {}
    }
}

fn check_hints<'a>(cx: &mut Cx<'a>, hints: Field<'a>, form: fn(&str) -> naming::Wrong) {
    if hints.len() > 8 {
        cx.too_long(&TOO_MANY, hints, 8, "items");
        return;
    }
    let mut seen = BTreeSet::new();
    for name in hints.items().map(|it| it.get("name")) {
        if !seen.insert(name.text()) {
            cx.duplicate(&DUPLICATE, name);
        }
        cx.name(name, form);
    }
}

fn slice_update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    cx.unchanged(new.get("addressType"), old.get("addressType"));
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_refused, assert_update};

    #[test]
    fn endpoints_can_be_reached() {
        let endpoints = |subset: &str| {
            format!(
                "apiVersion: v1\nkind: Endpoints\nmetadata: {{name: a}}\nsubsets: [{{{subset}}}]\n"
            )
        };
        assert_clean(&endpoints("addresses: [{ip: 10.0.0.1}], ports: [{port: 80}]"));
        assert_refused(&endpoints(""), &["subsets[0]"]);
        for ip in ["127.0.0.1", "169.254.0.1", "0.0.0.0", "224.0.0.1", "a"] {
            assert_refused(
                &endpoints(&format!("addresses: [{{ip: {ip}}}]")),
                &["subsets[0].addresses[0].ip"],
            );
        }
        assert_refused(
            &endpoints("addresses: [{ip: 10.0.0.1}], ports: [{port: 0}, {port: 1, name: a}]"),
            &["subsets[0].ports[0].name", "subsets[0].ports[0].port"],
        );
    }

    #[test]
    fn slices_hold_one_type_of_addresses() {
        let slice = |kind: &str, address: &str| {
            format!(
                "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{name: a}}\naddressType: {kind}\nendpoints: [{{addresses: ['{address}']}}]\n"
            )
        };
        assert_clean(&slice("IPv4", "10.0.0.1"));
        assert_clean(&slice("IPv6", "2001:db8::1"));
        assert_clean(&slice("FQDN", "a.b"));
        assert_refused(&slice("IPv4", "2001:db8::1"), &["endpoints[0].addresses"]);
        assert_refused(&slice("IPv6", "2001:DB8::1"), &["endpoints[0].addresses[0]"]);
        assert_update(&slice("IPv4", "10.0.0.1"), &slice("FQDN", "a.b"), &["addressType"]);
    }
}
