//! `PersistentVolumeClaims`, and the templates of claims in other kinds.

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::forms::{FORBIDDEN, IMMUTABLE, INVALID, OUT_OF_RANGE};
use super::rule::Rule;
use super::shared::{MISSING, UNSUPPORTED};
use super::{resources, selector};
use crate::naming;
use crate::quantity::Quantity;

pub(super) const KINDS: &[Kind] =
    &[Kind { group: "", name: "PersistentVolumeClaim", validate, update: Some(update) }];

pub(super) const RULES: &[&Rule] =
    &[&ACCESS_MODES, &DATA_SOURCE, &CLAIM_CHANGES, &CLAIM_SHRINKS, &FRACTION, &OLD_ANNOTATION];

pub(super) const ACCESS_MODES: Rule = Rule::new(
    "api/invalid-access-modes",
    "Access modes that a volume cannot have",
    "A volume and a claim name at least one access mode, and `ReadWriteOncePod` excludes all \
     others.",
    "list `ReadWriteOnce`, `ReadOnlyMany`, `ReadWriteMany`, or only `ReadWriteOncePod`",
    &["ValidatePersistentVolumeClaimSpec", "ValidatePersistentVolumeSpec"],
);

const DATA_SOURCE: Rule = Rule::new(
    "api/invalid-data-source",
    "Source of a claim's data that cannot be one",
    "`dataSource` and `dataSourceRef` name a kind, a name and, unless it is another claim, an API \
     group; where both are written they say the same.",
    "write `dataSourceRef` alone, with `apiGroup`, `kind` and `name`",
    &["validateDataSource", "validateDataSourceRef"],
);

const CLAIM_CHANGES: Rule = Rule::new(
    "api/claim-changed",
    "Spec of a PersistentVolumeClaim changes",
    "Once it exists, only the requested size of a claim and the class of its volume's attributes \
     may change.",
    "create a claim with another name and move the data, or take the change back",
    &["ValidatePersistentVolumeClaimUpdate"],
);

const CLAIM_SHRINKS: Rule = Rule::new(
    "api/claim-shrunk",
    "PersistentVolumeClaim asks for less than before",
    "Volumes grow and never shrink.",
    "keep the size, or create a smaller claim with another name and move the data",
    &["ValidatePersistentVolumeClaimUpdate"],
);

pub(super) const FRACTION: Rule = Rule::new(
    "api/fraction-of-a-byte",
    "Size of a claim is not a whole number of bytes",
    "The server rounds the size up and warns, because the unit `m` stands for thousandths and is \
     often meant as `M`.",
    "write a whole number, or the unit `M` or `Mi`",
    &["GetWarningsForPersistentVolumeClaimSpec"],
)
.warning();

const OLD_ANNOTATION: Rule = Rule::new(
    "api/annotation-before-field",
    "Annotation whose field came long ago",
    "The annotation was the way before the field existed, and may be ignored in time.",
    "set the field instead of the annotation",
    &["GetWarningsForPersistentVolumeClaim", "GetWarningsForPersistentVolume"],
)
.warning();

/// The annotation that came before `storageClassName`.
pub(super) const CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";
pub(super) const VOLUME_MODES: &[&str] = &["Block", "Filesystem"];
const MODES: &[&str] = &["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
/// The minor in which the class of a volume's attributes came on by default.
pub(super) const ATTRIBUTES_CLASS: u32 = 34;

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    let (source, reference) = kept_sources(cx, spec);
    check_spec(cx, spec, source, reference);
    let annotation = object.at(&["metadata", "annotations"]).get(CLASS_ANNOTATION);
    warn_old_annotation(cx, annotation, "spec.storageClassName");
    let resources = spec.get("resources");
    for part in ["requests", "limits"] {
        let size = resources.get(part).get("storage");
        if resources::amount(size).is_some_and(|it| !resources::is_whole(&it)) {
            cx.invalid(&FRACTION, size, "is not a whole number of bytes");
        }
    }
}

/// Warns of an annotation that a field replaced.
pub(super) fn warn_old_annotation<'a>(cx: &mut Cx<'a>, annotation: Field<'a>, field: &str) {
    if annotation.exists() {
        let problem = format!("is older than `{field}`, which replaces it");
        cx.invalid_key(&OLD_ANNOTATION, annotation, &problem);
    }
}

