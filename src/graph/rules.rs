//! The rules about what the gate cannot see, and about reconcilers that wait in vain.

use std::borrow::Cow;

use crate::rule::{Doors, Enforcement, Minors, RuleId, RuleMeta, Scope, Severity};

/// A manifest is a template that nothing has filled in.
pub const UNRENDERED_TEMPLATE: RuleId = RuleId::known("coverage/unrendered-template");
/// A kustomization refers to something that lies on another host.
pub const REMOTE_BASE: RuleId = RuleId::known("coverage/remote-base");
/// A chart lies in a registry or a repository of charts.
pub const REMOTE_CHART: RuleId = RuleId::known("coverage/remote-chart");
/// A chart of this repository is not rendered.
pub const CHART_NOT_RENDERED: RuleId = RuleId::known("coverage/chart-not-rendered");
/// A reconciler applies what lies in another repository.
pub const OTHER_REPOSITORY: RuleId = RuleId::known("coverage/other-repository");
/// A manifest lies beside a kustomization that does not list it.
pub const UNREFERENCED_FILE: RuleId = RuleId::known("coverage/unreferenced-file");
/// A kustomization needs a program.
pub const PLUGIN_NOT_RUN: RuleId = RuleId::known("coverage/plugin-not-run");

/// Variables need values that only a cluster has.
pub const UNKNOWN_VALUES: RuleId = RuleId::known("coverage/unknown-values");
/// A Kustomization waits for one that nothing in the repository defines.
pub const UNKNOWN_DEPENDENCY: RuleId = RuleId::known("flux/unknown-dependency");
/// Kustomizations wait for each other.
pub const DEPENDENCY_CIRCLE: RuleId = RuleId::known("flux/dependency-circle");
/// A generator of Applications needs something that is not in the repository.
pub const NOT_EXPANDED: RuleId = RuleId::known("coverage/not-expanded");

/// Returns the rules about what lies outside what the gate can see.
pub fn rules() -> Vec<RuleMeta> {
    let rule = |id, title, description, help, severity| RuleMeta {
        id,
        title: Cow::Borrowed(title),
        description: Cow::Borrowed(description),
        help: Cow::Borrowed(help),
        severity,
        enforcement: Enforcement::Warn,
        scope: Scope::Run,
        doors: Doors::Repository,
        minors: Minors::ALL,
        since: Cow::Borrowed("0.1.0"),
        references: Vec::new(),
    };
    vec![
        rule(
            UNRENDERED_TEMPLATE,
            "Template is not filled in",
            "The file has the shape of a manifest, but holds placeholders of a template language \
             outside any chart. Something else fills them in before a cluster sees the objects, \
             and the gate does not know with which values: the objects are not judged.",
            "commit what the template renders to, or check its output with `tidewaiter check` where \
             it is rendered",
            Severity::Low,
        ),
        rule(
            REMOTE_BASE,
            "Kustomization uses a remote base",
            "The kustomization includes files from another host. The gate opens no connection, so \
             it does not see them, and a root that includes them cannot be rendered. Whoever can \
             change the remote files changes the cluster without a pull request.",
            "vendor the remote files into the repository, so that a change of them is reviewed",
            Severity::Medium,
        ),
        rule(
            REMOTE_CHART,
            "Chart lies outside the repository",
            "The chart is fetched from a registry or a chart repository when it is deployed. The \
             gate does not see its templates, so the objects that it makes are not judged.",
            "vendor the chart, or check the output of `helm template` beside the repository",
            Severity::Low,
        ),
        rule(
            CHART_NOT_RENDERED,
            "Chart is not rendered",
            "The chart lies in the repository, but its templates are not rendered, so the objects \
             that it makes are not judged. The secret scan does read its files.",
            "check the output of `helm template` for the values of each environment",
            Severity::Low,
        ),
        rule(
            OTHER_REPOSITORY,
            "Reconciler applies another repository",
            "The object tells Flux or Argo CD to apply a path that this repository does not have. \
             What lies there is not judged here.",
            "run the gate in that repository as well, or correct the path if it should be here",
            Severity::Low,
        ),
        rule(
            UNKNOWN_VALUES,
            "Variables need values that only the cluster has",
            "A Kustomization of Flux fills in variables from a ConfigMap or a Secret that the \
             repository does not define. The objects are judged with the text of the variables in \
             place, and fields whose form depends on the value are not held against their schema.",
            "give the values of the environment in `tidewaiter.yaml`, under `clusterValues`",
            Severity::Low,
        ),
        rule(
            UNKNOWN_DEPENDENCY,
            "Kustomization depends on one that is not there",
            "Flux applies a Kustomization only when all that `dependsOn` names are ready. Nothing in \
             the repository defines this one: unless it comes from elsewhere, the objects are never \
             applied. Without a namespace, the name is looked for in that of the Kustomization.",
            "correct the name or the namespace, or remove the entry",
            Severity::Medium,
        ),
        RuleMeta {
            enforcement: Enforcement::Deny,
            ..rule(
                DEPENDENCY_CIRCLE,
                "Kustomizations depend on each other",
                "Flux applies a Kustomization only when all that `dependsOn` names are ready. These \
                 wait for each other, so that none of them is ever applied.",
                "remove one of the entries of `dependsOn`",
                Severity::High,
            )
        },
        rule(
            NOT_EXPANDED,
            "ApplicationSet is not expanded",
            "A generator of the ApplicationSet asks a cluster, a forge or another service for what \
             it makes Applications of. The gate asks none of them, so the Applications are not \
             followed.",
            "declare the clusters in `tidewaiter.yaml`, under `clusters`",
            Severity::Low,
        ),
        rule(
            UNREFERENCED_FILE,
            "Manifest is not listed by its kustomization",
            "The file lies beside the files of a kustomization, which does not list it, so nothing \
             applies its objects and they are not judged. Often a line under `resources` or \
             `patches` was forgotten, and what was reviewed is not what runs.",
            "list the file in the kustomization, or remove it",
            Severity::Low,
        ),
        rule(
            PLUGIN_NOT_RUN,
            "Kustomization needs a plugin",
            "The kustomization runs a program, in a container or on the machine, to make or change \
             objects. Nothing of a repository under check is executed, so its output is not judged.",
            "replace the plugin by a field of kustomize, or check its output where it is run",
            Severity::Medium,
        ),
    ]
}

/// Returns the rule of an id of this module.
pub(super) fn rule(id: &RuleId) -> Option<RuleMeta> {
    rules().into_iter().find(|rule| rule.id == *id)
}
