//! What the server takes and warns of.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use super::annotations::{APP_ARMOR, SECCOMP, SECCOMP_POD};
use super::{Spec, profiles, some_or};
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::ip;
use crate::check::api::persistent_volume_claim::FRACTION;
use crate::check::api::resources;
use crate::check::api::rule::Rule;
use crate::check::api::seen::Seen;
use crate::naming;

pub(super) const RULES: &[&Rule] = &[
    &OLD_LABEL,
    &OLD_VOLUME,
    &OLD_ANNOTATION,
    &NO_SELECTOR,
    &REPEATED,
    &HIDDEN,
    &PORTS,
    &PORT_NAMES,
    &PATHS,
    &NAME,
    &GRACE,
    &PREFERENCE,
];

const OLD_LABEL: Rule = Rule::new(
    "api/deprecated-node-label",
    "Label of nodes that has a new name",
    "Nodes have had the label under another name for years, and the old one may be gone on new \
     nodes.",
    "use the new name",
    &["GetNodeLabelDeprecatedMessage"],
)
.warning();

const OLD_VOLUME: Rule = Rule::new(
    "api/deprecated-volume",
    "Source of volumes that works no longer",
    "The driver was part of Kubernetes and was taken out, so the pod will not start.",
    "use the CSI driver of the storage, or another source",
    &["warningsForPodSpecAndMeta"],
)
.warning();

const OLD_ANNOTATION: Rule = Rule::new(
    "api/deprecated-pod-annotation",
    "Annotation of pods that was replaced by a field",
    "The annotation is from a time before the field, and does nothing on current nodes.",
    "set the field instead",
    &["warningsForPodSpecAndMeta"],
)
.warning();

const NO_SELECTOR: Rule = Rule::new(
    "api/term-without-selector",
    "Term about other pods that selects none",
    "A spread constraint or a term of affinity without a selector is about no pod at all, while an \
     empty selector is about all.",
    "add `labelSelector`",
    &["warningsForPodAffinityTerms", "warningsForPodSpecAndMeta"],
)
.warning();

const REPEATED: Rule = Rule::new(
    "api/repeated-entry",
    "Entry of a list that stands there twice, or is empty",
    "The second entry adds nothing, and some ways of applying drop one of the two.",
    "remove one of the two",
    &["warningsForPodSpecAndMeta"],
)
.warning();

const HIDDEN: Rule = Rule::new(
    "api/hidden-environment-variable",
    "Environment variable hides another of the same name",
    "The last variable of a name counts, and ways of applying that merge lists may drop either.",
    "remove one of the two",
    &["warningsForPodSpecAndMeta"],
)
.warning();

const PORTS: Rule = Rule::new(
    "api/overlapping-ports",
    "Port stands in the pod twice",
    "All containers of a pod share its addresses, so one port belongs to one of them, and ways of \
     applying that merge lists may drop the second.",
    "remove one of the two, or change its number or protocol",
    &["warningsForPodSpecAndMeta"],
)
.warning();

const PORT_NAMES: Rule = Rule::new(
    "api/repeated-port-name",
    "Two containers have a port of the same name",
    "Services and probes that name the port get the first one.",
    "rename one of the two",
    &["warningsForPodSpecAndMeta"],
)
.warning();

const PATHS: Rule = Rule::new(
    "api/overlapping-volume-paths",
    "Files of a volume lie in one another's way",
    "Two files of a volume have the same path, or one lies below the other.",
    "change one of the paths",
    &["warningsForOverlappingVirtualPaths"],
)
.warning();

const NAME: Rule = Rule::new(
    "api/name-not-a-host-name",
    "Name that becomes a host name and is no DNS label",
    "The names of pods, and of what makes pods, become host names; a name with dots or of more than \
     63 characters surprises those who look the host up.",
    "choose a name of letters, digits and `-`, of at most 63 characters",
    &["WarningsOnCreate"],
)
.warning();

