use super::*;
use crate::review::Apply;

const WEB: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, labels: {app: web}}\n\
    spec:\n  replicas: 1\n  selector: {matchLabels: {app: web}}\n  template:\n    \
    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: 'nginx:1'}]}\n";
const KUSTOMIZATION: &str = "resources: [web.yaml]\n";

fn application(spec: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: web}}\nspec:\n{spec}"
    )
}

#[test]
fn options_change_the_kustomization_as_kustomize_edit_does() {
    let app = application(
        "  destination: {namespace: shop}\n  source:\n    path: apps/web\n    kustomize:\n      \
         namePrefix: dev-\n      images: ['nginx=registry/nginx:2']\n      \
         replicas: [{name: web, count: '3'}]\n      \
         commonLabels: {team: $ARGOCD_APP_NAME}\n      labelWithoutSelector: true\n      \
         commonAnnotations: {note: x}\n      patches:\n        - target: {kind: Deployment}\n          \
         patch: '- {op: add, path: /metadata/labels/p, value: q}'\n",
    );
    let fixture = Fixture::new(&[
        ("clusters/web.yaml", &app),
        ("apps/web/kustomization.yaml", KUSTOMIZATION),
        ("apps/web/web.yaml", WEB),
    ]);
    assert_eq!(fixture.objects("web"), ["Deployment shop/dev-web"]);
    assert_eq!(fixture.value("web", 0, &["spec", "replicas"]), 3);
    let labels = serde_json::json!({"app": "web", "team": "web", "p": "q"});
    assert_eq!(fixture.value("web", 0, &["metadata", "labels"]), labels);
    let selector = serde_json::json!({"app": "web"});
    assert_eq!(fixture.value("web", 0, &["spec", "selector", "matchLabels"]), selector);
    let image = &fixture.value("web", 0, &["spec", "template", "spec", "containers"])[0]["image"];
    assert_eq!(image, "registry/nginx:2");
    let origin = fixture.origin("web", 0, &["metadata", "namespace"]);
    assert_eq!(origin, "clusters/web.yaml: shop");
    assert_eq!(fixture.applied(), ["web apps/web"]);
}

#[test]
fn parameters_beside_the_files_change_the_source() {
    let app = application("  source: {path: apps/web}\n");
    let fixture = Fixture::new(&[
        ("clusters/web.yaml", &app),
        (
            "apps/web/kustomization.yaml",
            "resources: [web.yaml]\nimages: [{name: nginx, newTag: '2'}]\n",
        ),
        ("apps/web/web.yaml", WEB),
        ("apps/web/.argocd-source-web.yaml", "kustomize: {images: ['nginx:3']}\n"),
    ]);
    let image = &fixture.value("web", 0, &["spec", "template", "spec", "containers"])[0]["image"];
    assert_eq!(image, "nginx:3");
}

#[test]
fn a_label_that_is_there_is_not_added_again_without_force() {
    let files = |force: &str| {
        application(&format!(
            "  source: {{path: apps/web, kustomize: {{commonLabels: {{a: '2'}}{force}}}}}\n"
        ))
    };
    let follow = |app: &str| {
        Fixture::new(&[
            ("clusters/web.yaml", app),
            ("apps/web/kustomization.yaml", "resources: [web.yaml]\ncommonLabels: {a: '1'}\n"),
            ("apps/web/web.yaml", WEB),
        ])
    };
    let refused = follow(&files("")).error("web");
    assert_eq!(
        refused,
        "the kustomization sets the label `a` already, so Argo CD refuses to add it"
    );
    let forced = follow(&files(", forceCommonLabels: true"));
    assert_eq!(forced.value("web", 0, &["metadata", "labels", "a"]), "2");
}

#[test]
fn a_directory_is_read_as_its_options_say() {
    let object =
        |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n");
    let (a, b, c, d) = (object("a"), object("b"), object("c"), object("d"));
    let skipped = format!("# +argocd:skip-file-rendering\n{}", object("s"));
    let follow = |directory: &str| {
        let app = application(&format!(
            "  destination: {{namespace: shop}}\n  source: {{path: apps/web, directory: {directory}}}\n"
        ));
        Fixture::new(&[
            ("clusters/web.yaml", &app),
            ("apps/web/a.yaml", &a),
            ("apps/web/b.yml", &b),
            ("apps/web/in/c.json", &c),
            ("apps/web/in/d.txt", &d),
            ("apps/web/s.yaml", &skipped),
            ("apps/web/z.jsonnet", "{}"),
        ])
    };
    let plain = follow("{}");
    assert_eq!(plain.objects("web"), ["ConfigMap shop/a", "ConfigMap shop/b"]);
    assert_eq!(plain.gaps("web"), [(GapKind::PluginNotRun, "apps/web/z.jsonnet".to_owned())]);
    let names = |directory: &str| follow(directory).objects("web").join(" ");
    assert_eq!(names("{recurse: true}"), "ConfigMap shop/a ConfigMap shop/b ConfigMap shop/c");
    assert_eq!(names("{recurse: true, exclude: 'in/*'}"), "ConfigMap shop/a ConfigMap shop/b");
    assert_eq!(names("{include: '{a,x}.yaml'}"), "ConfigMap shop/a");
}

