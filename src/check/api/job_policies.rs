//! The policies by which a Job fails, succeeds and replaces its pods.

use std::collections::BTreeSet;

use super::cx::Cx;
use super::field::Field;
use super::job::is_indexed;
use super::rollout;
use super::rule::Rule;
use super::selector;

pub(super) const RULES: &[&Rule] = &[&FAILURE, &SUCCESS_POLICY];

const FAILURE: Rule = Rule::new(
    "api/invalid-pod-failure-policy",
    "Rule for failed pods that cannot be applied",
    "Each rule of a policy is about exit codes or about conditions of the pod, and says what then \
     happens to the Job. Exit codes are sorted and stand there once.",
    "mend the rule",
    &["validatePodFailurePolicy"],
);

const SUCCESS_POLICY: Rule = Rule::new(
    "api/invalid-success-policy",
    "Rule for success that cannot be applied",
    "An indexed Job may succeed when some of its indexes have: by their numbers, in rising order and \
     below `completions`, or by how many they are.",
    "mend the rule",
    &["validateSuccessPolicy", "validateIndexesFormat"],
);

/// The minor in which a policy for failures came on by default.
pub(super) const FAILURES: u32 = 26;
/// The minor in which a policy for success came on by default.
pub(super) const SUCCESS: u32 = 31;
/// The minor in which a policy for replacements came on by default.
const REPLACEMENTS: u32 = 29;
/// The minor in which a failure may count for its index only.
const FAIL_INDEX: u32 = 29;

const RULES_MAX: usize = 20;
const CODES_MAX: usize = 255;
const CONDITIONS_MAX: usize = 20;
const INDEXES_MAX: usize = 64 * 1024;

const STATUSES: &[&str] = &["False", "True", "Unknown"];

/// Looks at all policies.
pub(super) fn check<'a>(cx: &mut Cx<'a>, spec: Field<'a>) {
    let failures = spec.get("podFailurePolicy");
    let has_failures = failures.exists() && cx.minor >= FAILURES;
    if has_failures {
        check_failures(cx, spec, failures.get("rules"));
    }
    let success = spec.get("successPolicy");
    if success.exists() && cx.minor >= SUCCESS {
        if is_indexed(spec) {
            check_success(cx, spec, success.get("rules"));
        } else {
            cx.invalid(&SUCCESS_POLICY, success, "is for indexed Jobs only");
        }
    }
    if cx.minor >= REPLACEMENTS {
        let values: &[&str] =
            if has_failures { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
        cx.one_of(spec.get("podReplacementPolicy"), values);
    }
}

fn check_failures<'a>(cx: &mut Cx<'a>, spec: Field<'a>, rules: Field<'a>) {
    if rules.len() > RULES_MAX {
        cx.too_long(&FAILURE, rules, RULES_MAX, "rules");
    }
    let pod = spec.at(&["template", "spec"]);
    let containers = ["containers", "initContainers"].map(|it| pod.get(it));
    let names: BTreeSet<&str> =
        containers.iter().flat_map(|it| it.items()).map(|it| it.get("name").text()).collect();
    let actions: &[&str] = if cx.minor >= FAIL_INDEX {
        &["Count", "FailIndex", "FailJob", "Ignore"]
    } else {
        &["Count", "FailJob", "Ignore"]
    };
    for rule in rules.items() {
        let action = rule.get("action");
        cx.require_one_of(action, actions);
        if action.text() == "FailIndex" && !spec.get("backoffLimitPerIndex").exists() {
            cx.invalid(&FAILURE, action, "needs `backoffLimitPerIndex`");
        }
        let (codes, conditions) = (rule.get("onExitCodes"), rule.get("onPodConditions"));
        if codes.exists() {
            check_codes(cx, codes, &names);
        }
        check_conditions(cx, conditions);
        if codes.exists() != conditions.is_empty() {
            let problem = if codes.exists() {
                "must be about exit codes or conditions, not both"
            } else {
                "must be about exit codes or conditions"
            };
            cx.invalid(&FAILURE, rule, problem);
        }
    }
}

fn check_conditions<'a>(cx: &mut Cx<'a>, conditions: Field<'a>) {
    if conditions.len() > CONDITIONS_MAX {
        cx.too_long(&FAILURE, conditions, CONDITIONS_MAX, "conditions");
    }
    for condition in conditions.items() {
        selector::check_key(cx, &FAILURE, condition.get("type"));
        cx.one_of_if_any(condition.get("status"), STATUSES);
    }
}

fn check_codes<'a>(cx: &mut Cx<'a>, codes: Field<'a>, names: &BTreeSet<&str>) {
    let operator = codes.get("operator");
    cx.require_one_of(operator, &["In", "NotIn"]);
    let container = codes.get("containerName");
    if container.str().is_some_and(|it| !names.contains(it)) {
        cx.invalid(&FAILURE, container, "must name a container of the template");
    }
    let values = codes.get("values");
    if values.is_empty() {
        cx.required(&FAILURE, values, "");
    } else if values.len() > CODES_MAX {
        cx.too_long(&FAILURE, values, CODES_MAX, "exit codes");
    }
    let (mut seen, mut before, mut sorted) = (BTreeSet::new(), i64::MIN, true);
    for value in values.items() {
        let Some(code) = value.int() else { continue };
        if code == 0 && operator.text() == "In" {
            cx.invalid(&FAILURE, value, "must not be 0, which is no failure");
        }
        if !seen.insert(code) {
            cx.duplicate(&FAILURE, value);
        }
        sorted &= before <= code;
        before = code;
    }
    if !sorted {
        cx.invalid(&FAILURE, values, "must be in rising order");
    }
}

