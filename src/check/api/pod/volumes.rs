//! Volumes: their names, and that each has one source.

use std::collections::BTreeSet;

use super::{Spec, projections, volume_sources};
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::persistent_volume_claim;
use crate::check::api::resources::{self, NEGATIVE};
use crate::check::api::rule::Rule;
use crate::check::api::selector;
use crate::naming;
use crate::wording;

pub(super) const RULES: &[&Rule] = &[&NAME, &SEVERAL, &VOLUME, &PATH, &CLAIM];

const NAME: Rule = Rule::new(
    "api/invalid-volume-name",
    "Volume with a name that it cannot have",
    "The name of a volume is a DNS label, and no other volume of the pod has it.",
    "choose another name, in the mounts too",
    &["ValidateVolumes"],
);

const SEVERAL: Rule = Rule::new(
    "api/several-volume-sources",
    "Volume has more than one source",
    "A volume holds the files of exactly one source; one with many parts is `projected`.",
    "make a volume of each, or project them into one",
    &["validateVolumeSource", "validateProjectionSources"],
);

pub(super) const VOLUME: Rule = Rule::new(
    "api/invalid-volume",
    "Source of a volume that cannot be used",
    "The source of a volume lacks what leads to its files, or says it in a form that the server \
     does not take.",
    "mend the source",
    &["validateVolumeSource"],
);

pub(super) const PATH: Rule = Rule::new(
    "api/invalid-volume-path",
    "Path that leads out of its volume",
    "Files are put below the folder of the volume, so paths are relative and never hold `..`, \
     which the kubelet keeps for itself at their beginning.",
    "use a path without `..`",
    &["ValidateLocalNonReservedPath", "validateLocalDescendingPath", "validatePathNoBacksteps"],
);

const CLAIM: Rule = Rule::new(
    "api/foreign-claim",
    "Volume uses a claim that is made for another volume",
    "The claim of an `ephemeral` volume has the name of the pod and the volume, and belongs to \
     that volume alone.",
    "use the other volume, or a claim of its own",
    &["ValidateVolumes"],
);

/// What containers have to know of a volume.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Source {
    /// Whether it can be attached as a device.
    pub(super) is_claim: bool,
    /// Whether it is an empty folder.
    pub(super) is_empty_dir: bool,
    /// Whether the server drops it, with all its mounts, before it looks.
    pub(super) is_dropped: bool,
}

const PULL_POLICIES: &[&str] = &["Always", "IfNotPresent", "Never"];

const HOST_PATH_TYPES: &[&str] = &[
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];

/// The highest mode of a file.
const MODE_MAX: i64 = 0o777;

/// Says whether a path is relative, as it must be.
pub(super) fn relative(path: &str) -> Option<&'static str> {
    path.starts_with('/').then_some("must be a relative path")
}

/// Says whether a path has no `..` (`validatePathNoBacksteps`).
pub(super) fn no_backsteps(path: &str) -> Option<&'static str> {
    path.split('/').any(|part| part == "..").then_some("must not contain `..`")
}

/// Looks at a path below a folder (`validateLocalDescendingPath`), and says whether it was wrong.
pub(super) fn check_descending<'a>(cx: &mut Cx<'a>, path: Field<'a>) -> bool {
    let text = path.text();
    let wrong = relative(text).or_else(|| no_backsteps(text));
    if let Some(wrong) = wrong {
        cx.invalid(&PATH, path, wrong);
    }
    wrong.is_some()
}

/// Looks at a path below the folder of a volume (`ValidateLocalNonReservedPath`), and says whether
/// it was wrong.
pub(super) fn check_path<'a>(cx: &mut Cx<'a>, path: Field<'a>) -> bool {
    let text = path.text();
    let reserved = text.starts_with("..") && !text.starts_with("../");
    let wrong = relative(text)
        .or_else(|| no_backsteps(text))
        .or_else(|| reserved.then_some("must not begin with `..`"));
    if let Some(wrong) = wrong {
        cx.invalid(&PATH, path, wrong);
    }
    wrong.is_some()
}

/// Looks at the mode of a file, and says whether it was wrong.
pub(super) fn check_mode<'a>(cx: &mut Cx<'a>, mode: Field<'a>) -> bool {
    let wrong = mode.int().is_some_and(|it| !(0..=MODE_MAX).contains(&it));
    if wrong {
        cx.invalid(&VOLUME, mode, "must be between 0 and 0777 (octal), which is 511");
    }
    wrong
}

