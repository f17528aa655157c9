use super::*;
use crate::config::Glob;
use crate::environment::Tier;
use crate::load::{Dialect, Limits};
use crate::source::{Origin, Source};

const OBJECT: &str = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n";

fn repository(files: &[(&str, &str)]) -> Repository {
    let mut repository = Repository::new(Limits::default());
    for (path, text) in files {
        let (path, in_scope) = match path.strip_prefix('!') {
            Some(path) => (path, false),
            None => (*path, true),
        };
        let source = Source::new(RepoPath::new(path), Origin::File, (*text).into());
        repository.add(source, in_scope);
    }
    repository
}

fn build(repository: &Repository) -> Graph {
    Graph::new(repository, &[], &[], "1.37".parse().unwrap())
}

fn graph(files: &[(&str, &str)]) -> Graph {
    build(&repository(files))
}

fn resources(paths: &[&str]) -> String {
    format!("resources:\n- {}\n", paths.join("\n- "))
}

fn flux(name: &str, path: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: \
         {name}\nspec:\n  path: {path}\n  sourceRef:\n    kind: GitRepository\n    name: \
         flux-system\n"
    )
}

fn argo(path: &str, directory: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: x\nspec:\n  \
         source:\n    repoURL: https://example.com/x.git\n    path: {path}\n{directory}"
    )
}

fn roots(graph: &Graph) -> Vec<&str> {
    graph.roots().iter().map(|root| root.folder.as_str()).collect()
}

fn plain(graph: &Graph) -> Vec<&str> {
    graph.plain().iter().map(|manifest| manifest.path.as_str()).collect()
}

fn others(graph: &Graph) -> Vec<(&str, Role)> {
    graph.others().iter().map(|other| (other.path.as_str(), other.role)).collect()
}

fn rule_ids(graph: &Graph) -> Vec<&str> {
    graph.findings().iter().map(|finding| finding.rule.as_str()).collect()
}

fn names(placements: &[Placement]) -> Vec<&str> {
    placements.iter().map(|it| &*it.environment.name).collect()
}

/// The environments of the only root or manifest.
fn environments_of(files: &[(&str, &str)], path: &str) -> Vec<String> {
    let graph = graph(files);
    let root = graph.roots().iter().find(|root| root.folder.as_str() == path);
    let manifest = graph.plain().iter().find(|manifest| manifest.path.as_str() == path);
    let placements = root
        .map(|root| &root.environments)
        .or(manifest.map(|manifest| &manifest.environments))
        .unwrap_or_else(|| panic!("`{path}` is not judged"));
    names(placements).into_iter().map(str::to_owned).collect()
}

#[test]
fn only_what_no_kustomization_builds_on_is_a_leaf() {
    let graph = graph(&[
        ("base/kustomization.yaml", &resources(&["web.yaml"])),
        ("base/web.yaml", OBJECT),
        ("overlays/prod/kustomization.yaml", &resources(&["../../base"])),
        ("plain/web.yaml", OBJECT),
    ]);
    assert_eq!(roots(&graph), ["overlays/prod"]);
    assert_eq!(plain(&graph), ["plain/web.yaml"]);
    let rendered: Vec<&str> = graph.resources().iter().map(RepoPath::as_str).collect();
    assert_eq!(rendered, ["base/web.yaml"]);
}

#[test]
fn the_name_base_makes_no_base() {
    assert_eq!(
        roots(&graph(&[("x/base/kustomization.yaml", &resources(&["a.yaml"]))])),
        ["x/base"]
    );
}

#[test]
fn a_patch_is_one_because_a_kustomization_uses_it_so() {
    let graph = graph(&[
        ("kustomization.yaml", "patches:\n- path: web.yaml\nresources:\n- patch.yaml\n"),
        ("web.yaml", OBJECT),
        ("patch.yaml", OBJECT),
    ]);
    assert_eq!(
        others(&graph),
        [("kustomization.yaml", Role::Kustomization), ("web.yaml", Role::Patch)]
    );
    assert_eq!(graph.resources(), [RepoPath::new("patch.yaml")]);
    assert_eq!(plain(&graph), [""; 0]);
}

