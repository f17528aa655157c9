//! `PersistentVolumes`, and `VolumeAttachments`, which may bring the spec of one.

use super::Kind;
use super::change;
use super::csi::check_driver_name;
use super::cx::Cx;
use super::field::Field;
use super::forms::{FORBIDDEN, IMMUTABLE, INVALID, OUT_OF_RANGE};
use super::persistent_volume_claim::{
    ATTRIBUTES_CLASS, CLASS_ANNOTATION, VOLUME_MODES, access_modes, warn_old_annotation,
};
use super::pod;
use super::resources::amount;
use super::rule::Rule;
use super::selector;
use super::shared::MISSING;
use super::storage_class::warn_old_label;
use crate::naming;
use crate::quantity::Quantity;

pub(super) const KINDS: &[Kind] = &[
    Kind { group: "", name: "PersistentVolume", validate, update: Some(update) },
    Kind {
        group: "storage.k8s.io",
        name: "VolumeAttachment",
        validate: attachment,
        update: Some(attachment_update),
    },
];

pub(super) const RULES: &[&Rule] = &[&SOURCE, &CAPACITY, &SOURCE_CHANGES, &RECYCLE, &GONE];

const SOURCE: Rule = Rule::new(
    "api/invalid-volume-source",
    "PersistentVolume with no place for its data, or with two",
    "A volume names exactly one source, and what the source needs: a path, a server, a handle. \
     Volumes on the disk of a node say which nodes.",
    "write one source, with the fields that the message names",
    &["ValidatePersistentVolumeSpec"],
);

const CAPACITY: Rule = Rule::new(
    "api/invalid-capacity",
    "Capacity of a volume that is none",
    "A volume says how large it is, by the amount `storage` and no other, which is greater than \
     zero.",
    "write `capacity: {storage: …}`",
    &["ValidatePersistentVolumeSpec"],
);

const SOURCE_CHANGES: Rule = Rule::new(
    "api/volume-source-changed",
    "Source of a PersistentVolume changes",
    "The data lie where they lie, so a volume keeps its source; only the Secret for growing may \
     come later.",
    "create a volume with another name",
    &["ValidatePersistentVolumeUpdate"],
);

const RECYCLE: Rule = Rule::new(
    "api/recycled-volume",
    "Volume is recycled",
    "Recycling is deprecated: it wipes a volume with `rm -rf` and gives it to the next claim.",
    "use `Retain`, or let a StorageClass provision volumes",
    &["GetWarningsForPersistentVolume"],
)
.warning();

const GONE: Rule = Rule::new(
    "api/volume-plugin-gone",
    "Source of a volume that no kubelet mounts any more",
    "The plugin in the tree of Kubernetes was taken out, and the server still takes the field.",
    "use a CSI driver",
    &["GetWarningsForPersistentVolume"],
)
.warning();

/// The sources in the order in which the server looks at them.
const SOURCES: &[&str] = &[
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
];

/// The sources that take options for mounting in an annotation (`checkMountOption`).
const MOUNTED: &[&str] = &[
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "nfs",
    "rbd",
    "quobyte",
    "iscsi",
    "cinder",
    "cephfs",
    "azureFile",
    "vsphereVolume",
    "azureDisk",
    "photonPersistentDisk",
];

/// Sources whose plugins are gone, and the minor from which on.
const OLD_SOURCES: &[(&str, u32)] = &[
    ("photonPersistentDisk", 16),
    ("scaleIO", 22),
    ("storageos", 25),
    ("glusterfs", 26),
    ("cephfs", 31),
    ("rbd", 31),
];
const MOUNT_OPTIONS: &str = "volume.beta.kubernetes.io/mount-options";

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    check_spec(cx, spec, Some(object.at(&["metadata", "name"])));
    let annotations = object.at(&["metadata", "annotations"]);
    warn_old_annotation(cx, annotations.get(CLASS_ANNOTATION), "spec.storageClassName");
    let options = annotations.get(MOUNT_OPTIONS);
    if annotations.has_key(MOUNT_OPTIONS) && !MOUNTED.iter().any(|it| spec.get(it).exists()) {
        cx.forbidden(&FORBIDDEN, options, "for volumes of this source");
    }
    if cx.minor >= 31 {
        warn_old_annotation(cx, options, "spec.mountOptions");
    }
    let policy = spec.get("persistentVolumeReclaimPolicy");
    if policy.text() == "Recycle" {
        cx.invalid(&RECYCLE, policy, "is deprecated");
    }
    for (key, minor) in OLD_SOURCES {
        if spec.get(key).exists() && cx.minor >= *minor {
            let why = format!("any more: nothing mounts it since 1.{minor}");
            cx.forbidden(&GONE, spec.get(key), &why);
        }
    }
    let terms = spec.at(&["nodeAffinity", "required", "nodeSelectorTerms"]).items();
    for requirement in terms.flat_map(|it| it.get("matchExpressions").items()) {
        warn_old_label(cx, requirement.get("key"));
    }
}

