//! Custom resource definitions.

mod bounds;
mod columns;
mod cost;
mod defaults;
mod field_path;
mod openapi;
mod rules;
mod structural;

use std::collections::BTreeSet;

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::metadata;
use super::rule::Rule;
use super::shared::{DUPLICATE, MISSING, UNSUPPORTED};
use super::webhook_client::{self, CLIENT};
use crate::document::FieldPath;
use crate::naming;
use crate::wording::code;

const GROUP: &str = "apiextensions.k8s.io";

pub(super) const KINDS: &[Kind] =
    &[Kind { group: GROUP, name: "CustomResourceDefinition", validate, update: Some(update) }];

pub(super) const RULES: &[&Rule] = &[
    &NAMES,
    &VERSIONS,
    &CONVERSION,
    &APPROVAL,
    &PRESERVE,
    &columns::COLUMN,
    &columns::SUBRESOURCE,
    &columns::SELECTABLE,
    &openapi::SCHEMA,
    &structural::STRUCTURAL,
    &defaults::DEFAULT,
    &cost::COST,
    &STORED,
    &IMMUTABLE,
];

const NAMES: Rule = Rule::new(
    "api/invalid-crd-names",
    "Names of a custom resource that nothing can have",
    "Plural, singular, short names and categories of a custom resource stand in URLs and command \
     lines, so they are DNS labels that begin with a letter; so are kinds, in letters of either \
     case. The group is a domain with a dot.",
    "write the names as DNS labels",
    &["ValidateCustomResourceDefinitionNames", "validateCustomResourceDefinitionSpec"],
);

const VERSIONS: Rule = Rule::new(
    "api/invalid-crd-versions",
    "Versions of a custom resource that do not fit together",
    "The versions of a custom resource have different names, each a DNS label that begins with a \
     letter, and exactly one of them is the one that is stored. A warning about a deprecated \
     version is short and printable.",
    "mark one version as `storage: true` and all others as `storage: false`",
    &["validateCustomResourceDefinitionSpec", "validateCustomResourceDefinitionVersion"],
);

const CONVERSION: Rule = Rule::new(
    "api/invalid-crd-conversion",
    "Conversion of a custom resource that the API server cannot ask for",
    "Conversion by webhook needs a webhook, and a version of ConversionReview that both sides \
     know; other strategies take neither.",
    "set the webhook and `conversionReviewVersions: [v1]`",
    &["validateCustomResourceConversion", "validateConversionReviewVersions"],
);

const APPROVAL: Rule = Rule::new(
    "api/unapproved-api",
    "Custom resource in a group of the Kubernetes project without its approval",
    "The groups `k8s.io` and `kubernetes.io` and all below them belong to the Kubernetes project. \
     A definition in them says in an annotation where it was approved, or that it was not.",
    "set `api-approved.kubernetes.io` to the address of the approval, or to `unapproved` and why",
    &["validateAPIApproval"],
);

const PRESERVE: Rule = Rule::new(
    "api/preserved-unknown-fields",
    "Custom resource that keeps all unknown fields",
    "Definitions of version v1 keep unknown fields only where their schema says so.",
    "set `x-kubernetes-preserve-unknown-fields: true` in the schema instead",
    &["validatePreserveUnknownFields"],
);

const STORED: Rule = Rule::new(
    "api/stored-version-removed",
    "Version of a custom resource is removed that may still be stored",
    "Objects stay stored in the version that was the storage version when they were last written. \
     The server keeps account of these versions, and refuses to lose one.",
    "keep the version with `served: false` until all objects are written anew and the version is \
     taken out of `status.storedVersions`",
    &["ValidateCustomResourceDefinitionStoredVersions"],
);

