//! Generators and transformers that stand in files of their own.
//!
//! kustomize's built-in ones are run; all others are programs, and are left out as gaps.

use super::config;
use super::field::Field;
use super::files::Files;
use super::object::{Object, set};
use super::transform::{self, End, Subjects};
use super::{generate, hash, image, patch, replace, value_add};
use crate::document::Node;
use crate::graph::kustomization::{
    DecodeField, Generator, HelmChart, Image, Pairs, Patch, Reader, Replacement, Replica, Spanned,
    Text,
};
use crate::render::{Gap, GapKind, RenderError};

type Result<T> = std::result::Result<T, RenderError>;

/// Reads one field of a plugin's configuration. Fields that are not asked for are not looked at.
pub(super) fn read<T: DecodeField>(node: &Node, key: &str) -> Result<T> {
    let mut reader = Reader::default();
    let value = match node.get(key) {
        Some(value) => T::read(key, value, &mut reader),
        None => T::default(),
    };
    match reader.defects.into_iter().next() {
        Some(defect) => Err(defect.into()),
        None => Ok(value),
    }
}

fn fields(node: &Node) -> Result<Vec<Field>> {
    node.get("fieldSpecs").map_or_else(|| Ok(Vec::new()), config::fields_of_plugin)
}

fn is_builtin(plugin: &Object) -> bool {
    &*plugin.api_version() == "builtin"
}

fn not_run(plugin: &Object) -> Gap {
    let span = plugin.node.get("kind").map_or(plugin.node.span, |kind| kind.span);
    Gap { kind: GapKind::PluginNotRun, span, text: plugin.kind().to_string() }
}

/// Runs a generator and returns what it makes; nothing where it is a gap.
pub(super) fn run_generator(plugin: &Object, files: &mut Files<'_>) -> Result<Option<Object>> {
    let kind = plugin.kind();
    if !is_builtin(plugin) {
        files.gaps.push(not_run(plugin));
        return Ok(None);
    }
    let made = match &*kind {
        "ConfigMapGenerator" => generate::Kind::ConfigMap,
        "SecretGenerator" => generate::Kind::Secret,
        "HelmChartInflationGenerator" => {
            let chart = HelmChart {
                name: read(&plugin.node, "name")?,
                repo: read(&plugin.node, "repo")?,
                ..HelmChart::empty(plugin.node.span)
            };
            files.gaps.push(chart_gap(&chart));
            return Ok(None);
        }
        "IAMPolicyGenerator" => return policy(plugin, files).map(Some),
        _ => return Err(unknown(plugin)),
    };
    // The name and the namespace are those of the configuration itself, where it has no own.
    let node = &plugin.node;
    let metadata = node.get("metadata").unwrap_or(node);
    let own = |key: &str| -> Result<Option<Text>> {
        let text: Option<Text> = read(node, key)?;
        text.filter(|it| !it.is_empty()).map_or_else(|| read(metadata, key), |it| Ok(Some(it)))
    };
    let generator = Generator {
        namespace: own("namespace")?,
        name: own("name")?,
        behavior: read(node, "behavior")?,
        files: read(node, "files")?,
        literals: read(node, "literals")?,
        envs: read(node, "envs")?,
        env: read(node, "env")?,
        options: read(node, "options")?,
        type_: read(node, "type")?,
        ..Generator::empty(node.span)
    };
    generate::generate(made, &generator, None, files).map(Some)
}

/// Makes the service account that an `IAMPolicyGenerator` describes.
fn policy(plugin: &Object, files: &Files<'_>) -> Result<Object> {
    let node = &plugin.node;
    let span = node.span;
    let cloud: Option<Text> = read(node, "cloud")?;
    if cloud.as_ref().is_none_or(|cloud| &*cloud.text != "gke") {
        let at = cloud.map_or(span, |cloud| cloud.span);
        return Err(RenderError::broken(at, "`cloud` must be `gke`"));
    }
    let text = |of: &str, key: &str| match node.get(of) {
        Some(map) => read::<Option<Text>>(map, key),
        None => Ok(None),
    };
    let or_empty = |text: Option<Text>| text.map(|it| it.text.to_string()).unwrap_or_default();
    let account = text("serviceAccount", "name")?;
    let at = account.as_ref().map_or(span, |account| account.span);
    let email = format!(
        "{}@{}.iam.gserviceaccount.com",
        or_empty(account),
        or_empty(text("serviceAccount", "projectId")?)
    );
    let mut annotations = Node::mapping(at);
    set(&mut annotations, "iam.gke.io/gcp-service-account", Node::string(email, at));
    let mut metadata = Node::mapping(span);
    set(&mut metadata, "annotations", annotations);
    for key in ["name", "namespace"] {
        if let Some(text) = text("kubernetesService", key)?.filter(|it| !it.is_empty()) {
            set(&mut metadata, key, Node::string(text.text, text.span));
        }
    }
    let mut made = Node::mapping(span);
    set(&mut made, "apiVersion", Node::string("v1", span));
    set(&mut made, "kind", Node::string("ServiceAccount", span));
    set(&mut made, "metadata", metadata);
    Ok(Object::new(made, files.sources()))
}

