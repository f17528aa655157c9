//! `FlowSchemas` and `PriorityLevelConfigurations`: how the API server shares itself out.

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::forms::FORBIDDEN;
use super::rule::Rule;
use super::shared::{MISSING, UNSUPPORTED};
use crate::naming;

const GROUP: &str = "flowcontrol.apiserver.k8s.io";

pub(super) const KINDS: &[Kind] = &[
    Kind { group: GROUP, name: "FlowSchema", validate: schema, update: None },
    Kind { group: GROUP, name: "PriorityLevelConfiguration", validate: level, update: None },
];

pub(super) const RULES: &[&Rule] = &[&FLOW, &LEVEL];

const FLOW: Rule = Rule::new(
    "api/invalid-flow-schema",
    "FlowSchema that matches no requests",
    "A FlowSchema names a priority level and has rules: subjects, and verbs on resources or on URLs. \
     `*` stands alone in a list.",
    "mend the rule that the message names",
    &["ValidateFlowSchemaSpec", "ValidateFlowSchemaResourcePolicyRule"],
);

const LEVEL: Rule = Rule::new(
    "api/invalid-priority-level",
    "Priority level that cannot share requests out",
    "The level `exempt` is the only one without limits. A queue holds at least one request, and a \
     hand has no more queues than there are.",
    "mend the number that the message names",
    &["ValidatePriorityLevelConfigurationSpec", "ValidatePriorityLevelQueuingConfiguration"],
);

const VERBS: &[&str] =
    &["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];
/// The lowest of all precedences.
const LAST: i64 = 10_000;
/// How many bits the server has to deal hands with.
const HASH_BITS: f64 = 60.0;

fn schema<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    let precedence = spec.get("matchingPrecedence");
    // Zero stands for the default.
    match precedence.int().unwrap_or(0) {
        0 => {}
        it if !(1..=LAST).contains(&it) => {
            cx.invalid(&FLOW, precedence, &format!("must be between 1 and {LAST}"));
        }
        1 if object.at(&["metadata", "name"]).text() != "exempt" => {
            cx.invalid(&FLOW, precedence, "is only for the FlowSchema `exempt`");
        }
        _ => {}
    }
    let method = spec.get("distinguisherMethod");
    if method.exists() && !matches!(method.get("type").text(), "ByUser" | "ByNamespace") {
        cx.not_supported(&UNSUPPORTED, method.get("type"), &["ByNamespace", "ByUser"]);
    }
    let level = spec.at(&["priorityLevelConfiguration", "name"]);
    cx.require_name(level, naming::dns_subdomain);
    for rule in spec.get("rules").items() {
        let subjects = rule.get("subjects");
        if subjects.is_empty() {
            cx.required(&FLOW, subjects, "a rule is about somebody");
        }
        for subject in subjects.items() {
            check_subject(cx, subject);
        }
        let (resources, urls) = (rule.get("resourceRules"), rule.get("nonResourceRules"));
        if resources.is_empty() && urls.is_empty() {
            cx.required(&FLOW, rule, "it has `resourceRules` or `nonResourceRules`");
        }
        for rule in resources.items() {
            check_resources(cx, rule);
        }
        for rule in urls.items() {
            check_verbs(cx, rule.get("verbs"));
            let urls = rule.get("nonResourceURLs");
            if check_list(cx, urls) {
                for url in urls.items() {
                    check_url(cx, url);
                }
            }
        }
    }
}