const GRACE: Rule = Rule::new(
    "api/negative-grace-period",
    "Time to end that is negative",
    "The server takes a negative number of seconds for one second.",
    "use a number that is not negative",
    &["warningsForPodSpecAndMeta"],
)
.warning();

const PREFERENCE: Rule = Rule::new(
    "api/preference-without-effect",
    "Preference for nodes with a label value that no node can have",
    "The preference is kept, and no node will ever meet it.",
    "mend the value",
    &["GetWarningsForNodeSelectorTerm"],
)
.warning();

/// Labels of nodes and what replaced them.
const LABELS: &[(&str, &str)] = &[
    ("beta.kubernetes.io/arch", "kubernetes.io/arch"),
    ("beta.kubernetes.io/os", "kubernetes.io/os"),
    ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
    ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type"),
    ("app.kubernetes.io/created-by", ""),
    ("scheduler.alpha.kubernetes.io/preferAvoidPods", ""),
    ("node-role.kubernetes.io/master", "node-role.kubernetes.io/control-plane"),
];

/// Sources of volumes, the minor since which the server warns, and that since which they do not
/// work.
const VOLUMES: &[(&str, u32, u32)] = &[
    ("photonPersistentDisk", 0, 16),
    ("gitRepo", 0, 33),
    ("scaleIO", 0, 22),
    ("flocker", 22, 25),
    ("storageos", 22, 25),
    ("quobyte", 22, 25),
    ("glusterfs", 25, 26),
    ("cephfs", 28, 31),
    ("rbd", 28, 31),
];

/// Annotations and the fields that replaced them.
const ANNOTATIONS: &[(&str, &str)] = &[
    ("scheduler.alpha.kubernetes.io/critical-pod", "priorityClassName"),
    ("security.alpha.kubernetes.io/sysctls", "securityContext.sysctls"),
    ("security.alpha.kubernetes.io/unsafe-sysctls", "securityContext.sysctls"),
];

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// Warns of the name of an object whose pods have it as a part of theirs.
pub(in crate::check::api) fn name<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let name = object.at(&["metadata", "name"]);
    if let Some(wrong) = name.str().filter(|it| !it.is_empty()).and_then(naming::dns_label) {
        cx.invalid(&NAME, name, wrong);
    }
}

/// Warns of a pod (`GetWarningsForPod`).
pub(super) fn pod<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>) {
    name(cx, cx.root);
    check(cx, spec);
}

/// Warns of a template (`GetWarningsForPodTemplate`).
pub(in crate::check::api) fn template<'a>(cx: &mut Cx<'a>, template: Field<'a>) {
    let spec = Spec::new(cx, template);
    check(cx, &spec);
}

fn check<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>) {
    for (key, value) in spec.field.get("nodeSelector").entries() {
        if let Some(problem) = old_label(key) {
            cx.invalid_key(&OLD_LABEL, value, &problem);
        }
    }
    check_affinity(cx, spec.field.get("affinity"));
    for constraint in spec.field.get("topologySpreadConstraints").items() {
        let key = constraint.get("topologyKey");
        if let Some(problem) = old_label(key.text()) {
            cx.invalid(&OLD_LABEL, key, &problem);
        }
        check_selector(cx, constraint);
    }
    check_annotations(cx, spec);
    check_volumes(cx, spec.field.get("volumes"));
    for (list, key) in [("hostAliases", "ip"), ("imagePullSecrets", "name")] {
        check_repeated(cx, spec.field.get(list), key);
    }
    for secret in spec.field.get("imagePullSecrets").items() {
        if secret.get("name").is_empty() {
            cx.required(&REPEATED, secret.get("name"), "");
        }
    }
    for server in spec.field.at(&["dnsConfig", "nameservers"]).items() {
        ip::warn_address(cx, server);
    }
    for alias in spec.field.get("hostAliases").items() {
        ip::warn_address(cx, alias.get("ip"));
    }
    check_bytes(cx, spec.field.get("overhead"));
    for container in spec.containers() {
        let requirements = container.get("resources");
        check_bytes(cx, requirements.get("limits"));
        check_bytes(cx, requirements.get("requests"));
        check_variables(cx, container.get("env"));
    }
    check_ports(cx, spec);
    let grace = spec.field.get("terminationGracePeriodSeconds");
    if grace.int().is_some_and(|it| it < 0) {
        cx.invalid(&GRACE, grace, "is taken for 1");
    }
}