const IMMUTABLE: Rule = Rule::new(
    "api/immutable-crd-field",
    "Identity of a custom resource changes",
    "Group, plural, kind and scope say where objects of the kind are stored.",
    "delete the definition with all its objects first, or define another kind",
    &["ValidateCustomResourceDefinitionUpdate", "ValidateImmutableField"],
);

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    let is_v1 = cx.object.version() == "v1";
    check_name(cx, object, spec);
    check_group(cx, spec.get("group"));
    check_scope(cx, spec.get("scope"), is_v1);
    check_names(cx, spec.get("names"));
    check_versions(cx, spec, is_v1);
    check_conversion(cx, spec, is_v1);
    check_approval(cx, object, spec.get("group"));
    if is_v1 && spec.get("preserveUnknownFields").is_true() && !was_preserving(cx) {
        cx.forbidden(&PRESERVE, spec.get("preserveUnknownFields"), "to `true`");
    }
}

fn was_preserving(cx: &Cx<'_>) -> bool {
    cx.old.is_some_and(|it| it.at(&["spec", "preserveUnknownFields"]).is_true())
}

/// The name follows from the spec: `plural.group`.
fn check_name<'a>(cx: &mut Cx<'a>, object: Field<'a>, spec: Field<'a>) {
    let (plural, group) = (spec.at(&["names", "plural"]).text(), spec.get("group").text());
    let wrong =
        |name: &str| name.strip_prefix(plural).and_then(|it| it.strip_prefix('.')) != Some(group);
    for key in ["name", "generateName"] {
        let field = object.at(&["metadata", key]);
        if !field.is_empty() && cx.old.is_none() && wrong(field.text()) {
            cx.invalid(&metadata::NAME, field, "must be the plural, a `.` and the group");
        }
    }
}

fn check_group<'a>(cx: &mut Cx<'a>, group: Field<'a>) {
    if group.is_empty() {
        cx.required(&MISSING, group, "");
    } else if let Some(wrong) = naming::dns_subdomain(group.text()) {
        cx.invalid(&NAMES, group, wrong);
    } else if !group.text().contains('.') {
        cx.invalid(&NAMES, group, "must be a domain with a dot, such as `example.com`");
    }
}

fn check_scope<'a>(cx: &mut Cx<'a>, scope: Field<'a>, is_v1: bool) {
    match scope.text() {
        "" if is_v1 => cx.required(&MISSING, scope, ""),
        "" | "Cluster" | "Namespaced" => {}
        _ => cx.not_supported(&UNSUPPORTED, scope, &["Cluster", "Namespaced"]),
    }
}

/// Looks at the names of a kind (`ValidateCustomResourceDefinitionNames`).
fn check_names<'a>(cx: &mut Cx<'a>, names: Field<'a>) {
    let get = |key| names.get(key);
    for key in ["plural", "kind"] {
        if get(key).is_empty() {
            cx.required(&MISSING, get(key), "");
        }
    }
    if get("kind").is_empty() {
        // What is missing is derived from the kind.
        for key in ["singular", "listKind"] {
            if get(key).is_empty() {
                cx.required(&MISSING, get(key), "it cannot be derived without a kind");
            }
        }
    }
    for key in ["plural", "singular"] {
        check_label(cx, get(key));
    }
    for key in ["kind", "listKind"] {
        let name = get(key);
        if !name.is_empty()
            && let Some(wrong) = naming::dns_1035_label(&name.text().to_lowercase())
        {
            cx.invalid(&NAMES, name, wrong);
        }
    }
    for item in get("shortNames").items().chain(get("categories").items()) {
        if let Some(wrong) = naming::dns_1035_label(item.text()) {
            cx.invalid(&NAMES, item, wrong);
        }
    }
    if !get("kind").is_empty() && get("kind").text() == get("listKind").text() {
        cx.invalid(&NAMES, get("listKind"), "must differ from the kind");
    }
}

fn check_label<'a>(cx: &mut Cx<'a>, name: Field<'a>) {
    if !name.is_empty()
        && let Some(wrong) = naming::dns_1035_label(name.text())
    {
        cx.invalid(&NAMES, name, wrong);
    }
}

