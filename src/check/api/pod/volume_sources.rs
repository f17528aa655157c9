//! Sources of volumes that come from outside the cluster: network file systems and the disks of
//! clouds.

use std::sync::LazyLock;

use regex::Regex;

use super::volumes::{PATH, VOLUME, check_descending};
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::naming;

const CACHING_MODES: &[&str] = &["None", "ReadOnly", "ReadWrite"];
const DISK_KINDS: &[&str] = &["Dedicated", "Managed", "Shared"];

/// The longest name of a volume and its portal, where the initiator has a name.
const ISCSI_MAX: usize = 64;

/// The longest name of a tenant of Quobyte.
const TENANT_MAX: usize = 64;

/// Fields that a source needs, and nothing else is checked.
const NEEDED: &[(&str, &[&str])] = &[
    ("glusterfs", &["endpoints", "path"]),
    ("rbd", &["monitors", "image"]),
    ("cephfs", &["monitors"]),
    ("azureFile", &["secretName", "shareName"]),
    ("vsphereVolume", &["volumePath"]),
    ("photonPersistentDisk", &["pdID"]),
    ("portworxVolume", &["volumeID"]),
    ("scaleIO", &["gateway", "system", "volumeName"]),
];

/// Looks at a source, and says whether it is one of these.
pub(in crate::check::api) fn check<'a>(
    cx: &mut Cx<'a>,
    key: &str,
    volume: Field<'a>,
    source: Field<'a>,
) -> bool {
    if let Some((_, needed)) = NEEDED.iter().find(|it| it.0 == key) {
        for field in *needed {
            cx.require(source.get(field));
        }
        return true;
    }
    match key {
        "gitRepo" => {
            cx.require(source.get("repository"));
            check_descending(cx, source.get("directory"));
        }
        "gcePersistentDisk" => {
            require_as(cx, source, "pdName", volume.get("persistentDisk"));
            let partition = source.get("partition");
            if partition.int().is_some_and(|it| !(0..=255).contains(&it)) {
                check_byte(cx, partition);
                cx.named(volume.at(&["persistentDisk", "partition"]));
            }
        }
        "awsElasticBlockStore" => {
            cx.require(source.get("volumeID"));
            check_byte(cx, source.get("partition"));
        }
        "nfs" => check_nfs(cx, source),
        "iscsi" => check_iscsi(cx, volume, source),
        "flocker" => check_flocker(cx, source),
        "cinder" => {
            cx.require(source.get("volumeID"));
            check_secret(cx, source);
        }
        "quobyte" => check_quobyte(cx, source),
        "fc" => check_fibre_channel(cx, source),
        "flexVolume" => check_flex(cx, source),
        "azureDisk" => check_azure_disk(cx, source),
        "storageos" => {
            cx.require_name(source.get("volumeName"), naming::dns_label);
            cx.name_if_any(source.get("volumeNamespace"), naming::dns_label);
            check_secret(cx, source);
        }
        "csi" => check_csi(cx, source),
        _ => return false,
    }
    true
}

/// Wants a field that the server names otherwise.
fn require_as<'a>(cx: &mut Cx<'a>, source: Field<'a>, key: &'a str, named: Field<'a>) {
    if !cx.require(source.get(key)) {
        cx.named(named.get(key));
    }
}

/// Looks at a number that is one byte large: a partition, a unit.
fn check_byte<'a>(cx: &mut Cx<'a>, field: Field<'a>) {
    cx.between(field, 0, 255);
}

fn check_secret<'a>(cx: &mut Cx<'a>, source: Field<'a>) {
    let secret = source.get("secretRef");
    if secret.exists() {
        cx.require(secret.get("name"));
    }
}

fn check_nfs<'a>(cx: &mut Cx<'a>, source: Field<'a>) {
    cx.require(source.get("server"));
    let path = source.get("path");
    if cx.require(path) && !path.text().starts_with('/') {
        cx.invalid(&PATH, path, "must be an absolute path");
    }
}

static IQN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"iqn\.\d{4}-\d{2}\.([[:alnum:]\-.]+)(:[^,;*&$|\s]+)$").ok());

