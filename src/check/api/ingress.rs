//! Ingresses and `IngressClasses`.

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::forms::{FORBIDDEN, INVALID, INVALID_NAME};
use super::ip;
use super::rule::Rule;
use super::service::ports;
use super::shared::{MISSING, UNSUPPORTED};
use crate::naming::{self, Wrong};

const GROUP: &str = "networking.k8s.io";

pub(super) const KINDS: &[Kind] = &[
    Kind { group: GROUP, name: "Ingress", validate, update: None },
    Kind { group: "extensions", name: "Ingress", validate, update: None },
    Kind { group: GROUP, name: "IngressClass", validate: class, update: Some(class_update) },
];

pub(super) const RULES: &[&Rule] = &[&HOST, &PATH, &BACKEND, &CLASS_TWICE, &OLD_CLASS];

const HOST: Rule = Rule::new(
    "api/invalid-ingress-host",
    "Host of an Ingress that is no name in DNS",
    "Hosts are names in lower case, without a port and without a path. Only the first part may be \
     `*`. Addresses are no hosts.",
    "write a name such as `www.example.com` or `*.example.com`",
    &["validateIngressRules", "validateIngressTLS"],
);

const PATH: Rule = Rule::new(
    "api/invalid-ingress-path",
    "Path of an Ingress that cannot be matched",
    "Paths begin with `/`. Those of the types `Exact` and `Prefix` are in their plain form, without \
     `//`, `/./`, `/../` and `%2f`; every path says its type.",
    "write an absolute path in its plain form, and a `pathType`",
    &["validateHTTPIngressPath"],
);

const BACKEND: Rule = Rule::new(
    "api/invalid-ingress-backend",
    "Backend of an Ingress that leads nowhere",
    "A backend is a Service with the name or the number of one of its ports, or another resource; \
     never two of them.",
    "write `service: {name: …, port: {number: …}}`",
    &["validateIngressBackend", "ValidateIngressSpec"],
);

const CLASS_TWICE: Rule = Rule::new(
    "api/ingress-class-twice",
    "Class of an Ingress is said twice",
    "The annotation `kubernetes.io/ingress.class` is older than `ingressClassName`, and both may \
     stand in one Ingress only where they say the same (from 1.27 on).",
    "remove the annotation",
    &["ValidateIngressCreate"],
);

const OLD_CLASS: Rule = Rule::new(
    "api/old-ingress-class",
    "Class of an Ingress is said in an annotation",
    "The annotation came before `ingressClassName`, and not every controller reads it.",
    "set `spec.ingressClassName` instead",
    &["WarningsOnCreate"],
)
.in_minors(crate::rule::Minors::since(22))
.warning();

const ANNOTATION: &str = "kubernetes.io/ingress.class";
const SEQUENCES: &[&str] = &["//", "/./", "/../", "%2f", "%2F"];
const SUFFIXES: &[&str] = &["/..", "/."];
const PATH_TYPES: &[&str] = &["Exact", "ImplementationSpecific", "Prefix"];

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    let is_v1 = cx.object.version() == "v1";
    let (default, rules) =
        (spec.get(if is_v1 { "defaultBackend" } else { "backend" }), spec.get("rules"));
    let old_default = cx.old.map(|it| it.at(&["spec", "defaultBackend"]));
    let default_goes = cx.is_emptied(default, old_default);
    if rules.is_empty() && (!default.exists() || default_goes) {
        cx.required(&BACKEND, rules, "an Ingress has rules or a `defaultBackend`");
        cx.named(spec);
    }
    if default.exists() && !default_goes {
        check_backend(cx, default, is_v1);
    }
    let keeps_wildcards = cx.old.is_some_and(|it| has_invalid_wildcard(it.get("spec")));
    for rule in rules.items() {
        let host = rule.get("host");
        check_rule_host(cx, host);
        if host.text().contains('*') && keeps_wildcards {
            continue;
        }
        check_http(cx, rule.get("http"), is_v1);
    }
    check_tls(cx, spec.get("tls"));
    let class = spec.get("ingressClassName");
    cx.name(class, naming::dns_subdomain);
    let annotation = object.at(&["metadata", "annotations", ANNOTATION]);
    if !object.at(&["metadata", "annotations"]).has_key(ANNOTATION) {
        return;
    }
    if !class.exists() {
        cx.invalid_key(&OLD_CLASS, annotation, "is older than `spec.ingressClassName`");
    } else if cx.old.is_none() && (cx.minor < 27 || annotation.text() != class.text()) {
        cx.invalid(&CLASS_TWICE, annotation, "is not what `spec.ingressClassName` says");
        cx.named(object.get("annotations").get(ANNOTATION));
    }
}

