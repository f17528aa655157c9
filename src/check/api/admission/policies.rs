//! Admission policies, those that validate and those that mutate, and their bindings.

use std::collections::BTreeSet;

use super::{
    FAILURE_POLICIES, REINVOCATION_POLICIES, check_conditions, one_of, required, resources,
};
use crate::check::api::cx::Cx;
use crate::check::api::expression::{self, Compiled, Composition, Names, Wanted};
use crate::check::api::field::Field;
use crate::check::api::rule::Rule;
use crate::check::api::selector;
use crate::check::api::shared::{DUPLICATE, MISSING, UNSUPPORTED};
use crate::engine::cel::is_word;
use crate::naming;

pub(in crate::check::api) const POLICY: Rule = Rule::new(
    "api/invalid-admission-policy",
    "Admission policy that the API server does not take",
    "A policy names the resources that it is for, and says in expressions what it checks or \
     changes. Names of variables are identifiers, messages are one line, keys of audit annotations \
     follow the name of the policy, and the kind of its parameters exists in some version.",
    "mend the policy",
    &["validateValidatingAdmissionPolicySpec", "validateMutatingAdmissionPolicySpec"],
);

pub(in crate::check::api) const BINDING: Rule = Rule::new(
    "api/invalid-policy-binding",
    "Binding of an admission policy that contradicts itself",
    "A binding names a policy, and the objects that hold its parameters either by name or by \
     selector. It may not deny and warn at once.",
    "remove what contradicts",
    &["validateValidatingAdmissionPolicyBindingSpec", "validateParamRef"],
);

const ACTIONS: [&str; 3] = ["Audit", "Deny", "Warn"];
const NOT_FOUND: [&str; 2] = ["Allow", "Deny"];
const REASONS: [&str; 3] = ["Forbidden", "Invalid", "RequestEntityTooLarge"];
const PATCH_TYPES: [&str; 2] = ["ApplyConfiguration", "JSONPatch"];

/// The most audit annotations of a policy, and the most bytes of their expressions.
const MAX_ANNOTATIONS: usize = 20;
const MAX_EXPRESSION: usize = 5 * 1024;

/// The expressions of a policy.
#[derive(Debug)]
struct Expressions<'a> {
    variables: Composition,
    has_variables: bool,
    has_params: bool,
    /// The old state of the policy.
    old: Option<Field<'a>>,
}

impl<'a> Expressions<'a> {
    fn of(cx: &Cx<'a>, spec: Field<'a>, is_mutating: bool) -> Self {
        Self {
            variables: Composition::default(),
            has_variables: is_mutating || !spec.get("variables").is_empty(),
            has_params: spec.get("paramKind").exists(),
            old: cx.old.map(|it| it.get("spec")),
        }
    }

    /// Compiles an expression; `key` is the list that it stands in.
    fn check(
        &self,
        cx: &mut Cx<'a>,
        key: &'static str,
        field: Field<'a>,
        wanted: Wanted,
    ) -> Option<Compiled> {
        let is_stored = self.old.is_some_and(|it| {
            let same = |it: Field<'_>| it.str().is_some_and(|it| Some(it) == field.str());
            it.get(key).items().any(|it| EXPRESSIONS.iter().any(|path| same(it.at(path))))
        });
        let names = Names {
            params: self.has_params,
            // A message says what happened to those who may not ask who may.
            authorizer: wanted != Wanted::String,
            patches: matches!(wanted, Wanted::Object | Wanted::Patches),
        };
        let environment = expression::at_admission(cx.minor, is_stored, names);
        let environment =
            if self.has_variables { self.variables.within(environment) } else { environment };
        expression::check(cx, field, &environment, wanted)
    }
}

/// Where expressions stand in items of policies.
const EXPRESSIONS: [&[&str]; 5] = [
    &["expression"],
    &["messageExpression"],
    &["valueExpression"],
    &["applyConfiguration", "expression"],
    &["jsonPatch", "expression"],
];