/// Returns the gap of a Helm chart.
pub(super) fn chart_gap(chart: &HelmChart) -> Gap {
    let is_remote = chart.repo.as_ref().is_some_and(|repo| !repo.is_empty());
    let kind = if is_remote { GapKind::RemoteChart } else { GapKind::ChartNotRendered };
    let name = chart.name.as_ref().or(chart.release_name.as_ref());
    Gap {
        kind,
        span: name.map_or(chart.span, |name| name.span),
        text: name.map(|name| name.text.to_string()).unwrap_or_default(),
    }
}

fn unknown(plugin: &Object) -> RenderError {
    let span = plugin.node.get("kind").map_or(plugin.node.span, |kind| kind.span);
    let message = format!("kustomize has no `{}` that can be used here", plugin.kind());
    RenderError::broken(span, message)
}

/// Runs a transformer over the objects.
pub(super) fn run_transformer(
    objects: &mut Vec<Object>,
    plugin: &Object,
    files: &mut Files<'_>,
    tolerant: bool,
) -> Result<()> {
    if !is_builtin(plugin) {
        files.gaps.push(not_run(plugin));
        return Ok(());
    }
    let node = &plugin.node;
    let text = |key: &str| read::<Option<Text>>(node, key);
    let affix = |objects: &mut [Object], key: &str, end: End| -> Result<()> {
        match text(key)? {
            Some(affix) => transform::affix(objects, &affix, end, &fields(node)?),
            None => Ok(()),
        }
    };
    match &*plugin.kind() {
        "LabelTransformer" => transform::entries(
            objects,
            &read::<Pairs>(node, "labels")?,
            &fields(node)?,
            files.budget,
        ),
        "AnnotationsTransformer" => {
            let annotations = read::<Pairs>(node, "annotations")?;
            transform::entries(objects, &annotations, &fields(node)?, files.budget)
        }
        "NamespaceTransformer" => {
            let metadata = node.get("metadata").unwrap_or(node);
            let Some(namespace) =
                read::<Option<Text>>(metadata, "namespace")?.filter(|it| !it.is_empty())
            else {
                return Ok(());
            };
            let subjects = match text("setRoleBindingSubjects")? {
                None => Subjects::Default,
                Some(mode) => match &*mode.text {
                    "" | "defaultOnly" => Subjects::Default,
                    "allServiceAccounts" => Subjects::All,
                    "none" => Subjects::None,
                    other => {
                        return Err(RenderError::broken(
                            mode.span,
                            format!("`{other}` is not a choice of subjects"),
                        )
                        .with_help("use `defaultOnly`, `allServiceAccounts` or `none`"));
                    }
                },
            };
            let unset_only = read::<Option<Spanned<bool>>>(node, "unsetOnly")?;
            let unset_only = unset_only.is_some_and(|it| it.value);
            transform::namespace(objects, &namespace, &fields(node)?, subjects, unset_only)
        }
        "PrefixTransformer" => affix(objects, "prefix", End::Prefix),
        "SuffixTransformer" => affix(objects, "suffix", End::Suffix),
        "PrefixSuffixTransformer" => {
            affix(objects, "prefix", End::Prefix)?;
            affix(objects, "suffix", End::Suffix)
        }
        "ImageTagTransformer" => {
            let Some(change) = read::<Option<Image>>(node, "imageTag")? else { return Ok(()) };
            image::transform(objects, &change, &fields(node)?)
        }
        "ReplicaCountTransformer" => {
            let Some(replica) = read::<Option<Replica>>(node, "replica")? else { return Ok(()) };
            let found = transform::replicas(objects, &replica, &fields(node)?)?;
            if found || tolerant { Ok(()) } else { Err(no_replica(&replica)) }
        }
        "PatchTransformer" => {
            let change = Patch {
                path: read(node, "path")?,
                patch: read(node, "patch")?,
                target: read(node, "target")?,
                options: read(node, "options")?,
                ..Patch::empty(node.span)
            };
            patch::apply(objects, &change, files, tolerant)
        }
        "PatchJson6902Transformer" => {
            let change = Patch {
                path: read(node, "path")?,
                patch: read(node, "jsonOp")?,
                target: read(node, "target")?,
                ..Patch::empty(node.span)
            };
            patch::apply_json(objects, &change, files)
        }
        "PatchStrategicMergeTransformer" => {
            for entry in read::<Vec<Text>>(node, "paths")?.iter().chain(&text("patches")?) {
                patch::apply_strategic(objects, entry, files, tolerant)?;
            }
            Ok(())
        }
        "ReplacementTransformer" => {
            let replacements = read::<Vec<Replacement>>(node, "replacements")?;
            replace::apply(objects, &replacements, files, tolerant)
        }
        "ValueAddTransformer" => value_add::run(objects, node, files),
        "HashTransformer" => {
            hash::rename(objects);
            Ok(())
        }
        _ => Err(unknown(plugin)),
    }
}

/// The error of a number of replicas for which there is no object.
pub(super) fn no_replica(replica: &Replica) -> RenderError {
    let span = replica.name.as_ref().map_or(replica.span, |name| name.span);
    let name = replica.name.as_ref().map(Text::as_str).unwrap_or_default();
    RenderError::broken(span, format!("no workload is called `{name}`"))
}
