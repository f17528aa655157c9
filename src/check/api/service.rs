//! Services.

mod addresses;
pub(super) mod ports;

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::forms::{IMMUTABLE, INVALID};
use super::rule::Rule;
use super::shared::UNSUPPORTED;
use super::{ip, selector};
use crate::naming;

pub(super) const KINDS: &[Kind] =
    &[Kind { group: "", name: "Service", validate, update: Some(update) }];

pub(super) const RULES: &[&Rule] = &[
    &ports::PORT,
    &ports::NODE_PORT,
    &ports::NODE_PORT_RANGE,
    &addresses::CLUSTER_IP,
    &addresses::CLUSTER_IP_CHANGED,
    &addresses::FAMILIES,
    &TRAFFIC_POLICY,
    &LOAD_BALANCER,
    &EXTERNAL_NAME,
    &WITHOUT_EFFECT,
    &OLD_HINTS,
];

const TRAFFIC_POLICY: Rule = Rule::new(
    "api/invalid-traffic-policy",
    "Traffic policy that a Service cannot have",
    "`externalTrafficPolicy` needs a Service that can be reached from outside, and \
     `healthCheckNodePort` one of type `LoadBalancer` whose policy is `Local`.",
    "remove the field, or change the type of the Service",
    &["validateServiceExternalTrafficPolicy", "validateServiceTrafficDistribution"],
);

const LOAD_BALANCER: Rule = Rule::new(
    "api/load-balancer-field",
    "Field of load balancers on another type of Service",
    "`loadBalancerClass`, `loadBalancerSourceRanges` and `allocateLoadBalancerNodePorts` are only \
     for Services of type `LoadBalancer`.",
    "remove the field, or set `type: LoadBalancer`",
    &["ValidateServiceCreate", "validateLoadBalancerClassField"],
);

const EXTERNAL_NAME: Rule = Rule::new(
    "api/invalid-external-name",
    "Service of type ExternalName that names no host",
    "A Service of type `ExternalName` is an alias in DNS: it names a host, and has no addresses of \
     its own.",
    "write the name of a host, without a scheme, a port or a path",
    &["ValidateServiceCreate"],
);

const WITHOUT_EFFECT: Rule = Rule::new(
    "api/ignored-service-field",
    "Field of a Service that has no effect",
    "The server stores the field and warns, because no component looks at it here.",
    "remove the field, or change the type of the Service",
    &["GetWarningsForService"],
)
.warning();

const OLD_HINTS: Rule = Rule::new(
    "api/old-traffic-field",
    "Field or value of a Service that has a successor",
    "The server takes the old way of saying it and warns.",
    "use what the message names",
    &["GetWarningsForService"],
)
.warning();

const HINTS: &str = "service.kubernetes.io/topology-aware-hints";
const TOPOLOGY_MODE: &str = "service.kubernetes.io/topology-mode";
const SOURCE_RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
/// The longest that a client may stick to an endpoint: a day.
const LONGEST_AFFINITY: i64 = 86_400;

/// Where the fields of load balancers must not be set.
const OTHER_TYPE: &str = "unless the type is `LoadBalancer`";

/// What the type of a Service means for its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    ClusterIp,
    NodePort,
    LoadBalancer,
    ExternalName,
    /// The schema refuses it.
    Unknown,
}

impl Type {
    fn of(spec: Field<'_>) -> Self {
        match spec.get("type").text() {
            "" | "ClusterIP" => Self::ClusterIp,
            "NodePort" => Self::NodePort,
            "LoadBalancer" => Self::LoadBalancer,
            "ExternalName" => Self::ExternalName,
            _ => Self::Unknown,
        }
    }
}

/// Says whether the Service can be reached from outside (`ExternallyAccessible`).
fn is_reachable(minor: u32, spec: Field<'_>) -> bool {
    match Type::of(spec) {
        Type::LoadBalancer | Type::NodePort => true,
        // Addresses from outside count from 1.26 on.
        Type::ClusterIp => minor >= 26 && !spec.get("externalIPs").is_empty(),
        Type::ExternalName | Type::Unknown => false,
    }
}

/// Says whether load balancers ask nodes for the health of the Service (`NeedsHealthCheck`).
fn is_health_checked(spec: Field<'_>) -> bool {
    Type::of(spec) == Type::LoadBalancer && spec.get("externalTrafficPolicy").text() == "Local"
}

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    let kind = Type::of(spec);
    let old = cx.old.map(|it| it.get("spec"));
    let annotations = object.at(&["metadata", "annotations"]);
    check_hints(cx, annotations);
    let headless = addresses::stays_headless(spec, old);
    if spec.get("ports").is_empty() && !headless && kind != Type::ExternalName {
        cx.require(spec.get("ports"));
    }
    if kind == Type::ExternalName {
        check_external_name(cx, spec, old);
    } else {
        addresses::check(cx, spec, kind, old);
    }
    ports::check(cx, spec, kind, old);
    selector::check_labels(cx, &selector::SELECTOR, spec.get("selector"));
    if spec.get("sessionAffinity").text() == "ClientIP" {
        let timeout = spec.at(&["sessionAffinityConfig", "clientIP", "timeoutSeconds"]);
        cx.between(timeout, 1, LONGEST_AFFINITY);
    }
    let old_addresses = old.map(|it| it.get("externalIPs"));
    for address in spec.get("externalIPs").items() {
        if ip::check_address(cx, address, old_addresses) {
            ip::check_endpoint(cx, address);
        }
    }
    check_load_balancer(cx, spec, kind, annotations);
    check_policies(cx, spec, kind, old);
    warn(cx, spec, kind, annotations, headless);
}