#[test]
fn a_component_is_no_root_and_its_parts_no_objects_where_nobody_uses_it() {
    let component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources:\n- a.yaml\npatches:\n- path: b.yaml\n";
    let graph =
        graph(&[("c/kustomization.yaml", component), ("c/a.yaml", OBJECT), ("c/b.yaml", OBJECT)]);
    assert_eq!(roots(&graph), [""; 0]);
    assert_eq!(
        others(&graph),
        [
            ("c/a.yaml", Role::UnusedComponent),
            ("c/b.yaml", Role::Patch),
            ("c/kustomization.yaml", Role::Kustomization)
        ]
    );
}

#[test]
fn a_cycle_is_not_passed_over() {
    let graph = graph(&[
        ("a/kustomization.yaml", &resources(&["../b"])),
        ("b/kustomization.yaml", &resources(&["../a"])),
    ]);
    assert_eq!(roots(&graph), ["a"]);
}

#[test]
fn a_base_of_an_unused_component_is_rendered_by_itself() {
    let graph = graph(&[
        ("c/kustomization.yaml", "kind: Component\nresources:\n- ../base\n"),
        ("base/kustomization.yaml", &resources(&["a.yaml"])),
    ]);
    assert_eq!(roots(&graph), ["base"]);
}

#[test]
fn folders_that_look_like_hosts_are_folders() {
    let path = "rbac.authorization.k8s.io/roles";
    let graph = graph(&[
        ("kustomization.yaml", &resources(&[path, "github.com/org/repo//deploy?ref=v1"])),
        ("rbac.authorization.k8s.io/roles/kustomization.yaml", &resources(&["role.yaml"])),
    ]);
    assert_eq!(roots(&graph), [""]);
    assert_eq!(graph.missing(), [RepoPath::new("rbac.authorization.k8s.io/roles/role.yaml")]);
}

#[test]
fn what_is_asked_for_is_judged_through_the_overlay_that_was_not() {
    let files = [
        ("base/kustomization.yaml", resources(&["web.yaml"])),
        ("base/web.yaml", OBJECT.to_owned()),
        ("!overlays/prod/kustomization.yaml", resources(&["../../base"])),
        ("!other/kustomization.yaml", resources(&["x.yaml"])),
        ("!other/x.yaml", OBJECT.to_owned()),
        ("!plain.yaml", OBJECT.to_owned()),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, &**text)).collect();
    let graph = graph(&files);
    assert_eq!(roots(&graph), ["overlays/prod"]);
    assert_eq!(plain(&graph), [""; 0]);
}

#[test]
fn a_file_that_its_kustomization_does_not_list_is_named_once_a_folder() {
    let repository = repository(&[
        ("kustomization.yaml", &resources(&["a.yaml", "sub/x.yaml"])),
        ("a.yaml", OBJECT),
        ("b.yaml", OBJECT),
        ("c.yaml", OBJECT),
        ("sub/x.yaml", OBJECT),
        ("sub/y.yaml", OBJECT),
        ("elsewhere/z.yaml", OBJECT),
    ]);
    let graph = build(&repository);
    assert_eq!(plain(&graph), ["elsewhere/z.yaml"]);
    let messages: Vec<&str> = graph.findings().iter().map(|it| it.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "`b.yaml` is not listed by the kustomization beside which it lies (like one more file \
             of its folder), so it is not judged",
            "`y.yaml` is not listed by the kustomization beside which it lies, so it is not judged",
        ]
    );
    let related: Vec<&str> =
        graph.findings()[0].related.iter().map(|label| label.note.as_str()).collect();
    assert_eq!(related, ["the same holds for `c.yaml`"]);
}

