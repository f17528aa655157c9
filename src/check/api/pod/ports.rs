//! Ports of containers.

use super::{Spec, some_or};
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::rule::Rule;
use crate::check::api::seen::Seen;
use crate::naming;

pub(super) const RULES: &[&Rule] = &[&PORT, &HOST_PORT];

pub(super) const PORT: Rule = Rule::new(
    "api/invalid-container-port",
    "Port of a container that cannot be one",
    "Ports are numbers between 1 and 65535. Their names are short, have a letter, and tell the \
     ports of the container apart.",
    "mend the number or the name",
    &["validateContainerPorts", "IsValidPortName", "IsValidPortNum"],
);

const HOST_PORT: Rule = Rule::new(
    "api/host-port-conflict",
    "Port of the node that the pod cannot have",
    "Two containers of a pod cannot have the same port of the node, and in the network of the node \
     the port of the container is that of the node.",
    "choose another port, or leave `hostPort` out",
    &["checkHostPortConflicts", "validatePodHostNetworkDeps"],
);

const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];

/// What is said of a number that is no port.
pub(super) const NO_PORT: &str = "must be between 1 and 65535";

/// Says whether a number is a port.
pub(super) fn is_port(number: i64) -> bool {
    (1..=65535).contains(&number)
}

/// Looks at the ports of a container (`validateContainerPorts`).
pub(super) fn check<'a>(cx: &mut Cx<'a>, ports: Field<'a>) {
    let mut names = Seen::default();
    for port in ports.items() {
        let name = port.get("name");
        if !name.is_empty() {
            if let Some(wrong) = naming::port_name(name.text()) {
                cx.invalid(&PORT, name, wrong);
            } else if !names.insert(name.text()) {
                cx.duplicate(&PORT, name);
            }
        }
        let number = port.get("containerPort");
        match number.int() {
            Some(0) => cx.required(&PORT, number, "0 counts as missing"),
            Some(it) if !is_port(it) => cx.invalid(&PORT, number, NO_PORT),
            None if !number.exists() => cx.required(&PORT, number, ""),
            _ => {}
        }
        let host = port.get("hostPort");
        if host.int().is_some_and(|it| it != 0 && !is_port(it)) {
            cx.invalid(&PORT, host, NO_PORT);
        }
        cx.one_of_if_any(port.get("protocol"), PROTOCOLS);
    }
}

/// Says whether the server fills in the port of the node for a pod in the node's network.
fn fills_in(cx: &Cx<'_>, spec: &Spec<'_>) -> bool {
    spec.host_network && (spec.is_pod || cx.minor < 28)
}

/// Looks for ports of the node that are taken twice (`checkHostPortConflicts`).
pub(super) fn check_unique<'a>(
    cx: &mut Cx<'a>,
    spec: &Spec<'a>,
    containers: impl Iterator<Item = Field<'a>>,
) {
    let fill = fills_in(cx, spec);
    let mut taken = Seen::default();
    for port in containers.flat_map(|it| it.get("ports").items()) {
        let host = port.get("hostPort");
        let mut number = host.int().unwrap_or_default();
        if number == 0 && fill {
            number = port.get("containerPort").int().unwrap_or_default();
        }
        if number == 0 {
            continue;
        }
        let protocol = some_or(port.get("protocol"), "TCP");
        if !taken.insert((protocol, port.get("hostIP").text(), number)) {
            let problem = "is taken by another port of the pod";
            if host.exists() {
                cx.invalid(&HOST_PORT, host, problem);
            } else {
                cx.invalid(&HOST_PORT, port.get("containerPort"), problem);
                cx.named(host);
            }
        }
    }
}

/// In the network of the node both ports are one (`validatePodHostNetworkDeps`).
pub(super) fn check_host_network<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>) {
    if !spec.host_network {
        return;
    }
    for port in spec.field.get("containers").items().flat_map(|it| it.get("ports").items()) {
        let host = port.get("hostPort");
        let own = port.get("containerPort").int().unwrap_or_default();
        if host.int().is_some_and(|it| it != 0 && it != own) {
            cx.invalid(&HOST_PORT, host, "must be `containerPort` in the network of the node");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_containers, assert_one, assert_refused, container};

    #[test]
    fn ports_are_numbers_with_short_names() {
        assert_containers(&[
            ("ports: [{containerPort: 80, name: http}]", &[]),
            ("ports: [{name: http}]", &["ports[0].containerPort"]),
            ("ports: [{containerPort: 70000}]", &["ports[0].containerPort"]),
            ("ports: [{containerPort: 80, name: '80'}]", &["ports[0].name"]),
            ("ports: [{containerPort: 80, protocol: tcp}]", &["ports[0].protocol"]),
            ("ports: [{containerPort: 80, hostPort: -1}]", &["ports[0].hostPort"]),
        ]);
        assert_one(
            &container("ports: [{containerPort: 0}]"),
            "api/invalid-container-port",
            "`spec.containers[c].ports[0].containerPort` is empty: 0 counts as missing",
            "spec.containers[0].ports[0].containerPort",
            "0",
        );
    }

    #[test]
    fn the_node_has_each_port_once() {
        let pod = |network: bool, second: &str| {
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  \
                 hostNetwork: {network}\n  containers:\n  \
                 - {{name: c, image: i, ports: [{{containerPort: 80, hostPort: 80}}]}}\n  \
                 - {{name: d, image: i, ports: [{second}]}}\n"
            )
        };
        assert_refused(&pod(false, "{containerPort: 81, hostPort: 80, protocol: UDP}"), &[]);
        let conflict = ["spec.containers[1].ports[0].hostPort"];
        assert_refused(&pod(false, "{containerPort: 81, hostPort: 80}"), &conflict);
        assert_refused(&pod(true, "{containerPort: 81, hostPort: 82}"), &conflict);
    }
}
