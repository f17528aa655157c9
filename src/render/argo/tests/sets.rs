use super::*;

const OBJECT: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

fn set(spec: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\n\
         metadata: {{name: set, namespace: argocd}}\nspec:\n{spec}"
    )
}

fn cluster(name: &str, labels: &[(&str, &str)]) -> Cluster {
    Cluster {
        name: name.to_owned(),
        server: format!("https://{name}.example.com"),
        labels: labels.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
        ..Cluster::default()
    }
}

const TEMPLATE: &str = "  template:\n    metadata: {name: 'app-{{path.basename}}'}\n    spec:\n      \
    source: {path: '{{path}}'}\n      destination: {namespace: '{{path[1]}}'}\n";

#[test]
fn folders_become_applications() {
    let spec = format!(
        "  generators:\n    - git:\n        repoURL: https://git.example.com/a\n        directories:\n          \
         - path: apps/*\n          - {{path: apps/old, exclude: true}}\n{TEMPLATE}"
    );
    let fixture = Fixture::new(&[
        ("sets/set.yaml", &set(&spec)),
        ("apps/Web_1/a.yaml", OBJECT),
        ("apps/old/a.yaml", OBJECT),
        ("apps/api/deep/a.yaml", OBJECT),
    ]);
    assert_eq!(fixture.applied(), ["set -", "app-Web_1 apps/Web_1", "app-api apps/api"]);
    assert_eq!(fixture.objects("app-Web_1"), ["ConfigMap Web_1/a"]);
    let origin = fixture.origin("set", 0, &["metadata", "name"]);
    assert_eq!(origin, "sets/set.yaml: 'app-{{path.basename}}'");
    let origin = fixture.origin("set", 0, &["spec", "source", "path"]);
    assert_eq!(origin, "sets/set.yaml: apps/*");
}

#[test]
fn files_give_their_values_and_their_places() {
    let spec = "  goTemplate: true\n  goTemplateOptions: [missingkey=error]\n  generators:\n    \
        - git:\n        repoURL: https://git.example.com/a\n        files: [{path: 'config/**/*.json'}]\n        \
        values: {kind: '{{ .tier }}-x'}\n  template:\n    \
        metadata: {name: '{{ .path.basename }}-{{ .values.kind }}'}\n    \
        spec: {source: {path: '{{ .app.path }}'}, destination: {namespace: '{{ .app.name | lower }}'}}\n";
    let fixture = Fixture::new(&[
        ("sets/set.yaml", &set(spec)),
        (
            "config/a/b/c.json",
            "{\"tier\": \"one\", \"app\": {\"path\": \"apps/web\", \"name\": \"WEB\"}}",
        ),
        ("apps/web/a.yaml", OBJECT),
    ]);
    assert_eq!(fixture.applied(), ["set -", "b-one-x apps/web"]);
    assert_eq!(fixture.objects("b-one-x"), ["ConfigMap web/a"]);
    let origin = fixture.origin("set", 0, &["spec", "source", "path"]);
    assert_eq!(origin, "config/a/b/c.json: \"apps/web\"");
}

#[test]
fn a_matrix_fills_its_second_generator_with_the_first() {
    let spec = "  generators:\n    - matrix:\n        generators:\n          - list:\n              \
        elements: [{env: dev, on: 'yes'}, {env: prod, on: 'no'}]\n          - git:\n              \
        repoURL: x\n              directories: [{path: 'apps/{{env}}/*'}]\n      selector: \
        {matchLabels: {on: 'yes'}}\n  template:\n    metadata: {name: '{{env}}-{{path.basename}}'}\n    \
        spec: {source: {path: '{{path}}'}}\n";
    let fixture = Fixture::new(&[
        ("sets/set.yaml", &set(spec)),
        ("apps/dev/a/a.yaml", OBJECT),
        ("apps/dev/b/a.yaml", OBJECT),
        ("apps/prod/c/a.yaml", OBJECT),
    ]);
    assert_eq!(fixture.applied(), ["set -", "dev-a apps/dev/a", "dev-b apps/dev/b"]);
}

#[test]
fn clusters_are_those_that_somebody_declares() {
    let spec = "  generators:\n    - merge:\n        mergeKeys: [nameNormalized]\n        generators:\n          \
        - clusters:\n              selector: {matchLabels: {tier: prod}}\n              \
        values: {dir: base, at: '{{metadata.labels.region}}'}\n          - list:\n              \
        elements: [{nameNormalized: us-1, values.dir: own}]\n  template:\n    \
        metadata: {name: 'a-{{nameNormalized}}-{{values.at}}'}\n    \
        spec: {source: {path: 'apps/{{values.dir}}'}, destination: {server: '{{server}}'}}\n";
    let text = set(spec);
    let files = [
        ("sets/set.yaml", text.as_str()),
        ("apps/base/a.yaml", OBJECT),
        ("apps/own/a.yaml", OBJECT),
    ];
    let unknown = Fixture::new(&files);
    let named = "the clusters of the ApplicationSet `set` are not known".to_owned();
    assert_eq!(unknown.gaps("set"), [(GapKind::NotExpanded, named)]);
    let clusters = vec![
        cluster("eu", &[("tier", "prod"), ("region", "e")]),
        cluster("US_1", &[("tier", "prod"), ("region", "w")]),
        cluster("test", &[("tier", "dev")]),
    ];
    let known = Fixture::with(&files, clusters);
    assert_eq!(known.applied(), ["set -", "a-eu-e apps/base", "a-us-1-w apps/own"]);
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: c\n  labels: \
        {argocd.argoproj.io/secret-type: cluster, tier: prod, region: s}\n\
        stringData: {name: in-repo}\ndata: {server: aHR0cHM6Ly94}\n";
    let mut files = files.to_vec();
    files.push(("sets/cluster.yaml", secret));
    let secret = Fixture::new(&files);
    assert_eq!(secret.applied(), ["set -", "a-in-repo-s apps/base"]);
    assert_eq!(secret.value("set", 0, &["spec", "destination", "server"]), "https://x");
}

