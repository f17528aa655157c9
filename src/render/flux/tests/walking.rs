use serde_json::json;

use super::{Fixture, app, config_map, kustomization};
use crate::render::{Known, deliver_from};
use crate::source::RepoPath;

fn object() -> String {
    config_map("a", "  a: b\n")
}

#[test]
fn a_parent_patches_its_children_before_they_are_read() {
    let parent = kustomization(
        "parent",
        "./children",
        "  postBuild: {substitute: {STAGE: prod}}\n  patches:\n  - patch: |\n      \
         apiVersion: kustomize.toolkit.fluxcd.io/v1\n      kind: Kustomization\n      \
         metadata: {name: any}\n      spec:\n        postBuild: {substitute: {TEAM: web}}\n    \
         target: {kind: Kustomization}\n",
    );
    let child = kustomization("child", "./apps/${STAGE}", "");
    let fixture = Fixture::new(&[
        ("cluster/parent.yaml", &parent),
        ("children/child.yaml", &child),
        ("apps/prod/a.yaml", &config_map("a", "  team: ${TEAM}\n  stage: x${STAGE}\n")),
    ]);
    assert_eq!(fixture.objects("child")[0]["data"], json!({"team": "web", "stage": "x"}));
    assert_eq!(fixture.delivery("child").folder, Some(RepoPath::new("apps/prod")));
}

#[test]
fn values_are_waited_for_and_dependencies_bring_theirs_first() {
    let from = |name: &str| {
        format!("  postBuild: {{substituteFrom: [{{kind: ConfigMap, name: {name}}}]}}\n")
    };
    let settings = config_map("settings", "  A: set\n")
        .replace("name: settings", "name: settings\n  namespace: flux-system");
    let first =
        kustomization("first", "./apps/web", &(from("settings") + "  dependsOn: [{name: last}]\n"));
    // Waits itself for what nobody brings.
    let last = kustomization("last", "./settings", &from("nowhere"));
    let fixture = Fixture::new(&[
        ("cluster/a.yaml", &first),
        ("cluster/b.yaml", &last),
        ("settings/settings.yaml", &settings),
        ("apps/web/a.yaml", &config_map("a", "  a: ${A}\n")),
    ]);
    assert_eq!(fixture.objects("first")[0]["data"], json!({"a": "set"}));
}

#[test]
fn what_lies_elsewhere_is_named() {
    let other = app("").replace("name: flux-system\n", "name: team\n").replace("./apps/web", "./");
    let cases = [
        (app("").replace("./apps/web", "./nowhere"), "MissingPath: ./nowhere: ./nowhere"),
        (app("").replace("./apps/web", "./a/${ENV}"), "MissingPath: ./a/${ENV}: ./a/${ENV}"),
        (other, "OtherRepository: kind: GitRepository\n    name: team: team"),
    ];
    for (text, wanted) in cases {
        let fixture = Fixture::new(&[("cluster/app.yaml", &text)]);
        assert_eq!(fixture.gaps("app"), [wanted.trim_end()]);
        assert_eq!(fixture.names("app"), [""; 0]);
    }
}

#[test]
fn a_source_of_another_url_is_another_repository_unless_its_folder_is_given() {
    let source = |name: &str, url: &str| {
        format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\n\
             metadata: {{name: {name}, namespace: flux-system}}\nspec: {{url: '{url}'}}\n"
        )
    };
    let text = app("").replace("name: flux-system\n", "name: team\n");
    let own = source("flux-system", "https://example.com/org/fleet");
    let team = source("team", "ssh://git@example.com/org/team");
    let object = object();
    let files = [
        ("cluster/app.yaml", &*text),
        ("cluster/own.yaml", &*own),
        ("cluster/team.yaml", &*team),
        ("apps/web/a.yaml", &object),
    ];
    assert!(Fixture::new(&files).gaps("app")[0].starts_with("OtherRepository"));
    let mut files = files.to_vec();
    let theirs = config_map("theirs", "  a: b\n");
    files.push(("../team/apps/web/a.yaml", &theirs));
    let others = [("https://example.com/org/team.git", RepoPath::beside(1, "team"))];
    let fixture = Fixture::of(&files, &others, |repository, graph| {
        deliver_from(repository, graph, &Known::default(), &RepoPath::new("cluster"))
    });
    assert_eq!(fixture.names("app"), ["ConfigMap/theirs"]);
}