fn check_versions<'a>(cx: &mut Cx<'a>, spec: Field<'a>, is_v1: bool) {
    let versions = spec.get("versions");
    let mut names = BTreeSet::new();
    let (mut stored, mut is_unique) = (0, true);
    for version in versions.items() {
        stored += usize::from(version.get("storage").is_true());
        is_unique &= names.insert(version.get("name").text());
        if let Some(wrong) = naming::dns_1035_label(version.get("name").text()) {
            cx.invalid(&VERSIONS, version.get("name"), wrong);
        }
        check_warning(cx, version);
    }
    // An older definition may name its only version outside the list.
    let is_alone = !is_v1 && versions.is_empty() && !spec.get("version").is_empty();
    if !is_unique {
        cx.invalid(&VERSIONS, versions, "must have versions of different names");
    }
    if stored != 1 && !is_alone {
        cx.invalid(&VERSIONS, versions, "must have exactly one version with `storage: true`");
    }
    if is_v1 {
        check_contents(cx, spec);
    } else {
        check_old_contents(cx, spec);
    }
}

fn check_warning<'a>(cx: &mut Cx<'a>, version: Field<'a>) {
    let field = version.get("deprecationWarning");
    let Some(warning) = field.str() else { return };
    let wrongs = [
        (!version.get("deprecated").is_true(), "must be set for deprecated versions only"),
        (warning.is_empty(), "must not be empty"),
        (warning.len() > 256, "must be no more than 256 characters"),
        (!warning.chars().all(is_printable), "must be printable"),
    ];
    for (is_wrong, wrong) in wrongs {
        if is_wrong {
            cx.invalid(&VERSIONS, field, wrong);
        }
    }
}

/// Says whether a character leaves a mark, or is a space (`unicode.IsPrint`).
fn is_printable(c: char) -> bool {
    let is_invisible = matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    );
    c == ' ' || !(c.is_control() || c.is_whitespace() || is_invisible)
}

/// Says whether all versions have the same value of a field, as the server asks when it moves
/// what they have in common into the spec.
fn is_common(versions: Field<'_>, key: &'static str) -> bool {
    let mut items = versions.items();
    let first = items.next();
    first.is_some_and(|first| items.all(|it| it.get(key).equals(first.get(key))))
}

/// Looks at one part of a version.
type Look = for<'a> fn(&mut Cx<'a>, Field<'a>);

/// Looks at what the versions of a definition have in them.
fn check_contents<'a>(cx: &mut Cx<'a>, spec: Field<'a>) {
    let versions = spec.get("versions");
    let has_status = |version: Field<'_>| version.at(&["subresources", "status"]).exists();
    let is_common_schema = is_common(versions, "schema");
    for version in versions.items() {
        let schema = version.at(&["schema", "openAPIV3Schema"]);
        if !schema.exists() {
            cx.required(&MISSING, schema, "");
        }
    }
    let parts: [(&'static str, &'static str, Look); 2] = [
        ("subresources", "subresources", columns::check_subresources),
        ("additionalPrinterColumns", "additionalPrinterColumns", columns::check_columns),
    ];
    for (key, hoisted, look) in parts {
        let is_common = is_common(versions, key);
        for version in versions.items() {
            let mark = cx.mark();
            look(cx, version.get(key));
            if is_common {
                cx.name_anew(mark, version.get(key), &FieldPath::from(["spec", hoisted]));
                break;
            }
        }
    }
    for version in versions.items() {
        let mark = cx.mark();
        let has_status =
            if is_common_schema { versions.items().any(has_status) } else { has_status(version) };
        let old = cx.old.and_then(|it| {
            let mut versions = it.at(&["spec", "versions"]).items();
            versions.find(|it| it.get("name").text() == version.get("name").text())
        });
        let old = old.map(|it| it.at(&["schema", "openAPIV3Schema"]));
        check_schema(cx, version.at(&["schema", "openAPIV3Schema"]), has_status, old);
        if is_common_schema {
            cx.name_anew(mark, version.get("schema"), &FieldPath::from(["spec", "validation"]));
            break;
        }
    }
    let is_common_fields = is_common(versions, "selectableFields");
    for version in versions.items() {
        let (mark, fields) = (cx.mark(), version.get("selectableFields"));
        columns::check_selectable(cx, fields, version.at(&["schema", "openAPIV3Schema"]));
        if is_common_fields {
            cx.name_anew(mark, fields, &FieldPath::from(["spec", "selectableFields"]));
            break;
        }
    }
}