fn old_label(key: &str) -> Option<String> {
    let (_, new) = LABELS.iter().find(|it| it.0 == key)?;
    Some(if new.is_empty() {
        "is deprecated".to_owned()
    } else {
        format!("is deprecated, and replaced by `{new}`")
    })
}

fn check_selector<'a>(cx: &mut Cx<'a>, term: Field<'a>) {
    let selector = term.get("labelSelector");
    if !selector.exists() {
        cx.required(&NO_SELECTOR, selector, "without one no pod is meant");
    }
}

fn check_affinity<'a>(cx: &mut Cx<'a>, affinity: Field<'a>) {
    if !affinity.exists() {
        return;
    }
    let of_nodes = affinity.get("nodeAffinity");
    for term in of_nodes.at(&[REQUIRED, "nodeSelectorTerms"]).items() {
        check_node_term(cx, term, false);
    }
    for preferred in of_nodes.get(PREFERRED).items() {
        check_node_term(cx, preferred.get("preference"), true);
    }
    for key in ["podAffinity", "podAntiAffinity"] {
        let part = affinity.get(key);
        for term in part.get(REQUIRED).items() {
            check_selector(cx, term);
        }
        for preferred in part.get(PREFERRED).items() {
            check_selector(cx, preferred.get("podAffinityTerm"));
        }
    }
}

fn check_node_term<'a>(cx: &mut Cx<'a>, term: Field<'a>, preferred: bool) {
    for requirement in term.get("matchExpressions").items() {
        let key = requirement.get("key");
        if let Some(problem) = old_label(key.text()) {
            cx.invalid(&OLD_LABEL, key, &problem);
        }
        for value in requirement.get("values").items().filter(|_| preferred) {
            if let Some(wrong) = naming::label_value(value.text()) {
                cx.invalid(&PREFERENCE, value, wrong);
            }
        }
    }
}

fn check_annotations<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>) {
    if spec.annotations.is_empty() {
        return;
    }
    let own = spec.field.get("securityContext");
    // Most annotations are about no container.
    let with_field = LazyCell::new(|| with_profiles(spec));
    for (key, value) in spec.annotations.entries() {
        let field = if let Some((_, field)) = ANNOTATIONS.iter().find(|it| it.0 == key) {
            Some(*field)
        } else if key == SECCOMP_POD {
            (cx.minor >= 27 && !own.get("seccompProfile").exists())
                .then_some("securityContext.seccompProfile")
        } else if let Some(name) = key.strip_prefix(SECCOMP) {
            (cx.minor >= 27 && with_field.get(name).is_some_and(|it| !it.0))
                .then_some("securityContext.seccompProfile")
        } else if let Some(name) = key.strip_prefix(APP_ARMOR) {
            let profile = own.get("appArmorProfile");
            let covered = profile.exists() && profiles::contradiction(profile, value).is_none();
            (cx.minor >= 30 && !covered && with_field.get(name).is_some_and(|it| !it.1))
                .then_some("securityContext.appArmorProfile")
        } else {
            None
        };
        if let Some(field) = field {
            cx.invalid_key(&OLD_ANNOTATION, value, &format!("is replaced by the field `{field}`"));
        }
    }
}

/// Returns the names of the containers, and whether each has fields for its profiles of seccomp and
/// of `AppArmor`.
fn with_profiles<'a>(spec: &Spec<'a>) -> BTreeMap<&'a str, (bool, bool)> {
    let profiles = |container: Field<'a>| {
        let context = container.get("securityContext");
        (context.get("seccompProfile").exists(), context.get("appArmorProfile").exists())
    };
    spec.containers().map(|it| (it.get("name").text(), profiles(it))).collect()
}

