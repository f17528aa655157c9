//! Generated `ConfigMap`s and Secrets. The hashes are those that kustomize makes.

use serde_json::json;

use super::*;

fn settings() -> Fixture {
    let long = format!("{:0100}", 7);
    let mut fixture = Fixture::new(&[
        (
            "kustomization.yaml",
            "namePrefix: p-\ngeneratorOptions: {labels: {all: g}, annotations: {note: \
             a}}\nconfigMapGenerator:\n- name: settings\n  literals: [MODE=fast, 'QUOTED=\"x <&> \
             y\"']\n  files: [key=f.txt, g.bin]\n  envs: [e.env]\n  options: {labels: {own: l, all: \
             own}, immutable: true}\nsecretGenerator:\n- name: creds\n  type: example.com/kind\n  \
             literals: [user=me]\n  files: [long.txt]\nresources: [d.yaml]\n",
        ),
        (
            "d.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: pod}\nspec:\n  volumes: [{name: v, secret: \
             {secretName: creds}}]\n  containers: [{name: c, envFrom: [{configMapRef: {name: \
             settings}}, {configMapRef: {name: other}}]}]\n",
        ),
        ("f.txt", "text\n"),
        ("e.env", "# c\nA=1\n  B\nC=x=y\n"),
        ("long.txt", &long),
    ]);
    let binary = Source::new(RepoPath::new("g.bin"), Origin::File, vec![0xff, 0]);
    fixture.repository.add(binary, true);
    fixture
}

#[test]
fn objects_are_generated_with_their_hashes() {
    let json = settings().json(".");
    assert_eq!(
        json[0],
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": "p-settings-5km569fkfc",
                "labels": {"own": "l", "all": "own"},
                "annotations": {"note": "a"},
            },
            "data": {
                "A": "1", "B": "", "C": "x=y", "MODE": "fast", "QUOTED": "x <&> y", "key": "text\n",
            },
            "binaryData": {"g.bin": "/wA="},
            "immutable": true,
        })
    );
    let line = "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMD";
    let rest = "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwNw==";
    assert_eq!(
        json[1],
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": "p-creds-7m9fkc8f29",
                "labels": {"all": "g"},
                "annotations": {"note": "a"},
            },
            "type": "example.com/kind",
            "data": {"long.txt": format!("{line}\n{rest}\n"), "user": "bWU="},
        })
    );
}

#[test]
fn references_follow_the_hashes() {
    let spec = settings().json(".")[2]["spec"].clone();
    assert_eq!(spec["volumes"][0]["secret"]["secretName"], json!("p-creds-7m9fkc8f29"));
    assert_eq!(
        spec["containers"][0]["envFrom"],
        json!([
            {"configMapRef": {"name": "p-settings-5km569fkfc"}},
            {"configMapRef": {"name": "other"}},
        ])
    );
}

#[test]
fn every_value_points_at_the_text_that_holds_it() {
    let fixture = settings();
    let rendered = fixture.render(".");
    let origin = |object, path| fixture.origin_in(&rendered, object, path);
    assert_eq!(origin(0, "data MODE"), "kustomization.yaml: MODE=fast");
    assert_eq!(origin(0, "data key"), "f.txt: text\n");
    assert_eq!(origin(0, "data A"), "e.env: 1");
    assert_eq!(origin(0, "data C"), "e.env: x=y");
    // What is empty stands behind its key.
    assert_eq!(origin(0, "data B"), "e.env: B");
    assert_eq!(origin(0, "metadata labels all"), "kustomization.yaml: own");
    assert_eq!(origin(0, "metadata annotations note"), "kustomization.yaml: a");
    assert_eq!(origin(0, "immutable"), "kustomization.yaml: true");
    assert_eq!(origin(1, "metadata name"), "kustomization.yaml: creds");
    assert_eq!(origin(2, "spec volumes 0 secret secretName"), "kustomization.yaml: creds");
}

#[test]
fn behaviors_merge_and_replace() {
    let fixture = Fixture::new(&[
        (
            "b/kustomization.yaml",
            "resources: [../c]\nconfigMapGenerator:\n- {name: m, behavior: merge, literals: [b=2, \
             c=3], options: {labels: {new: l}}}\n- {name: r, behavior: replace, literals: [z=9]}\n",
        ),
        (
            "c/kustomization.yaml",
            "configMapGenerator:\n- {name: m, literals: [a=1, b=1], options: \
             {disableNameSuffixHash: true, labels: {old: l}}}\n- {name: r, literals: [a=1]}\n",
        ),
    ]);
    assert_eq!(
        fixture.json("b"),
        [
            json!({
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "m", "labels": {"new": "l", "old": "l"}},
                "data": {"a": "1", "b": "2", "c": "3"},
            }),
            json!({
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "r-k765b4dhgf"},
                "data": {"z": "9"},
            }),
        ]
    );
    let rendered = fixture.render("b");
    assert_eq!(fixture.origin_in(&rendered, 0, "data a"), "c/kustomization.yaml: a=1");
    assert_eq!(fixture.origin_in(&rendered, 0, "data b"), "b/kustomization.yaml: b=2");
}

#[test]
fn generators_that_make_no_sense_are_refused() {
    for (generator, expected) in [
        ("{name: m, literals: [novalue]}", "novalue: a literal must have the form `key=value`"),
        ("{name: m, literals: [a=1, a=2]}", "a=2: the key `a` is set twice"),
        ("{name: m, files: [nofile]}", "nofile: there is no file `nofile`"),
        (
            "{name: m, behavior: merge}",
            "m: there is no ConfigMap m that could be merged or replaced",
        ),
        ("{name: m, behavior: add}", "add: `add` is not a behavior of a generated object"),
        ("{literals: [a=1]}", "{literals: [a=1]}: a generated object has no `name`"),
    ] {
        let kustomization = format!("configMapGenerator:\n- {generator}\n");
        let fixture = Fixture::new(&[("kustomization.yaml", &kustomization)]);
        assert_eq!(fixture.error("."), format!("kustomization.yaml: {expected}"));
    }
}

#[test]
fn generators_in_files_are_run() {
    let fixture = Fixture::new(&[
        ("kustomization.yaml", "generators: [g.yaml]\n"),
        (
            "g.yaml",
            "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: m}\nliterals: \
             [z=9]\noptions: {disableNameSuffixHash: true}\n",
        ),
    ]);
    assert_eq!(
        fixture.json("."),
        [json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"z": "9"},
        })]
    );
    assert_eq!(fixture.origin(".", "data z"), "g.yaml: z=9");
}

#[test]
fn values_of_a_windows_file_are_found_after_its_mark() {
    let fixture = Fixture::new(&[
        ("kustomization.yaml", "configMapGenerator:\n- {name: m, envs: [e.env]}\n"),
        ("e.env", "\u{feff}A=one\r\n\r\n  B=two\r\n"),
    ]);
    assert_eq!(fixture.origin(".", "data A"), "e.env: one");
    assert_eq!(fixture.origin(".", "data B"), "e.env: two");
}
