//! Mounts of volumes, as files and as devices.

use std::collections::{BTreeMap, BTreeSet};

use super::Spec;
use super::volumes::{self, PATH};
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::rule::Rule;
use crate::check::api::seen::Seen;
use crate::document::Part;
use crate::rule::closest;

pub(super) const RULES: &[&Rule] = &[&UNKNOWN, &MOUNT, &PROPAGATION, &DEVICE];

const UNKNOWN: Rule = Rule::new(
    "api/unknown-volume",
    "Mount of a volume that the pod does not have",
    "Containers mount the volumes of their pod by name; those of a StatefulSet may come from \
     `volumeClaimTemplates` too.",
    "add the volume, or correct the name",
    &["ValidateVolumeMounts", "ValidateVolumeDevices"],
);

const MOUNT: Rule = Rule::new(
    "api/invalid-volume-mount",
    "Mount that cannot be made",
    "Each mount of a container has a path of its own, at most one part of the volume, and no device \
     with the same name or path.",
    "mend the mount",
    &["ValidateVolumeMounts"],
);

const PROPAGATION: Rule = Rule::new(
    "api/invalid-mount-propagation",
    "Mount spreads in a way that the container may not",
    "Only privileged containers spread their mounts to the node, and only mounts that are read-only \
     and do not spread can be read-only all the way down.",
    "leave `mountPropagation` out, or mend what it depends on",
    &["validateMountPropagation", "validateMountRecursiveReadOnly"],
);

const DEVICE: Rule = Rule::new(
    "api/invalid-volume-device",
    "Device that cannot be attached",
    "Only claims are attached as devices, each once and to a path of its own.",
    "mend the device",
    &["ValidateVolumeDevices"],
);

const PROPAGATIONS: &[&str] = &["Bidirectional", "HostToContainer", "None"];
const RECURSIVE: &[&str] = &["Disabled", "Enabled", "IfPossible"];

/// The longest name, and the most volumes, that suggestions are looked for in.
const NEAR_MAX: usize = 64;

/// The minor in which mounts may be read-only all the way down.
const RECURSIVE_SINCE: u32 = 31;

/// Looks at the mounts and the devices of a container.
pub(super) fn check<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, container: Field<'a>) {
    let (mounts, devices) = (container.get("volumeMounts"), container.get("volumeDevices"));
    let by_name = |list: Field<'a>, path: &'a str| -> BTreeMap<&'a str, &'a str> {
        list.items().map(|it| (it.get("name").text(), it.get(path).text())).collect()
    };
    if !mounts.is_empty() {
        let others = by_name(devices, "devicePath");
        check_mounts(cx, spec, container, mounts, &others);
    }
    if !devices.is_empty() {
        let others = by_name(mounts, "mountPath");
        check_devices(cx, spec, devices, &others);
    }
}

/// Looks at mounts (`ValidateVolumeMounts`).
fn check_mounts<'a>(
    cx: &mut Cx<'a>,
    spec: &Spec<'a>,
    container: Field<'a>,
    mounts: Field<'a>,
    devices: &BTreeMap<&'a str, &'a str>,
) {
    let device_paths: BTreeSet<&str> = devices.values().copied().collect();
    let mut paths = Seen::default();
    for mount in mounts.items() {
        let (name, path) = (mount.get("name"), mount.get("mountPath"));
        let volume = spec.volumes.get(name.text());
        if volume.is_some_and(|it| it.is_dropped) {
            continue;
        }
        if name.is_empty() {
            cx.required(&UNKNOWN, name, "");
        } else if volume.is_none() {
            not_found(cx, spec, name);
        }
        if path.is_empty() {
            cx.required(&MOUNT, path, "");
        } else if !paths.insert(path.text()) {
            cx.invalid(&MOUNT, path, "is the path of another mount too");
        }
        if devices.contains_key(name.text()) {
            cx.invalid(&MOUNT, name, "is attached as a device too");
        }
        if device_paths.contains(path.text()) {
            cx.invalid(&MOUNT, path, "is the path of a device too");
        }
        let (part, expression) = (mount.get("subPath"), mount.get("subPathExpr"));
        if volumes::check_descending(cx, part) {
            cx.named(mounts.get("subPath"));
        }
        check_expression(cx, mounts, expression);
        if !part.is_empty() && !expression.is_empty() {
            cx.forbidden(&MOUNT, expression, "beside `subPath`");
        }
        check_propagation(cx, container, mounts, mount);
    }
}

/// Looks at a path with variables, which are no reason to leave it alone.
fn check_expression<'a>(cx: &mut Cx<'a>, mounts: Field<'a>, expression: Field<'a>) {
    let text = expression.text();
    let wrong = volumes::relative(text).or_else(|| volumes::no_backsteps(text));
    if let Some(wrong) = wrong.filter(|_| !text.contains("${")) {
        let path = expression.path();
        let message = format!("{} {wrong}", cx.place(&path));
        cx.report(&PATH, path, Part::Value, message, None);
        cx.named(mounts.get("subPathExpr"));
    }
}

fn not_found<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, name: Field<'a>) {
    if spec.has_open_volume {
        return;
    }
    cx.not_found(&UNKNOWN, name, "a volume of the pod");
    // Neither list is long but in an object that is made to take time.
    if name.text().len() > NEAR_MAX || spec.volumes.len() > NEAR_MAX {
        return;
    }
    if let Some(near) = closest(name.text(), spec.volumes.keys().copied()) {
        cx.help(format!("did you mean `{near}`?"));
    }
}

