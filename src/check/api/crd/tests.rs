use crate::check::api::fixture::{
    assert_clean, assert_one, assert_refused, assert_update, findings,
};

/// A definition whose only version has this schema of `spec`, in flow style.
fn definition(spec: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: webs.example.com}}
spec:
  group: example.com
  scope: Namespaced
  names: {{plural: webs, kind: Web}}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, properties: {{spec: {spec}}}}}}}
"
    )
}

const SPEC: &str = "spec.validation.openAPIV3Schema.properties.spec";

#[track_caller]
fn assert_schema(spec: &str, fields: &[&str]) {
    let fields: Vec<String> = fields.iter().map(|it| format!("{SPEC}.{it}")).collect();
    assert_refused(&definition(spec), &fields.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_plain_definition_is_clean() {
    assert_clean(&definition("{type: object, properties: {size: {type: integer, default: 1}}}"));
}

#[test]
fn the_name_follows_from_the_spec() {
    assert_one(
        &definition("{type: object}").replace("name: webs.example.com", "name: web.example.com"),
        "api/invalid-name",
        "`web.example.com` in `metadata.name` must be the plural, a `.` and the group",
        "metadata.name",
        "web.example.com",
    );
}

#[test]
fn names_are_labels() {
    let names = |text: &str| definition("{type: object}").replace("kind: Web}", text);
    assert_refused(&names("kind: We_b}"), &["spec.names.kind"]);
    assert_refused(&names("kind: Web, listKind: Web}"), &["spec.names.listKind"]);
    assert_refused(
        &names("kind: Web, shortNames: [W], categories: [a b]}"),
        &["spec.names.shortNames[0]", "spec.names.categories[0]"],
    );
}

#[test]
fn one_version_is_stored() {
    let text = definition("{type: object}");
    assert_refused(&text.replace("storage: true", "storage: false"), &["spec.versions"]);
    let (head, version) = text.split_once("  - name").unwrap();
    assert_refused(
        &format!("{head}  - name{version}  - name{version}"),
        &["spec.versions", "spec.versions"],
    );
}

#[test]
fn groups_of_the_project_are_approved() {
    let text = definition("{type: object}")
        .replace("example.com", "k8s.io")
        .replace("group: k8s.io", "group: a.k8s.io")
        .replace("webs.k8s.io", "webs.a.k8s.io");
    assert_refused(&text, &["metadata.annotations[api-approved.kubernetes.io]"]);
    let approved = |by: &str| {
        text.replace(
            "a.k8s.io}",
            &format!("a.k8s.io, annotations: {{api-approved.kubernetes.io: '{by}'}}}}"),
        )
    };
    assert_clean(&approved("https://example.com/1"));
    assert_clean(&approved("unapproved, a try"));
    assert_refused(&approved("yes"), &["metadata.annotations[api-approved.kubernetes.io]"]);
}

#[test]
fn schemas_are_structural() {
    assert_schema("{properties: {a: {type: string}}}", &["type"]);
    assert_schema("{type: array}", &["items"]);
    assert_schema("{type: object, anyOf: [{type: string}]}", &["anyOf[0].type"]);
    assert_clean(&definition(
        "{x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}",
    ));
    assert_clean(&definition("{x-kubernetes-preserve-unknown-fields: true}"));
}

#[test]
fn conditions_speak_of_fields_that_are_there() {
    let root = |text: &str| {
        definition("{type: object}")
            .replace("{type: object, properties", &format!("{{{text}, type: object, properties"))
    };
    assert_clean(&root("anyOf: [{required: [spec]}]"));
    assert_refused(
        &root("anyOf: [{properties: {status: {minimum: 1}}}]"),
        &["spec.validation.openAPIV3Schema.properties.status"],
    );
}

#[test]
fn parts_of_a_schema_are_those_of_openapi() {
    assert_schema("{type: object, $ref: a}", &["$ref"]);
    assert_schema("{type: text}", &["type"]);
    assert_schema("{type: array, uniqueItems: true, items: {type: string}}", &["uniqueItems"]);
    assert_schema(
        "{type: object, properties: {a: {type: string}}, additionalProperties: {type: string}}",
        &["additionalProperties"],
    );
}

#[test]
fn lists_of_type_map_have_keys() {
    let list = |keys: &str, rest: &str| {
        format!(
            "{{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: {keys}, \
             items: {{type: object, properties: {{a: {{type: string}}}}{rest}}}}}"
        )
    };
    assert_clean(&definition(&list("[a]", ", required: [a]")));
    assert_schema(&list("[a]", ""), &["items.properties.a.default"]);
    assert_schema(&list("[b]", ""), &["x-kubernetes-list-map-keys"]);
    assert_schema(&list("[]", ""), &["x-kubernetes-list-map-keys"]);
}

#[test]
fn defaults_fit_their_schema() {
    assert_schema(
        "{type: object, properties: {a: {type: string, default: 1}}}",
        &["properties.a.default"],
    );
    assert_schema("{type: object, default: {b: 1}, properties: {a: {type: string}}}", &["default"]);
    assert_schema(
        "{type: object, default: {}, required: [a], properties: {a: {type: string}}}",
        &["default.a"],
    );
    assert_schema("{type: string, enum: [a, b], default: c}", &["default"]);
}

#[test]
fn rules_have_messages_of_one_line() {
    assert_schema(
        "{type: object, x-kubernetes-validations: [{rule: 'true', message: ' ', reason: Why}]}",
        &["x-kubernetes-validations[0].message", "x-kubernetes-validations[0].reason"],
    );
}

#[test]
fn what_stands_beside_the_schema() {
    let version = |text: &str| definition("{type: object}") + text;
    assert_refused(
        &version("    additionalPrinterColumns: [{name: A, type: text, jsonPath: spec}]\n"),
        &["spec.additionalPrinterColumns[0].type", "spec.additionalPrinterColumns[0].JSONPath"],
    );
    assert_refused(
        &version("    subresources: {scale: {specReplicasPath: .status.a}}\n"),
        &["spec.subresources.scale.specReplicasPath", "spec.subresources.scale.statusReplicasPath"],
    );
    assert_refused(
        &version("    selectableFields: [{jsonPath: .spec}, {jsonPath: .spec.b}]\n"),
        &["spec.selectableFields[0].jsonPath", "spec.selectableFields[1].jsonPath"],
    );
}

#[test]
fn conversion_by_webhook_needs_one() {
    let conversion = |text: &str| definition("{type: object}") + "  conversion: " + text + "\n";
    assert_refused(
        &conversion("{strategy: Webhook}"),
        &["spec.conversion.webhookClientConfig", "spec.conversion.conversionReviewVersions"],
    );
    assert_clean(&conversion(
        "{strategy: Webhook, webhook: {conversionReviewVersions: [v1], clientConfig: {url: 'https://a/b'}}}",
    ));
    assert_refused(
        &conversion(
            "{strategy: Webhook, webhook: {conversionReviewVersions: [v2], clientConfig: {url: 'http://a'}}}",
        ),
        &["spec.conversion.webhookClientConfig.url", "spec.conversion.conversionReviewVersions"],
    );
}

#[test]
fn a_definition_keeps_its_identity_and_its_stored_versions() {
    let old = definition("{type: object}");
    assert_update(&old, &old, &[]);
    assert_update(&old, &old.replace("Namespaced", "Cluster"), &["spec.scope"]);
    assert_update(&old, &old.replace("name: v1\n", "name: v2\n"), &["status.storedVersions[0]"]);
}

/// A list whose items are looked at with each other, `count` times.
fn looked_at(bounds: &str, count: usize) -> String {
    let rule = "{rule: 'self.all(x, self.exists(y, x.contains(y)))'}";
    let rules = vec![rule; count].join(", ");
    definition(&format!(
        "{{type: object, properties: {{tags: {{type: array, {bounds}, x-kubernetes-validations: [{rules}]}}}}}}"
    ))
}

#[test]
fn a_rule_may_not_cost_too_much() {
    let field = format!("{SPEC}.properties.tags.x-kubernetes-validations[0].rule");
    assert_one(
        &looked_at("maxItems: 64, items: {type: string}", 1),
        "api/expensive-expression",
        "the expression in `spec.versions[v1].schema.openAPIV3Schema.properties.spec.properties.tags.x-kubernetes-validations[0].rule` may cost more than 100 times what the API server allows",
        &field,
        "'self.all(x, self.exists(y, x.contains(y)))'",
    );
    assert_clean(&looked_at("maxItems: 64, items: {type: string, maxLength: 64}", 1));
    // Not known to be so before.
    assert_eq!(findings(29, &looked_at("maxItems: 64, items: {type: string}", 1)), []);
}

#[test]
fn a_rule_counts_as_often_as_there_may_be_items() {
    let rule = "x-kubernetes-validations: [{rule: \"self.matches('^[a-z]+$')\"}]";
    let list = |bounds: &str| {
        let item = format!("{{type: string, maxLength: 1000, {rule}}}");
        definition(&format!("{{type: array, {bounds}items: {item}}}"))
    };
    // 803: 1 for `self`, and twice (a quarter of 8) 401 (a tenth of 4,000 bytes, and one).
    assert_clean(&list("maxItems: 12453, "));
    let field = format!("{SPEC}.items.x-kubernetes-validations[0].rule");
    assert_refused(&list("maxItems: 12454, "), &[&field]);
    assert_refused(&list(""), &[&field]);
}

#[test]
fn rules_may_not_cost_too_much_together() {
    // One costs 4,365,202.
    let bounds = "maxItems: 80, items: {type: string, maxLength: 64}";
    assert_clean(&looked_at(bounds, 22));
    assert_refused(&looked_at(bounds, 23), &["spec.validation.openAPIV3Schema"]);
}

#[test]
fn messages_have_a_cost_of_their_own() {
    let message = |length: &str| {
        definition(&format!(
            "{{type: string, {length}x-kubernetes-validations: [{{rule: 'true', messageExpression: 'self.contains(self) ? self : self'}}]}}"
        ))
    };
    assert_clean(&message("maxLength: 1000, "));
    let field = format!("{SPEC}.x-kubernetes-validations[0].messageExpression");
    assert_refused(&message(""), &[&field]);
}

#[test]
fn a_stored_schema_keeps_its_expensive_rules() {
    let old = looked_at("maxItems: 20, items: {type: string, maxLength: 512}", 1);
    let field = format!("{SPEC}.properties.tags.x-kubernetes-validations[0].rule");
    assert_refused(&old, &[&field]);
    assert_update(&old, &old.replace("kind: Web}", "kind: Web, shortNames: [w]}"), &[]);
    let new = old.replace("maxItems: 20", "maxItems: 21");
    assert_update(&old, &new, &[&field]);
    let too_much = looked_at("items: {type: string}", 1);
    assert_update(&too_much, &too_much, &["spec.validation.openAPIV3Schema"]);
}
