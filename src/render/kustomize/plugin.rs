//! Generators and transformers that stand in files of their own.
//!
//! kustomize's built-in ones are run; all others are programs, and are left out as gaps.

use super::config;
use super::field::Field;
use super::files::Files;
use super::object::Object;
use super::transform::{self, End, Subjects};
use super::{generate, image, patch, replace};
use crate::document::Node;
use crate::graph::kustomization::{
    DecodeField, Generator, HelmChart, Image, Pairs, Patch, Reader, Replacement, Replica, Spanned,
    Text,
};
use crate::render::{Gap, GapKind, RenderError};

type Result<T> = std::result::Result<T, RenderError>;

/// Reads one field of a plugin's configuration. Fields that are not asked for are not looked at.
fn read<T: DecodeField>(node: &Node, key: &str) -> Result<T> {
    let mut reader = Reader::default();
    let value = match node.get(key) {
        Some(value) => T::read(key, value, &mut reader),
        None => T::default(),
    };
    match reader.defects.into_iter().next() {
        Some(defect) => Err(RenderError {
            help: defect.help,
            ..RenderError::broken(defect.span, defect.message)
        }),
        None => Ok(value),
    }
}

fn fields(node: &Node) -> Result<Vec<Field>> {
    node.get("fieldSpecs").map_or_else(|| Ok(Vec::new()), config::fields)
}

fn is_builtin(plugin: &Object) -> bool {
    &*plugin.api_version() == "builtin"
}

fn not_run(plugin: &Object) -> Gap {
    let span = plugin.node.get("kind").map_or(plugin.node.span, |kind| kind.span);
    Gap { kind: GapKind::PluginNotRun, span, text: plugin.kind().to_string() }
}

/// Runs a generator and adds what it makes to the objects.
pub(super) fn run_generator(
    objects: &mut Vec<Object>,
    plugin: &Object,
    files: &mut Files<'_>,
    tolerant: bool,
) -> Result<()> {
    let kind = plugin.kind();
    if !is_builtin(plugin) {
        files.gaps.push(not_run(plugin));
        return Ok(());
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
            return Ok(());
        }
        _ => return Err(unknown(plugin)),
    };
    // The name and the namespace are those of the configuration itself.
    let node = &plugin.node;
    let metadata = node.get("metadata").unwrap_or(node);
    let generator = Generator {
        namespace: read(metadata, "namespace")?,
        name: read(metadata, "name")?,
        behavior: read(node, "behavior")?,
        files: read(node, "files")?,
        literals: read(node, "literals")?,
        envs: read(node, "envs")?,
        env: read(node, "env")?,
        options: read(node, "options")?,
        type_: read(node, "type")?,
        ..Generator::empty(node.span)
    };
    let object = generate::generate(made, &generator, None, files)?;
    generate::absorb(objects, object, tolerant)
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
    RenderError::unsupported(span, format!("the plugin `{}` is not supported", plugin.kind()))
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
        _ => Err(unknown(plugin)),
    }
}

/// The error of a number of replicas for which there is no object.
pub(super) fn no_replica(replica: &Replica) -> RenderError {
    let span = replica.name.as_ref().map_or(replica.span, |name| name.span);
    let name = replica.name.as_ref().map(Text::as_str).unwrap_or_default();
    RenderError::broken(span, format!("no workload is called `{name}`"))
}