/// Looks at the volumes of a spec (`ValidateVolumes`), and keeps them for the mounts.
pub(super) fn check<'a>(cx: &mut Cx<'a>, spec: &mut Spec<'a>, claims: &[&'a str]) {
    for claim in claims {
        spec.has_open_volume |= wording::is_placeholder(claim);
        spec.volumes.insert(claim, Source { is_claim: true, ..Source::default() });
    }
    // A claim template takes the place of a volume with its name.
    let replaced: BTreeSet<&str> = claims.iter().copied().collect();
    let volumes = spec.field.get("volumes");
    let mut made = BTreeSet::new();
    let pod = if spec.is_pod { cx.root.at(&["metadata", "name"]).text() } else { "" };
    if !pod.is_empty() {
        let ephemeral = volumes.items().filter(|it| it.get("ephemeral").exists());
        made = ephemeral.map(|it| format!("{pod}-{}", it.get("name").text())).collect();
    }
    for volume in volumes.items() {
        let name = volume.get("name");
        let text = name.text();
        if replaced.contains(text) {
            continue;
        }
        let source = check_source(cx, spec, volume, pod);
        spec.has_open_volume |= wording::is_placeholder(text);
        cx.require_name_by(&NAME, name, naming::dns_label);
        if spec.volumes.insert(text, source).is_some() && !text.is_empty() {
            cx.duplicate(&NAME, name);
        }
        let claim = volume.at(&["persistentVolumeClaim", "claimName"]);
        if !made.is_empty() && made.contains(claim.text()) {
            cx.invalid(&CLAIM, claim, "belongs to an `ephemeral` volume of this pod");
        }
    }
}

/// Looks at the source of a volume (`validateVolumeSource`).
///
/// The first source counts, in the order of the server; each further one is too many.
fn check_source<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, volume: Field<'a>, pod: &str) -> Source {
    let mut seen = Source::default();
    let mut order: Vec<(usize, &'a str, Field<'a>)> = volume
        .entries()
        .filter(|(key, value)| *key != "name" && value.exists())
        .filter_map(|(key, value)| Some((ORDER.iter().position(|it| *it == key)?, key, value)))
        .collect();
    order.sort_by_key(|it| it.0);
    for (at, (_, key, source)) in order.into_iter().enumerate() {
        match key {
            "persistentVolumeClaim" | "ephemeral" => seen.is_claim = true,
            "emptyDir" => seen.is_empty_dir = true,
            "image" if cx.minor < 35 => {
                seen.is_dropped = true;
                continue;
            }
            _ => {}
        }
        if at > 0 {
            cx.forbidden(&SEVERAL, source, "beside another source of the volume");
            // So the server spells them here.
            match key {
                "cephfs" => cx.named(volume.get("cephFS")),
                "downwardAPI" => cx.named(volume.get("downwarAPI")),
                _ => {}
            }
            continue;
        }
        let known = volume_sources::check(cx, key, volume, source);
        if !known {
            check_common(cx, spec, key, volume, source, pod);
        }
    }
    // A volume without a source is an empty folder.
    seen.is_empty_dir |= volume.len() <= 1;
    seen
}

/// The sources in the order in which the server looks at them.
const ORDER: &[&str] = &[
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flocker",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "quobyte",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
];

