//! `LimitRanges`.

use std::collections::{BTreeMap, BTreeSet};

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::forms::{FORBIDDEN, INVALID};
use super::resources::{self, amount};
use super::rule::Rule;
use super::shared::{DUPLICATE, MISSING};
use crate::naming;
use crate::quantity::Quantity;

pub(super) const KINDS: &[Kind] = &[Kind { group: "", name: "LimitRange", validate, update: None }];

pub(super) const RULES: &[&Rule] = &[&LIMITS];

const LIMITS: Rule = Rule::new(
    "api/contradicting-limits",
    "Limits of a LimitRange contradict each other",
    "For each resource the smallest amount is no greater than the default request, that no greater \
     than the default limit, and that no greater than the greatest amount. The ratio is at least \
     one, and no greater than that of the greatest and the smallest amount.",
    "order the amounts: `min`, `defaultRequest`, `default`, `max`",
    &["ValidateLimitRange"],
);

const TYPES: &[&str] = &["Pod", "Container", "PersistentVolumeClaim"];
/// The greatest number of which the server takes thousandths (`MaxMilliValue`).
const MAX_MILLI: i64 = i64::MAX / 1000;

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let mut types = BTreeSet::new();
    for limit in object.at(&["spec", "limits"]).items() {
        let kind = limit.get("type");
        check_type(cx, kind);
        if !types.insert(kind.text()) {
            cx.duplicate(&DUPLICATE, kind);
        }
        check_names(cx, limit);
        if kind.text() == "PersistentVolumeClaim"
            && ["min", "max"].iter().all(|key| !limit.get(key).get("storage").exists())
        {
            cx.required(
                &MISSING,
                limit.get("limits"),
                "a claim has a `min` or a `max` of `storage`",
            );
        }
        check_amounts(cx, limit);
    }
}

fn check_type<'a>(cx: &mut Cx<'a>, kind: Field<'a>) {
    let text = kind.text();
    if let Some(wrong) = naming::qualified_name(text) {
        cx.invalid(&INVALID, kind, wrong);
    } else if !text.contains('/') && !TYPES.contains(&text) {
        cx.not_supported(&INVALID, kind, TYPES);
    }
}

fn check_names<'a>(cx: &mut Cx<'a>, limit: Field<'a>) {
    let kind = limit.get("type").text();
    let form = match kind {
        "Pod" | "Container" => resources::container_resource_name,
        _ => resources::resource_name,
    };
    for part in ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] {
        let amounts = limit.get(part);
        if kind == "Pod" && part.starts_with("default") {
            if !amounts.is_empty() {
                cx.forbidden(&FORBIDDEN, amounts, "when the type is `Pod`");
            }
            continue;
        }
        for (name, value) in amounts.entries() {
            resources::check_name(cx, value, form(name));
        }
    }
}

/// An amount and where it stands.
type Amount<'a> = (Field<'a>, Quantity);

fn amounts<'a>(limit: Field<'a>, part: &'a str) -> BTreeMap<&'a str, Amount<'a>> {
    let entries = limit.get(part).entries();
    // To the server's decoder `null` is an amount of zero.
    let known =
        |field: Field<'a>| if field.exists() { amount(field) } else { Some(Quantity::ZERO) };
    entries.filter_map(|(name, field)| Some((name, (field, known(field)?)))).collect()
}