/// Looks at what the policies of both kinds have.
fn check_common<'a>(cx: &mut Cx<'a>, spec: Field<'a>, is_mutating: bool) -> Expressions<'a> {
    one_of(cx, spec.get("failurePolicy"), &FAILURE_POLICIES);
    let kind = spec.get("paramKind");
    if kind.exists() {
        check_param_kind(cx, kind);
    }
    let constraints = spec.get("matchConstraints");
    if constraints.exists() {
        resources::check_match(cx, constraints, is_mutating);
        if constraints.get("resourceRules").is_empty() {
            cx.required(&MISSING, constraints.get("resourceRules"), "");
        }
    } else {
        cx.required(&MISSING, constraints, "");
    }
    let conditions = spec.get("matchConditions");
    let is_kept = cx.old.map(|it| it.get("spec")).is_some_and(|old| {
        old.get("paramKind").equals(kind) && old.get("matchConditions").equals(conditions)
    });
    if !is_kept {
        let old = cx.old.map(|it| it.at(&["spec", "matchConditions"]));
        check_conditions(cx, conditions, old, kind.exists());
    }
    let mut expressions = Expressions::of(cx, spec, is_mutating);
    for variable in spec.get("variables").items() {
        let (name, field) = (variable.get("name"), variable.get("expression"));
        if required(cx, name) && !is_identifier(name.text()) {
            cx.invalid(&POLICY, name, "must be an identifier of CEL");
        }
        if required(cx, field) {
            let compiled = expressions.check(cx, "variables", field, Wanted::Anything);
            expressions.variables.add(name.text(), compiled.as_ref().map(|it| &it.result));
        }
    }
    expressions
}

fn is_identifier(text: &str) -> bool {
    naming::c_identifier(text).is_none() && !is_word(text)
}

/// Looks at the kind of parameters (`validateParamKind`).
fn check_param_kind<'a>(cx: &mut Cx<'a>, param: Field<'a>) {
    let (version, kind) = (param.get("apiVersion"), param.get("kind"));
    if version.is_empty() {
        cx.required(&MISSING, version, "");
    } else if let Some(wrong) = wrong_api_version(version.text()) {
        cx.invalid(&POLICY, version, wrong);
    }
    if kind.is_empty() {
        cx.required(&MISSING, kind, "");
    } else if let Some(wrong) = naming::dns_1035_label(&kind.text().to_lowercase()) {
        cx.invalid(&POLICY, kind, wrong);
    }
}

fn wrong_api_version(text: &str) -> Option<&'static str> {
    let (group, version) = match text.split_once('/') {
        None => ("", text),
        Some((_, rest)) if rest.contains('/') => return Some("must have at most one `/`"),
        Some((group, version)) => (group, version),
    };
    if version.is_empty() {
        return Some("must have a version");
    }
    let wrong_group = if group.is_empty() { None } else { naming::dns_subdomain(group) };
    wrong_group
        .or_else(|| naming::dns_1035_label(version))
        .and(Some("must be a version, or a group, `/` and a version"))
}

/// Looks at a `ValidatingAdmissionPolicy`.
pub(super) fn validating<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    let expressions = check_common(cx, spec, false);
    let (validations, annotations) = (spec.get("validations"), spec.get("auditAnnotations"));
    if validations.is_empty() && annotations.is_empty() {
        cx.required(&MISSING, validations, "a policy has validations or audit annotations");
        return;
    }
    for validation in validations.items() {
        check_validation(cx, validation, &expressions);
    }
    if annotations.len() > MAX_ANNOTATIONS {
        cx.too_long(&POLICY, annotations, MAX_ANNOTATIONS, "items");
    }
    let name = object.at(&["metadata", "name"]);
    let mut keys = BTreeSet::new();
    for annotation in annotations.items() {
        check_annotation(cx, annotation, name, &expressions);
        let key = annotation.get("key");
        if !keys.insert(key.text()) {
            cx.duplicate(&DUPLICATE, key);
        }
    }
}

fn check_validation<'a>(cx: &mut Cx<'a>, validation: Field<'a>, expressions: &Expressions<'a>) {
    let get = |key| validation.get(key);
    if required(cx, get("expression")) {
        expressions.check(cx, "validations", get("expression"), Wanted::Bool);
    }
    if !get("messageExpression").text().trim().is_empty() {
        expressions.check(cx, "validations", get("messageExpression"), Wanted::String);
    }
    for key in ["messageExpression", "message"] {
        if !get(key).is_empty() && get(key).text().trim().is_empty() {
            cx.invalid(&POLICY, get(key), "must not be blank");
        }
    }
    if get("message").text().trim().contains(['\n', '\r']) {
        cx.invalid(&POLICY, get("message"), "must be one line");
    }
    one_of(cx, get("reason"), &REASONS);
}