/// The sources that are made of the cluster's own objects, or of the node.
fn check_common<'a>(
    cx: &mut Cx<'a>,
    spec: &Spec<'a>,
    key: &str,
    volume: Field<'a>,
    source: Field<'a>,
    pod: &str,
) {
    match key {
        "emptyDir" => {
            let limit = source.get("sizeLimit");
            if resources::amount(limit).is_some_and(|it| it.is_negative()) {
                cx.invalid(&VOLUME, limit, NEGATIVE);
            }
        }
        "hostPath" => {
            let path = source.get("path");
            if cx.require(path) {
                if let Some(wrong) = no_backsteps(path.text()) {
                    cx.invalid(&PATH, path, wrong);
                }
                cx.one_of(source.get("type"), HOST_PATH_TYPES);
            }
        }
        "secret" => {
            cx.require(source.get("secretName"));
            check_files(cx, source);
        }
        "configMap" => {
            cx.require(source.get("name"));
            check_files(cx, source);
        }
        "persistentVolumeClaim" => {
            cx.require(source.get("claimName"));
        }
        "downwardAPI" => {
            check_mode(cx, source.get("defaultMode"));
            for file in source.get("items").items() {
                projections::check_downward_file(cx, file, source);
            }
        }
        "projected" => projections::check(cx, spec, source),
        "ephemeral" => {
            let template = source.get("volumeClaimTemplate");
            if template.exists() {
                check_claim_template(cx, template);
            } else {
                cx.required(&VOLUME, template, "");
            }
            let name = volume.get("name");
            let claim = format!("{pod}-{}", name.text());
            if !pod.is_empty() && !name.is_empty() && naming::dns_subdomain(&claim).is_some() {
                cx.invalid(&NAME, name, "makes a claim's name that is no DNS subdomain");
            }
        }
        "image" => {
            cx.require(source.get("reference"));
            cx.one_of_if_any(source.get("pullPolicy"), PULL_POLICIES);
        }
        _ => {}
    }
}

/// Looks at `defaultMode` and `items`.
fn check_files<'a>(cx: &mut Cx<'a>, source: Field<'a>) {
    check_mode(cx, source.get("defaultMode"));
    for item in source.get("items").items() {
        check_item(cx, item);
    }
}

/// Looks at a key and the path of its file (`validateKeyToPath`).
pub(super) fn check_item<'a>(cx: &mut Cx<'a>, item: Field<'a>) {
    cx.require(item.get("key"));
    cx.require(item.get("path"));
    check_path(cx, item.get("path"));
    check_mode(cx, item.get("mode"));
}

/// Looks at the template of a claim (`ValidatePersistentVolumeClaimTemplate`).
fn check_claim_template<'a>(cx: &mut Cx<'a>, template: Field<'a>) {
    let metadata = template.get("metadata");
    selector::check_labels(cx, &VOLUME, metadata.get("labels"));
    let annotations = metadata.get("annotations");
    for (key, _) in annotations.entries() {
        if let Some(wrong) = naming::qualified_name(&key.to_ascii_lowercase()) {
            cx.invalid_key_of(&VOLUME, annotations, key, wrong);
        }
    }
    for (key, value) in metadata.entries() {
        let empty = value.is_empty() || key == "creationTimestamp";
        if !matches!(key, "labels" | "annotations") && !empty {
            cx.forbidden(&VOLUME, value, "in the template of a claim");
        }
    }
    persistent_volume_claim::claim_spec(cx, template.get("spec"));
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::assert_pods;

    #[test]
    fn volumes_have_a_name_and_a_source() {
        assert_pods(&[
            ("volumes: [{name: v}, {name: w, emptyDir: {}}]", &[]),
            ("volumes: [{name: V, emptyDir: {}}]", &["volumes[0].name"]),
            ("volumes: [{emptyDir: {}}]", &["volumes[0].name"]),
            ("volumes: [{name: v}, {name: v}]", &["volumes[1].name"]),
            ("volumes: [{name: v, secret: {secretName: s}, emptyDir: {}}]", &["volumes[0].secret"]),
            (
                "volumes: [{name: e, ephemeral: {}}, {name: p, persistentVolumeClaim: {claimName: a-e}}]",
                &[
                    "volumes[0].ephemeral.volumeClaimTemplate",
                    "volumes[1].persistentVolumeClaim.claimName",
                ],
            ),
        ]);
    }

    #[test]
    fn paths_stay_within_their_volume() {
        let item = |path: &str| {
            format!(
                "volumes: [{{name: v, configMap: {{name: m, items: [{{key: k, path: \"{path}\"}}]}}}}]"
            )
        };
        let refused: &[&str] = &["volumes[0].configMap.items[0].path"];
        assert_pods(&[
            (&item("a/..b"), &[]),
            (&item("/a"), refused),
            (&item("a/../b"), refused),
            (&item("..a"), refused),
            ("volumes: [{name: v, hostPath: {path: /a/../b}}]", &["volumes[0].hostPath.path"]),
            (
                "volumes: [{name: v, hostPath: {path: /a, type: Folder}}]",
                &["volumes[0].hostPath.type"],
            ),
            (
                "volumes: [{name: v, secret: {secretName: s, defaultMode: 512}}]",
                &["volumes[0].secret.defaultMode"],
            ),
        ]);
    }
}