#[test]
fn a_source_may_include_another_one() {
    let including = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\n\
         metadata: {name: team, namespace: flux-system}\nspec:\n  url: https://example.com/team\n  \
         include:\n  - repository: {name: flux-system}\n    fromPath: apps\n    toPath: fleet\n";
    let text = app("").replace("name: flux-system\n", "name: team\n").replace("./apps", "./fleet");
    let fixture = Fixture::new(&[
        ("cluster/app.yaml", &text),
        ("cluster/team.yaml", including),
        ("apps/web/a.yaml", &object()),
    ]);
    assert_eq!(fixture.names("app"), ["ConfigMap/a"]);
}

/// Returns the folder that a path of an artifact leads to.
fn of_artifact(copy: &str, path: &str) -> Option<String> {
    let generator = format!(
        "apiVersion: source.extensions.fluxcd.io/v1beta1\nkind: ArtifactGenerator\n\
         metadata: {{name: fleet, namespace: flux-system}}\nspec:\n  \
         sources: [{{alias: repo, kind: GitRepository, name: flux-system}}]\n  \
         artifacts:\n  - name: apps\n    copy:\n    - {copy}\n"
    );
    let text = app("")
        .replace(
            "kind: GitRepository\n    name: flux-system\n",
            "kind: ExternalArtifact\n    name: apps\n",
        )
        .replace("./apps/web", path);
    let fixture = Fixture::new(&[
        ("cluster/app.yaml", &text),
        ("cluster/generator.yaml", &generator),
        ("apps/web/a.yaml", &object()),
    ]);
    fixture.delivery("app").folder.as_ref().map(ToString::to_string)
}

#[test]
fn an_artifact_holds_what_its_generator_copies() {
    let web = Some("apps/web".to_owned());
    let copy = |from: &str, to: &str| format!("{{from: '@repo/{from}', to: '@artifact/{to}'}}");
    assert_eq!(of_artifact(&copy("apps/**", ""), "./web"), web);
    assert_eq!(of_artifact(&copy("apps/**", "x/"), "./x/web"), web);
    assert_eq!(of_artifact(&copy("apps/**", "x/"), "./web"), None);
    // A folder keeps its name, and what a pattern matches its path.
    assert_eq!(of_artifact(&copy("apps", "x"), "./x/apps/web"), web);
    assert_eq!(of_artifact(&copy("apps/*", "x"), "./x/apps/web"), web);
    assert_eq!(of_artifact(&copy("**", ""), "./apps/web"), web);
    let merged = "{from: '@repo/apps/**', to: '@artifact/', strategy: Merge}";
    assert_eq!(of_artifact(merged, "./web"), web);
    // What is in an archive is not known.
    let extracted = "{from: '@repo/apps.tgz', to: '@artifact/', strategy: Extract}";
    assert_eq!(of_artifact(extracted, "./none"), None);
}

#[test]
fn an_artifact_may_be_a_folder_of_this_repository() {
    let oci = |name: &str, path: &str| {
        kustomization(name, path, "").replace("kind: GitRepository", "kind: OCIRepository")
    };
    let object = object();
    let fixture = Fixture::new(&[
        ("cluster/app.yaml", &oci("app", "./apps/web")),
        ("cluster/all.yaml", &oci("all", "./")),
        ("cluster/none.yaml", &oci("none", "./apps/none")),
        ("kubernetes/apps/web/a.yaml", &object),
    ]);
    assert_eq!(fixture.delivery("app").folder, Some(RepoPath::new("kubernetes/apps/web")));
    assert_eq!(fixture.delivery("all").folder, Some(RepoPath::new("kubernetes")));
    assert_eq!(fixture.gaps("none"), ["MissingPath: ./apps/none: ./apps/none"]);
}

#[test]
fn a_path_does_not_leave_its_source() {
    let text = app("").replace("./apps/web", "../../apps/../../apps/web");
    let fixture = Fixture::new(&[("cluster/app.yaml", &text), ("apps/web/a.yaml", &object())]);
    assert_eq!(fixture.delivery("app").folder, Some(RepoPath::new("apps/web")));
}

#[test]
fn a_kustomization_without_a_source_is_a_base() {
    let base = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n\
                metadata: {name: app}\nspec: {path: ./apps/web}\n";
    let fixture = Fixture::new(&[("cluster/app.yaml", base), ("apps/web/a.yaml", &object())]);
    assert_eq!(fixture.deliveries.all.len(), 1);
}

