//! Environment variables, and the fields of the pod that they may take.

use std::collections::BTreeSet;

use super::{Spec, volumes};
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::resources;
use crate::check::api::rule::Rule;
use crate::check::api::shared::UNSUPPORTED;
use crate::naming;
use crate::review::Apply;

pub(super) const RULES: &[&Rule] = &[&NAME, &SOURCE, &FIELD, &RESOURCE, &FILE];

const NAME: Rule = Rule::new(
    "api/invalid-environment-variable",
    "Environment variable with a name that it cannot have",
    "Since 1.32 the name of a variable is printable ASCII without `=`; before it was letters, \
     digits, `-`, `_` and `.`, not beginning with a digit.",
    "rename the variable",
    &["ValidateEnv", "ValidateEnvFrom"],
);

const SOURCE: Rule = Rule::new(
    "api/invalid-environment-source",
    "Environment variable without exactly one source",
    "A variable has a value or takes it from one source: a key of a ConfigMap or a Secret, a field \
     of the pod, a resource of a container, a file. What was merged into another by a patch stays \
     beside it.",
    "leave one source; a patch sets the other to `null`",
    &["validateEnvVarValueFrom", "ValidateEnvFrom"],
);

const FIELD: Rule = Rule::new(
    "api/unknown-pod-field",
    "Field of the pod that cannot be read from inside",
    "Containers can read some fields of their pod only: its name, namespace, UID, labels, \
     annotations, node, service account and addresses.",
    "use one of these fields",
    &["validateObjectFieldSelector"],
);

const RESOURCE: Rule = Rule::new(
    "api/unknown-container-resource",
    "Resource of a container that cannot be read from inside",
    "Containers can read limits and requests of CPU, memory, ephemeral storage and huge pages, in \
     some units.",
    "use one of these resources and units",
    &["validateContainerResourceFieldSelector", "validateContainerResourceDivisor"],
);

const FILE: Rule = Rule::new(
    "api/invalid-environment-file",
    "Environment variable is read from a volume that cannot have the file",
    "Files with variables are written by init containers into a volume of type `emptyDir`.",
    "name such a volume",
    &["validateFileKeyRefVolumes", "validateFileKeySelector"],
);

/// The minor in which names of variables may be almost anything.
const RELAXED: u32 = 32;
/// The minor in which variables may come from files.
const FILES: u32 = 35;

/// The minor in which all addresses of the node can be read by default.
const HOST_ADDRESSES: u32 = 29;

/// The fields that variables may take.
const FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// The fields that files may take.
pub(super) const FIELDS_OF_VOLUMES: &[&str] = &[
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
];

/// Fields that the server knows and gives to nobody.
const KNOWN_FIELDS: &[&str] =
    &["spec.restartPolicy", "spec.schedulerName", "status.phase", "spec.host"];

const RESOURCES: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

const UNITS: &[&str] = &["1", "1k", "1M", "1G", "1T", "1P", "1E"];
const BINARY_UNITS: &[&str] = &["1", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

/// Looks at the variables of a container (`ValidateEnv`, `ValidateEnvFrom`).
pub(super) fn check<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, container: Field<'a>) {
    let form = if cx.minor >= RELAXED || spec.had_before(|it| &it.relaxed_names, has_relaxed_name) {
        naming::relaxed_env_var_name
    } else {
        naming::env_var_name
    };
    let mut before = None;
    for variable in container.get("env").items() {
        cx.require_name_by(&NAME, variable.get("name"), form);
        let source = variable.get("valueFrom");
        if source.exists() && source.is_empty() && cx.apply == Apply::ServerSide {
            // A source that loses all its fields goes as a whole.
            let before = before.get_or_insert_with(|| variables_with_source(spec, container));
            if before.contains(variable.get("name").text()) {
                continue;
            }
        }
        if source.exists() {
            check_source(cx, spec, variable, source);
        }
    }
    let list = container.get("envFrom");
    for item in list.items() {
        let prefix = item.get("prefix");
        if !prefix.is_empty()
            && let Some(wrong) = prefix.str().and_then(form)
        {
            cx.invalid(&NAME, prefix, wrong);
        }
        let (map, secret) = (item.get("configMapRef"), item.get("secretRef"));
        for source in [map, secret] {
            if source.exists() {
                cx.require_name(source.get("name"), naming::dns_subdomain);
            }
        }
        if map.exists() == secret.exists() {
            let problem = if map.exists() {
                "must have `configMapRef` or `secretRef`, not both"
            } else {
                "must have `configMapRef` or `secretRef`"
            };
            cx.invalid(&SOURCE, item, problem);
            cx.named(list);
        }
    }
}