/// Checks the spec of a claim in another kind (`ValidatePersistentVolumeClaimSpec`): an item of
/// `volumeClaimTemplates`, or the template of an ephemeral volume.
pub(super) fn claim_spec<'a>(cx: &mut Cx<'a>, spec: Field<'a>) {
    check_spec(cx, spec, Some(spec.get("dataSource")), Some(spec.get("dataSourceRef")));
}

/// Returns the sources that the server keeps (`DropDisabledFields`,
/// `EnforceDataSourceBackwardsCompatibility`).
fn kept_sources<'a>(cx: &Cx<'a>, spec: Field<'a>) -> (Option<Field<'a>>, Option<Field<'a>>) {
    let old = cx.old.map(|it| it.get("spec"));
    let had = |key| old.is_some_and(|it| it.get(key).exists());
    let reference = Some(spec.get("dataSourceRef"))
        .filter(|it| it.exists() && cx.minor >= 24)
        .filter(|it| it.get("namespace").is_empty());
    let source = Some(spec.get("dataSource")).filter(|it| it.exists()).filter(|it| {
        had("dataSource") || had("dataSourceRef") || reference.is_some() || is_old_source(*it)
    });
    (source, reference)
}

/// Says whether a source is one of the two that `dataSource` took before `dataSourceRef` came.
fn is_old_source(source: Field<'_>) -> bool {
    matches!(
        (source.get("apiGroup").text(), source.get("kind").text()),
        ("", "PersistentVolumeClaim") | ("snapshot.storage.k8s.io", "VolumeSnapshot")
    )
}

fn check_spec<'a>(
    cx: &mut Cx<'a>,
    spec: Field<'a>,
    source: Option<Field<'a>>,
    reference: Option<Field<'a>>,
) {
    access_modes(cx, spec.get("accessModes"));
    selector::check(cx, spec.get("selector"));
    check_size(cx, spec.get("resources"));
    cx.name_if_any(spec.get("storageClassName"), naming::dns_subdomain);
    if spec.get("volumeMode").exists() {
        cx.one_of(spec.get("volumeMode"), VOLUME_MODES);
    }
    if cx.minor >= ATTRIBUTES_CLASS {
        cx.name_if_any(spec.get("volumeAttributesClassName"), naming::dns_subdomain);
    }
    let source = source.filter(|it| it.exists());
    let reference = reference.filter(|it| it.exists());
    for field in [source, reference].into_iter().flatten() {
        check_source(cx, field);
    }
    let (Some(source), Some(reference)) = (source, reference) else { return };
    cx.name_if_any(reference.get("namespace"), naming::dns_label);
    if !reference.get("namespace").is_empty() {
        cx.forbidden(&DATA_SOURCE, source, "beside `dataSourceRef.namespace`");
        cx.named(spec);
    } else if !["apiGroup", "kind", "name"]
        .iter()
        .all(|key| source.get(key).text() == reference.get(key).text())
    {
        cx.invalid(&DATA_SOURCE, source, "must say the same as `dataSourceRef`");
        cx.named(spec);
    }
}

/// Checks the access modes of a volume or a claim.
pub(super) fn access_modes<'a>(cx: &mut Cx<'a>, modes: Field<'a>) {
    if modes.is_empty() {
        cx.required(&ACCESS_MODES, modes, "at least one access mode is needed");
        return;
    }
    let (mut alone, mut other) = (false, false);
    for mode in modes.items() {
        match mode.text() {
            "ReadWriteOncePod" if cx.minor < 27 => {
                cx.not_supported(
                    &UNSUPPORTED,
                    mode,
                    &["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce"],
                );
                cx.named(modes);
            }
            "ReadWriteOncePod" => alone = true,
            text if MODES.contains(&text) => other = true,
            _ if mode.node().is_some_and(|it| it.as_str().is_none()) => {}
            _ => {
                cx.not_supported(&UNSUPPORTED, mode, MODES);
                cx.named(modes);
            }
        }
    }
    if alone && other {
        cx.invalid(&ACCESS_MODES, modes, "must not hold `ReadWriteOncePod` beside other modes");
    }
}

/// The server names the size `resources[storage]`, whatever part of `resources` it stands in.
fn check_size<'a>(cx: &mut Cx<'a>, resources: Field<'a>) {
    let size = resources.get("requests").get("storage");
    let named = resources.get("storage");
    let requests = resources.get("requests").node();
    if requests.is_none_or(|it| it.get("storage").is_none()) {
        cx.required(&MISSING, size, "a claim asks for a size");
        cx.named(named);
        return;
    }
    // To the server's decoder `null` is an amount of zero.
    if !size.exists() || resources::amount(size).is_some_and(|it| it <= Quantity::ZERO) {
        cx.invalid(&OUT_OF_RANGE, size, "must be greater than zero");
        cx.named(named);
    }
}