/// The key of an annotation follows the name of its policy.
fn check_annotation<'a>(
    cx: &mut Cx<'a>,
    annotation: Field<'a>,
    name: Field<'a>,
    expressions: &Expressions<'a>,
) {
    let (key, value) = (annotation.get("key"), annotation.get("valueExpression"));
    if name.is_empty() {
        // With a prefix only, the name is made up before it is looked at.
    } else if let Some(wrong) = naming::qualified_name(&format!("{}/{}", name.text(), key.text())) {
        cx.invalid(&POLICY, key, wrong);
    }
    if required(cx, value) {
        if value.text().trim().len() > MAX_EXPRESSION {
            cx.too_long(&POLICY, value, MAX_EXPRESSION, "bytes");
        } else {
            expressions.check(cx, "auditAnnotations", value, Wanted::StringOrNull);
        }
    }
}

/// Looks at a `MutatingAdmissionPolicy`.
pub(super) fn mutating<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    let expressions = check_common(cx, spec, true);
    let (mutations, policy) = (spec.get("mutations"), spec.get("reinvocationPolicy"));
    if mutations.is_empty() {
        cx.required(&MISSING, mutations, "");
    }
    for mutation in mutations.items() {
        check_mutation(cx, mutation, &expressions);
    }
    if policy.is_empty() {
        cx.required(&MISSING, policy, "");
    } else {
        one_of(cx, policy, &REINVOCATION_POLICIES);
    }
}

fn check_mutation<'a>(cx: &mut Cx<'a>, mutation: Field<'a>, expressions: &Expressions<'a>) {
    let kind = mutation.get("patchType");
    let (patch, configuration) = (mutation.get("jsonPatch"), mutation.get("applyConfiguration"));
    let (wanted, other, result) = match kind.text() {
        "" => return cx.required(&MISSING, kind, ""),
        "JSONPatch" => (patch, configuration, Wanted::Patches),
        "ApplyConfiguration" => (configuration, patch, Wanted::Object),
        _ => return cx.not_supported(&UNSUPPORTED, kind, &PATCH_TYPES),
    };
    if wanted.exists() {
        if required(cx, wanted.get("expression")) {
            expressions.check(cx, "mutations", wanted.get("expression"), result);
        }
    } else {
        cx.required(&MISSING, wanted, "the type of the patch asks for it");
    }
    if other.exists() {
        cx.forbidden(&POLICY, other, "beside a patch of another type");
    }
}

/// Looks at a `ValidatingAdmissionPolicyBinding`.
pub(super) fn validating_binding<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    check_binding(cx, spec, false);
    let actions = spec.get("validationActions");
    let mut seen = BTreeSet::new();
    for action in actions.items() {
        if !ACTIONS.contains(&action.text()) {
            cx.not_supported(&UNSUPPORTED, action, &ACTIONS);
        }
        if !seen.insert(action.text()) {
            cx.duplicate(&DUPLICATE, action);
        }
    }
    if seen.contains("Deny") && seen.contains("Warn") {
        cx.invalid(&BINDING, actions, "must not have both `Deny` and `Warn`");
    }
    if seen.is_empty() {
        cx.required(&MISSING, actions, "");
    }
}

/// Looks at a `MutatingAdmissionPolicyBinding`.
pub(super) fn mutating_binding<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    check_binding(cx, object.get("spec"), true);
}

fn check_binding<'a>(cx: &mut Cx<'a>, spec: Field<'a>, is_mutating: bool) {
    let policy = spec.get("policyName");
    if policy.is_empty() {
        cx.required(&MISSING, policy, "");
    } else if let Some(wrong) = naming::dns_subdomain(policy.text()) {
        cx.invalid(&BINDING, policy, wrong);
    }
    check_param(cx, spec.get("paramRef"));
    resources::check_match(cx, spec.get("matchResources"), is_mutating);
}

/// Looks at where parameters are (`validateParamRef`).
fn check_param<'a>(cx: &mut Cx<'a>, param: Field<'a>) {
    if !param.exists() {
        return;
    }
    let (name, selector) = (param.get("name"), param.get("selector"));
    if !name.is_empty() {
        if let Some(wrong) = naming::path_segment(name.text()) {
            cx.invalid(&BINDING, name, wrong);
        }
        if selector.exists() {
            cx.forbidden(&BINDING, name, "beside a selector");
        }
    } else if !selector.exists() {
        cx.required(&BINDING, param, "set `name` or `selector`");
    }
    selector::check(cx, selector);
    let action = param.get("parameterNotFoundAction");
    if action.is_empty() {
        cx.required(&MISSING, action, "");
    } else {
        one_of(cx, action, &NOT_FOUND);
    }
}