/// The two annotations of one meaning agree; the newer one is known from 1.27 on.
fn check_hints<'a>(cx: &mut Cx<'a>, annotations: Field<'a>) {
    let (old, new) = (annotations.get(HINTS), annotations.get(TOPOLOGY_MODE));
    let both = annotations.has_key(HINTS) && annotations.has_key(TOPOLOGY_MODE);
    if cx.minor >= 27 && both && old.text() != new.text() {
        cx.invalid(&INVALID, new, &format!("must be the same as that of the annotation `{HINTS}`"));
    }
}

fn check_external_name<'a>(cx: &mut Cx<'a>, spec: Field<'a>, old: Option<Field<'a>>) {
    let was_inside = old.filter(|it| Type::of(*it) != Type::ExternalName);
    // What the Service had as another type and did not change is dropped with the type.
    let dropped = |key| was_inside.is_some_and(|it| spec.get(key).equals(it.get(key)));
    let same_addresses = dropped("clusterIP") && dropped("clusterIPs");
    for key in ["clusterIP", "clusterIPs"] {
        let field = spec.get(key);
        if !field.is_empty() && !same_addresses {
            cx.forbidden(&EXTERNAL_NAME, field, "when the type is `ExternalName`");
            cx.named(spec.get("clusterIPs"));
            break;
        }
    }
    for key in ["ipFamilies", "ipFamilyPolicy"] {
        let field = spec.get(key);
        if !field.is_empty() && !dropped(key) {
            cx.forbidden(&EXTERNAL_NAME, field, "when the type is `ExternalName`");
        }
    }
    let name = spec.get("externalName");
    let host = name.text().strip_suffix('.').unwrap_or(name.text());
    if host.is_empty() {
        cx.required(&EXTERNAL_NAME, name, "a Service of type `ExternalName` names a host");
    } else if let Some(wrong) = naming::dns_subdomain(host) {
        cx.invalid(&EXTERNAL_NAME, name, wrong);
    }
}

fn check_load_balancer<'a>(cx: &mut Cx<'a>, spec: Field<'a>, kind: Type, annotations: Field<'a>) {
    let old = cx.old.map(|it| it.get("spec"));
    let is_one = kind == Type::LoadBalancer;
    let was_one = old.filter(|it| Type::of(*it) == Type::LoadBalancer);
    let ranges = spec.get("loadBalancerSourceRanges");
    // The server spells the field with a capital letter.
    let named = spec.get("LoadBalancerSourceRanges");
    if !ranges.is_empty() {
        if !is_one {
            cx.forbidden(&LOAD_BALANCER, ranges, OTHER_TYPE);
            cx.named(named);
        }
        let stays = |text: &str| {
            old.is_some_and(|it| {
                it.get("loadBalancerSourceRanges").items().any(|it| it.text().trim() == text)
            })
        };
        for range in ranges.items() {
            let text = range.text().trim();
            match ip::wrong_range(cx.minor, text) {
                Some(wrong) if !stays(text) => {
                    cx.invalid(&ip::RANGE, range, wrong);
                    cx.named(range.beside(named));
                }
                _ => ip::warn_range(cx, range),
            }
        }
    } else if annotations.get(SOURCE_RANGES).exists() {
        let ranges = annotations.get(SOURCE_RANGES);
        if !is_one {
            cx.forbidden(&LOAD_BALANCER, ranges, OTHER_TYPE);
        }
        let before = cx.old.map(|it| it.at(&["metadata", "annotations", SOURCE_RANGES]));
        if !before.is_some_and(|it| it.exists() && it.text() == ranges.text())
            && !ranges.text().trim().is_empty()
        {
            for range in ranges.text().split(',') {
                if let Some(wrong) = ip::wrong_range(cx.minor, range.trim()) {
                    cx.invalid(&ip::RANGE, ranges, wrong);
                }
            }
        }
    }
    let dropped = was_one.is_some_and(|it| {
        let value =
            |spec: Field<'_>| spec.get("allocateLoadBalancerNodePorts").bool() != Some(false);
        value(spec) == value(it)
    });
    let ports = spec.get("allocateLoadBalancerNodePorts");
    // The fields came on by default in 1.22.
    if ports.exists() && !is_one && cx.minor >= 22 && !dropped {
        cx.forbidden(&LOAD_BALANCER, ports, OTHER_TYPE);
    }
    let class = spec.get("loadBalancerClass");
    if !class.exists() || cx.minor < 22 {
        return;
    }
    if is_one {
        cx.name(class, naming::qualified_name);
    } else if !was_one.is_some_and(|it| it.get("loadBalancerClass").equals(class)) {
        cx.forbidden(&LOAD_BALANCER, class, OTHER_TYPE);
    }
}