/// Says what is wrong with the name of an initiator or a target.
fn iscsi_name(name: &str) -> Option<&'static str> {
    let of_digits = |digits: usize| {
        let rest: Vec<char> = name.chars().skip(4).collect();
        rest.len() == digits && rest.iter().all(char::is_ascii_alphanumeric)
    };
    let right = if name.starts_with("iqn") {
        IQN.as_ref().is_none_or(|it| it.is_match(name))
    } else if name.starts_with("eui") {
        of_digits(16)
    } else {
        name.starts_with("naa") && of_digits(32)
    };
    (!right).then_some("must be an iSCSI name that begins with `iqn.`, `eui.` or `naa.`")
}

fn check_iscsi<'a>(cx: &mut Cx<'a>, volume: Field<'a>, source: Field<'a>) {
    let (portal, target) = (source.get("targetPortal"), source.get("iqn"));
    cx.require(portal);
    if cx.require(target)
        && let Some(wrong) = iscsi_name(target.text())
    {
        cx.invalid(&VOLUME, target, wrong);
    }
    check_byte(cx, source.get("lun"));
    let authenticates = ["chapAuthDiscovery", "chapAuthSession"];
    if authenticates.iter().any(|it| source.get(it).is_true()) {
        let secret = source.get("secretRef");
        if !secret.exists() {
            cx.required(&VOLUME, secret, "authentication needs it");
        }
    }
    let initiator = source.get("initiatorName");
    let Some(name) = initiator.str() else { return };
    if let Some(wrong) = iscsi_name(name) {
        cx.invalid(&VOLUME, initiator, wrong);
        cx.named(source.get("initiatorname"));
    }
    let own = volume.get("name");
    if own.text().len() + 1 + portal.text().len() > ISCSI_MAX {
        cx.invalid(
            &VOLUME,
            own,
            "is too long together with `targetPortal`, by the 64 bytes that \
             both may have where the initiator has a name",
        );
    }
}

fn check_flocker<'a>(cx: &mut Cx<'a>, source: Field<'a>) {
    let (name, id) = (source.get("datasetName"), source.get("datasetUUID"));
    match (name.is_empty(), id.is_empty()) {
        (true, true) => cx.required(&VOLUME, source, "it needs `datasetName` or `datasetUUID`"),
        (false, false) => {
            cx.invalid(&VOLUME, source, "must have `datasetName` or `datasetUUID`, not both");
        }
        _ => {}
    }
    if name.text().contains('/') {
        cx.invalid(&VOLUME, name, "must not contain `/`");
    }
}

fn check_quobyte<'a>(cx: &mut Cx<'a>, source: Field<'a>) {
    let (registry, tenant) = (source.get("registry"), source.get("tenant"));
    if cx.require(registry) {
        if tenant.text().len() > TENANT_MAX {
            cx.invalid(&VOLUME, tenant, "must be no more than 64 characters");
        } else if !registry.text().split(',').all(is_host_and_port) {
            cx.invalid(&VOLUME, registry, "must be `host:port`, or several with commas between");
        }
    }
    cx.require(source.get("volume"));
}

/// Says whether a text is a host and a port to Go's `net.SplitHostPort`, which looks at neither.
fn is_host_and_port(text: &str) -> bool {
    let (host, rest) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, rest)) => (host, rest),
            None => return false,
        },
        None => match text.rfind(':') {
            Some(at) => text.split_at(at),
            None => return false,
        },
    };
    let Some(port) = rest.strip_prefix(':') else { return false };
    let bracketed = text.starts_with('[');
    !port.contains([':', '[', ']'])
        && !host.contains(['[', ']'])
        && (bracketed || !host.contains(':'))
}

fn check_fibre_channel<'a>(cx: &mut Cx<'a>, source: Field<'a>) {
    let (names, ids, unit) = (source.get("targetWWNs"), source.get("wwids"), source.get("lun"));
    match (names.is_empty(), ids.is_empty()) {
        (true, true) => cx.required(&VOLUME, names, "the volume needs this or `wwids`"),
        (false, false) => cx.invalid(&VOLUME, names, "must not stand beside `wwids`"),
        _ => {}
    }
    if !names.is_empty() {
        if unit.exists() {
            check_byte(cx, unit);
        } else {
            cx.required(&VOLUME, unit, "`targetWWNs` needs a unit");
        }
    }
}

