//! Events.

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::forms::{INVALID, INVALID_NAME};
use super::rule::Rule;
use super::shared::{MISSING, UNSUPPORTED};
use crate::naming;

pub(super) const KINDS: &[Kind] = &[
    Kind { group: "", name: "Event", validate, update: None },
    Kind { group: "events.k8s.io", name: "Event", validate, update: Some(update) },
];

pub(super) const RULES: &[&Rule] = &[&NAMESPACE];

const NAMESPACE: Rule = Rule::new(
    "api/event-namespace",
    "Event lives in another namespace than its object",
    "An event lies beside the object that it tells of; events of objects without a namespace lie in \
     `default`.",
    "put the event into the namespace of its object",
    &["legacyValidateEvent"],
);

/// What the two versions call the parts of an event.
struct Names {
    object: &'static str,
    controller: &'static str,
    /// The name that the server gives to it.
    named_controller: &'static str,
    message: &'static str,
}

const OF_CORE: Names = Names {
    object: "involvedObject",
    controller: "reportingComponent",
    named_controller: "reportingComponent",
    message: "message",
};
const OF_EVENTS: Names = Names {
    object: "regarding",
    controller: "reportingController",
    named_controller: "reportingController",
    message: "note",
};

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let is_core = cx.object.group().is_empty();
    let names = if is_core { &OF_CORE } else { &OF_EVENTS };
    let own = object.at(&["metadata", "namespace"]).text();
    let told = object.get(names.object).get("namespace");
    let is_new = object.get("eventTime").exists();
    let fits = if !told.is_empty() {
        is_new || told.text() == own
    } else if is_new {
        matches!(own, "default" | "kube-system" | "")
    } else {
        matches!(own, "" | "default")
    };
    // Where the manifest names no namespace, the one who applies it does.
    if !fits && !own.is_empty() {
        cx.invalid(&NAMESPACE, told, "is not that of the event");
        cx.named(object.get("involvedObject").get("namespace"));
    }
    if is_new {
        check_new(cx, object, names);
    }
    if !is_core && cx.object.version() == "v1" {
        check_strictly(cx, object, is_new);
    }
}

fn check_new<'a>(cx: &mut Cx<'a>, object: Field<'a>, names: &Names) {
    let controller = object.get(names.controller);
    if controller.is_empty() {
        cx.required(&MISSING, controller, "");
        cx.named(object.get(names.named_controller));
    } else if let Some(wrong) = naming::qualified_name(controller.text()) {
        cx.invalid(&INVALID_NAME, controller, wrong);
        cx.named(object.get(names.named_controller));
    }
    for key in ["reportingInstance", "action", "reason"] {
        let field = object.get(key);
        if cx.require(field) && field.text().len() > 128 {
            cx.too_long(&INVALID, field, 128, "characters");
        }
    }
    let message = object.get(names.message);
    if message.text().len() > 1024 {
        cx.too_long(&INVALID, message, 1024, "characters");
        cx.named(object.get("message"));
    }
}

/// What newer events have, and what they have no more.
fn check_strictly<'a>(cx: &mut Cx<'a>, object: Field<'a>, is_new: bool) {
    if cx.old.is_none() {
        if !is_new {
            cx.required(&MISSING, object.get("eventTime"), "");
        }
        if !matches!(object.get("type").text(), "Normal" | "Warning") {
            cx.not_supported(&UNSUPPORTED, object.get("type"), &["Normal", "Warning"]);
        }
        for (key, name) in [
            ("deprecatedFirstTimestamp", "firstTimestamp"),
            ("deprecatedLastTimestamp", "lastTimestamp"),
            ("deprecatedCount", "count"),
            ("deprecatedSource", "source"),
        ] {
            let field = object.get(key);
            let nothing = field.is_empty() || field.int() == Some(0);
            if !nothing {
                cx.forbidden(&INVALID, field, "any more");
                cx.named(object.get(name));
            }
        }
    }
    let series = object.get("series");
    if series.exists() && !cx.old.is_some_and(|it| it.get("series").equals(series)) {
        let count = series.get("count");
        if count.int().unwrap_or(0) < 2 {
            cx.invalid(&INVALID, count, "must be at least 2");
        }
        cx.require(series.get("lastObservedTime"));
    }
}

fn update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    if cx.object.version() != "v1" {
        return;
    }
    for key in [
        "regarding",
        "reason",
        "note",
        "type",
        "eventTime",
        "action",
        "related",
        "reportingController",
        "reportingInstance",
    ] {
        cx.unchanged(new.get(key), old.get(key));
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_refused};

    #[test]
    fn an_event_lies_beside_its_object() {
        let event = |namespace: &str| {
            format!(
                "apiVersion: v1\nkind: Event\nmetadata: {{name: a, namespace: b}}\ninvolvedObject: {{namespace: {namespace}}}\n"
            )
        };
        assert_clean(&event("b"));
        assert_refused(&event("c"), &["involvedObject.namespace"]);
    }

    #[test]
    fn newer_events_say_more() {
        assert_refused(
            "apiVersion: events.k8s.io/v1\nkind: Event\nmetadata: {name: a, namespace: default}\ntype: Normal\nreason: b\n",
            &["eventTime"],
        );
    }
}
