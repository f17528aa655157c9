//! What the rules of a custom resource definition may cost.

use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::rule::Rule;
use crate::document::{FieldPath, Part};
use crate::rule::Minors;

pub(super) const COST: Rule = Rule::new(
    "api/expensive-expression",
    "CEL rule of a custom resource that may cost too much",
    "The server estimates what each rule costs at most, for the largest list, map and string that \
     the schema lets in: without `maxItems`, `maxProperties` and `maxLength` those are as large as \
     a request. A rule below a list counts as often as there may be items. It refuses a definition \
     in which a rule or a `messageExpression` may cost more than 10,000,000, or all together more \
     than 100,000,000. A schema that is stored already keeps its expensive rules, as long as nothing \
     in it changes. This is the estimate of Kubernetes 1.30 and later.",
    "bound lists by `maxItems`, maps by `maxProperties` and strings by `maxLength`",
    &["ValidateCustomResourceDefinitionOpenAPISchema", "getExpressionCost", "EstimateCallCost"],
)
.in_minors(Minors::since(30));

/// What one expression may cost (`StaticEstimatedCostLimit`).
const LIMIT: u64 = 10_000_000;

/// What all expressions of a schema may cost (`StaticEstimatedCRDCostLimit`).
const TOTAL_LIMIT: u64 = 100_000_000;

/// How many of the most expensive rules are named.
const SHOWN: usize = 4;

/// Returns by how much a limit is exceeded, in words.
fn factor(cost: u64, limit: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with a few digits")]
    let factor = cost as f64 / limit as f64;
    if factor > 100.0 {
        "more than 100 times".to_owned()
    } else if factor < 1.5 {
        format!("{:.3} times", factor.max(1.001))
    } else {
        format!("{factor:.1} times")
    }
}

/// What the rules of one schema may cost.
#[derive(Debug, Default)]
pub(super) struct Costs {
    /// That of all that are not refused for themselves.
    total: u64,
    /// Those that matter, by cost.
    dear: Vec<(u64, FieldPath)>,
}

impl Costs {
    /// Counts an expression, and reports one that is too expensive for itself. `open` tells what
    /// could be bounded.
    pub(super) fn count<'a>(
        &mut self,
        cx: &mut Cx<'a>,
        field: Field<'a>,
        cost: u64,
        is_kept: bool,
        open: impl FnOnce() -> Vec<String>,
    ) {
        if cost <= LIMIT || is_kept {
            self.total = self.total.saturating_add(cost);
            if cost >= TOTAL_LIMIT / 100 {
                self.dear.push((cost, field.path()));
                self.dear.sort_by_key(|it| std::cmp::Reverse(it.0));
                self.dear.truncate(SHOWN);
            }
            return;
        }
        let path = field.path();
        let (place, factor) = (cx.place(&path), factor(cost, LIMIT));
        let message =
            format!("the expression in {place} may cost {factor} what the API server allows");
        let open = open();
        let help = if open.is_empty() {
            "lower the bounds of what it goes through, or make the expression simpler".to_owned()
        } else {
            format!("set {}, or make the expression simpler", open.join(", "))
        };
        cx.report(&COST, path, Part::Value, message, Some(help));
    }

    /// Reports rules that are too expensive together.
    pub(super) fn finish<'a>(self, cx: &mut Cx<'a>, schema: Field<'a>) {
        if self.total <= TOTAL_LIMIT {
            return;
        }
        let path = schema.path();
        let factor = factor(self.total, TOTAL_LIMIT);
        let message = format!(
            "the rules in {} may together cost {factor} what the API server allows",
            cx.place(&path)
        );
        let dear: Vec<String> = self.dear.iter().map(|it| cx.place(&it.1)).collect();
        let help = format!("bound what the most expensive go through: {}", dear.join(", "));
        cx.report(&COST, path, Part::Key, message, Some(help));
    }
}

/// Returns how often the parts of a schema may be there for each time it is itself
/// (`extractMaxElements`); `None` for without bound.
pub(super) fn copies(schema: Field<'_>) -> Option<u64> {
    let most = |key| schema.get(key).int().map(|it| it.max(0).cast_unsigned());
    match schema.get("type").text() {
        "object" if schema.get("additionalProperties").exists() => most("maxProperties"),
        "array" => most("maxItems"),
        _ => Some(1),
    }
}
