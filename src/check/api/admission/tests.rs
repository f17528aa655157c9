use crate::check::api::fixture::{assert_clean, assert_one, assert_refused, assert_update};

fn webhook(rest: &str) -> String {
    format!(
        "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: a}}
webhooks:
- name: check.example.com
  sideEffects: None
  admissionReviewVersions: [v1]
  clientConfig: {{service: {{name: a, namespace: b}}}}
{rest}"
    )
}

#[test]
fn webhooks_are_named_as_domains() {
    assert_clean(&webhook(""));
    assert_one(
        &webhook("").replace("check.example.com", "example.com"),
        "api/invalid-webhook",
        "`example.com` in `webhooks[example.com].name` must be a domain of three parts, such as \
         `check.example.com`",
        "webhooks[0].name",
        "example.com",
    );
}

#[test]
fn webhooks_have_no_side_effects_and_speak_a_known_version() {
    assert_refused(&webhook("").replace("None", "Some"), &["webhooks[0].sideEffects"]);
    assert_refused(&webhook("").replace("  sideEffects: None\n", ""), &["webhooks[0].sideEffects"]);
    assert_refused(
        &webhook("").replace("[v1]", "[v2, v2]"),
        &["webhooks[0].admissionReviewVersions[1]", "webhooks[0].admissionReviewVersions"],
    );
}

#[test]
fn side_effects_that_were_may_stay() {
    let old = webhook("").replace("None", "Some");
    assert_update(&old, &old, &[]);
}

#[test]
fn rules_have_nothing_beside_an_asterisk() {
    let rule = |text: &str| webhook(&format!("  rules: [{{{text}}}]\n"));
    assert_clean(&rule(
        "operations: ['*'], apiGroups: [''], apiVersions: [v1], resources: [pods/*]",
    ));
    assert_refused(
        &rule("operations: ['*', CREATE], apiGroups: [], resources: [a/b, '*/b', c/b]"),
        &[
            "webhooks[0].rules[0].operations",
            "webhooks[0].rules[0].apiGroups",
            "webhooks[0].rules[0].apiVersions",
            "webhooks[0].rules[0].resources[2]",
        ],
    );
}

#[test]
fn clients_are_reached_over_https() {
    let client = |text: &str| webhook("").replace("{service: {name: a, namespace: b}}", text);
    assert_clean(&client("{url: 'https://a.example.com/b'}"));
    assert_refused(&client("{url: 'http://a?b'}"), &["webhooks[0].clientConfig.url"; 2]);
    assert_refused(&client("{}"), &["webhooks[0].clientConfig"]);
    assert_refused(
        &client("{service: {name: a, port: 0, path: b}}"),
        &[
            "webhooks[0].clientConfig.service.namespace",
            "webhooks[0].clientConfig.service.port",
            "webhooks[0].clientConfig.service.path",
        ],
    );
}

fn policy(kind: &str, rest: &str) -> String {
    format!(
        "apiVersion: admissionregistration.k8s.io/v1
kind: {kind}
metadata: {{name: a.example.com}}
spec:
  matchConstraints:
    resourceRules: [{{operations: [CREATE], apiGroups: [''], apiVersions: [v1], resources: [pods]}}]
{rest}"
    )
}

#[test]
fn policies_say_what_they_check() {
    let validating = |rest: &str| policy("ValidatingAdmissionPolicy", rest);
    assert_clean(&validating("  validations: [{expression: 'true'}]\n"));
    assert_refused(&validating(""), &["spec.validations"]);
    assert_refused(
        &validating(
            "  validations: [{expression: ' ', reason: Why}]
  variables: [{name: 1a, expression: 'true'}]
  paramKind: {apiVersion: a/b/c, kind: A_}
  matchConditions: [{name: a, expression: 'true'}, {name: a, expression: 'true'}]
  auditAnnotations: [{key: a, valueExpression: \"'a'\"}, {key: a/b, valueExpression: \"'a'\"}]
",
        ),
        &[
            "spec.paramKind.apiVersion",
            "spec.paramKind.kind",
            "spec.matchConditions[1].name",
            "spec.variables[0].name",
            "spec.validations[0].expression",
            "spec.validations[0].reason",
            "spec.auditAnnotations[1].key",
        ],
    );
}

#[test]
fn policies_say_what_they_change() {
    let mutating = |rest: &str| policy("MutatingAdmissionPolicy", rest);
    assert_clean(&mutating(
        "  reinvocationPolicy: Never
  mutations: [{patchType: ApplyConfiguration, applyConfiguration: {expression: 'Object{}'}}]
",
    ));
    assert_refused(
        &mutating("  mutations: [{patchType: JSONPatch}]\n").replace("CREATE", "DELETE"),
        &[
            "spec.matchConstraints.resourceRules.operations",
            "spec.mutations[0].jsonPatch",
            "spec.reinvocationPolicy",
        ],
    );
}

#[test]
fn bindings_name_a_policy_and_its_parameters() {
    let binding = |spec: &str| {
        format!(
            "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: a}}
spec: {spec}
"
        )
    };
    assert_clean(&binding(
        "{policyName: a, validationActions: [Deny, Audit], paramRef: {name: b, parameterNotFoundAction: Deny}}",
    ));
    assert_refused(
        &binding("{validationActions: [Deny, Warn], paramRef: {name: b, selector: {}}}"),
        &[
            "spec.policyName",
            "spec.paramRef.name",
            "spec.paramRef.parameterNotFoundAction",
            "spec.validationActions",
        ],
    );
}