/// Checks a spec; inside of an attachment there is no `name`.
fn check_spec<'a>(cx: &mut Cx<'a>, spec: Field<'a>, name: Option<Field<'a>>) {
    let inline = name.is_none();
    if inline {
        for key in ["claimRef", "capacity", "nodeAffinity", "storageClassName"] {
            if !spec.get(key).is_empty() {
                cx.forbidden(&FORBIDDEN, spec.get(key), "inside of an attachment");
            }
        }
        if !spec.get("csi").exists() {
            cx.required(&MISSING, spec.get("csi"), "an attachment brings it");
        }
    }
    access_modes(cx, spec.get("accessModes"));
    if !inline {
        check_capacity(cx, spec.get("capacity"));
        cx.name_if_any(spec.get("storageClassName"), naming::dns_subdomain);
    }
    let policy = spec.get("persistentVolumeReclaimPolicy");
    if inline && !matches!(policy.text(), "" | "Retain") {
        cx.forbidden(&FORBIDDEN, policy, "inside of an attachment, but for `Retain`");
    }
    let mode = spec.get("volumeMode");
    if mode.exists() && !inline {
        cx.not_blank(mode, VOLUME_MODES);
    }
    if inline && mode.exists() && mode.text() != "Filesystem" {
        cx.forbidden(&FORBIDDEN, mode, "inside of an attachment, but for `Filesystem`");
    }
    if !inline {
        check_affinity(cx, spec.get("nodeAffinity"));
    }
    check_sources(cx, spec, name);
    let root = matches!(spec.at(&["hostPath", "path"]).text().trim_end_matches('/'), "" | "/.");
    if spec.get("hostPath").exists() && root && policy.text() == "Recycle" {
        cx.forbidden(&SOURCE, policy, "to `Recycle` where the path is `/`");
    }
    let class = spec.get("volumeAttributesClassName");
    if class.exists() && cx.minor >= ATTRIBUTES_CLASS {
        cx.require_name(class, naming::dns_subdomain);
        if !spec.get("csi").exists() {
            cx.required(&MISSING, spec.get("csi"), "only CSI drivers know classes of attributes");
        }
    }
}

fn check_capacity<'a>(cx: &mut Cx<'a>, capacity: Field<'a>) {
    if capacity.is_empty() {
        cx.required(&CAPACITY, capacity, "a volume says how large it is");
        return;
    }
    if capacity.len() > 1 || capacity.entries().all(|(name, _)| name != "storage") {
        cx.invalid(&CAPACITY, capacity, "must hold `storage` and nothing else");
    }
    for (_, size) in capacity.entries() {
        // To the server's decoder `null` is an amount of zero.
        let known = if size.exists() { amount(size) } else { Some(Quantity::ZERO) };
        if known.is_some_and(|it| it <= Quantity::ZERO) {
            cx.invalid(&OUT_OF_RANGE, size, "must be greater than zero");
        }
    }
}

fn check_affinity<'a>(cx: &mut Cx<'a>, affinity: Field<'a>) {
    if !affinity.exists() {
        return;
    }
    let required = affinity.get("required");
    if !required.exists() {
        cx.required(&MISSING, required, "");
        return;
    }
    let has_invalid_value = |affinity: Field<'_>| {
        let terms = affinity.at(&["required", "nodeSelectorTerms"]).items();
        terms.into_iter().any(selector::has_invalid_value)
    };
    let old = cx.old.map(|it| it.at(&["spec", "nodeAffinity"]));
    let keeps = old.is_some_and(has_invalid_value);
    pod::check_terms(cx, required, keeps);
}

