//! Roles and their bindings.

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::forms::INVALID_NAME;
use super::rule::Rule;
use super::selector;
use super::shared::MISSING;
use crate::naming;

const GROUP: &str = "rbac.authorization.k8s.io";

pub(super) const KINDS: &[Kind] = &[
    Kind { group: GROUP, name: "Role", validate: role, update: None },
    Kind { group: GROUP, name: "ClusterRole", validate: cluster_role, update: None },
    Kind { group: GROUP, name: "RoleBinding", validate: role_binding, update: Some(update) },
    Kind {
        group: GROUP,
        name: "ClusterRoleBinding",
        validate: cluster_role_binding,
        update: Some(update),
    },
];

pub(super) const RULES: &[&Rule] = &[&RULE, &ROLE_REF, &SUBJECT, &ROLE_REF_CHANGED];

const RULE: Rule = Rule::new(
    "api/invalid-policy-rule",
    "Rule of a role that grants nothing, or two things at once",
    "A rule names verbs, and either resources with their API groups or URLs that are no resources. \
     Only ClusterRoles grant such URLs.",
    "write `verbs`, `apiGroups` and `resources`; the core group is `\"\"`",
    &["ValidatePolicyRule"],
);

const ROLE_REF: Rule = Rule::new(
    "api/invalid-role-ref",
    "Binding that refers to no role",
    "A RoleBinding refers to a Role or a ClusterRole, a ClusterRoleBinding to a ClusterRole.",
    "write `apiGroup: rbac.authorization.k8s.io`, `kind` and `name`",
    &["ValidateRoleBinding", "ValidateClusterRoleBinding"],
);

const SUBJECT: Rule = Rule::new(
    "api/invalid-subject",
    "Subject of a binding that is nobody",
    "A subject is a `User` or a `Group` of the group `rbac.authorization.k8s.io`, or a \
     `ServiceAccount` of no group. A ClusterRoleBinding says in which namespace the account lives.",
    "mend the kind, the group or the namespace of the subject",
    &["ValidateRoleBindingSubject"],
);

const ROLE_REF_CHANGED: Rule = Rule::new(
    "api/role-ref-changed",
    "Role of a binding changes",
    "Who may edit a binding's subjects must not be able to give them another role, so a binding \
     keeps its role.",
    "create a binding with another name and delete this one",
    &["ValidateRoleBindingUpdate", "ValidateClusterRoleBindingUpdate"],
);

fn role<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    for rule in object.get("rules").items() {
        check_rule(cx, rule, true);
    }
}

fn cluster_role<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    for rule in object.get("rules").items() {
        check_rule(cx, rule, false);
    }
    let aggregation = object.get("aggregationRule");
    let old = cx.old.map(|it| it.get("aggregationRule"));
    if !aggregation.exists() || cx.is_emptied(aggregation, old) {
        return;
    }
    let selectors = aggregation.get("clusterRoleSelectors");
    if selectors.is_empty() {
        cx.required(&MISSING, selectors, "without a selector no roles are gathered");
    }
    let old = cx.old.map(|it| it.at(&["aggregationRule", "clusterRoleSelectors"]));
    let keeps = old.is_some_and(|it| it.items().any(selector::has_invalid_value));
    for selector in selectors.items() {
        selector::check_leniently(cx, selector, keeps);
    }
}

fn check_rule<'a>(cx: &mut Cx<'a>, rule: Field<'a>, namespaced: bool) {
    if rule.get("verbs").is_empty() {
        cx.required(&RULE, rule.get("verbs"), "a rule grants at least one verb");
    }
    let urls = rule.get("nonResourceURLs");
    if urls.is_empty() {
        for (key, why) in [
            ("apiGroups", "a rule names the API groups of its resources"),
            ("resources", "a rule names at least one resource"),
        ] {
            if rule.get(key).is_empty() {
                cx.required(&RULE, rule.get(key), why);
            }
        }
        return;
    }
    if namespaced {
        cx.forbidden(&RULE, urls, "in a Role: only a ClusterRole grants them");
    }
    if ["apiGroups", "resources", "resourceNames"].iter().any(|key| !rule.get(key).is_empty()) {
        cx.forbidden(&RULE, urls, "beside resources: write two rules");
    }
}

fn role_binding<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    check_binding(cx, object, &["Role", "ClusterRole"], true);
}

fn cluster_role_binding<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    check_binding(cx, object, &["ClusterRole"], false);
}