fn check_source<'a>(cx: &mut Cx<'a>, source: Field<'a>) {
    for key in ["name", "kind"] {
        if source.get(key).is_empty() {
            cx.required(&DATA_SOURCE, source.get(key), "");
        }
    }
    let group = source.get("apiGroup");
    if group.is_empty() && source.get("kind").text() != "PersistentVolumeClaim" {
        cx.invalid(
            &DATA_SOURCE,
            source,
            "needs an `apiGroup`, unless its kind is `PersistentVolumeClaim`",
        );
    }
    let old = cx.old.map(|it| it.get("spec"));
    let had_group = old.is_some_and(|it| {
        ["dataSource", "dataSourceRef"].iter().any(|key| it.get(key).get("apiGroup").exists())
    });
    if cx.minor >= 29 && !had_group {
        cx.name_if_any(group, naming::dns_subdomain);
    }
}

fn update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let annotations = ["metadata", "annotations", CLASS_ANNOTATION];
    let (new_note, old_note) = (new.at(&annotations), old.at(&annotations));
    let bound = matches!(old.at(&["status", "phase"]).text(), "" | "Bound");
    let (spec, old_spec) = (new.get("spec"), old.get("spec"));
    let class = spec.get("storageClassName");
    let class_came = class.exists() && !old_spec.get("storageClassName").exists();
    let class_from_note = class_came && old_note.exists() && class.text() == old_note.text();
    if !(class_from_note && (!new_note.exists() || new_note.text() == old_note.text())) {
        cx.unchanged(new_note, old_note);
    }
    let class_may_come = class_came && (!old_note.exists() || class_from_note);
    let changed = changed_field(spec, old_spec, class_may_come, bound);
    if let Some(field) = changed {
        cx.immutable(&CLAIM_CHANGES, field);
        cx.named(spec);
    }
    check_shrinking(cx, spec, old);
    if spec.get("volumeMode").str().unwrap_or("Filesystem")
        != old_spec.get("volumeMode").str().unwrap_or("Filesystem")
    {
        cx.immutable(&IMMUTABLE, spec.get("volumeMode"));
        cx.named(new.get("volumeMode"));
    }
    let applied = old.at(&["status", "currentVolumeAttributesClassName"]).exists();
    let attributes = spec.get("volumeAttributesClassName");
    if applied && attributes.is_empty() && cx.minor >= ATTRIBUTES_CLASS {
        cx.invalid(&INVALID, attributes, "must not be taken away once the class is applied");
    } else if cx.minor < ATTRIBUTES_CLASS
        && attributes.exists()
        && old_spec.get("volumeAttributesClassName").exists()
        && !attributes.equals(old_spec.get("volumeAttributesClassName"))
    {
        cx.forbidden(&FORBIDDEN, attributes, "in this version");
    }
}

/// Returns the first field of the spec that changes and may not.
fn changed_field<'a>(
    new: Field<'a>,
    old: Field<'a>,
    class_may_come: bool,
    bound: bool,
) -> Option<Field<'a>> {
    let plain = |key: &'a str| (!new.get(key).equals(old.get(key))).then(|| new.get(key));
    let mode = |spec: Field<'a>| spec.get("volumeMode").str().unwrap_or("Filesystem");
    let size = |spec: Field<'a>| resources::amount(spec.at(&["resources", "requests", "storage"]));
    let limits = |spec: Field<'a>| spec.at(&["resources", "limits"]);
    plain("accessModes")
        .or_else(|| plain("selector"))
        .or_else(|| plain("volumeName").filter(|_| !old.get("volumeName").is_empty()))
        .or_else(|| plain("storageClassName").filter(|_| !class_may_come))
        .or_else(|| plain("volumeAttributesClassName").filter(|_| !bound))
        .or_else(|| (mode(new) != mode(old)).then(|| new.get("volumeMode")))
        .or_else(|| changed_source(new, old))
        .or_else(|| (!limits(new).equals(limits(old))).then(|| limits(new)))
        .or_else(|| {
            let changes = !bound && size(new) != size(old);
            changes.then(|| new.at(&["resources", "requests", "storage"]))
        })
}