fn check_sources<'a>(cx: &mut Cx<'a>, spec: Field<'a>, name: Option<Field<'a>>) {
    let mut found = false;
    for key in SOURCES {
        let source = spec.get(key);
        if !source.exists() {
            continue;
        }
        if found && *key != "flexVolume" {
            cx.forbidden(&SOURCE, source, "beside another source");
            if *key == "cephfs" {
                cx.named(spec.get("cephFS"));
            }
            continue;
        }
        found = true;
        check_source(cx, spec, key, source, name);
    }
    if !found {
        cx.required(&SOURCE, spec, "a volume has a source");
    }
}

fn check_source<'a>(
    cx: &mut Cx<'a>,
    spec: Field<'a>,
    key: &str,
    source: Field<'a>,
    name: Option<Field<'a>>,
) {
    match key {
        "hostPath" => check_path(cx, source.get("path")),
        "local" => {
            check_path(cx, source.get("path"));
            if !spec.get("nodeAffinity").exists() {
                let why = "a local volume says which nodes have it";
                cx.required(&SOURCE, spec.get("nodeAffinity"), why);
            }
            return;
        }
        "csi" => {
            check_csi(cx, source);
            return;
        }
        _ => {
            pod::check_volume_source(cx, key, spec, source);
        }
    }
    let secret = source.get("secretRef");
    match key {
        "cinder" | "storageos" if secret.exists() => {
            cx.require(secret.get("namespace"));
        }
        "iscsi" => {
            if secret.exists() {
                cx.require(secret.get("name"));
            }
            let portal = source.get("targetPortal");
            let name = name.map(Field::text).unwrap_or_default();
            if source.get("initiatorName").exists() && name.len() + 1 + portal.text().len() > 64 {
                cx.invalid(
                    &SOURCE,
                    portal,
                    "is too long together with the volume's name, by the 64 bytes that both may \
                     have where the initiator has a name",
                );
                cx.named(source.get("targetportal"));
            }
        }
        "azureFile" if source.get("secretNamespace").exists() => {
            cx.require(source.get("secretNamespace"));
        }
        "glusterfs" => cx.name(source.get("endpointsNamespace"), naming::dns_label),
        _ => {}
    }
}

fn check_path<'a>(cx: &mut Cx<'a>, path: Field<'a>) {
    if path.is_empty() {
        cx.required(&SOURCE, path, "");
    } else if path.text().split('/').any(|it| it == "..") {
        cx.invalid(&SOURCE, path, "must not contain `..`");
    }
}

fn check_csi<'a>(cx: &mut Cx<'a>, source: Field<'a>) {
    check_driver_name(cx, source.get("driver"));
    if source.get("volumeHandle").is_empty() {
        cx.required(&SOURCE, source.get("volumeHandle"), "");
    }
    for key in [
        "controllerPublishSecretRef",
        "controllerExpandSecretRef",
        "nodePublishSecretRef",
        "nodeExpandSecretRef",
    ] {
        let secret = source.get(key);
        if secret.exists() {
            cx.require_name(secret.get("name"), naming::dns_subdomain);
            cx.require_name(secret.get("namespace"), naming::dns_label);
        }
    }
}

fn update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let (spec, old_spec) = (new.get("spec"), old.get("spec"));
    let changed = SOURCES.iter().find(|key| {
        let (now, before) = (spec.get(key), old_spec.get(key));
        now.exists() != before.exists() || !is_same_source(now, before)
    });
    if let Some(key) = changed {
        cx.immutable(&SOURCE_CHANGES, spec.get(key));
        cx.named(spec.get("persistentvolumesource"));
    }
    let mode = |spec: Field<'a>| spec.get("volumeMode").str().unwrap_or("Filesystem");
    if mode(spec) != mode(old_spec) {
        cx.immutable(&IMMUTABLE, spec.get("volumeMode"));
        cx.named(new.get("volumeMode"));
    }
    let (affinity, old_affinity) = (spec.get("nodeAffinity"), old_spec.get("nodeAffinity"));
    if old_affinity.exists() && !affinity.equals(old_affinity) && !has_old_label(old_affinity) {
        cx.immutable(&IMMUTABLE, affinity);
        cx.named(new.get("nodeAffinity"));
    }
    let class = spec.get("volumeAttributesClassName");
    let had_class = old_spec.get("volumeAttributesClassName").exists();
    if cx.minor >= ATTRIBUTES_CLASS && had_class && !class.exists() {
        cx.invalid(&INVALID, class, "must not be taken away");
    }
}

