//! Label selectors over labels and over parameters.

use crate::document::Node;

/// Says whether a selector chooses something; `None` chooses everything.
///
/// `label` returns the value of a label. As Argo CD has it, values are not held to the form of
/// labels.
pub(super) fn chooses(selector: Option<&Node>, label: &dyn Fn(&str) -> Option<String>) -> bool {
    let Some(selector) = selector else { return true };
    let equal = selector.get("matchLabels").map_or(&[][..], Node::entries);
    equal.iter().all(|entry| label(&entry.key).as_deref() == entry.value.as_str())
        && selector.get("matchExpressions").map_or(&[][..], Node::items).iter().all(|expression| {
            let text = |key| expression.get(key).and_then(Node::as_str).unwrap_or_default();
            let value = label(text("key"));
            let listed = || {
                let values = expression.get("values").map_or(&[][..], Node::items);
                values.iter().any(|it| it.as_str().is_some() && it.as_str() == value.as_deref())
            };
            match text("operator") {
                "In" => listed(),
                "NotIn" => !listed(),
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                _ => false,
            }
        })
}

/// Says whether a selector asks for anything at all.
pub(super) fn asks(selector: Option<&Node>) -> bool {
    selector.is_some_and(|selector| {
        let has = |node: Option<&Node>| {
            node.is_some_and(|it| !it.entries().is_empty() || !it.items().is_empty())
        };
        has(selector.get("matchLabels")) || has(selector.get("matchExpressions"))
    })
}