#[test]
fn beside_a_kustomization_that_cannot_be_read_nothing_is_guessed() {
    let graph = graph(&[("kustomization.yaml", "resources: [\n"), ("patch.yaml", OBJECT)]);
    assert_eq!(roots(&graph), [""]);
    assert_eq!(
        others(&graph),
        [("kustomization.yaml", Role::Kustomization), ("patch.yaml", Role::Unplaced)]
    );
    assert_eq!(rule_ids(&graph), ["yaml/syntax-error"]);
}

#[test]
fn a_flux_kustomization_of_that_file_name_is_an_object() {
    let graph = graph(&[("clusters/x/kustomization.yaml", &flux("apps", "./apps"))]);
    assert_eq!(roots(&graph), [""; 0]);
    assert_eq!(plain(&graph), ["clusters/x/kustomization.yaml"]);
}

#[test]
fn templates_of_a_chart_are_not_read_and_the_chart_is_named() {
    let repository = repository(&[
        ("chart/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
        ("chart/values-prod.yaml", "apiVersion: v1\nkind: Pod\n"),
        ("chart/ci/ha-values.yaml", "a: 1\n"),
        ("chart/crds/crd.yaml", OBJECT),
        ("chart/templates/a.yaml", "apiVersion: v1\nkind: {{ .Values.kind }}\n"),
        ("chart/templates/b.yaml", OBJECT),
        ("chart/charts/sub/Chart.yaml", "name: sub\n"),
        ("chart/charts/sub/templates/c.yaml", OBJECT),
    ]);
    let graph = build(&repository);
    assert_eq!(plain(&graph), ["chart/crds/crd.yaml"]);
    let message = "the chart `web` is not rendered, so its objects are not judged";
    let [finding] = graph.findings() else { panic!("{:?}", graph.findings()) };
    assert_eq!(finding.message, message);
    assert_eq!(repository.sources().text(finding.primary.span), "web");
    let roles: BTreeMap<Role, usize> =
        [(Role::Object, 1), (Role::ChartTemplate, 3), (Role::Chart, 2), (Role::Values, 2)].into();
    assert_eq!(*graph.files(), roles);
}

#[test]
fn a_template_that_a_kustomization_lists_is_an_object_all_the_same() {
    let graph = graph(&[
        ("chart/Chart.yaml", "name: x\ntype: library\n"),
        ("chart/templates/a.yaml", OBJECT),
        ("kustomization.yaml", &resources(&["chart/templates/a.yaml"])),
    ]);
    assert_eq!(graph.resources(), [RepoPath::new("chart/templates/a.yaml")]);
    assert_eq!(rule_ids(&graph), [""; 0]);
}

#[test]
fn templates_outside_charts_give_one_warning_a_folder_and_no_syntax_error() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ name }}\n";
    let named = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: \"{{ name }}\"\n";
    let token = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: <CLUSTER_NAME>\n";
    let graph = graph(&[("t/a.yaml", text), ("t/b.yaml", named), ("t/c.yaml", token)]);
    assert_eq!(rule_ids(&graph), ["coverage/unrendered-template"]);
    let expected = ["t/a.yaml", "t/b.yaml", "t/c.yaml"].map(|path| (path, Role::Template));
    assert_eq!(others(&graph), expected);
}

#[test]
fn braces_in_values_hide_no_object() {
    let text =
        format!("{OBJECT}  annotations:\n    summary: \"{{{{ $labels.pod }}}} <POD_NAME>\"\n");
    assert_eq!(plain(&graph(&[("rules.yaml", &text)])), ["rules.yaml"]);
}

