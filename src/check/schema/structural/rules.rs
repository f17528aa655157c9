//! The CEL rules of a definition (`x-kubernetes-validations`).

use serde_json::{Map, Value};

/// The rules of one part of a schema.
#[derive(Debug)]
pub(super) struct Rules(Vec<Rule>);

/// One rule, as it is written.
#[derive(Debug)]
struct Rule {
    rule: String,
    message: Option<String>,
}

impl Rules {
    /// Reads the rules of a part of a schema; `None` where it has none.
    pub(super) fn of(schema: &Map<String, Value>) -> Option<Box<Self>> {
        let rules = schema.get("x-kubernetes-validations")?.as_array()?;
        let text = |rule: &Value, key: &str| Some(rule.get(key)?.as_str()?.to_owned());
        let rules: Vec<Rule> = rules
            .iter()
            .filter_map(|rule| {
                Some(Rule { rule: text(rule, "rule")?, message: text(rule, "message") })
            })
            .collect();
        (!rules.is_empty()).then(|| Box::new(Self(rules)))
    }
}