fn check_binding<'a>(cx: &mut Cx<'a>, object: Field<'a>, kinds: &[&str], namespaced: bool) {
    let role = object.get("roleRef");
    let group = role.get("apiGroup");
    if !group.is_empty() && group.text() != GROUP {
        cx.not_supported(&ROLE_REF, group, &[GROUP]);
    }
    if !kinds.contains(&role.get("kind").text()) {
        cx.not_supported(&ROLE_REF, role.get("kind"), kinds);
    }
    let name = role.get("name");
    if name.is_empty() {
        cx.required(&ROLE_REF, name, "");
    } else {
        cx.name(name, naming::path_segment);
    }
    for subject in object.get("subjects").items() {
        check_subject(cx, subject, namespaced);
    }
}

fn check_subject<'a>(cx: &mut Cx<'a>, subject: Field<'a>, namespaced: bool) {
    let (name, group) = (subject.get("name"), subject.get("apiGroup"));
    if name.is_empty() {
        cx.required(&SUBJECT, name, "");
    }
    match subject.get("kind").text() {
        "ServiceAccount" => {
            if let Some(wrong) = naming::dns_subdomain(name.text())
                && !name.is_empty()
            {
                cx.invalid(&INVALID_NAME, name, wrong);
            }
            if !group.is_empty() {
                cx.invalid(&SUBJECT, group, "must be empty: ServiceAccounts are of the core group");
            }
            let namespace = subject.get("namespace");
            if !namespaced && namespace.is_empty() {
                cx.required(&SUBJECT, namespace, "a ServiceAccount lives in a namespace");
            }
        }
        "User" | "Group" => {
            if !group.is_empty() && group.text() != GROUP {
                cx.not_supported(&SUBJECT, group, &[GROUP]);
            }
        }
        _ => {
            let kinds = &["ServiceAccount", "User", "Group"];
            cx.not_supported(&SUBJECT, subject.get("kind"), kinds);
        }
    }
}

fn update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let (role, old_role) = (new.get("roleRef"), old.get("roleRef"));
    let group = |role: Field<'a>| Some(role.get("apiGroup").text()).filter(|it| !it.is_empty());
    let differs = group(role).unwrap_or(GROUP) != group(old_role).unwrap_or(GROUP)
        || ["kind", "name"].iter().any(|key| role.get(key).text() != old_role.get(key).text());
    if differs {
        cx.immutable(&ROLE_REF_CHANGED, role);
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_one, assert_refused, assert_update};

    const HEAD: &str = "apiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: a}\n";

    #[test]
    fn rules_grant_something() {
        assert_clean(&format!(
            "{HEAD}kind: Role\nrules: [{{apiGroups: [''], resources: [pods], verbs: [get]}}]\n"
        ));
        assert_refused(
            &format!("{HEAD}kind: Role\nrules: [{{}}]\n"),
            &["rules[0].verbs", "rules[0].apiGroups", "rules[0].resources"],
        );
        let urls =
            format!("{HEAD}kind: Role\nrules: [{{nonResourceURLs: [/healthz], verbs: [get]}}]\n");
        assert_one(
            &urls,
            "api/invalid-policy-rule",
            "`rules[0].nonResourceURLs` must not be set in a Role: only a ClusterRole grants them",
            "rules[0].nonResourceURLs",
            "nonResourceURLs",
        );
        assert_clean(&urls.replace("kind: Role", "kind: ClusterRole"));
    }

    #[test]
    fn aggregation_gathers_something() {
        assert_refused(
            &format!("{HEAD}kind: ClusterRole\naggregationRule: {{}}\n"),
            &["aggregationRule.clusterRoleSelectors"],
        );
    }

    #[test]
    fn subjects_are_somebody() {
        let binding = |kind: &str, subject: &str| {
            format!(
                "{HEAD}kind: {kind}\nroleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: b}}\nsubjects: [{subject}]\n"
            )
        };
        assert_clean(&binding("RoleBinding", "{kind: ServiceAccount, name: c}"));
        assert_clean(&binding("RoleBinding", "{kind: User, name: 'a:b/c'}"));
        assert_refused(
            &binding("ClusterRoleBinding", "{kind: ServiceAccount, name: c}"),
            &["subjects[0].namespace"],
        );
        assert_refused(
            &binding("RoleBinding", "{kind: User, name: c, apiGroup: v1}"),
            &["subjects[0].apiGroup"],
        );
        assert_refused(
            &binding("RoleBinding", "{kind: Users, name: ''}"),
            &["subjects[0].name", "subjects[0].kind"],
        );
    }

    #[test]
    fn a_binding_keeps_its_role() {
        let old = format!("{HEAD}kind: RoleBinding\nroleRef: {{kind: Role, name: b}}\n");
        assert_update(
            &old,
            &old.replace("{kind", "{apiGroup: rbac.authorization.k8s.io, kind"),
            &[],
        );
        assert_update(&old, &old.replace("name: b", "name: c"), &["roleRef"]);
        assert_refused(&old.replace("RoleBinding", "ClusterRoleBinding"), &["roleRef.kind"]);
    }
}