/// Says whether two sources are the same, but for a Secret that comes later.
fn is_same_source<'a>(new: Field<'a>, old: Field<'a>) -> bool {
    const LATER: &str = "controllerExpandSecretRef";
    let comes = new.get(LATER).exists() && !old.get(LATER).exists();
    let ignored: &[&str] = if comes { &[LATER] } else { &[] };
    change::first_beside(new, old, ignored).is_none()
}

/// Says whether an affinity names an old label of nodes, which may be replaced by the new one.
fn has_old_label(affinity: Field<'_>) -> bool {
    affinity
        .at(&["required", "nodeSelectorTerms"])
        .items()
        .flat_map(|it| it.get("matchExpressions").items())
        .any(|it| it.get("key").text().contains("beta.kubernetes.io/"))
}

fn attachment<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    check_driver_name(cx, spec.get("attacher"));
    let source = spec.get("source");
    let (name, inline) = (source.get("persistentVolumeName"), source.get("inlineVolumeSpec"));
    match (name.exists(), inline.exists()) {
        (false, false) => cx.required(&SOURCE, source, "it is `persistentVolumeName`"),
        (true, true) => cx.forbidden(&SOURCE, source, "to both a volume and the spec of one"),
        (true, false) => cx.require_name(name, naming::dns_subdomain),
        (false, true) => check_spec(cx, inline, None),
    }
    cx.name(spec.get("nodeName"), naming::dns_subdomain);
}

fn attachment_update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    cx.unchanged(new.get("spec"), old.get("spec"));
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{
        assert_clean, assert_one, assert_refused, assert_update, findings,
    };

    fn volume(fields: &str) -> String {
        format!(
            "apiVersion: v1\nkind: PersistentVolume\nmetadata: {{name: a}}\nspec: {{accessModes: [ReadWriteOnce], capacity: {{storage: 1Gi}}, {fields}}}\n"
        )
    }

    #[test]
    fn a_volume_has_one_source() {
        assert_clean(&volume("nfs: {server: a, path: /b}"));
        assert_refused(&volume(""), &["spec"]);
        assert_refused(&volume("nfs: {server: a, path: /b}, hostPath: {path: /c}"), &["spec.nfs"]);
        assert_one(
            &volume("hostPath: {path: /a/../b}"),
            "api/invalid-volume-source",
            "`/a/../b` in `spec.hostPath.path` must not contain `..`",
            "spec.hostPath.path",
            "/a/../b",
        );
        assert_refused(&volume("local: {path: /a}"), &["spec.nodeAffinity"]);
        assert_refused(
            &volume("csi: {driver: a_b, nodePublishSecretRef: {name: c}}"),
            &[
                "spec.csi.driver",
                "spec.csi.volumeHandle",
                "spec.csi.nodePublishSecretRef.namespace",
            ],
        );
    }

    #[test]
    fn a_volume_says_how_large_it_is() {
        let of =
            |capacity: &str| volume("hostPath: {path: /a}").replace("{storage: 1Gi}", capacity);
        assert_refused(&of("{}"), &["spec.capacity"]);
        assert_refused(&of("{storage: null}"), &["spec.capacity.storage"]);
        assert_refused(&of("{storage: 1Gi, cpu: 1}"), &["spec.capacity"]);
    }

    #[test]
    fn a_source_stays() {
        let old = volume("csi: {driver: a.b, volumeHandle: c}");
        assert_update(&old, &old.replace("1Gi", "2Gi"), &[]);
        assert_update(
            &old,
            &old.replace("Handle: c", "Handle: d"),
            &["spec.persistentvolumesource"],
        );
        let secret = "Handle: c, controllerExpandSecretRef: {name: d, namespace: e}";
        assert_update(&old, &old.replace("Handle: c", secret), &[]);
        assert_update(
            &old,
            &volume("nfs: {server: a, path: /b}"),
            &["spec.persistentvolumesource"],
        );
    }

    #[test]
    fn old_ways_are_warned_of() {
        let rules =
            |text: &str| -> Vec<String> { findings(37, text).into_iter().map(|it| it.0).collect() };
        assert_eq!(
            rules(&volume("persistentVolumeReclaimPolicy: Recycle, nfs: {server: a, path: /b}")),
            ["api/recycled-volume"]
        );
        assert_eq!(rules(&volume("rbd: {monitors: [a], image: b}")), ["api/volume-plugin-gone"]);
    }
}