fn check_policies<'a>(cx: &mut Cx<'a>, spec: Field<'a>, kind: Type, old: Option<Field<'a>>) {
    let policy = spec.get("externalTrafficPolicy");
    if !policy.is_empty() && !is_reachable(cx.minor, spec) {
        let default = |it: Field<'a>| it.get("externalTrafficPolicy").str().unwrap_or("Cluster");
        let dropped =
            old.is_some_and(|it| is_reachable(cx.minor, it) && default(it) == policy.text());
        if !dropped {
            cx.invalid(
                &TRAFFIC_POLICY,
                policy,
                "is only for Services that can be reached from outside",
            );
            cx.help("remove it, or set `type: NodePort` or `type: LoadBalancer`");
        }
    }
    let inside = spec.get("internalTrafficPolicy");
    if inside.exists() {
        cx.not_blank(inside, &["Cluster", "Local"]);
    }
    let port = spec.get("healthCheckNodePort");
    let number = port.int().unwrap_or(0);
    if is_health_checked(spec) {
        if number != 0 {
            cx.between(port, 1, 65_535);
            ports::check_node_port_range(cx, port);
        }
    } else if number != 0 {
        let dropped = old
            .is_some_and(|it| is_health_checked(it) && it.get("healthCheckNodePort").equals(port));
        if !dropped {
            cx.invalid(
                &TRAFFIC_POLICY,
                port,
                "is only for Services of type `LoadBalancer` whose `externalTrafficPolicy` is \
                 `Local`",
            );
        }
    }
    if kind == Type::Unknown {
        return;
    }
    let values: &[&str] = match cx.minor {
        0..=30 => return,
        31..=33 => &["PreferClose"],
        _ => &["PreferClose", "PreferSameZone", "PreferSameNode"],
    };
    let distribution = spec.get("trafficDistribution");
    if distribution.str().is_some_and(|it| !values.contains(&it)) {
        cx.not_supported(&UNSUPPORTED, distribution, values);
    }
}

fn warn<'a>(cx: &mut Cx<'a>, spec: Field<'a>, kind: Type, annotations: Field<'a>, headless: bool) {
    if annotations.get(HINTS).exists() && cx.minor >= 27 {
        let problem = format!("is the old name of `{TOPOLOGY_MODE}`");
        cx.invalid_key(&OLD_HINTS, annotations.get(HINTS), &problem);
    }
    let distribution = spec.get("trafficDistribution");
    if distribution.text() == "PreferClose" && cx.minor >= 35 {
        cx.invalid(&OLD_HINTS, distribution, "is the old name of `PreferSameZone`");
    }
    let outside = spec.get("externalIPs");
    if kind == Type::ExternalName && !outside.is_empty() {
        cx.forbidden(&WITHOUT_EFFECT, outside, "when the type is `ExternalName`: it is ignored");
    } else if !outside.is_empty() && !headless && cx.minor >= 36 {
        cx.forbidden(&OLD_HINTS, outside, "any more: clusters may not implement it");
    }
    if kind != Type::ExternalName && !spec.get("externalName").is_empty() {
        let why = "unless the type is `ExternalName`: it is ignored";
        cx.forbidden(&WITHOUT_EFFECT, spec.get("externalName"), why);
    }
    if headless && kind == Type::ClusterIp && cx.minor >= 34 {
        let affinity = spec.get("sessionAffinity");
        for field in [spec.get("loadBalancerIP"), outside, affinity] {
            if !field.is_empty() && field.text() != "None" {
                cx.forbidden(&WITHOUT_EFFECT, field, "on a headless Service: it is ignored");
            }
        }
    }
    ip::warn_address(cx, spec.get("loadBalancerIP"));
    for address in outside.items() {
        ip::warn_address(cx, address);
    }
}

fn update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let (spec, old_spec) = (new.get("spec"), old.get("spec"));
    let (kind, old_kind) = (Type::of(spec), Type::of(old_spec));
    addresses::check_update(cx, spec, old_spec);
    if kind == Type::LoadBalancer && old_kind == Type::LoadBalancer && cx.minor >= 22 {
        cx.unchanged(spec.get("loadBalancerClass"), old_spec.get("loadBalancerClass"));
    }
    if is_health_checked(spec) && is_health_checked(old_spec) {
        let number = |it: Field<'a>| it.get("healthCheckNodePort").int().filter(|it| *it != 0);
        if let (Some(now), Some(before)) = (number(spec), number(old_spec))
            && now != before
        {
            cx.immutable(&IMMUTABLE, spec.get("healthCheckNodePort"));
        }
    }
}

#[cfg(test)]
mod tests;
