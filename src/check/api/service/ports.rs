//! The ports of a Service.

use std::collections::{BTreeMap, BTreeSet};

use super::Type;
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::rule::Rule;
use crate::check::api::shared::{DUPLICATE, MISSING};
use crate::document::{NodeKind, Scalar};
use crate::naming;

pub(in crate::check::api) const PORT: Rule = Rule::new(
    "api/invalid-port",
    "Port without a name or with an impossible number",
    "Numbers of ports lie between 1 and 65535. Where there are several ports each has a name of \
     its own, and a name that leads to a port of containers has at most 15 characters.",
    "mend the number or the name",
    &["validateServicePort", "ValidatePortNumOrName", "validateEndpointPort"],
);

pub(super) const NODE_PORT: Rule = Rule::new(
    "api/invalid-node-port",
    "Port of nodes that a Service cannot have",
    "Services of type `NodePort` and `LoadBalancer` open a port on every node. Each port of the \
     nodes serves one port of one Service.",
    "leave `nodePort` out: the server picks a free one",
    &["ValidateServiceCreate", "initNodePorts"],
);

pub(super) const NODE_PORT_RANGE: Rule = Rule::new(
    "api/node-port-range",
    "Port of nodes beyond the usual range",
    "Clusters open ports of nodes between 30000 and 32767, unless `--service-node-port-range` says \
     otherwise; beyond the range the server refuses the Service when it gives out the port.",
    "leave `nodePort` out: the server picks a free one",
    &["initNodePorts"],
)
.warning();

const NODE_PORTS: std::ops::RangeInclusive<i64> = 30_000..=32_767;

pub(super) fn check<'a>(cx: &mut Cx<'a>, spec: Field<'a>, kind: Type, old: Option<Field<'a>>) {
    let ports = spec.get("ports");
    let several = ports.len() > 1;
    let mut names = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut seen_on_nodes = BTreeSet::new();
    let wiped = kind == Type::ClusterIp && old.is_some_and(|it| keeps_node_ports(spec, it));
    for port in ports.items() {
        check_name(cx, port.get("name"), several, &mut names);
        check_number(cx, port.get("port"));
        check_target(cx, port.get("targetPort"));
        cx.name(port.get("appProtocol"), naming::qualified_name);
        let node_port = port.get("nodePort");
        let on_node = node_port.int().filter(|it| *it != 0);
        if on_node.is_some() && kind == Type::ClusterIp && !wiped {
            cx.forbidden(&NODE_PORT, node_port, "when the type is `ClusterIP`");
            cx.help("remove `nodePort`, or set `type: NodePort`");
        }
        if !several {
            continue;
        }
        let protocol = Some(port.get("protocol").text()).filter(|it| !it.is_empty());
        let protocol = protocol.unwrap_or("TCP");
        if on_node.is_some_and(|it| !seen_on_nodes.insert((protocol, it))) {
            cx.duplicate(&NODE_PORT, node_port);
        }
        if port.get("port").int().is_some_and(|it| !seen.insert((protocol, it))) {
            cx.invalid(&DUPLICATE, port, "has the number and the protocol of an earlier port");
        }
    }
    if matches!(kind, Type::NodePort | Type::LoadBalancer) {
        check_allocation(cx, ports);
    }
}

/// Says whether a Service has the node ports that it had before as another type: those are given
/// back with the type (`dropTypeDependentFields`).
fn keeps_node_ports(new: Field<'_>, old: Field<'_>) -> bool {
    let node_ports = |spec: Field<'_>| -> BTreeSet<i64> {
        let ports = spec.get("ports").items();
        ports.filter_map(|it| it.get("nodePort").int()).filter(|it| *it != 0).collect()
    };
    let had = match Type::of(old) {
        Type::NodePort => true,
        Type::LoadBalancer => old.get("allocateLoadBalancerNodePorts").bool() != Some(false),
        _ => false,
    };
    had && node_ports(new) == node_ports(old)
}

fn check_name<'a>(cx: &mut Cx<'a>, name: Field<'a>, required: bool, names: &mut BTreeSet<&'a str>) {
    if name.is_empty() {
        if required {
            cx.required(&MISSING, name, "where there are several ports each needs a name");
        }
        return;
    }
    if let Some(wrong) = naming::dns_label(name.text()) {
        cx.invalid(&PORT, name, wrong);
    }
    if !names.insert(name.text()) {
        cx.duplicate(&PORT, name);
    }
}

/// Checks the number of a port (`IsValidPortNum`).
pub(in crate::check::api) fn check_number<'a>(cx: &mut Cx<'a>, port: Field<'a>) {
    if port.int().is_some_and(|it| !(1..=65_535).contains(&it)) {
        cx.invalid(&PORT, port, "must be between 1 and 65535");
    }
}

/// Checks a number or the name of a port (`ValidatePortNumOrName`).
pub(in crate::check::api) fn check_number_or_name<'a>(cx: &mut Cx<'a>, port: Field<'a>) {
    check_number(cx, port);
    if let Some(wrong) = port.str().and_then(naming::port_name) {
        cx.invalid(&PORT, port, wrong);
        if port.text().parse::<u16>().is_ok() {
            cx.help("a number stands without quotes");
        }
    }
}

/// Nothing, `0` and an empty name stand for the port itself.
fn check_target<'a>(cx: &mut Cx<'a>, target: Field<'a>) {
    let stands_for_port = match target.node().map(|it| &it.kind) {
        Some(NodeKind::Scalar(Scalar::Int(number))) => *number == 0,
        Some(NodeKind::Scalar(Scalar::String(name))) => name.is_empty(),
        _ => true,
    };
    if !stands_for_port {
        check_number_or_name(cx, target);
    }
}

/// Warns of a port that clusters usually do not open on nodes.
pub(super) fn check_node_port_range<'a>(cx: &mut Cx<'a>, port: Field<'a>) {
    if port.int().is_some_and(|it| !NODE_PORTS.contains(&it)) {
        let problem = "is not between 30000 and 32767, where clusters open ports of nodes";
        cx.invalid(&NODE_PORT_RANGE, port, problem);
    }
}

/// Follows the way in which the server gives ports of nodes to the ports of a Service: ports of
/// the same number share one, whatever their protocol.
fn check_allocation<'a>(cx: &mut Cx<'a>, ports: Field<'a>) {
    let on_node = |port: Field<'a>| port.get("nodePort").int().filter(|it| *it != 0);
    let mut wanted = BTreeMap::new();
    for port in ports.items() {
        if let (Some(number), Some(node)) = (port.get("port").int(), on_node(port)) {
            wanted.entry(number).or_insert(node);
        }
    }
    let mut protocols = BTreeSet::new();
    let mut given = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for port in ports.items() {
        let Some(number) = port.get("port").int() else { continue };
        let Some(node) = on_node(port) else { continue };
        check_node_port_range(cx, port.get("nodePort"));
        let protocol = port.get("protocol").text();
        // The same protocol twice is told as a duplicate.
        let told = !protocols.insert((protocol, node));
        let first = !given.contains_key(&number);
        if first {
            given.insert(number, wanted.get(&number).copied().unwrap_or(node));
        }
        let shares = !first && given.get(&number) == Some(&node);
        if !shares && !taken.insert(node) && !told {
            cx.duplicate(&NODE_PORT, port.get("nodePort"));
        }
    }
}