#[test]
fn the_own_cluster_comes_last_where_nothing_is_selected() {
    let spec = "  generators: [{clusters: {}}]\n  template:\n    metadata: {name: 'a-{{name}}'}\n    \
        spec: {source: {path: apps}}\n";
    let files =
        [("sets/set.yaml", &*set(spec)), ("apps/a.yaml", OBJECT)].map(|(a, b)| (a, b.to_owned()));
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (*a, b.as_str())).collect();
    let fixture = Fixture::with(&files, vec![cluster("eu", &[])]);
    assert_eq!(fixture.applied(), ["set -", "a-eu apps", "a-in-cluster apps"]);
}

#[test]
fn templates_of_generators_and_patches_change_the_template() {
    let spec = "  goTemplate: true\n  generators:\n    - list:\n        \
        elements: [{name: a, prune: true}, {name: b, prune: false}]\n        \
        template: {metadata: {name: 'x-{{ .name }}'}, spec: {project: '', source: {path: apps/x}}}\n  \
        templatePatch: |\n    spec:\n      project: other\n      {{- if .prune }}\n      \
        syncPolicy:\n        syncOptions: [ServerSideApply=true]\n      {{- end }}\n  template:\n    \
        metadata: {name: t}\n    spec: {project: p, source: {repoURL: r, path: apps/y}}\n";
    let fixture = Fixture::new(&[("sets/set.yaml", &set(spec)), ("apps/x/a.yaml", OBJECT)]);
    assert_eq!(fixture.applied(), ["set -", "x-a apps/x", "x-b apps/x"]);
    let spec = |at| fixture.value("set", at, &["spec"]);
    let source = serde_json::json!({"repoURL": "r", "path": "apps/x"});
    let patched = serde_json::json!({"syncOptions": ["ServerSideApply=true"]});
    assert_eq!(
        spec(0),
        serde_json::json!({"project": "p", "source": source, "syncPolicy": patched})
    );
    assert_eq!(spec(1), serde_json::json!({"project": "p", "source": source}));
}

#[test]
fn generators_that_ask_somebody_are_named() {
    let spec = format!(
        "  generators:\n    - pullRequest: {{github: {{owner: a, repo: b}}}}\n    \
         - list: {{elements: [{{path: apps, path.basename: l}}]}}\n{TEMPLATE}"
    );
    let fixture = Fixture::new(&[("sets/set.yaml", &set(&spec)), ("apps/a.yaml", OBJECT)]);
    let named = "the generator `pullRequest` asks another service".to_owned();
    assert_eq!(fixture.gaps("set"), [(GapKind::NotExpanded, named)]);
    assert_eq!(fixture.applied(), ["set -", "app-l apps"]);
}

#[test]
fn what_argo_cd_refuses_is_an_error() {
    let refused = |generators: &str| {
        let spec = format!("  generators: [{generators}]\n{TEMPLATE}");
        Fixture::new(&[("sets/set.yaml", &set(&spec))]).error("set")
    };
    assert_eq!(
        refused("{list: {elements: [{a: 1}]}}"),
        "the value of `a` in a list must be a string"
    );
    assert_eq!(refused("{matrix: {generators: [{list: {}}]}}"), "a matrix needs two generators");
    assert_eq!(
        refused("{merge: {generators: [{list: {}}, {list: {}}]}}"),
        "a merge needs `mergeKeys`"
    );
    let many = "{list: {elements: [{a: x}, {a: x}]}}";
    assert_eq!(
        refused(&format!("{{merge: {{mergeKeys: [a], generators: [{many}, {many}]}}}}")),
        "two sets of parameters have the same `mergeKeys`"
    );
}

#[test]
fn a_matrix_of_matrices_stops_at_a_limit() {
    let elements: Vec<String> = (0..500).map(|at| format!("{{a{at}: x}}")).collect();
    let list = format!("{{list: {{elements: [{}]}}}}", elements.join(", "));
    let spec = format!("  generators: [{{matrix: {{generators: [{list}, {list}]}}}}]\n{TEMPLATE}");
    let fixture = Fixture::new(&[("sets/set.yaml", &set(&spec))]);
    assert_eq!(fixture.error("set"), "a matrix makes more than 10000 sets of parameters");
}