#[test]
fn a_kustomization_that_is_a_template_takes_its_folder_with_it() {
    let graph = graph(&[
        ("t/kustomization.yaml", "resources:\n- '{{ env }}/base'\n- a.yaml\n"),
        ("u/kustomization.yaml", "resources:\n{% for x in y %}\n- a.yaml\n"),
        ("u/a.yaml", OBJECT),
    ]);
    assert_eq!(roots(&graph), [""; 0]);
    assert_eq!(plain(&graph), [""; 0]);
    assert_eq!(
        others(&graph),
        ["t/kustomization.yaml", "u/a.yaml", "u/kustomization.yaml"]
            .map(|path| (path, Role::Template))
    );
}

#[test]
fn files_that_no_kubernetes_tool_reads_give_no_findings() {
    let graph = graph(&[
        ("mkdocs.yml", "markdown:\n  - a: !!python/name:x.y\n  b: [\n"),
        (".github/workflows/ci.yaml", "on: push\non: pull_request\n: x\n"),
        ("docker-compose.yml", "a: 1\na: 2\n"),
        ("Taskfile.yaml", "version: '3'\ntasks:\n  x: {{.Y}}\n  x: 1\n"),
        (".pre-commit-config.yaml", "repos: [\n"),
        ("values.yaml", "image: {{ x }}\nkey: 1\nkey: 2\n"),
        ("inventory.yaml", "- hosts: all\n  vars: { apiVersion: x }\n  kind: y\n"),
    ]);
    assert_eq!(graph.findings(), []);
    assert_eq!(plain(&graph), [""; 0]);
}

#[test]
fn a_manifest_that_cannot_be_read_is_a_finding() {
    let repository = repository(&[
        ("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: [\n"),
        ("b.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nmetadata: {name: b}\n"),
    ]);
    let graph = build(&repository);
    assert_eq!(rule_ids(&graph), ["yaml/syntax-error", "yaml/duplicate-key"]);
    assert_eq!(repository.sources().text(graph.findings()[1].primary.span), "metadata");
}

#[test]
fn a_document_that_cannot_be_read_does_not_hide_its_neighbors() {
    let text = format!("{OBJECT}---\napiVersion: v1\nkind: Pod\nx: [\n---\n{OBJECT}");
    let graph = graph(&[("a.yaml", &text)]);
    assert_eq!(plain(&graph), ["a.yaml", "a.yaml"]);
    assert_eq!(rule_ids(&graph), ["yaml/syntax-error"]);
}

#[test]
fn escapes_hide_no_object() {
    let text = "\"api\\u0056ersion\": v1\nkind: Pod\nmetadata: {name: x}\n";
    assert_eq!(plain(&graph(&[("a.yaml", text)])), ["a.yaml"]);
}

#[test]
fn what_only_looks_like_an_object_is_named() {
    let cases = [
        ("apiVersion: v1\nkind: Config\nclusters: []\n", Role::ClientConfig),
        ("apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\n", Role::ClientConfig),
        ("apiVersion: v1alpha1\nkind: HostnameConfig\n", Role::ClientConfig),
        ("apiVersion: skaffold/v4beta1\nkind: Config\n", Role::ClientConfig),
        ("apiVersion: backstage.io/v1alpha1\nkind: Component\n", Role::ClientConfig),
        ("apiVersion: cli.kyverno.io/v1alpha1\nkind: Test\n", Role::ClientConfig),
        ("apiVersion: chainsaw.kyverno.io/v1alpha1\nkind: Test\n", Role::ClientConfig),
        ("apiVersion: viaduct.ai/v1\nkind: ksops\n", Role::KustomizeConfig),
        ("apiVersion: builtin\nkind: LabelTransformer\n", Role::KustomizeConfig),
        (
            "apiVersion: policy.open-cluster-management.io/v1\nkind: PolicyGenerator\n",
            Role::KustomizeConfig,
        ),
        ("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n", Role::Kustomization),
        ("apiVersion: ENC[AES256_GCM,data:x]\nkind: ENC[AES256_GCM,data:y]\n", Role::Encrypted),
        (
            "apiVersion: template.openshift.io/v1\nkind: Template\nobjects: []\n",
            Role::OpenShiftTemplate,
        ),
    ];
    for (text, role) in cases {
        let graph = graph(&[("x/file.yaml", text)]);
        assert_eq!(others(&graph), [("x/file.yaml", role)], "{text}");
        assert_eq!(plain(&graph), [""; 0], "{text}");
    }
}

