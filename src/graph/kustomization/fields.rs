//! The parts of a kustomization that have fields of their own.
//!
//! Names and types follow kustomize's `api/types`.

use super::decode::{Pairs, Spanned, Text, records};
use crate::document::Node;

records! {
    /// The metadata of a kustomization, which nothing reads.
    Metadata {
        /// A name.
        "name" => name: Option<Text>,
        /// A namespace.
        "namespace" => namespace: Option<Text>,
        /// Labels.
        "labels" => labels: Pairs,
        /// Annotations.
        "annotations" => annotations: Pairs,
    }

    /// What a patch or a replacement applies to. Names and kinds are regular expressions.
    Selector {
        /// The API group.
        "group" => group: Option<Text>,
        /// The API version without the group.
        "version" => version: Option<Text>,
        /// The kind.
        "kind" => kind: Option<Text>,
        /// The name.
        "name" => name: Option<Text>,
        /// The namespace.
        "namespace" => namespace: Option<Text>,
        /// A selector over annotations.
        "annotationSelector" => annotation_selector: Option<Text>,
        /// A selector over labels.
        "labelSelector" => label_selector: Option<Text>,
    }

    /// What a patch is allowed to do.
    PatchOptions {
        /// Whether the patch may change the name of its target.
        "allowNameChange" => allow_name_change: Option<Spanned<bool>>,
        /// Whether the patch may change the kind of its target.
        "allowKindChange" => allow_kind_change: Option<Spanned<bool>>,
    }

    /// A patch: strategic merge or JSON 6902, inline or in a file.
    Patch {
        /// The file that holds it.
        "path" => path: Option<Text>,
        /// The patch itself.
        "patch" => patch: Option<Text>,
        /// What it applies to.
        "target" => target: Option<Selector>,
        /// What it is allowed to do.
        "options" => options: Option<PatchOptions>,
    }

    /// Labels for every object.
    Label {
        /// The labels.
        "pairs" => pairs: Pairs,
        /// Whether selectors take them too.
        "includeSelectors" => include_selectors: Option<Spanned<bool>>,
        /// Whether pod templates take them too.
        "includeTemplates" => include_templates: Option<Spanned<bool>>,
        /// Other fields that take them.
        "fields" => fields: Vec<FieldSpec>,
    }

    /// A field of some kinds.
    FieldSpec {
        /// The API group; any where it is not set.
        "group" => group: Option<Text>,
        /// The API version; any where it is not set.
        "version" => version: Option<Text>,
        /// The kind; any where it is not set.
        "kind" => kind: Option<Text>,
        /// The path, with `/` between the steps.
        "path" => path: Option<Text>,
        /// Whether the field is made where it is not there.
        "create" => create: Option<Spanned<bool>>,
    }

    /// A new name, tag or digest for an image.
    Image {
        /// The name of the image as the manifests have it.
        "name" => name: Option<Text>,
        /// The name to set.
        "newName" => new_name: Option<Text>,
        /// The text to append to the tag.
        "tagSuffix" => tag_suffix: Option<Text>,
        /// The tag to set.
        "newTag" => new_tag: Option<Text>,
        /// The digest to set.
        "digest" => digest: Option<Text>,
    }

    /// A number of replicas.
    Replica {
        /// The name of the object.
        "name" => name: Option<Text>,
        /// The number.
        "count" => count: Option<Spanned<i64>>,
    }

    /// What generated objects get besides their data.
    GeneratorOptions {
        /// Labels.
        "labels" => labels: Pairs,
        /// Annotations.
        "annotations" => annotations: Pairs,
        /// Whether the name goes without the hash of the content.
        "disableNameSuffixHash" => disable_name_suffix_hash: Option<Spanned<bool>>,
        /// Whether the object is immutable.
        "immutable" => immutable: Option<Spanned<bool>>,
    }

    /// A generated `ConfigMap` or Secret.
    Generator {
        /// The namespace.
        "namespace" => namespace: Option<Text>,
        /// The name, before the hash.
        "name" => name: Option<Text>,
        /// `create`, `merge` or `replace`.
        "behavior" => behavior: Option<Text>,
        /// Files whose content becomes a value: `path` or `key=path`.
        "files" => files: Vec<Text>,
        /// Values: `key=value`.
        "literals" => literals: Vec<Text>,
        /// Files of `key=value` lines.
        "envs" => envs: Vec<Text>,
        /// One more such file (deprecated).
        "env" => env: Option<Text>,
        /// What this object gets besides its data.
        "options" => options: Option<GeneratorOptions>,
        /// The type of a Secret.
        "type" => type_: Option<Text>,
    }

    /// How a replacement takes a part of a value, or sets one.
    ReplacementOptions {
        /// What separates the parts.
        "delimiter" => delimiter: Option<Text>,
        /// Which part.
        "index" => index: Option<Spanned<i64>>,
        /// The encoding of the value.
        "encoding" => encoding: Option<Text>,
        /// Whether the field is made where it is not there.
        "create" => create: Option<Spanned<bool>>,
    }

    /// Where a replacement takes its value.
    ReplacementSource {
        /// The API group.
        "group" => group: Option<Text>,
        /// The API version without the group.
        "version" => version: Option<Text>,
        /// The kind.
        "kind" => kind: Option<Text>,
        /// The name.
        "name" => name: Option<Text>,
        /// The namespace.
        "namespace" => namespace: Option<Text>,
        /// The field, `metadata.name` where it is not set.
        "fieldPath" => field_path: Option<Text>,
        /// The part of the value.
        "options" => options: Option<ReplacementOptions>,
    }

    /// Where a replacement puts its value.
    ReplacementTarget {
        /// The objects.
        "select" => select: Option<Selector>,
        /// Those of them that are left alone.
        "reject" => reject: Vec<Selector>,
        /// The fields.
        "fieldPaths" => field_paths: Vec<Text>,
        /// How the value is set.
        "options" => options: Option<ReplacementOptions>,
    }

    /// A value of one object copied to others.
    Replacement {
        /// A file that holds one or more replacements.
        "path" => path: Option<Text>,
        /// Where the value is taken.
        "source" => source: Option<ReplacementSource>,
        /// The value itself, instead of a source.
        "sourceValue" => source_value: Option<Text>,
        /// Where it is put.
        "targets" => targets: Vec<ReplacementTarget>,
    }

    /// The object of a variable.
    VarObject {
        /// The API group and version.
        "apiVersion" => api_version: Option<Text>,
        /// The API group.
        "group" => group: Option<Text>,
        /// The API version without the group.
        "version" => version: Option<Text>,
        /// The kind.
        "kind" => kind: Option<Text>,
        /// The name.
        "name" => name: Option<Text>,
        /// The namespace.
        "namespace" => namespace: Option<Text>,
    }

    /// The field of a variable.
    VarField {
        /// The path, with dots; `metadata.name` where it is not set.
        "fieldPath" => field_path: Option<Text>,
    }

    /// A value that stands for `$(NAME)` (deprecated).
    Var {
        /// The name.
        "name" => name: Option<Text>,
        /// The object.
        "objref" => objref: Option<VarObject>,
        /// The field.
        "fieldref" => fieldref: Option<VarField>,
    }

    /// A Helm chart to inflate.
    HelmChart {
        /// The name of the chart.
        "name" => name: Option<Text>,
        /// The version.
        "version" => version: Option<Text>,
        /// The repository.
        "repo" => repo: Option<Text>,
        /// The name of the release.
        "releaseName" => release_name: Option<Text>,
        /// The namespace of the release.
        "namespace" => namespace: Option<Text>,
        /// A file of values.
        "valuesFile" => values_file: Option<Text>,
        /// More files of values.
        "additionalValuesFiles" => additional_values_files: Vec<Text>,
        /// Values.
        "valuesInline" => values_inline: Option<Node>,
        /// How the values are combined.
        "valuesMerge" => values_merge: Option<Text>,
        /// Whether the chart's CRDs are rendered.
        "includeCRDs" => include_crds: Option<Spanned<bool>>,
        /// Whether hooks are left out.
        "skipHooks" => skip_hooks: Option<Spanned<bool>>,
        /// API versions that templates may ask for.
        "apiVersions" => api_versions: Vec<Text>,
        /// The version of Kubernetes that templates may ask for.
        "kubeVersion" => kube_version: Option<Text>,
        /// A template of the release's name.
        "nameTemplate" => name_template: Option<Text>,
        /// Whether tests are left out.
        "skipTests" => skip_tests: Option<Spanned<bool>>,
        /// Whether Helm is verbose.
        "debug" => debug: Option<Spanned<bool>>,
        /// Whether development versions count.
        "devel" => devel: Option<Spanned<bool>>,
    }

    /// What holds for all Helm charts.
    HelmGlobals {
        /// The folder of the charts.
        "chartHome" => chart_home: Option<Text>,
        /// Helm's configuration.
        "configHome" => config_home: Option<Text>,
    }

    /// A Helm chart in the form before `helmCharts` (deprecated).
    HelmInflation {
        /// The name of the chart.
        "chartName" => chart_name: Option<Text>,
        /// The version.
        "chartVersion" => chart_version: Option<Text>,
        /// The repository.
        "chartRepoUrl" => chart_repo_url: Option<Text>,
        /// The folder of the charts.
        "chartHome" => chart_home: Option<Text>,
        /// The name of the repository.
        "chartRepoName" => chart_repo_name: Option<Text>,
        /// The program to run.
        "helmBin" => helm_bin: Option<Text>,
        /// Helm's home.
        "helmHome" => helm_home: Option<Text>,
        /// A file of values.
        "values" => values: Option<Text>,
        /// Values.
        "valuesLocal" => values_local: Option<Node>,
        /// How the values are combined.
        "valuesMerge" => values_merge: Option<Text>,
        /// The name of the release.
        "releaseName" => release_name: Option<Text>,
        /// The namespace of the release.
        "releaseNamespace" => release_namespace: Option<Text>,
        /// More arguments.
        "extraArgs" => extra_args: Vec<Text>,
    }

    /// The order of kinds that the legacy order keeps.
    LegacySortOptions {
        /// The kinds that come first.
        "orderFirst" => order_first: Vec<Text>,
        /// The kinds that come last.
        "orderLast" => order_last: Vec<Text>,
    }

    /// The order of the objects.
    SortOptions {
        /// `legacy` or `fifo`.
        "order" => order: Option<Text>,
        /// The order of kinds.
        "legacySortOptions" => legacy: Option<LegacySortOptions>,
    }
}