fn check_volumes<'a>(cx: &mut Cx<'a>, volumes: Field<'a>) {
    for volume in volumes.items() {
        for (key, value) in volume.entries() {
            let Some((_, since, gone)) = VOLUMES.iter().find(|it| it.0 == key) else { continue };
            if cx.minor < *since || !value.exists() {
                continue;
            }
            let problem = if cx.minor >= *gone {
                format!("does not work since 1.{gone}")
            } else {
                "is deprecated".to_owned()
            };
            cx.invalid_key(&OLD_VOLUME, value, &problem);
        }
        for source in ["configMap", "secret", "downwardAPI"] {
            let items = volume.get(source).get("items").items();
            check_paths(cx, items.map(|it| it.get("path")));
        }
        let projected = volume.get("projected");
        if projected.exists() {
            for source in projected.get("sources").items() {
                if source.is_empty() {
                    cx.invalid(&REPEATED, source, "projects nothing");
                }
            }
            let parts = projected.get("sources").items().flat_map(paths_of_source);
            check_paths(cx, parts);
        }
    }
}

/// Returns the paths of a part of a projected volume.
fn paths_of_source(source: Field<'_>) -> impl Iterator<Item = Field<'_>> + use<'_> {
    let lists = ["configMap", "secret", "downwardAPI"]
        .into_iter()
        .flat_map(move |key| source.get(key).get("items").items())
        .map(|it| it.get("path"));
    let single = ["serviceAccountToken", "clusterTrustBundle"]
        .into_iter()
        .map(move |key| source.get(key).get("path"));
    let certificate = source.get("podCertificate");
    let of_certificate = ["certificateChainPath", "keyPath", "credentialBundlePath"]
        .into_iter()
        .map(move |key| certificate.get(key));
    lists.chain(single).chain(of_certificate)
}

/// Looks for paths that are the same, or above one another.
fn check_paths<'a>(cx: &mut Cx<'a>, paths: impl Iterator<Item = Field<'a>>) {
    // Sorted by parts, a path comes right before those below it.
    let mut sorted: Vec<(Vec<&str>, Field<'a>)> = paths
        .filter(|it| !it.is_empty())
        .map(|it| (it.text().trim_end_matches('/').split('/').collect(), it))
        .collect();
    if sorted.len() < 2 {
        return;
    }
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    for pair in sorted.windows(2) {
        if let [(above, _), (below, field)] = pair
            && below.starts_with(above)
        {
            cx.invalid(&PATHS, *field, "lies in the way of another path of the volume");
        }
    }
}

fn check_repeated<'a>(cx: &mut Cx<'a>, list: Field<'a>, key: &'a str) {
    if list.len() < 2 {
        return;
    }
    let mut seen = BTreeSet::new();
    for item in list.items() {
        let value = item.get(key);
        if !seen.insert(value.text()) {
            cx.duplicate(&REPEATED, value);
        }
    }
}

fn check_bytes<'a>(cx: &mut Cx<'a>, amounts: Field<'a>) {
    for name in ["memory", "ephemeral-storage"] {
        let value = amounts.get(name);
        if resources::amount(value).is_some_and(|it| !resources::is_whole(&it)) {
            cx.invalid(&FRACTION, value, "is not a whole number of bytes");
        }
    }
}

fn check_variables<'a>(cx: &mut Cx<'a>, variables: Field<'a>) {
    if variables.len() < 2 {
        return;
    }
    let mut seen = BTreeSet::new();
    for variable in variables.items() {
        let name = variable.get("name");
        if seen.insert(name.text()) {
            continue;
        }
        // A variable may add to the one before it, whose value it then holds.
        let value = variable.get("value").text();
        let reference = format!("$({})", name.text());
        if variable.get("valueFrom").exists() || value == reference || !value.contains(&reference) {
            cx.invalid(&HIDDEN, name, "hides the variable of the same name before it");
        }
    }
}