#[test]
fn versions_of_any_label_are_versions() {
    for version in ["containerservice.azure.com/v1api20230601preview", "x.io/v1alpha"] {
        let text = format!("apiVersion: {version}\nkind: X\nmetadata: {{name: x}}\n");
        assert_eq!(plain(&graph(&[("a.yaml", &text)])), ["a.yaml"], "{version}");
    }
}

#[test]
fn test_data_is_named_unless_something_applies_it() {
    let flux = flux("x", "./deploy/testdata");
    let files = [
        ("p/.chainsaw-test/bad.yaml", OBJECT),
        ("p/.chainsaw-test/kustomization.yaml", "resources: [bad.yaml]\n"),
        ("deploy/testdata/app.yaml", OBJECT),
        ("ks.yaml", &flux),
    ];
    let graph = graph(&files);
    assert_eq!(roots(&graph), [""; 0]);
    assert_eq!(plain(&graph), ["deploy/testdata/app.yaml", "ks.yaml"]);
    let expected = ["p/.chainsaw-test/bad.yaml", "p/.chainsaw-test/kustomization.yaml"];
    assert_eq!(others(&graph), expected.map(|path| (path, Role::TestData)));
    // Who asks for nothing else wants it judged.
    assert_eq!(plain(&build(&repository(&[("a/testdata/x.yaml", OBJECT)]))), ["a/testdata/x.yaml"]);
}

#[test]
fn a_generated_file_is_content_and_no_object() {
    let graph = graph(&[
        ("kustomization.yaml", "configMapGenerator:\n- name: x\n  files: [pod.yaml]\n"),
        ("pod.yaml", OBJECT),
    ]);
    assert_eq!(others(&graph)[1], ("pod.yaml", Role::GeneratorFile));
}

#[test]
fn an_argo_folder_of_plain_files_is_judged_though_a_kustomization_does_not_list_them() {
    let app = argo("apps/web", "    directory:\n      recurse: true\n");
    let graph = graph(&[
        ("argo/app.yaml", &app),
        ("apps/web/kustomization.yaml", &resources(&["a.yaml"])),
        ("apps/web/a.yaml", OBJECT),
        ("apps/web/b.yaml", OBJECT),
    ]);
    assert_eq!(plain(&graph), ["apps/web/b.yaml", "argo/app.yaml"]);
}

#[test]
fn a_folder_has_the_environments_of_the_entries_that_apply_it() {
    let (prod, stage) = (flux("infra", "./infra"), flux("infra", "infra/"));
    let graph = graph(&[
        ("clusters/production/infra.yaml", &prod),
        ("clusters/staging/infra.yaml", &stage),
        ("infra/kustomization.yaml", &resources(&["web.yaml"])),
        ("infra/web.yaml", OBJECT),
    ]);
    let root = &graph.roots()[0];
    assert_eq!(names(&root.environments), ["prod", "stage"]);
    let tiers: Vec<Tier> = root.environments.iter().map(|it| it.environment.tier).collect();
    assert_eq!(tiers, [Tier::Production, Tier::NonProduction]);
    assert_eq!(root.applied_by.len(), 2);
    assert!(matches!(root.environments[0].said_by, SaidBy::Reconciler(_)));
}