fn check_subject<'a>(cx: &mut Cx<'a>, subject: Field<'a>) {
    const PARTS: [(&str, &str); 3] =
        [("ServiceAccount", "serviceAccount"), ("User", "user"), ("Group", "group")];
    let kind = subject.get("kind");
    let Some((_, own)) = PARTS.iter().find(|it| it.0 == kind.text()) else {
        cx.not_supported(&UNSUPPORTED, kind, &["Group", "ServiceAccount", "User"]);
        return;
    };
    let part = subject.get(own);
    if part.exists() {
        let name = part.get("name");
        if *own != "serviceAccount" || name.text() == "*" {
            cx.require(name);
        } else {
            cx.require_name(name, naming::dns_subdomain);
        }
        if *own == "serviceAccount" {
            cx.require_name(part.get("namespace"), naming::dns_label);
        }
    } else {
        cx.required(&FLOW, part, "the kind of the subject is this");
    }
    for (_, other) in PARTS.iter().filter(|it| it.1 != *own) {
        if subject.get(other).exists() {
            cx.forbidden(
                &FORBIDDEN,
                subject.get(other),
                "where the kind of the subject is another",
            );
        }
    }
}

/// Checks that there are items, and that `*` stands alone; says whether single items matter.
fn check_list<'a>(cx: &mut Cx<'a>, list: Field<'a>) -> bool {
    if list.is_empty() {
        cx.required(&FLOW, list, "a rule names at least one");
        return false;
    }
    let all = list.items().any(|it| it.text() == "*");
    if all && list.len() > 1 {
        cx.invalid(&FLOW, list, "must hold nothing else where it holds `*`");
    }
    !all
}

fn check_verbs<'a>(cx: &mut Cx<'a>, verbs: Field<'a>) {
    if check_list(cx, verbs)
        && let Some(other) = verbs.items().find(|it| !VERBS.contains(&it.text()))
    {
        cx.not_supported(&UNSUPPORTED, other, VERBS);
        cx.named(verbs);
    }
}

fn check_resources<'a>(cx: &mut Cx<'a>, rule: Field<'a>) {
    check_verbs(cx, rule.get("verbs"));
    check_list(cx, rule.get("apiGroups"));
    check_list(cx, rule.get("resources"));
    let namespaces = rule.get("namespaces");
    if namespaces.is_empty() {
        if !rule.get("clusterScope").is_true() {
            cx.required(&MISSING, namespaces, "unless `clusterScope` is set");
        }
    } else if check_list(cx, namespaces) {
        for namespace in namespaces.items() {
            cx.require_name(namespace, naming::dns_label);
        }
    }
}

/// Checks a URL, which may end with `/*` (`ValidateNonResourceURLPath`).
fn check_url<'a>(cx: &mut Cx<'a>, url: Field<'a>) {
    let text = url.text();
    let stars = text.matches('*').count();
    let problem = if text == "/" {
        return;
    } else if !text.starts_with('/') {
        "must begin with `/`"
    } else if text.contains(' ') {
        "must not have spaces"
    } else if text.contains("//") {
        "must not have `//`"
    } else if stars > 1 || (stars == 1 && !text.ends_with("/*")) {
        "may have `*` only as its last part"
    } else {
        return;
    };
    cx.invalid(&FLOW, url, problem);
}

fn level<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    let kind = spec.get("type");
    let (limited, exempt) = (spec.get("limited"), spec.get("exempt"));
    let is_exempt = object.at(&["metadata", "name"]).text() == "exempt";
    if is_exempt != (kind.text() == "Exempt") {
        cx.invalid(&LEVEL, kind, "must be `Exempt` for the level `exempt`, and only for that");
    }
    match kind.text() {
        "Exempt" => {
            if limited.exists() {
                cx.forbidden(&FORBIDDEN, limited, "where the type is `Exempt`");
            }
            cx.at_least(exempt.get("nominalConcurrencyShares"), 0);
            cx.between(exempt.get("lendablePercent"), 0, 100);
        }
        "Limited" => {
            if exempt.exists() {
                cx.forbidden(&FORBIDDEN, exempt, "where the type is `Limited`");
            }
            if limited.exists() {
                check_limited(cx, limited);
            } else {
                cx.required(&LEVEL, limited, "the type is `Limited`");
            }
        }
        "" => {
            cx.require(kind);
        }
        _ => cx.not_supported(&UNSUPPORTED, kind, &["Exempt", "Limited"]),
    }
}