#[test]
fn an_explicit_directory_does_not_ask_the_kustomization() {
    let files = |source: &str| application(&format!("  source: {{path: apps/web{source}}}\n"));
    let follow = |app: &str| {
        Fixture::new(&[
            ("clusters/web.yaml", app),
            ("apps/web/kustomization.yaml", "namePrefix: k-\nresources: [web.yaml]\n"),
            ("apps/web/web.yaml", WEB),
        ])
    };
    assert_eq!(follow(&files("")).objects("web"), ["Deployment /k-web"]);
    // Options that are set to nothing say nothing.
    let empty = follow(&files(", directory: {recurse: false}"));
    assert_eq!(empty.objects("web"), ["Deployment /k-web"]);
    let directory = follow(&files(", directory: {recurse: true}"));
    assert_eq!(directory.objects("web"), ["Deployment /web"]);
    let both = follow(&files(", directory: {recurse: true}, kustomize: {namePrefix: a-}"));
    assert_eq!(both.error("web"), "a source is of several kinds at once");
}

#[test]
fn what_is_not_rendered_is_named() {
    let app = application(
        "  sources:\n    - {repoURL: 'https://charts.example.com', chart: redis}\n    \
         - {repoURL: 'https://git.example.com/a', ref: values}\n    \
         - {repoURL: 'https://git.example.com/a', path: charts/own}\n    \
         - {repoURL: 'https://git.example.com/a', path: apps/web, plugin: {name: cue}}\n    \
         - {repoURL: 'https://git.example.com/a', path: nowhere}\n    \
         - {repoURL: 'oci://registry.example.com/a', path: .}\n",
    );
    let fixture = Fixture::new(&[
        ("clusters/web.yaml", &app),
        ("charts/own/Chart.yaml", "name: own\nversion: 1.0.0\n"),
        ("apps/web/web.yaml", WEB),
    ]);
    let gaps: Vec<(GapKind, String)> = fixture
        .all("web")
        .iter()
        .flat_map(|it| it.rendered.as_ref().unwrap().gaps.clone())
        .map(|gap| (gap.kind, gap.text))
        .collect();
    let gap = |kind, text: &str| (kind, text.to_owned());
    assert_eq!(
        gaps,
        [
            gap(GapKind::RemoteChart, "redis"),
            gap(GapKind::ChartNotRendered, "own"),
            gap(GapKind::PluginNotRun, "cue"),
            gap(GapKind::MissingPath, "nowhere"),
            gap(GapKind::OtherRepository, "oci://registry.example.com/a"),
        ]
    );
}

#[test]
fn only_what_has_a_namespace_gets_the_one_of_the_destination() {
    let app = application(
        "  destination: {namespace: shop}\n  source: {path: apps/web}\n  \
         syncPolicy: {syncOptions: [ServerSideApply=true]}\n",
    );
    let objects = "apiVersion: v1\nkind: Secret\nmetadata: {name: own, namespace: kept}\n---\n\
        apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, namespace: wrong}\n---\n\
        apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: known}\n---\n\
        apiVersion: example.com/v1\nkind: Other\nmetadata: {name: unknown}\n---\n\
        apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
        metadata: {name: things.example.com}\n\
        spec: {group: example.com, scope: Namespaced, names: {kind: Thing}}\n";
    let fixture = Fixture::new(&[("clusters/web.yaml", &app), ("apps/web/all.yaml", objects)]);
    assert_eq!(
        fixture.objects("web"),
        [
            "Secret kept/own",
            "Namespace /shop",
            "Thing shop/known",
            "Other /unknown",
            "CustomResourceDefinition /things.example.com",
        ]
    );
    assert_eq!(fixture.delivery("web").apply, Apply::ServerSide);
}

#[test]
fn another_cluster_brings_its_environment() {
    let app = application(
        "  destination: {server: 'https://eu.example.com/'}\n  source: {path: apps/web}\n",
    );
    let cluster = Cluster {
        name: "eu".to_owned(),
        server: "https://eu.example.com".to_owned(),
        environment: Some("prod/eu".to_owned()),
        ..Cluster::default()
    };
    let files = [("clusters/dev/web.yaml", app.as_str()), ("apps/web/web.yaml", WEB)];
    let names = |fixture: &Fixture| -> Vec<String> {
        let placed = &fixture.delivery("web").environments;
        placed.iter().map(|it| it.environment.name.to_string()).collect()
    };
    assert_eq!(names(&Fixture::with(&files, vec![cluster])), ["prod/eu"]);
    assert_eq!(names(&Fixture::new(&files)), ["dev"]);
}