#[test]
fn entries_apply_entries() {
    let files = [
        ("clusters/prod/all.yaml", flux("all", "./apps")),
        ("apps/kustomization.yaml", resources(&["ks.yaml"])),
        ("apps/ks.yaml", flux("web", "./web")),
        ("web/app.yaml", argo("deploy", "")),
        ("deploy/x.yaml", OBJECT.to_owned()),
        ("deploy/sub/y.yaml", OBJECT.to_owned()),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, &**text)).collect();
    assert_eq!(environments_of(&files, "apps"), ["prod"]);
    assert_eq!(environments_of(&files, "web/app.yaml"), ["prod"]);
    assert_eq!(environments_of(&files, "deploy/x.yaml"), ["prod"]);
    // Argo CD reads a plain folder without those below it.
    assert_eq!(environments_of(&files, "deploy/sub/y.yaml"), [""; 0]);
}

#[test]
fn an_artifact_made_of_this_repository_leads_back_to_it() {
    let generator = "apiVersion: source.extensions.fluxcd.io/v1beta1\nkind: ArtifactGenerator\nmetadata:\n  name: x\nspec:\n  artifacts:\n  - name: apps\n    copy:\n    - from: \"@monorepo/apps/live/**\"\n      to: \"@artifact/live/\"\n";
    let flux = flux("apps", "./live")
        .replace("GitRepository", "ExternalArtifact")
        .replace("flux-system", "apps");
    let files = [
        ("clusters/live/artifacts.yaml", generator),
        ("clusters/live/apps.yaml", &flux),
        ("apps/live/kustomization.yaml", "resources: [a.yaml]\n"),
    ];
    let graph = graph(&files);
    assert_eq!(graph.roots()[0].applied_by.len(), 1);
    assert_eq!(names(&graph.roots()[0].environments), ["prod"]);
}

#[test]
fn the_configuration_speaks_first() {
    let repository = repository(&[
        ("clusters/staging/apps.yaml", &flux("apps", "./apps")),
        ("apps/kustomization.yaml", &resources(&["a.yaml"])),
        ("tools/x.yaml", OBJECT),
    ]);
    let rule = |name: &str, paths: &[&str]| EnvironmentRule {
        name: name.to_owned(),
        tier: None,
        cluster: Some("one".to_owned()),
        kubernetes: Some("1.34".parse().unwrap()),
        paths: paths.iter().map(|path| Glob::new(&RepoPath::root(), path).unwrap()).collect(),
        labels: BTreeMap::new(),
        cluster_values: Vec::new(),
    };
    let rules = [rule("live", &["apps"]), rule("lab", &["tools/*.yaml"])];
    let graph = Graph::new(&repository, &rules, &[], "1.37".parse().unwrap());
    let placement = &graph.roots()[0].environments[0];
    assert_eq!(&*placement.environment.name, "live/one");
    assert_eq!(placement.environment.tier, Tier::Production);
    assert_eq!(placement.environment.kubernetes.minor, 34);
    assert_eq!(placement.said_by, SaidBy::Configuration);
    assert_eq!(names(&graph.plain()[1].environments), ["lab/one"]);
    let known: Vec<&str> = graph.environments().iter().map(|it| &*it.name).collect();
    assert_eq!(known, ["lab/one", "live/one", "stage"]);
}

#[test]
fn paths_name_environments_below_anchors_among_siblings_and_by_stems() {
    let cases: [(&str, &[&str], &[&str]); 14] = [
        ("app/overlays/production/a.yaml", &[], &["prod"]),
        ("envs/stg/a.yaml", &[], &["stage"]),
        ("clusters/prd/01/a.yaml", &[], &["prod/01"]),
        ("clusters/prod/flux-system/a.yaml", &[], &["prod"]),
        ("x/overlays/nerc-ocp-prod/a.yaml", &[], &["prod/nerc-ocp-prod"]),
        ("web/staging/a.yaml", &["web/production/a.yaml", "web/base/a.yaml"], &["stage"]),
        ("web/prod.yaml", &["web/dev.yaml"], &["prod"]),
        // One word alone says nothing.
        ("web/production/a.yaml", &["web/base/a.yaml"], &[]),
        ("web/prod.yaml", &["web/web.yaml"], &[]),
        ("apps/dev/app/a.yaml", &["apps/media/a.yaml"], &[]),
        ("test/kafka/a.yaml", &["dev/a.yaml"], &[]),
        ("overlays/internal-registry-integration/a.yaml", &[], &[]),
        ("issuers/letsencrypt-prod/a.yaml", &["issuers/letsencrypt-staging/a.yaml"], &[]),
        ("applications/production-tools/a.yaml", &["applications/dev-team/a.yaml"], &[]),
    ];
    for (path, more, expected) in cases {
        let mut files = vec![(path, OBJECT)];
        files.extend(more.iter().map(|path| (*path, OBJECT)));
        assert_eq!(environments_of(&files, path), expected, "{path}");
    }
}