fn check_limited<'a>(cx: &mut Cx<'a>, limited: Field<'a>) {
    cx.at_least(limited.get("nominalConcurrencyShares"), 0);
    cx.at_least(limited.get("assuredConcurrencyShares"), 0);
    cx.between(limited.get("lendablePercent"), 0, 100);
    cx.at_least(limited.get("borrowingLimitPercent"), 0);
    let response = limited.get("limitResponse");
    let (kind, queuing) = (response.get("type"), response.get("queuing"));
    match kind.text() {
        "Reject" if queuing.exists() => {
            cx.forbidden(&FORBIDDEN, queuing, "where requests are rejected");
        }
        "Reject" => {}
        "Queue" if queuing.exists() => check_queuing(cx, queuing),
        "Queue" => cx.required(&LEVEL, queuing, "requests are queued"),
        "" => {
            cx.require(kind);
        }
        _ => cx.not_supported(&UNSUPPORTED, kind, &["Queue", "Reject"]),
    }
}

#[expect(clippy::cast_precision_loss, reason = "the server computes so")]
fn check_queuing<'a>(cx: &mut Cx<'a>, queuing: Field<'a>) {
    let (length, queues, hand) =
        (queuing.get("queueLengthLimit"), queuing.get("queues"), queuing.get("handSize"));
    let number = |field: Field<'a>, default| field.int().filter(|it| *it != 0).unwrap_or(default);
    if number(length, 50) < 1 {
        cx.invalid(&LEVEL, length, "must be at least 1");
    }
    let (deck, size) = (number(queues, 64), number(hand, 8));
    if !(1..=10_000_000).contains(&deck) {
        cx.invalid(&LEVEL, queues, "must be between 1 and 10000000");
    }
    if size < 1 {
        cx.invalid(&LEVEL, hand, "must be at least 1");
    } else if size > deck {
        cx.invalid(&LEVEL, hand, "is greater than the number of queues");
        if !hand.exists() {
            cx.help("set `handSize`, which is 8 by default");
        }
    } else if ((deck as f64).log2() * size as f64).ceil() > HASH_BITS {
        cx.invalid(&LEVEL, hand, "needs more bits than the server hashes, for so many queues");
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_refused};

    const HEAD: &str = "apiVersion: flowcontrol.apiserver.k8s.io/v1\nmetadata: {name: a}\n";

    #[test]
    fn schemas_match_something() {
        let schema = |rule: &str| {
            format!(
                "{HEAD}kind: FlowSchema\nspec: {{priorityLevelConfiguration: {{name: b}}, rules: [{{{rule}}}]}}\n"
            )
        };
        let subject = "subjects: [{kind: User, user: {name: c}}]";
        assert_clean(&schema(&format!(
            "{subject}, nonResourceRules: [{{verbs: ['*'], nonResourceURLs: [/healthz, /api/*]}}]"
        )));
        assert_refused(&schema(""), &["spec.rules[0].subjects", "spec.rules[0]"]);
        assert_refused(
            &schema(&format!(
                "{subject}, resourceRules: [{{verbs: [fetch], apiGroups: ['*', b], resources: [c], namespaces: []}}]"
            )),
            &[
                "spec.rules[0].resourceRules[0].verbs",
                "spec.rules[0].resourceRules[0].apiGroups",
                "spec.rules[0].resourceRules[0].namespaces",
            ],
        );
    }

    #[test]
    fn levels_share_out() {
        let level = |queuing: &str| {
            format!(
                "{HEAD}kind: PriorityLevelConfiguration\nspec: {{type: Limited, limited: {{limitResponse: {{type: Queue, queuing: {{{queuing}}}}}}}}}\n"
            )
        };
        assert_clean(&level(""));
        assert_refused(&level("queues: 4"), &["spec.limited.limitResponse.queuing.handSize"]);
        assert_refused(
            &level("queues: 10000000, handSize: 60"),
            &["spec.limited.limitResponse.queuing.handSize"],
        );
        assert_refused(&level("").replace("Limited", "Exempt"), &["spec.type", "spec.limited"]);
    }
}