/// Checks a name of a host, whose first part may be `*`.
fn check_host<'a>(cx: &mut Cx<'a>, host: Field<'a>) {
    let text = host.text();
    let wrong = if text.contains('*') {
        naming::wildcard_dns_subdomain(text)
    } else {
        naming::dns_subdomain(text)
    };
    if let Some(wrong) = wrong {
        cx.invalid(&HOST, host, wrong);
    }
}

fn check_rule_host<'a>(cx: &mut Cx<'a>, host: Field<'a>) {
    if host.is_empty() {
        return;
    }
    if ip::address(host.text()).is_some() {
        cx.invalid(&HOST, host, "must be a name, not an address");
    } else {
        check_host(cx, host);
    }
}

fn check_tls<'a>(cx: &mut Cx<'a>, tls: Field<'a>) {
    let is_wrong =
        |name: Field<'_>| !name.is_empty() && naming::dns_subdomain(name.text()).is_some();
    let keeps = cx
        .old
        .is_some_and(|it| it.at(&["spec", "tls"]).items().any(|it| is_wrong(it.get("secretName"))));
    for item in tls.items() {
        for host in item.get("hosts").items() {
            check_host(cx, host);
        }
        if !keeps {
            cx.name_if_any(item.get("secretName"), naming::dns_subdomain);
        }
    }
}

/// Says whether an old Ingress has a rule with `*` that is not right; then its like may stay.
fn has_invalid_wildcard(spec: Field<'_>) -> bool {
    spec.get("rules").items().any(|rule| {
        let paths = rule.at(&["http", "paths"]);
        rule.get("host").text().contains('*')
            && rule.get("http").exists()
            && (paths.is_empty() || paths.items().any(|it| wrong_path(it).is_some()))
    })
}

fn check_http<'a>(cx: &mut Cx<'a>, http: Field<'a>, is_v1: bool) {
    if !http.exists() {
        return;
    }
    let paths = http.get("paths");
    if paths.is_empty() {
        cx.required(&MISSING, paths, "");
    }
    for path in paths.items() {
        let kind = path.get("pathType");
        if is_v1 && !kind.exists() {
            cx.required(&PATH, kind, "a path says how it is matched");
            cx.help("write `pathType: Prefix`");
            continue;
        }
        if kind.exists() && !PATH_TYPES.contains(&kind.text()) && kind.text().is_empty() {
            cx.not_supported(&UNSUPPORTED, kind, PATH_TYPES);
        }
        if let Some(wrong) = wrong_path(path) {
            if path.get("path").exists() {
                cx.invalid(&PATH, path.get("path"), wrong);
            } else {
                cx.required(&PATH, path.get("path"), wrong);
            }
        }
        check_backend(cx, path.get("backend"), is_v1);
    }
}