#[test]
fn folders_of_clusters_recur_below_environments() {
    let files = [
        ("a/production/stone-p01/a.yaml", OBJECT),
        ("a/staging/stone-s01/a.yaml", OBJECT),
        ("b/production/stone-p01/a.yaml", OBJECT),
        ("b/staging/base/a.yaml", OBJECT),
    ];
    assert_eq!(environments_of(&files, "a/production/stone-p01/a.yaml"), ["prod/stone-p01"]);
    assert_eq!(environments_of(&files, "b/staging/base/a.yaml"), ["stage"]);
}

#[test]
fn each_file_is_parsed_in_the_dialect_of_its_use() {
    let repository = repository(&[
        ("kustomization.yaml", &resources(&["a.yaml"])),
        ("a.yaml", OBJECT),
        ("plain/b.yaml", OBJECT),
        ("plain/values.txt", OBJECT),
    ]);
    build(&repository);
    let parsed = |path, dialect| repository.parsed_before(&RepoPath::new(path), dialect).is_some();
    assert!(parsed("a.yaml", Dialect::Kustomize) && !parsed("a.yaml", Dialect::Kubectl));
    assert!(
        parsed("plain/b.yaml", Dialect::Kubectl) && !parsed("plain/b.yaml", Dialect::Kustomize)
    );
    assert!(!parsed("plain/values.txt", Dialect::Kubectl));
}

#[test]
fn the_rules_have_unique_ids_and_what_is_not_seen_warns() {
    let rules = rules();
    let ids: std::collections::BTreeSet<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids.len(), rules.len());
    for rule in &rules {
        assert!(rule.id.as_str().parse::<crate::rule::RuleId>().is_ok(), "{}", rule.id);
        let warns = rule.enforcement == crate::rule::Enforcement::Warn;
        assert!(warns || rule.id.category() != "coverage", "{}", rule.id);
    }
}

#[test]
fn the_reconciler_says_how_its_folder_is_applied() {
    let options = "  syncPolicy:\n    syncOptions: [ServerSideApply=true]\n";
    let graph = graph(&[
        ("flux.yaml", &flux("x", "./one")),
        ("one/a.yaml", OBJECT),
        ("argo.yaml", &argo("two", "")),
        ("two/a.yaml", OBJECT),
        ("two/inner/a.yaml", OBJECT),
        ("ssa.yaml", &argo("two/inner", options)),
    ]);
    let apply = |path| graph.apply(&RepoPath::new(path));
    assert_eq!(apply("one/a.yaml"), Apply::ServerSide);
    assert_eq!(apply("two/a.yaml"), Apply::Client);
    assert_eq!(apply("two/inner/a.yaml"), Apply::ServerSide);
    // Two of three reconcilers apply on the server's side.
    assert_eq!(apply("argo.yaml"), Apply::ServerSide);
}

#[test]
fn without_reconcilers_objects_are_applied_by_the_client() {
    assert_eq!(graph(&[("a.yaml", OBJECT)]).apply(&RepoPath::new("a.yaml")), Apply::Client);
}