fn check_success<'a>(cx: &mut Cx<'a>, spec: Field<'a>, rules: Field<'a>) {
    if rules.is_empty() {
        cx.required(&SUCCESS_POLICY, rules, "");
    } else if rules.len() > RULES_MAX {
        cx.too_long(&SUCCESS_POLICY, rules, RULES_MAX, "rules");
    }
    let completions = spec.get("completions").int().unwrap_or(1);
    for rule in rules.items() {
        let (count, indexes) = (rule.get("succeededCount"), rule.get("succeededIndexes"));
        if !count.exists() && !indexes.exists() {
            cx.required(&SUCCESS_POLICY, rule, "it says how many or which indexes succeed");
        }
        let mut total = None;
        if let Some(text) = indexes.str() {
            if text.len() > INDEXES_MAX {
                cx.too_long(&SUCCESS_POLICY, indexes, INDEXES_MAX, "characters");
            }
            match total_of(text, completions) {
                Ok(it) => total = Some(it),
                Err(problem) => {
                    cx.invalid(&SUCCESS_POLICY, indexes, problem);
                    total = Some(0);
                }
            }
        }
        rollout::check_counts(cx, rule, &["succeededCount"]);
        let Some(number) = count.int() else { continue };
        if number > completions {
            cx.invalid(&SUCCESS_POLICY, count, "must not be more than `completions`");
        }
        if total.is_some_and(|it| number > it) {
            cx.invalid(&SUCCESS_POLICY, count, "must not be more than the indexes");
        }
    }
}

/// Returns how many indexes a list has, such as `1,3-5` (`validateIndexesFormat`).
fn total_of(text: &str, completions: i64) -> Result<i64, &'static str> {
    let number = |text: &str| {
        let number: i64 =
            text.parse().map_err(|_| "must be numbers and ranges, such as `1,3-5`")?;
        if number >= completions {
            Err("must have indexes below `completions` only")
        } else {
            Ok(number)
        }
    };
    if text.is_empty() {
        return Ok(0);
    }
    let (mut total, mut last) = (0, None);
    for part in text.split(',') {
        let (first, end) = match part.split_once('-') {
            Some((first, end)) => (number(first)?, number(end)?),
            None => (number(part)?, number(part)?),
        };
        let falling = last.is_some_and(|it| it >= first) || (part.contains('-') && first >= end);
        if falling {
            return Err("must be in rising order");
        }
        total += end - first + 1;
        last = Some(end);
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::api::fixture::findings;

    fn paths(fields: &str) -> String {
        let object = format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: a}}\nspec:\n  \
             template: {{spec: {{restartPolicy: Never, containers: [{{name: c, image: i}}]}}}}\n  {fields}\n"
        );
        let found = findings(37, &object);
        let paths: Vec<&str> = found.iter().map(|it| it.2.strip_prefix("spec.").unwrap()).collect();
        paths.join(" ")
    }

    #[test]
    fn rules_for_failures() {
        for (rule, refused) in [
            ("{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}", ""),
            ("{action: FailJob, onExitCodes: {operator: In, values: [1, 2]}}", ""),
            (
                "{action: FailJob, onExitCodes: {operator: In, values: [2, 1]}}",
                "[0].onExitCodes.values",
            ),
            (
                "{action: FailJob, onExitCodes: {operator: In, values: [0]}}",
                "[0].onExitCodes.values[0]",
            ),
            (
                "{action: FailJob, onExitCodes: {operator: NotIn, values: [1], containerName: d}}",
                "[0].onExitCodes.containerName",
            ),
            ("{action: FailIndex, onExitCodes: {operator: NotIn, values: [1]}}", "[0].action"),
            (
                "{action: Wait, onPodConditions: [{type: a b}]}",
                "[0].action [0].onPodConditions[0].type",
            ),
            ("{action: Count}", "[0]"),
        ] {
            let found = paths(&format!("podFailurePolicy: {{rules: [{rule}]}}"));
            assert_eq!(found.replace("podFailurePolicy.rules", ""), refused, "{rule}");
        }
    }

    #[test]
    fn rules_for_success() {
        let with = |rule: &str| {
            paths(&format!(
                "completionMode: Indexed\n  completions: 5\n  successPolicy: {{rules: [{rule}]}}"
            ))
        };
        assert_eq!(with("{succeededIndexes: '0-2', succeededCount: 3}"), "");
        assert_eq!(with("{succeededIndexes: '0-5'}"), "successPolicy.rules[0].succeededIndexes");
        assert_eq!(
            with("{succeededIndexes: '0-2', succeededCount: 4}"),
            "successPolicy.rules[0].succeededCount"
        );
        assert_eq!(with("{}"), "successPolicy.rules[0]");
        assert_eq!(paths("successPolicy: {rules: []}"), "successPolicy");
    }

    #[test]
    fn indexes_are_counted() {
        assert_eq!(total_of("", 5), Ok(0));
        assert_eq!(total_of("0,2-4", 5), Ok(4));
        for bad in ["5", "1,1", "3-1", "2-2", "a", "1-2-3", "1,"] {
            assert!(total_of(bad, 5).is_err(), "{bad}");
        }
    }
}