/// Looks at what a mount depends on; the server leaves the number of the mount out.
fn check_propagation<'a>(
    cx: &mut Cx<'a>,
    container: Field<'a>,
    mounts: Field<'a>,
    mount: Field<'a>,
) {
    let propagation = mount.get("mountPropagation");
    if let Some(mode) = propagation.str() {
        let privileged = container.at(&["securityContext", "privileged"]).is_true();
        if !PROPAGATIONS.contains(&mode) {
            cx.one_of(propagation, PROPAGATIONS);
            cx.named(mounts.get("mountPropagation"));
        } else if mode == "Bidirectional" && !privileged {
            cx.invalid(&PROPAGATION, propagation, "is for privileged containers only");
            cx.named(mounts.get("mountPropagation"));
        }
    }
    let recursive = mount.get("recursiveReadOnly");
    let Some(mode) = recursive.str().filter(|_| cx.minor >= RECURSIVE_SINCE) else { return };
    let problem = if !RECURSIVE.contains(&mode) {
        cx.one_of(recursive, RECURSIVE);
        cx.named(mounts.get("recursiveReadOnly"));
        return;
    } else if mode == "Disabled" {
        return;
    } else if !mount.get("readOnly").is_true() {
        "is for mounts with `readOnly: true` only"
    } else if !matches!(propagation.text(), "" | "None") {
        "is for mounts that do not spread only"
    } else {
        return;
    };
    cx.invalid(&PROPAGATION, recursive, problem);
    cx.named(mounts.get("recursiveReadOnly"));
}

/// Looks at devices (`ValidateVolumeDevices`).
fn check_devices<'a>(
    cx: &mut Cx<'a>,
    spec: &Spec<'a>,
    devices: Field<'a>,
    mounts: &BTreeMap<&'a str, &'a str>,
) {
    let mount_paths: BTreeSet<&str> = mounts.values().copied().collect();
    let (mut names, mut paths) = (BTreeSet::new(), BTreeSet::new());
    for device in devices.items() {
        let (name, path) = (device.get("name"), device.get("devicePath"));
        if name.is_empty() {
            cx.required(&UNKNOWN, name, "");
        } else {
            if !names.insert(name.text()) {
                cx.duplicate(&DEVICE, name);
            }
            match spec.volumes.get(name.text()) {
                None => not_found(cx, spec, name),
                Some(it) if !it.is_claim => {
                    cx.invalid(&DEVICE, name, "must name a volume with a claim");
                }
                Some(_) => {}
            }
        }
        if path.is_empty() {
            cx.required(&DEVICE, path, "");
        } else if let Some(wrong) = volumes::no_backsteps(path.text()) {
            cx.invalid(&PATH, path, wrong);
        } else if !paths.insert(path.text()) {
            cx.duplicate(&DEVICE, path);
        }
        if mounts.contains_key(name.text()) {
            cx.invalid(&DEVICE, name, "is mounted too");
        }
        if mount_paths.contains(path.text()) {
            cx.invalid(&DEVICE, path, "is the path of a mount too");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_refused, findings};

    fn pod(fields: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  \
             volumes: [{{name: data, emptyDir: {{}}}}, {{name: disk, persistentVolumeClaim: {{claimName: a}}}}]\n  \
             containers: [{{name: c, image: i, {fields}}}]\n"
        )
    }

    #[test]
    fn mounts_name_volumes_and_paths() {
        let at = "spec.containers[0].volumeMounts";
        for (mount, refused) in [
            ("{name: data, mountPath: /a}", vec![]),
            ("{name: date, mountPath: /a}", vec![format!("{at}[0].name")]),
            ("{mountPath: /a}", vec![format!("{at}[0].name")]),
            ("{name: data}", vec![format!("{at}[0].mountPath")]),
            ("{name: data, mountPath: /a, subPath: ../b}", vec![format!("{at}.subPath")]),
            (
                "{name: data, mountPath: /a, subPathExpr: $(A)/..}",
                vec![format!("{at}.subPathExpr")],
            ),
            (
                "{name: data, mountPath: /a, mountPropagation: Bidirectional}",
                vec![format!("{at}.mountPropagation")],
            ),
            (
                "{name: data, mountPath: /a, recursiveReadOnly: Enabled}",
                vec![format!("{at}.recursiveReadOnly")],
            ),
            (
                "{name: data, mountPath: /a}, {name: disk, mountPath: /a}",
                vec![format!("{at}[1].mountPath")],
            ),
        ] {
            let refused: Vec<&str> = refused.iter().map(String::as_str).collect();
            assert_refused(&pod(&format!("volumeMounts: [{mount}]")), &refused);
        }
    }

    #[test]
    fn only_claims_are_devices() {
        assert_refused(&pod("volumeDevices: [{name: disk, devicePath: /dev/a}]"), &[]);
        assert_refused(
            &pod("volumeDevices: [{name: data, devicePath: /dev/../a}]"),
            &[
                "spec.containers[0].volumeDevices[0].name",
                "spec.containers[0].volumeDevices[0].devicePath",
            ],
        );
    }

    #[test]
    fn mounts_of_image_volumes_go_where_they_are_dropped() {
        let object = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  \
             volumes: [{name: v, image: {}}]\n  \
             containers: [{name: c, image: i, volumeMounts: [{name: v}]}]\n";
        assert_eq!(findings(34, object), []);
        assert_eq!(findings(35, object).len(), 2);
    }
}