#[test]
fn objects_that_only_apply_each_other_are_followed_from_one_of_them() {
    // As `flux bootstrap` leaves it: the folder applies itself.
    let own = kustomization("flux-system", "./clusters/prod", "");
    let fixture = Fixture::whole(&[
        ("clusters/prod/flux-system/gotk-sync.yaml", &own),
        ("clusters/prod/apps.yaml", &app("")),
        ("apps/web/a.yaml", &object()),
    ]);
    let names = fixture.names("flux-system");
    assert_eq!(names, ["Kustomization/app", "Kustomization/flux-system"]);
    assert_eq!(fixture.names("app"), ["ConfigMap/a"]);
    assert_eq!(fixture.deliveries.all.len(), 2);
    let app = fixture.delivery("app");
    let environments: Vec<&str> = app.environments.iter().map(|it| &*it.environment.name).collect();
    assert_eq!(environments, ["prod"]);
}

#[test]
fn who_waits_in_vain_is_named() {
    let app = |name: &str, on: &str| {
        (
            format!("clusters/prod/{name}.yaml"),
            kustomization(name, "./apps/web", &format!("  dependsOn: [{on}]\n")),
        )
    };
    let objects = [
        app("a", "{name: b}"),
        app("b", "{name: c}, {name: nobody}"),
        app("c", "{name: a}"),
        app("d", "{name: a}, {name: e, namespace: flux-system}"),
        app("e", ""),
        app("f", "{name: f}"),
        app("g", "{name: e, namespace: other}"),
    ];
    let object = object();
    let mut files = vec![("apps/web/a.yaml", &*object)];
    files.extend(objects.iter().map(|(path, text)| (&**path, &**text)));
    let fixture = Fixture::whole(&files);
    assert_eq!(fixture.gaps("a"), ["DependencyCircle: b: flux-system/b"]);
    assert_eq!(
        fixture.gaps("b"),
        ["UnknownDependency: nobody: flux-system/nobody", "DependencyCircle: c: flux-system/c"]
    );
    assert_eq!(fixture.gaps("c"), ["DependencyCircle: a: flux-system/a"]);
    assert_eq!(fixture.gaps("d"), [""; 0]);
    assert_eq!(fixture.gaps("e"), [""; 0]);
    assert_eq!(fixture.gaps("f"), ["DependencyCircle: f: flux-system/f"]);
    assert_eq!(fixture.gaps("g"), ["UnknownDependency: e: other/e"]);
}

#[test]
fn another_cluster_is_named_by_its_folder_and_has_values_of_its_own() {
    let hub = kustomization("hub", "./fleet", "");
    let remote =
        kustomization("remote", "./clusters/prod", "  kubeConfig: {secretRef: {name: prod}}\n");
    let settings = config_map("settings", "  A: prod\n")
        .replace("name: settings", "name: settings\n  namespace: flux-system");
    let app = app("  postBuild: {substituteFrom: [{kind: ConfigMap, name: settings}]}\n");
    let fixture = Fixture::whole(&[
        ("clusters/dev/hub.yaml", &hub),
        ("clusters/dev/settings.yaml", &settings.replace("prod", "dev")),
        ("fleet/remote.yaml", &remote),
        ("clusters/prod/settings.yaml", &settings),
        ("clusters/prod/app.yaml", &app),
        ("apps/web/a.yaml", &config_map("a", "  a: ${A}\n")),
    ]);
    let environments = |name: &str| -> Vec<String> {
        let all = fixture.delivery(name).environments.iter();
        all.map(|it| it.environment.name.to_string()).collect()
    };
    assert_eq!(environments("hub"), ["dev"]);
    assert_eq!(environments("remote"), ["prod"]);
    assert_eq!(environments("app"), ["prod"]);
    assert_eq!(fixture.objects("app")[0]["data"]["a"], "prod");
}

#[test]
fn objects_that_make_ever_new_ones_come_to_an_end() {
    let own = kustomization(
        "x",
        "./cluster",
        "  nameSuffix: -${S}\n  postBuild: {substitute: {S: \"${S}x\"}}\n",
    );
    let fixture = Fixture::new(&[("cluster/x.yaml", &own)]);
    let last = fixture.deliveries.all.last().unwrap().rendered.as_ref().unwrap_err();
    assert_eq!(last.message, "objects of reconcilers apply each other over more than 50 levels");
    assert_eq!(fixture.deliveries.all.len(), 52);
}