/// The ports of one number and protocol.
#[derive(Debug, Default)]
struct SamePorts<'a> {
    seen: Seen<(&'a str, i64)>,
    /// The ports of the node on all addresses, and on single ones.
    on_all: Seen<i64>,
    on_one: Seen<i64>,
    /// Whether one of them has no port of the node.
    unbound: bool,
}

impl<'a> SamePorts<'a> {
    /// Says whether a port lies in the way of those before it, and adds it to them.
    fn add(&mut self, address: &'a str, host: i64) -> bool {
        let any = !self.seen.is_empty();
        let same = !self.seen.insert((address, host));
        let (other, own) = if address.is_empty() {
            (&self.on_one, &mut self.on_all)
        } else {
            (&self.on_all, &mut self.on_one)
        };
        let ambiguous = other.contains(&host);
        own.insert(host);
        let overlaps = any && (host == 0 || self.unbound);
        self.unbound |= host == 0;
        same || overlaps || ambiguous
    }
}

fn check_ports<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>) {
    let mut seen: BTreeMap<(i64, &str), SamePorts<'a>> = BTreeMap::new();
    let mut names = Seen::default();
    for container in spec.containers() {
        for port in container.get("ports").items() {
            let host = port.get("hostPort").int().unwrap_or_default();
            let address = port.get("hostIP").text();
            if !address.is_empty() && host == 0 {
                cx.invalid(&PORTS, port.get("hostIP"), "does nothing without `hostPort`");
            }
            let number = port.get("containerPort").int().unwrap_or_default();
            let others = seen.entry((number, some_or(port.get("protocol"), "TCP"))).or_default();
            if others.add(address, host) {
                cx.invalid(&PORTS, port.get("containerPort"), "stands in the pod twice");
            }
            let name = port.get("name");
            if !name.is_empty() && !names.insert(name.text()) {
                cx.invalid(&PORT_NAMES, name, "is the name of another port of the pod too");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{findings, pod};

    #[test]
    fn the_server_warns() {
        for (fields, rule) in [
            ("nodeSelector: {beta.kubernetes.io/os: linux}", "api/deprecated-node-label"),
            ("volumes: [{name: v, rbd: {monitors: [a], image: i}}]", "api/deprecated-volume"),
            ("imagePullSecrets: [{}]", "api/repeated-entry"),
            ("hostAliases: [{ip: 1.1.1.1}, {ip: 1.1.1.1}]", "api/repeated-entry"),
            ("terminationGracePeriodSeconds: -1", "api/negative-grace-period"),
            (
                "initContainers: [{name: b, image: i, env: [{name: A, value: a}, {name: A, value: b}]}]",
                "api/hidden-environment-variable",
            ),
            (
                "initContainers: [{name: b, image: i, ports: [{containerPort: 1, name: a}, {containerPort: 2, hostIP: 1.1.1.1}]}]",
                "api/overlapping-ports",
            ),
            (
                "initContainers: [{name: b, image: i, ports: [{containerPort: 1}, {containerPort: 1}]}]",
                "api/overlapping-ports",
            ),
            (
                "initContainers: [{name: b, image: i, resources: {limits: {memory: 100m}}}]",
                "api/fraction-of-a-byte",
            ),
            (
                "volumes: [{name: v, configMap: {name: m, items: [{key: k, path: a/b}, {key: l, path: a}]}}]",
                "api/overlapping-volume-paths",
            ),
            (
                "topologySpreadConstraints: [{maxSkew: 1, topologyKey: k, whenUnsatisfiable: DoNotSchedule}]",
                "api/term-without-selector",
            ),
        ] {
            let found = findings(37, &pod(fields));
            let rules: Vec<&str> = found.iter().map(|it| &*it.0).collect();
            assert_eq!(rules, [rule], "{fields}");
        }
    }

    #[test]
    fn a_variable_may_add_to_the_one_before() {
        let object = pod(
            "initContainers: [{name: b, image: i, env: [{name: A, value: a}, {name: A, value: $(A)b}]}]",
        );
        assert_eq!(findings(37, &object), []);
    }
}