/// Looks at a schema that is structural, as v1 wants all of them.
fn check_schema<'a>(cx: &mut Cx<'a>, schema: Field<'a>, has_status: bool, old: Option<Field<'a>>) {
    if !schema.exists() {
        return;
    }
    let start = cx.mark();
    openapi::check_root(cx, schema, has_status);
    if structural::is_convertible(schema) {
        let mark = cx.mark();
        structural::check(cx, schema);
        if cx.mark() == mark {
            defaults::check(cx, schema);
        }
    }
    openapi::check(cx, schema);
    if cx.mark() == start {
        rules::check(cx, schema, old);
    }
}

/// Looks at what a definition of version v1beta1 has in it, whose schemas need not be structural
/// unless unknown fields are dropped.
fn check_old_contents<'a>(cx: &mut Cx<'a>, spec: Field<'a>) {
    columns::check_subresources(cx, spec.get("subresources"));
    columns::check_columns(cx, spec.get("additionalPrinterColumns"));
    let is_pruning = spec.get("preserveUnknownFields").bool() == Some(false);
    let look = |cx: &mut Cx<'a>, schema: Field<'a>| {
        if is_pruning {
            check_schema(cx, schema, false, None);
        } else {
            openapi::check(cx, schema);
        }
    };
    look(cx, spec.at(&["validation", "openAPIV3Schema"]));
    for version in spec.get("versions").items() {
        columns::check_subresources(cx, version.get("subresources"));
        columns::check_columns(cx, version.get("additionalPrinterColumns"));
        look(cx, version.at(&["schema", "openAPIV3Schema"]));
    }
}

/// Looks at the conversion between versions (`validateCustomResourceConversion`).
fn check_conversion<'a>(cx: &mut Cx<'a>, spec: Field<'a>, is_v1: bool) {
    let conversion = spec.get("conversion");
    if !conversion.exists() {
        return;
    }
    let strategy = conversion.get("strategy");
    match strategy.text() {
        "None" | "Webhook" => {}
        "" => cx.required(&MISSING, strategy, ""),
        _ => cx.not_supported(&UNSUPPORTED, strategy, &["None", "Webhook"]),
    }
    let (config, versions) = if is_v1 {
        let webhook = conversion.get("webhook");
        (webhook.get("clientConfig"), webhook.get("conversionReviewVersions"))
    } else {
        (conversion.get("webhookClientConfig"), conversion.get("conversionReviewVersions"))
    };
    let mark = cx.mark();
    if strategy.text() == "Webhook" {
        if config.exists() {
            webhook_client::check(cx, config);
            check_bundle(cx, config.get("caBundle"));
        } else {
            cx.required(&CLIENT, config, "conversion by webhook needs one");
        }
        if is_v1 || !versions.is_empty() {
            check_review_versions(cx, versions);
        }
    } else {
        for field in [config, versions] {
            if !field.is_empty() {
                cx.forbidden(&CONVERSION, field, "unless the strategy is `Webhook`");
            }
        }
    }
    if is_v1 {
        cx.name_anew(mark, config, &FieldPath::from(["spec", "conversion", "webhookClientConfig"]));
        cx.name_anew(
            mark,
            versions,
            &FieldPath::from(["spec", "conversion", "conversionReviewVersions"]),
        );
    }
    let preserves = spec.get("preserveUnknownFields").bool().unwrap_or(!is_v1);
    if !is_v1 && preserves && strategy.text() != "None" {
        cx.invalid(&CONVERSION, strategy, "must be `None` where unknown fields are preserved");
    }
}

