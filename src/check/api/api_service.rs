//! Objects of kind `APIService`.

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::rule::Rule;
use super::shared::MISSING;
use super::{metadata, webhook_client};
use crate::naming;

pub(super) const KINDS: &[Kind] =
    &[Kind { group: "apiregistration.k8s.io", name: "APIService", validate, update: None }];

pub(super) const RULES: &[&Rule] = &[&SERVICE];

const SERVICE: Rule = Rule::new(
    "api/invalid-api-service",
    "APIService that the API server does not register",
    "An APIService announces one version of one group, with priorities, and the Service that \
     answers for it; trust in the Service is either by its certificate or not asked for.",
    "mend the field",
    &["ValidateAPIService"],
);

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    let (group, version) = (spec.get("group"), spec.get("version"));
    for key in ["name", "generateName"] {
        let name = object.at(&["metadata", key]);
        let rest = name.text().strip_prefix(version.text());
        let right = rest.and_then(|it| it.strip_prefix('.')) == Some(group.text());
        if !name.is_empty() && !right {
            cx.invalid(&metadata::NAME, name, "must be the version, a `.` and the group");
        }
    }
    if group.is_empty() && version.text() != "v1" {
        cx.required(&MISSING, group, "only `v1` has no group");
    }
    if !group.is_empty()
        && let Some(wrong) = naming::dns_subdomain(group.text())
    {
        cx.invalid(&SERVICE, group, wrong);
    }
    if let Some(wrong) = naming::dns_1035_label(version.text()) {
        cx.invalid(&SERVICE, version, wrong);
    }
    for (key, max, wrong) in [
        ("groupPriorityMinimum", 20_000, "must be between 1 and 20000"),
        ("versionPriority", 1000, "must be between 1 and 1000"),
    ] {
        let priority = spec.get(key);
        let value = if priority.exists() { priority.int() } else { Some(0) };
        if value.is_some_and(|it| !(1..=max).contains(&it)) {
            cx.invalid(&SERVICE, priority, wrong);
        }
    }
    check_service(cx, spec);
}

fn check_service<'a>(cx: &mut Cx<'a>, spec: Field<'a>) {
    let (service, bundle) = (spec.get("service"), spec.get("caBundle"));
    let skips = spec.get("insecureSkipTLSVerify");
    if !service.exists() {
        for (field, is_set) in [(bundle, !bundle.is_empty()), (skips, skips.is_true())] {
            if is_set {
                cx.forbidden(&SERVICE, field, "where there is no service");
            }
        }
        return;
    }
    for key in ["namespace", "name"] {
        if service.get(key).is_empty() {
            cx.required(&MISSING, service.get(key), "");
        }
    }
    webhook_client::check_port(cx, &SERVICE, service.get("port"));
    if skips.is_true() && !bundle.is_empty() {
        cx.invalid(&SERVICE, skips, "must not be `true` beside `caBundle`");
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_refused};

    fn service(name: &str, spec: &str) -> String {
        format!(
            "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {{name: {name}}}\nspec: {spec}\n"
        )
    }

    #[test]
    fn a_service_announces_a_version_of_a_group() {
        let priorities = "groupPriorityMinimum: 100, versionPriority: 15";
        assert_clean(&service(
            "v1.example.com",
            &format!(
                "{{group: example.com, version: v1, {priorities}, service: {{name: a, namespace: b}}}}"
            ),
        ));
        assert_refused(
            &service("v2.example.com", &format!("{{version: V1, {priorities}, caBundle: eA==}}")),
            &["metadata.name", "spec.group", "spec.version", "spec.caBundle"],
        );
        assert_refused(
            &service(
                "v1.example.com",
                "{group: example.com, version: v1, groupPriorityMinimum: 20001, service: {port: 0}}",
            ),
            &[
                "spec.groupPriorityMinimum",
                "spec.versionPriority",
                "spec.service.namespace",
                "spec.service.name",
                "spec.service.port",
            ],
        );
    }
}