/// Returns the source of the data where it changes: each of the two fields stands for the other.
///
/// A reference into another namespace was never kept, nor what once could not be a source.
fn changed_source<'a>(new: Field<'a>, old: Field<'a>) -> Option<Field<'a>> {
    let reference = |spec: Field<'a>| {
        let field = spec.get("dataSourceRef");
        Some(field).filter(|it| it.exists() && it.get("namespace").is_empty())
    };
    let source = |spec: Field<'a>, had: bool| {
        let field = spec.get("dataSource");
        let kept = had || reference(spec).is_some() || is_old_source(field);
        Some(field).filter(|it| it.exists() && kept)
    };
    let any = |spec, had| reference(spec).or_else(|| source(spec, had));
    let before = any(old, false);
    match (any(new, before.is_some()), before) {
        (Some(now), Some(before)) => (!now.equals(before)).then_some(now),
        (Some(now), None) => Some(now),
        // What the server filled in stays, and stands for what goes.
        (None, Some(_)) => {
            let both = reference(old).is_some() && source(old, false).is_some();
            both.then(|| new.get("dataSourceRef"))
        }
        (None, None) => None,
    }
}

fn check_shrinking<'a>(cx: &mut Cx<'a>, spec: Field<'a>, old: Field<'a>) {
    let way = ["resources", "requests", "storage"];
    let size = spec.at(&way);
    let (Some(new), Some(before)) =
        (resources::amount(size), resources::amount(old.get("spec").at(&way)))
    else {
        return;
    };
    if new >= before {
        return;
    }
    let capacity = resources::amount(old.at(&["status", "capacity", "storage"]));
    // From 1.32 on, a growth that failed may be taken back as far as the volume's own size.
    if cx.minor < 32 || capacity.is_none_or(|it| new <= it) {
        cx.invalid(&CLAIM_SHRINKS, size, "is less than before");
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_one, assert_refused, assert_update};

    const HEAD: &str = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\n";

    fn claim(fields: &str) -> String {
        format!(
            "{HEAD}spec:\n  accessModes: [ReadWriteOnce]\n  resources: {{requests: {{storage: 1Gi}}}}\n{fields}"
        )
    }

    #[test]
    fn a_claim_asks_for_a_mode_and_a_size() {
        assert_clean(&claim(""));
        assert_refused(
            &format!("{HEAD}spec: {{}}\n"),
            &["spec.accessModes", "spec.resources.storage"],
        );
        assert_one(
            &claim("").replace("1Gi", "-1Gi"),
            "api/out-of-range",
            "`-1Gi` in `spec.resources.requests.storage` must be greater than zero",
            "spec.resources.storage",
            "-1Gi",
        );
    }

    #[test]
    fn one_mode_excludes_the_others() {
        assert_clean(&claim("").replace("ReadWriteOnce", "ReadWriteOncePod"));
        assert_refused(
            &claim("").replace("ReadWriteOnce", "ReadWriteOncePod, ReadWriteMany"),
            &["spec.accessModes"],
        );
    }

    #[test]
    fn sources_are_whole() {
        assert_clean(&claim("  dataSource: {kind: PersistentVolumeClaim, name: b}\n"));
        // The server drops what was never a source of old.
        assert_clean(&claim("  dataSource: {kind: Other, name: b}\n"));
        assert_refused(
            &claim("  dataSourceRef: {kind: Other, name: ''}\n"),
            &["spec.dataSourceRef.name", "spec.dataSourceRef"],
        );
        assert_refused(
            &claim(
                "  dataSource: {kind: PersistentVolumeClaim, name: b}\n  dataSourceRef: {kind: PersistentVolumeClaim, name: c}\n",
            ),
            &["spec"],
        );
    }

    #[test]
    fn only_the_size_changes_and_grows() {
        let old = claim("");
        assert_update(&old, &old.replace("1Gi", "2Gi"), &[]);
        assert_update(&old, &old.replace("1Gi", "1024Mi"), &[]);
        assert_update(&old, &old.replace("1Gi", "1Mi"), &["spec.resources.requests.storage"]);
        assert_update(&old, &old.replace("ReadWriteOnce", "ReadWriteMany"), &["spec"]);
        assert_update(&old, &claim("  storageClassName: fast\n"), &[]);
        assert_update(&claim("  storageClassName: fast\n"), &old, &["spec"]);
        assert_update(&old, &claim("  volumeMode: Block\n"), &["spec", "volumeMode"]);
        assert_update(&old, &claim("  volumeMode: Filesystem\n"), &[]);
    }
}