/// A definition that is served trusts certificates that can be read, unless it did not before
/// (`allowInvalidCABundle`).
fn check_bundle<'a>(cx: &mut Cx<'a>, bundle: Field<'a>) {
    let Some(old) = cx.old.map(|it| it.at(&["spec", "conversion", "webhook", "clientConfig"]))
    else {
        return;
    };
    let is_wrong = |it: Field<'_>| !it.is_empty() && !webhook_client::has_certificate(it.text());
    if cx.minor >= 31 && is_wrong(bundle) && !is_wrong(old.get("caBundle")) {
        cx.invalid(&CLIENT, bundle, "must hold certificates as PEM");
    }
}

fn check_review_versions<'a>(cx: &mut Cx<'a>, versions: Field<'a>) {
    if versions.is_empty() {
        return cx.required(&CONVERSION, versions, "");
    }
    let mut seen = BTreeSet::new();
    for version in versions.items() {
        if !seen.insert(version.text()) {
            cx.duplicate(&DUPLICATE, version);
        } else if let Some(wrong) = naming::dns_1035_label(version.text()) {
            cx.invalid(&CONVERSION, version, wrong);
        }
    }
    if !seen.contains("v1") && !seen.contains("v1beta1") {
        cx.invalid(&CONVERSION, versions, "must have `v1` or `v1beta1` in it");
    }
}

/// The annotation that says where an API was approved (`KubeAPIApprovedAnnotation`).
const APPROVED: &str = "api-approved.kubernetes.io";

/// What the annotation says (`APIApprovalState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Approval {
    Missing,
    Wrong,
    Bypassed,
    Given,
}

impl Approval {
    fn of(object: Field<'_>) -> Self {
        let text = object.at(&["metadata", "annotations", APPROVED]).text();
        if text.is_empty() {
            Self::Missing
        } else if text.starts_with("unapproved") {
            Self::Bypassed
        } else if webhook_client::Url::parse(text)
            .is_ok_and(|it| !it.scheme.is_empty() && !it.host.is_empty())
        {
            Self::Given
        } else {
            Self::Wrong
        }
    }
}

/// Looks at the approval that groups of the Kubernetes project need (`validateAPIApproval`).
fn check_approval<'a>(cx: &mut Cx<'a>, object: Field<'a>, group: Field<'a>) {
    let within = |domain: &str| {
        group.text().strip_suffix(domain).is_some_and(|it| it.is_empty() || it.ends_with('.'))
    };
    let approval = Approval::of(object);
    if !(within("k8s.io") || within("kubernetes.io"))
        || cx.old.is_some_and(|it| Approval::of(it) == approval)
    {
        return;
    }
    let annotation = object.at(&["metadata", "annotations", APPROVED]);
    match approval {
        Approval::Missing => {
            cx.required(&APPROVAL, annotation, "the group belongs to the Kubernetes project");
        }
        Approval::Wrong => {
            cx.invalid(&APPROVAL, annotation, "must be an address, or begin with `unapproved`");
        }
        Approval::Bypassed | Approval::Given => {}
    }
}

fn update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let (new_spec, old_spec) = (new.get("spec"), old.get("spec"));
    for path in [&["scope"][..], &["names", "kind"], &["group"], &["names", "plural"]] {
        if !new_spec.at(path).equals(old_spec.at(path)) {
            cx.immutable(&IMMUTABLE, new_spec.at(path));
        }
    }
    let kept: BTreeSet<&str> =
        new_spec.get("versions").items().map(|it| it.get("name").text()).collect();
    let told = old.at(&["status", "storedVersions"]);
    let stored: Vec<&str> = if told.is_empty() {
        let versions = old_spec.get("versions").items();
        versions.filter(|it| it.get("storage").is_true()).map(|it| it.get("name").text()).collect()
    } else {
        told.items().map(Field::text).collect()
    };
    for (at, version) in stored.iter().enumerate() {
        if !kept.contains(version) {
            let (mark, versions) = (cx.mark(), new_spec.get("versions"));
            let problem = format!("must keep {}: objects may be stored in it", code(version));
            cx.invalid(&STORED, versions, &problem);
            let stored = FieldPath::from(["status", "storedVersions"]).index(at);
            cx.name_anew(mark, versions, &stored);
        }
    }
}

#[cfg(test)]
mod tests;