fn check_flex<'a>(cx: &mut Cx<'a>, source: Field<'a>) {
    cx.require(source.get("driver"));
    for (key, value) in source.get("options").entries() {
        let domain = key.split_once('/').map_or(key, |(domain, _)| domain).to_ascii_lowercase();
        let own = ["kubernetes.io", "k8s.io"].iter().any(|it| {
            domain.strip_suffix(it).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        });
        if own {
            cx.invalid_key(&VOLUME, value, "has a domain that is reserved for Kubernetes");
        }
    }
}

fn check_azure_disk<'a>(cx: &mut Cx<'a>, source: Field<'a>) {
    cx.require(source.get("diskName"));
    let (uri, kind) = (source.get("diskURI"), source.get("kind"));
    cx.require(uri);
    cx.one_of(source.get("cachingMode"), CACHING_MODES);
    cx.one_of(kind, DISK_KINDS);
    let kind = if kind.exists() { kind.text() } else { "Shared" };
    if kind == "Managed" && !uri.text().starts_with("/subscriptions/") {
        cx.invalid(&VOLUME, uri, "must begin with `/subscriptions/` for a managed disk");
    } else if kind != "Managed" && !uri.text().starts_with("https://") {
        cx.invalid(&VOLUME, uri, "must begin with `https://` for a disk that is not managed");
    }
}

/// Looks at the name of a driver (`ValidateCSIDriverName`).
fn check_csi<'a>(cx: &mut Cx<'a>, source: Field<'a>) {
    let driver = source.get("driver");
    if cx.require(driver) {
        let text = driver.text();
        if text.len() > naming::LABEL_MAX {
            cx.too_long(&VOLUME, driver, naming::LABEL_MAX, "characters");
        } else if let Some(wrong) = naming::dns_subdomain(&text.to_ascii_lowercase()) {
            cx.invalid(&VOLUME, driver, wrong);
        }
    }
    let secret = source.get("nodePublishSecretRef");
    if secret.exists() {
        let name = secret.get("name");
        if cx.require(name)
            && let Some(wrong) = naming::dns_subdomain(name.text())
        {
            cx.invalid(&VOLUME, name, wrong);
            cx.named(source.get("name"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::api::fixture::{findings, pod};

    #[test]
    fn sources_lead_to_their_files() {
        for (source, refused) in [
            ("nfs: {server: s, path: a}", "nfs.path"),
            ("gitRepo: {directory: ../a}", "gitRepo.repository gitRepo.directory"),
            ("iscsi: {targetPortal: p, iqn: x}", "iscsi.iqn"),
            ("fc: {targetWWNs: [a]}", "fc.lun"),
            ("flocker: {datasetName: a/b}", "flocker.datasetName"),
            ("quobyte: {registry: r, volume: v}", "quobyte.registry"),
            ("flexVolume: {driver: d, options: {a.k8s.io/b: c}}", "flexVolume.options[a.k8s.io/b]"),
            ("azureDisk: {diskName: d, diskURI: u}", "azureDisk.diskURI"),
            ("csi: {driver: d_x}", "csi.driver"),
            ("gcePersistentDisk: {pdName: d, partition: 256}", "persistentDisk.partition"),
            ("cinder: {volumeID: v, secretRef: {}}", "cinder.secretRef.name"),
        ] {
            let found = findings(24, &pod(&format!("volumes: [{{name: v, {source}}}]")));
            let denied = found.iter().filter(|it| it.0 != "api/deprecated-volume");
            let paths: Vec<&str> =
                denied.map(|it| it.2.strip_prefix("spec.volumes[0].").unwrap()).collect();
            assert_eq!(paths.join(" "), refused, "{source}");
        }
    }

    #[test]
    fn hosts_have_ports() {
        for good in ["a:1", ":", "[::1]:1"] {
            assert!(is_host_and_port(good), "{good}");
        }
        for bad in ["a", "a:b:c", "[::1]", "::1"] {
            assert!(!is_host_and_port(bad), "{bad}");
        }
    }
}