/// Says what is wrong with the path of a rule.
fn wrong_path(item: Field<'_>) -> Wrong {
    let path = item.get("path").text();
    let absolute = path.starts_with('/');
    match item.get("pathType").text() {
        "Exact" | "Prefix" => {
            if !absolute {
                Some("must be absolute: it begins with `/`")
            } else if SEQUENCES.iter().any(|it| path.contains(it)) {
                Some("must not have `//`, `/./`, `/../` or `%2f`")
            } else if SUFFIXES.iter().any(|it| path.ends_with(it)) {
                Some("must not end with `/.` or `/..`")
            } else {
                None
            }
        }
        "ImplementationSpecific" | "" if !path.is_empty() && !absolute => {
            Some("must be absolute: it begins with `/`")
        }
        _ => None,
    }
}

fn service_name(minor: u32) -> fn(&str) -> Wrong {
    if minor >= 36 { naming::dns_label } else { naming::dns_1035_label }
}

fn check_backend<'a>(cx: &mut Cx<'a>, backend: Field<'a>, is_v1: bool) {
    let (resource, form) = (backend.get("resource"), service_name(cx.minor));
    let (service, name) = if is_v1 {
        (backend.get("service"), backend.get("service").get("name"))
    } else {
        let name = backend.get("serviceName");
        (if name.exists() { name } else { backend.get("servicePort") }, name)
    };
    match (resource.exists(), service.exists()) {
        (true, true) => {
            cx.invalid(&BACKEND, backend, "must not have both a Service and a resource");
        }
        (true, false) => check_reference(cx, resource),
        (false, false) => cx.required(&BACKEND, backend, "a backend is a Service or a resource"),
        (false, true) => {
            if name.is_empty() {
                cx.required(&BACKEND, name, "");
            } else {
                cx.name(name, form);
            }
            if is_v1 {
                check_port(cx, backend, service.get("port"));
            } else {
                ports::check_number_or_name(cx, backend.get("servicePort"));
            }
        }
    }
}

fn check_port<'a>(cx: &mut Cx<'a>, backend: Field<'a>, port: Field<'a>) {
    let (name, number) = (port.get("name"), port.get("number"));
    let has_number = number.int().is_some_and(|it| it != 0);
    match (name.is_empty(), has_number) {
        (false, true) => {
            cx.invalid(&BACKEND, port, "must not have both a name and a number");
            cx.named(backend);
        }
        (false, false) => ports::check_number_or_name(cx, name),
        (true, true) => ports::check_number(cx, number),
        (true, false) => {
            cx.required(&BACKEND, port, "a Service is reached at the name or the number of a port");
            cx.named(backend);
        }
    }
}

/// Checks a reference with `apiGroup`, `kind` and `name`
/// (`validateIngressTypedLocalObjectReference`).
fn check_reference<'a>(cx: &mut Cx<'a>, reference: Field<'a>) {
    cx.name(reference.get("apiGroup"), naming::dns_subdomain);
    cx.require_name(reference.get("kind"), naming::path_segment);
    cx.require_name(reference.get("name"), naming::path_segment);
}

fn class<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    let controller = spec.get("controller");
    if controller.text().len() > 250 {
        cx.too_long(&INVALID, controller, 250, "characters");
    }
    if cx.require(controller)
        && let Some(wrong) = domain_prefixed_path(controller.text())
    {
        cx.invalid(&INVALID_NAME, controller, wrong);
    }
    let parameters = spec.get("parameters");
    if !parameters.exists() {
        return;
    }
    check_reference(cx, parameters);
    if cx.minor < 22 {
        return;
    }
    let (scope, namespace) = (parameters.get("scope"), parameters.get("namespace"));
    cx.one_of(scope, &["Cluster", "Namespace"]);
    match scope.str().unwrap_or("Cluster") {
        "Namespace" if !namespace.exists() => {
            cx.required(&MISSING, namespace, "the scope is `Namespace`");
        }
        "Namespace" => cx.name(namespace, naming::dns_label),
        "Cluster" if namespace.exists() => {
            cx.forbidden(&FORBIDDEN, namespace, "when the scope is `Cluster`");
        }
        _ => {}
    }
}