/// Returns the variables that had a source in the same container of the old spec.
fn variables_with_source<'a>(spec: &Spec<'a>, container: Field<'a>) -> BTreeSet<&'a str> {
    let name = container.get("name").text();
    let old = spec.old.into_iter().flat_map(super::containers_of);
    old.filter(|it| it.get("name").text() == name)
        .flat_map(|it| it.get("env").items())
        .filter(|it| !it.get("valueFrom").is_empty())
        .map(|it| it.get("name").text())
        .collect()
}

/// Says whether a spec has names of variables that servers before 1.32 did not take.
fn has_relaxed_name(spec: Field<'_>) -> bool {
    super::containers_of(spec)
        .flat_map(|it| it.get("env").items())
        .any(|it| naming::env_var_name(it.get("name").text()).is_some())
}

/// Looks at the source of a variable (`validateEnvVarValueFrom`).
fn check_source<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, variable: Field<'a>, source: Field<'a>) {
    let mut sources = 0;
    let field = source.get("fieldRef");
    if field.exists() {
        sources += 1;
        check_field(cx, field, field, FIELDS);
    }
    let resource = source.get("resourceFieldRef");
    if resource.exists() {
        sources += 1;
        check_resource(cx, resource, resource, false);
    }
    for key in ["configMapKeyRef", "secretKeyRef"] {
        let reference = source.get(key);
        if reference.exists() {
            sources += 1;
            // An empty name is wrong, and said to be so at the name.
            if reference.get("name").is_empty() {
                cx.required(&SOURCE, reference.get("name"), "");
            } else {
                cx.name(reference.get("name"), naming::dns_subdomain);
            }
            cx.require_name(reference.get("key"), naming::config_map_key);
        }
    }
    let file = source.get("fileKeyRef");
    if file.exists() && cx.minor >= FILES {
        sources += 1;
        check_file(cx, spec, file);
    }
    if sources == 0 {
        cx.invalid(&SOURCE, source, "must have a source");
    } else if !variable.get("value").is_empty() {
        cx.invalid(&SOURCE, source, "must not stand beside `value`");
    } else if sources > 1 {
        cx.invalid(&SOURCE, source, "must have one source only");
    }
}

fn check_file<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, file: Field<'a>) {
    cx.require_name(file.get("key"), naming::relaxed_env_var_name);
    let (volume, path) = (file.get("volumeName"), file.get("path"));
    cx.require_name(volume, naming::dns_label);
    if cx.require(path)
        && let Some(wrong) = volumes::no_backsteps(path.text())
    {
        cx.invalid(&volumes::PATH, path, wrong);
    }
    match spec.volumes.get(volume.text()) {
        None => cx.not_found(&FILE, volume, "a volume of the pod"),
        Some(it) if !it.is_empty_dir => {
            cx.invalid(&FILE, volume, "must name a volume of type `emptyDir`");
        }
        Some(_) => {}
    }
}

/// Looks at a field of the pod (`validateObjectFieldSelector`); `named` is where the server says
/// that it stands.
pub(super) fn check_field<'a>(
    cx: &mut Cx<'a>,
    reference: Field<'a>,
    named: Field<'a>,
    fields: &[&str],
) {
    let (version, path) = (reference.get("apiVersion"), reference.get("fieldPath"));
    let text = path.text();
    if path.is_empty() {
        cx.required(&FIELD, path, "");
        cx.named(named.get("fieldPath"));
    } else if !matches!(version.text(), "" | "v1") {
        cx.invalid(&FIELD, version, "must be `v1`");
        cx.named(named.get("fieldPath"));
    } else if let Some((map, key)) = subscript(text) {
        let wrong = match map {
            "metadata.annotations" => naming::qualified_name(&key.to_ascii_lowercase()),
            "metadata.labels" => naming::qualified_name(key),
            _ => {
                cx.invalid(&FIELD, path, "must have a key for labels and annotations only");
                cx.named(named.get("fieldPath"));
                return;
            }
        };
        if let Some(wrong) = wrong {
            cx.invalid(&FIELD, path, &format!("names a key that {wrong}"));
            cx.named(named);
        }
    } else if text == "status.hostIPs" && cx.minor < HOST_ADDRESSES {
        cx.invalid(&FIELD, path, "cannot be read before 1.29");
        cx.named(named.get("fieldPath"));
    } else if !(fields.contains(&text) || text == "spec.host" && fields.contains(&"spec.nodeName"))
    {
        cx.not_supported(&FIELD, path, fields);
        if KNOWN_FIELDS.contains(&text) {
            cx.help("containers cannot read this field");
        }
        cx.named(named.get("fieldPath"));
    }
}

/// Splits `metadata.labels['app']` into the map and the key.
fn subscript(path: &str) -> Option<(&str, &str)> {
    let (map, key) = path.strip_suffix("']")?.split_once("['")?;
    (!map.is_empty()).then_some((map, key))
}