fn check_amounts<'a>(cx: &mut Cx<'a>, limit: Field<'a>) {
    let (min, max) = (amounts(limit, "min"), amounts(limit, "max"));
    let is_pod = limit.get("type").text() == "Pod";
    let default = |part| if is_pod { BTreeMap::new() } else { amounts(limit, part) };
    let (mut limits, requests) = (default("default"), default("defaultRequest"));
    // Containers are allowed the greatest amount where nothing else is said.
    if limit.get("type").text() == "Container" {
        for (name, it) in &max {
            limits.entry(name).or_insert_with(|| it.clone());
        }
    }
    let ratios = amounts(limit, "maxLimitRequestRatio");
    let no_greater = |cx: &mut Cx<'a>,
                      low: Option<&Amount<'a>>,
                      high: Option<&Amount<'a>>,
                      told: Field<'a>,
                      problem| {
        if let (Some((_, low)), Some((_, high))) = (low, high)
            && low > high
        {
            cx.invalid(&LIMITS, told, problem);
        }
    };
    for (name, low) in &min {
        no_greater(cx, Some(low), max.get(name), low.0, "is greater than `max`");
    }
    for (name, it) in &requests {
        no_greater(cx, min.get(name), Some(it), it.0, "is less than `min`");
        no_greater(cx, Some(it), max.get(name), it.0, "is greater than `max`");
        if !max.contains_key(name)
            || max.get(name).map(|it| &it.1) != limits.get(name).map(|it| &it.1)
        {
            no_greater(cx, Some(it), limits.get(name), it.0, "is greater than `default`");
        }
        if !resources::may_overcommit(name) && limits.get(name).is_some_and(|limit| limit.1 != it.1)
        {
            cx.invalid(&LIMITS, it.0, "must be the same as `default`: it cannot be shared");
        }
    }
    for (name, it) in &limits {
        let told = limit.get("default").get(name);
        if told.exists() {
            no_greater(cx, min.get(name), Some(it), told, "is less than `min`");
            no_greater(cx, Some(it), max.get(name), told, "is greater than `max`");
        }
    }
    for (name, (field, ratio)) in &ratios {
        if *ratio < Quantity::from(1) {
            cx.invalid(&LIMITS, *field, "must be at least 1");
        }
        if let (Some((_, min)), Some((_, max))) = (min.get(name), max.get(name))
            && is_beyond(ratio, min, max)
        {
            cx.invalid(&LIMITS, *field, "is greater than the ratio of `max` to `min`");
        }
    }
}

/// Says whether a ratio is greater than that of two amounts, as the server computes it.
#[expect(clippy::cast_precision_loss, reason = "the server computes so")]
fn is_beyond(ratio: &Quantity, min: &Quantity, max: &Quantity) -> bool {
    let whole = |it: &Quantity| it.value().unwrap_or(i64::MAX);
    let milli = |it: &Quantity| it.milli_value().unwrap_or(i64::MAX);
    let (ratio, min, max) = if [ratio, min, max].iter().all(|it| whole(it) < MAX_MILLI) {
        (milli(ratio) as f64 / 1000.0, milli(min) as f64, milli(max) as f64)
    } else {
        (whole(ratio) as f64, whole(min) as f64, whole(max) as f64)
    };
    ratio > max / min
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_one, assert_refused};

    fn range(limit: &str) -> String {
        format!(
            "apiVersion: v1\nkind: LimitRange\nmetadata: {{name: a}}\nspec: {{limits: [{{{limit}}}]}}\n"
        )
    }

    #[test]
    fn amounts_are_in_order() {
        assert_clean(&range(
            "type: Container, min: {cpu: 1m}, defaultRequest: {cpu: 10m}, default: {cpu: 0.1}, max: {cpu: 1}",
        ));
        assert_one(
            &range("type: Container, min: {cpu: 2}, max: {cpu: 1}"),
            "api/contradicting-limits",
            "`2` in `spec.limits[0].min.cpu` is greater than `max`",
            "spec.limits[0].min.cpu",
            "2",
        );
        assert_refused(
            &range("type: Container, defaultRequest: {cpu: 2}, default: {cpu: 1}"),
            &["spec.limits[0].defaultRequest.cpu"],
        );
        assert_refused(
            &range("type: Container, default: {cpu: 2}, max: {cpu: 1}"),
            &["spec.limits[0].default.cpu"],
        );
    }

    #[test]
    fn ratios_fit() {
        let ratio = "type: Pod, min: {cpu: 1}, max: {cpu: 4}, maxLimitRequestRatio: {cpu: 4}";
        assert_clean(&range(ratio));
        assert_refused(
            &range(&ratio.replace("o: {cpu: 4}", "o: {cpu: 5}")),
            &["spec.limits[0].maxLimitRequestRatio.cpu"],
        );
        assert_refused(
            &range("type: Pod, maxLimitRequestRatio: {cpu: 0.5}"),
            &["spec.limits[0].maxLimitRequestRatio.cpu"],
        );
    }

    #[test]
    fn types_take_their_fields() {
        assert_refused(&range("type: Pods"), &["spec.limits[0].type"]);
        assert_refused(&range("type: Pod, default: {cpu: 1}"), &["spec.limits[0].default"]);
        assert_refused(&range("type: PersistentVolumeClaim"), &["spec.limits[0].limits"]);
        assert_clean(&range("type: PersistentVolumeClaim, max: {storage: 1Gi}"));
        assert_refused(
            &range("type: Container, max: {storage: 1Gi}"),
            &["spec.limits[0].max.storage"],
        );
    }
}
