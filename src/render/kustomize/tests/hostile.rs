//! What a hostile change may ask for: nothing outside of the repository is read, nothing is
//! fetched or run, and everything ends.

use super::*;
use crate::render::GapKind;

/// Every field of a kustomization that names a file or a folder, with a place for the path.
const FIELDS: &[&str] = &[
    "resources: [PATH]",
    "bases: [PATH]",
    "components: [PATH]",
    "crds: [PATH]",
    "configurations: [PATH]",
    "openapi: {path: PATH}",
    "generators: [PATH]",
    "transformers: [PATH]",
    "resources: [a.yaml]\nvalidators: [PATH]",
    "patches: [{path: PATH}]",
    "patchesStrategicMerge: [PATH]",
    "patchesJson6902: [{path: PATH, target: {kind: ConfigMap, name: a, version: v1}}]",
    "replacements: [{path: PATH}]",
    "configMapGenerator: [{name: a, files: [PATH]}]",
    "configMapGenerator: [{name: a, envs: [PATH]}]",
    "secretGenerator: [{name: a, env: PATH}]",
];

fn fixture(kustomization: &str) -> Fixture {
    Fixture::new(&[
        ("app/kustomization.yaml", kustomization),
        ("app/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
    ])
}

#[test]
fn no_field_reads_what_is_not_in_the_repository() {
    for path in [
        "../../../../etc/passwd",
        "/etc/passwd",
        "/proc/self/environ",
        "'%2e%2e/%2e%2e/etc/passwd'",
        r"'..\..\etc\passwd'",
        "$HOME/.ssh/id_rsa",
        r#""../..\0/etc/passwd""#,
    ] {
        for field in FIELDS {
            let kustomization = field.replace("PATH", path);
            let error = fixture(&kustomization).try_render("app").unwrap_err();
            let told = error.message.contains("leads out of the repository")
                || error.message.contains("there is no file");
            assert!(told, "{kustomization}: {}", error.message);
        }
    }
}

#[test]
fn what_lies_elsewhere_is_named_and_never_fetched() {
    for url in [
        "https://evil.example/x.yaml",
        "http://evil.example/x.yaml",
        "git::ssh://evil.example/repo",
        "ssh://git@evil.example/repo",
        "github.com/org/repo?ref=main",
        "git@evil.example:org/repo",
        "file:///etc?ref=--upload-pack=touch",
    ] {
        for field in FIELDS {
            // A file of a generator is split at the sign.
            if url.contains('=') && field.contains("files:") {
                continue;
            }
            let kustomization = field.replace("PATH", &format!("'{url}'"));
            let rendered = fixture(&kustomization).render("app");
            let gaps: Vec<(GapKind, &str)> =
                rendered.gaps.iter().map(|gap| (gap.kind, gap.text.as_str())).collect();
            let one = |kind| gaps == [(kind, url)];
            assert!(
                one(GapKind::RemoteBase) || one(GapKind::RemoteFile),
                "{kustomization}: {gaps:?}"
            );
        }
    }
}

#[test]
fn no_program_is_run_and_no_chart_is_inflated() {
    let plugin = |kind: &str, function: &str| {
        format!(
            "- |-\n  apiVersion: v1\n  kind: {kind}\n  metadata:\n    name: x\n    \
             annotations:\n      config.kubernetes.io/function: '{function}'\n"
        )
    };
    let fixture = fixture(&format!(
        "resources: [a.yaml]\nhelmGlobals: {{chartHome: /, configHome: ./evil}}\nhelmCharts:\n- \
         {{name: c, repo: 'http://evil.example', valuesFile: /etc/passwd}}\ntransformers:\n{}\
         validators:\n{}",
        plugin("Any", "exec: {path: ./evil.sh}"),
        plugin("Other", "container: {image: evil.example/x}"),
    ));
    let rendered = fixture.render("app");
    let gaps: Vec<(GapKind, &str)> =
        rendered.gaps.iter().map(|gap| (gap.kind, gap.text.as_str())).collect();
    assert_eq!(
        gaps,
        [
            (GapKind::RemoteChart, "c"),
            (GapKind::PluginNotRun, "Any"),
            (GapKind::PluginNotRun, "Other"),
        ]
    );
    assert_eq!(rendered.objects.len(), 1);
}

#[test]
fn json_patches_to_nowhere_are_refused() {
    for operation in [
        "{op: add, path: /data/999999999/-, value: 1}",
        "{op: remove, path: /metadata/labels/-9223372036854775808}",
        "{op: move, from: /metadata, path: /metadata/name}",
    ] {
        let error = fixture(&format!(
            "resources: [a.yaml]\npatches:\n- target: {{kind: ConfigMap}}\n  patch: |-\n    - \
             {operation}\n"
        ))
        .try_render("app")
        .unwrap_err();
        assert!(error.message.contains("nothing at `/"), "{operation}: {}", error.message);
    }
}

#[test]
fn definitions_that_refer_to_themselves_end() {
    let fixture = Fixture::new(&[
        (
            "a/kustomization.yaml",
            "resources: [t.yaml]\nopenapi: {path: s.json}\npatches: [{path: t.yaml}]\n",
        ),
        (
            "a/t.yaml",
            "apiVersion: e.example/v1\nkind: T\nmetadata: {name: t}\nspec: {a: {a: {a: [1]}}}\n",
        ),
        (
            "a/s.json",
            r##"{"definitions": {
                "t": {"properties": {"spec": {"$ref": "#/definitions/loop"}},
                      "x-kubernetes-group-version-kind":
                        [{"group": "e.example", "version": "v1", "kind": "T"}]},
                "loop": {"$ref": "#/definitions/loop"}}}"##,
        ),
        ("b/kustomization.yaml", "configMapGenerator: [{name: a}]\ncrds: [c.json]\n"),
        (
            "b/c.json",
            r#"{"T": {"Schema": {"properties": {"kind": {}, "apiVersion": {}, "metadata": {},
                "a": {"$ref": "T"}, "b": {"$ref": "T"}}}}}"#,
        ),
    ]);
    assert_eq!(fixture.json("a").len(), 1);
    assert_eq!(
        fixture.error("b"),
        "b/kustomization.yaml: c.json: the definitions refer to each other over 16 levels"
    );
}

#[test]
fn notes_of_many_transformers_end() {
    let object =
        |at: usize| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a{at}}}\n---\n");
    let objects: String = (0..2000).map(object).collect();
    let labels = "- {pairs: {a: b}}\n".repeat(2000);
    let kustomization =
        format!("resources: [o.yaml]\nbuildMetadata: [transformerAnnotations]\nlabels:\n{labels}");
    let fixture = Fixture::new(&[("kustomization.yaml", &kustomization), ("o.yaml", &objects)]);
    assert_eq!(
        fixture.error("."),
        "kustomization.yaml: transformerAnnotations: the objects grow beyond 5000000 values"
    );
}