/// Looks at a resource of a container (`validateContainerResourceFieldSelector`).
pub(super) fn check_resource<'a>(
    cx: &mut Cx<'a>,
    reference: Field<'a>,
    named: Field<'a>,
    in_volume: bool,
) {
    let resource = reference.get("resource");
    let name = resource.text();
    let is_pages =
        ["requests.hugepages-", "limits.hugepages-"].iter().any(|it| name.starts_with(it));
    if in_volume && reference.get("containerName").is_empty() {
        cx.required(&RESOURCE, reference.get("containerName"), "");
        cx.named(named.get("containerName"));
    } else if resource.is_empty() {
        cx.required(&RESOURCE, resource, "");
        cx.named(named.get("resource"));
    } else if !RESOURCES.contains(&name) && !is_pages {
        cx.not_supported(&UNSUPPORTED, resource, RESOURCES);
        cx.named(named.get("resource"));
    }
    let divisor = reference.get("divisor");
    let Some(amount) = resources::amount(divisor).filter(|it| !it.is_zero()) else { return };
    let is_cpu = matches!(name, "limits.cpu" | "requests.cpu");
    if !is_cpu && !RESOURCES.contains(&name) && !is_pages {
        return;
    }
    // 1024 is not 1Ki here: the server compares what it would write.
    let units = match divisor.text() {
        _ if is_cpu => &["1m", "1"],
        text if text.ends_with('i') => BINARY_UNITS,
        text if text.contains(['e', 'E']) && !text.ends_with('E') => &["1"],
        _ => UNITS,
    };
    if !units.iter().any(|it| it.parse().is_ok_and(|unit| amount == unit)) {
        cx.invalid(
            &RESOURCE,
            divisor,
            if is_cpu {
                "must be `1` or `1m`"
            } else {
                "must be `1` of a unit, such as `1`, `1k` or `1Mi`"
            },
        );
        cx.named(named.get("divisor"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::api::fixture::{assert_containers, assert_pods, container, findings};

    #[test]
    fn variables_have_one_source() {
        assert_containers(&[
            ("env: [{name: A, value: b}]", &[]),
            ("env: [{name: 1 b/c}]", &[]),
            ("env: [{name: A=B}]", &["env[0].name"]),
            ("env: [{value: b}]", &["env[0].name"]),
            ("env: [{name: A, valueFrom: {}}]", &["env[0].valueFrom"]),
            (
                "env: [{name: A, value: b, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
                &["env[0].valueFrom"],
            ),
            (
                "env: [{name: A, valueFrom: {secretKeyRef: {name: S, key: a/b}}}]",
                &["env[0].valueFrom.secretKeyRef.name", "env[0].valueFrom.secretKeyRef.key"],
            ),
            ("envFrom: [{}]", &["envFrom"]),
            ("envFrom: [{secretRef: {name: S}}]", &["envFrom[0].secretRef.name"]),
        ]);
    }

    #[test]
    fn names_were_narrower_once() {
        let object = container("env: [{name: 1 b/c}]");
        assert_eq!(findings(31, &object).len(), 1);
        assert_eq!(findings(32, &object), []);
    }

    #[test]
    fn containers_read_some_fields_only() {
        let at = |path: &str| {
            container(&format!(
                "env: [{{name: A, valueFrom: {{fieldRef: {{fieldPath: \"{path}\"}}}}}}]"
            ))
        };
        for path in
            ["status.podIP", "spec.host", "metadata.labels['a']", "metadata.annotations['A/b']"]
        {
            assert_eq!(findings(37, &at(path)), [], "{path}");
        }
        for path in
            ["status.phase", "metadata.labels", "metadata.labels['a b']", "spec.nodeName['a']", ""]
        {
            assert_eq!(findings(37, &at(path)).len(), 1, "{path}");
        }
        assert_eq!(subscript("metadata.labels['']"), Some(("metadata.labels", "")));
    }

    #[test]
    fn units_are_compared_as_the_server_writes_them() {
        for (unit, refused) in
            [("1Mi", 0), ("1024Ki", 0), ("1000", 0), ("1024", 1), ("1e3", 1), ("2", 1)]
        {
            let object = container(&format!(
                "env: [{{name: A, valueFrom: {{resourceFieldRef: {{resource: limits.memory, divisor: \"{unit}\"}}}}}}]"
            ));
            assert_eq!(findings(37, &object).len(), refused, "{unit}");
        }
    }

    #[test]
    fn files_with_variables_lie_in_empty_folders() {
        let file = "env: [{name: A, valueFrom: {fileKeyRef: {volumeName: v, path: p, key: K}}}]";
        let with = |volumes: &str| {
            format!("initContainers: [{{name: b, image: i, {file}}}], volumes: [{volumes}]")
        };
        let refused = "initContainers[0].env[0].valueFrom.fileKeyRef.volumeName";
        assert_pods(&[
            (&with("{name: v, emptyDir: {}}"), &[]),
            (&with("{name: v, secret: {secretName: s}}"), &[refused]),
            (&with(""), &[refused]),
        ]);
    }
}
