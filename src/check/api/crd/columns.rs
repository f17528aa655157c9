//! What a definition says of a kind beside its schema: columns, subresources, selectable fields.

use std::collections::BTreeSet;

use super::field_path;
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::rule::Rule;
use crate::rule::Minors;

pub(in crate::check::api) const COLUMN: Rule = Rule::new(
    "api/invalid-printer-column",
    "Column of a custom resource that cannot be printed",
    "A column has a name, a type, and a path that begins with a dot.",
    "mend the column",
    &["ValidateCustomResourceColumnDefinition"],
);

pub(in crate::check::api) const SUBRESOURCE: Rule = Rule::new(
    "api/invalid-scale-subresource",
    "Scale of a custom resource that leads to no field",
    "The scale of a custom resource reads and writes a number below `spec`, reads one below \
     `status`, and may read a selector from either.",
    "write paths such as `.spec.replicas` and `.status.replicas`",
    &["ValidateCustomResourceDefinitionSubresources"],
);

pub(in crate::check::api) const SELECTABLE: Rule = Rule::new(
    "api/invalid-selectable-field",
    "Selectable field of a custom resource that cannot be selected by",
    "Objects are selected by at most eight fields, each a string, a number or a boolean that the \
     schema has outside of lists and `metadata`.",
    "name a field of the schema",
    &["ValidateCustomResourceSelectableFields"],
)
.in_minors(Minors::since(31));

/// The types of a column.
const TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];

/// The formats of a column.
const FORMATS: [&str; 8] =
    ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

/// Looks at the printer columns of a version.
pub(super) fn check_columns<'a>(cx: &mut Cx<'a>, columns: Field<'a>) {
    // An older version of the API has the key in capitals, and the server says it so.
    let is_v1 = cx.object.version() == "v1";
    for column in columns.items() {
        if column.get("name").is_empty() {
            cx.required(&COLUMN, column.get("name"), "");
        }
        let kind = column.get("type");
        if kind.is_empty() {
            cx.required(&COLUMN, kind, "");
        } else if !TYPES.contains(&kind.text()) {
            cx.not_supported(&COLUMN, kind, &TYPES);
        }
        let format = column.get("format");
        if !format.is_empty() && !FORMATS.contains(&format.text()) {
            cx.not_supported(&COLUMN, format, &FORMATS);
        }
        let path = column.get(if is_v1 { "jsonPath" } else { "JSONPath" });
        if path.is_empty() {
            cx.required(&COLUMN, path, "");
            cx.named(column.get("JSONPath"));
        } else if let Some(wrong) = wrong_path(path) {
            cx.invalid(&COLUMN, path, wrong);
            cx.named(column.get("JSONPath"));
        }
    }
}

/// Says what is wrong with a path that only has names in it (`validateSimpleJSONPath`).
fn wrong_path(path: Field<'_>) -> Option<&'static str> {
    (!path.text().starts_with('.')).then_some("must begin with `.`")
}

/// Looks at the subresources of a version.
pub(super) fn check_subresources<'a>(cx: &mut Cx<'a>, subresources: Field<'a>) {
    let scale = subresources.get("scale");
    if !scale.exists() {
        return;
    }
    let paths: [(&'static str, bool, &[&str], &str); 3] = [
        ("specReplicasPath", true, &[".spec."], "must lead to a field below `.spec`"),
        ("statusReplicasPath", true, &[".status."], "must lead to a field below `.status`"),
        (
            "labelSelectorPath",
            false,
            &[".spec.", ".status."],
            "must lead to a field below `.spec` or `.status`",
        ),
    ];
    for (key, is_required, roots, wrong) in paths {
        let path = scale.get(key);
        if path.is_empty() {
            if is_required {
                cx.required(&SUBRESOURCE, path, "");
            }
        } else if !roots.iter().any(|it| path.text().starts_with(it)) {
            cx.invalid(&SUBRESOURCE, path, wrong);
        }
    }
}

/// The most fields that objects can be selected by (`MaxSelectableFields`).
const MAX_SELECTABLE: usize = 8;

/// Looks at the fields that objects of a version can be selected by.
pub(super) fn check_selectable<'a>(cx: &mut Cx<'a>, fields: Field<'a>, schema: Field<'a>) {
    if fields.is_empty() {
        return;
    }
    if !schema.exists() {
        cx.invalid(&SELECTABLE, fields, "must not be set where there is no schema");
        return;
    }
    let mut seen = BTreeSet::new();
    for field in fields.items() {
        let path = field.get("jsonPath");
        if path.is_empty() {
            cx.required(&SELECTABLE, path, "");
            continue;
        }
        let walked = match field_path::walk(path.text(), schema, false) {
            Ok(walked) => walked,
            Err(wrong) => {
                cx.invalid(&SELECTABLE, path, wrong);
                continue;
            }
        };
        if walked.names.first().is_some_and(|it| it == "metadata") {
            cx.invalid(&SELECTABLE, path, "must not lead into `metadata`");
        }
        if !matches!(walked.schema.get("type").text(), "string" | "boolean" | "integer") {
            cx.invalid(&SELECTABLE, path, "must lead to a string, a boolean or an integer");
        }
        if !seen.insert(walked.names) {
            cx.duplicate(&SELECTABLE, path);
        }
    }
    if seen.len() > MAX_SELECTABLE {
        cx.too_long(&SELECTABLE, fields, MAX_SELECTABLE, "fields");
    }
}
