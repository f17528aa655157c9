//! Names and addresses: DNS, host names and aliases.

use super::{Spec, some_or};
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::ip;
use crate::check::api::rule::Rule;
use crate::naming::{self, Wrong};

pub(super) const RULES: &[&Rule] = &[&DNS, &HOST_NAME];

const DNS: Rule = Rule::new(
    "api/invalid-dns-config",
    "Configuration of DNS that cannot be used",
    "A pod has at most three name servers and 32 domains to search, and with the policy `None` at \
     least one name server.",
    "mend `dnsConfig`",
    &["validatePodDNSConfig"],
);

const HOST_NAME: Rule = Rule::new(
    "api/invalid-host-name",
    "Host name that a pod cannot have",
    "The host name and the subdomain of a pod are DNS labels. A host name that overrides all others \
     has at most 64 characters and excludes the network of the node.",
    "choose another name",
    &["ValidatePodSpec", "validatePodHostName"],
);

const POLICIES: &[&str] = &["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];

const SERVERS_MAX: usize = 3;
/// The most domains to search and the length of all together, with spaces between: before
/// [`LONG_SEARCHES`] and since.
const SEARCHES: [(usize, usize); 2] = [(6, 256), (32, 2048)];
const OVERRIDE_MAX: usize = 64;

/// The minor in which the list of domains may be long.
const LONG_SEARCHES: u32 = 26;
/// The minor in which domains to search may have `_`.
const UNDERSCORES: u32 = 33;
/// The minor in which a host name may override all others by default.
const OVERRIDES: u32 = 35;

/// Looks at the names and addresses of a spec.
pub(super) fn check<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>) {
    let field = spec.field;
    cx.one_of_if_any(field.get("dnsPolicy"), POLICIES);
    check_dns(cx, field);
    // The names of a StatefulSet's pods are its own.
    if &*cx.object.kind != "StatefulSet" {
        for key in ["hostname", "subdomain"] {
            let name = field.get(key);
            if let Some(wrong) = name.str().filter(|it| !it.is_empty()).and_then(naming::dns_label)
            {
                cx.invalid(&HOST_NAME, name, wrong);
            }
        }
    }
    check_override(cx, spec);
    for alias in field.get("hostAliases").items() {
        ip::check_address(cx, alias.get("ip"), None);
        for name in alias.get("hostnames").items() {
            cx.name(name, naming::dns_subdomain);
        }
    }
}

fn check_override<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>) {
    let name = spec.field.get("hostnameOverride");
    let Some(text) = name.str().filter(|_| cx.minor >= OVERRIDES) else { return };
    if spec.field.get("setHostnameAsFQDN").is_true() {
        cx.forbidden(&HOST_NAME, name, "beside `setHostnameAsFQDN`");
    }
    if spec.host_network {
        cx.forbidden(&HOST_NAME, name, "beside `hostNetwork`");
    }
    if text.len() > OVERRIDE_MAX {
        cx.too_long(&HOST_NAME, name, OVERRIDE_MAX, "characters");
    }
    if let Some(wrong) = naming::dns_subdomain(text) {
        cx.invalid(&HOST_NAME, name, wrong);
    }
}

/// Looks at the configuration of DNS (`validatePodDNSConfig`).
fn check_dns<'a>(cx: &mut Cx<'a>, field: Field<'a>) {
    let config = field.get("dnsConfig");
    let servers = config.get("nameservers");
    if some_or(field.get("dnsPolicy"), "ClusterFirst") == "None" {
        let missing = if config.exists() { servers } else { config };
        if missing.is_empty() {
            cx.required(&DNS, missing, "the policy `None` needs a name server");
            return;
        }
    }
    if servers.len() > SERVERS_MAX {
        cx.too_long(&DNS, servers, SERVERS_MAX, "name servers");
    }
    for server in servers.items() {
        ip::check_address(cx, server, None);
    }
    let searches = config.get("searches");
    let [short, long] = SEARCHES;
    let (count_max, length_max) = if cx.minor >= LONG_SEARCHES { long } else { short };
    if searches.len() > count_max {
        cx.too_long(&DNS, searches, count_max, "domains");
    }
    let length: usize = searches.items().map(|it| it.text().len() + 1).sum();
    if length > length_max + 1 {
        cx.too_long(&DNS, searches, length_max, "characters together");
    }
    for search in searches.items() {
        let relaxed = cx.minor >= UNDERSCORES;
        if relaxed && search.text() == "." {
            continue;
        }
        let text = search.text();
        let text = text.strip_suffix('.').unwrap_or(text);
        let wrong = if relaxed { with_underscores(text) } else { naming::dns_subdomain(text) };
        if let Some(wrong) = wrong {
            cx.invalid(&DNS, search, wrong);
        }
    }
    for option in config.get("options").items() {
        if option.get("name").is_empty() {
            cx.required(&DNS, option.get("name"), "");
            cx.named(option);
        }
    }
}

/// Checks a DNS subdomain that may have `_` (`IsDNS1123SubdomainWithUnderscore`).
fn with_underscores(text: &str) -> Wrong {
    let edge = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit();
    let right = text.len() <= naming::SUBDOMAIN_MAX
        && text.split('.').all(|part| {
            // A part may begin with a `_` more than the others.
            let bytes = part.strip_prefix('_').unwrap_or(part).as_bytes();
            bytes.first().is_some_and(|it| edge(*it))
                && bytes.last().is_some_and(|it| edge(*it))
                && bytes.iter().all(|it| edge(*it) || matches!(*it, b'-' | b'_'))
        });
    (!right).then_some("must be a DNS subdomain, which may have `_`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::api::fixture::{assert_pods, findings, pod};

    #[test]
    fn names_and_addresses() {
        assert_pods(&[
            ("dnsPolicy: None, dnsConfig: {nameservers: [1.1.1.1], searches: [a_b.c., .]}", &[]),
            ("dnsPolicy: None", &["dnsConfig"]),
            ("dnsPolicy: none", &["dnsPolicy"]),
            ("dnsConfig: {nameservers: [a]}", &["dnsConfig.nameservers[0]"]),
            ("dnsConfig: {options: [{value: x}]}", &["dnsConfig.options[0]"]),
            ("hostname: a.b, subdomain: A", &["hostname", "subdomain"]),
            ("hostnameOverride: a.b, hostNetwork: true", &["hostnameOverride"]),
            (
                "hostAliases: [{ip: x, hostnames: [A]}]",
                &["hostAliases[0].ip", "hostAliases[0].hostnames[0]"],
            ),
        ]);
    }

    #[test]
    fn searches_had_no_underscores_once() {
        let object = pod("dnsConfig: {searches: [a_b]}");
        assert_eq!((findings(32, &object).len(), findings(33, &object).len()), (1, 0));
        for good in ["_a.b-c", "a_b"] {
            assert_eq!(with_underscores(good), None, "{good}");
        }
        for bad in ["", "a_", "__a", "A"] {
            assert!(with_underscores(bad).is_some(), "{bad}");
        }
    }
}