/// Checks a domain and a path: `example.com/controller` (`IsDomainPrefixedPath`).
pub(super) fn domain_prefixed_path(text: &str) -> Wrong {
    const WRONG: Wrong = Some("must be a domain, `/` and a path, such as `example.com/controller`");
    let Some((domain, path)) = text.split_once('/') else { return WRONG };
    let plain = |it: u8| it.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&it);
    if domain.is_empty() || path.is_empty() || !path.bytes().all(plain) {
        return WRONG;
    }
    naming::dns_subdomain(domain).and(WRONG)
}

fn class_update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let way = ["spec", "controller"];
    cx.unchanged(new.at(&way), old.at(&way));
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_one, assert_refused, assert_update};

    fn ingress(spec: &str) -> String {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: a}}\nspec: {{{spec}}}\n"
        )
    }

    fn path(fields: &str) -> String {
        ingress(&format!(
            "rules: [{{http: {{paths: [{{{fields}, backend: {{service: {{name: b, port: {{number: 80}}}}}}}}]}}}}]"
        ))
    }

    #[test]
    fn an_ingress_leads_somewhere() {
        assert_refused(&ingress(""), &["spec"]);
        assert_clean(&ingress("defaultBackend: {service: {name: b, port: {name: http}}}"));
        assert_refused(&ingress("defaultBackend: {}"), &["spec.defaultBackend"]);
        assert_refused(&ingress("defaultBackend: {service: {name: b}}"), &["spec.defaultBackend"]);
        assert_refused(
            &ingress("defaultBackend: {service: {name: b, port: {name: b, number: 1}}}"),
            &["spec.defaultBackend"],
        );
        assert_clean(&ingress("defaultBackend: {resource: {kind: A, name: b}}"));
    }

    #[test]
    fn paths_are_plain() {
        assert_clean(&path("path: /a, pathType: Prefix"));
        assert_clean(&path("pathType: ImplementationSpecific"));
        assert_one(
            &path("path: a, pathType: Prefix"),
            "api/invalid-ingress-path",
            "`a` in `spec.rules[0].http.paths[0].path` must be absolute: it begins with `/`",
            "spec.rules[0].http.paths[0].path",
            "a",
        );
        assert_refused(
            &path("path: /a/.., pathType: Exact"),
            &["spec.rules[0].http.paths[0].path"],
        );
        assert_refused(&path("path: /"), &["spec.rules[0].http.paths[0].pathType"]);
    }

    #[test]
    fn hosts_are_names() {
        for (host, right) in
            [("a.b", true), ("'*.b'", true), ("10.0.0.1", false), ("A.b", false), ("a.*", false)]
        {
            let text = ingress(&format!("rules: [{{host: {host}}}], tls: [{{hosts: [a]}}]"));
            if right { assert_clean(&text) } else { assert_refused(&text, &["spec.rules[0].host"]) }
        }
    }

    #[test]
    fn a_class_is_said_once() {
        let text = ingress("ingressClassName: a, rules: [{host: b}]")
            .replace("{name: a}", "{name: a, annotations: {kubernetes.io/ingress.class: b}}");
        assert_refused(&text, &["annotations[kubernetes.io/ingress.class]"]);
        assert_update(&text, &text, &[]);
    }

    #[test]
    fn classes_have_controllers() {
        let class = |spec: &str| {
            format!(
                "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {{name: a}}\nspec: {{{spec}}}\n"
            )
        };
        assert_clean(&class("controller: example.com/a/b"));
        assert_refused(&class("controller: example"), &["spec.controller"]);
        assert_refused(&class(""), &["spec.controller"]);
        assert_refused(
            &class("controller: a.b/c, parameters: {kind: A, name: b, scope: Namespace}"),
            &["spec.parameters.namespace"],
        );
        assert_update(
            &class("controller: a.b/c"),
            &class("controller: a.b/d"),
            &["spec.controller"],
        );
    }
}
