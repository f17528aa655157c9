use super::*;
use crate::source::{Origin, Source};

fn repository(text: &str) -> Repository {
    let mut repository = Repository::default();
    let path = RepoPath::new("a/kustomization.yaml");
    repository.add(Source::new(path, Origin::File, text.into()), true);
    repository
}

/// Reads a text, and returns it with `underlined: message (help)` for each defect.
fn read_text(text: &str) -> (Kustomization, Vec<String>) {
    let repository = repository(text);
    let (kustomization, defects) =
        read(&repository, &RepoPath::new("a/kustomization.yaml")).unwrap();
    let shown = defects
        .iter()
        .map(|defect| {
            let underlined = repository.sources().text(defect.span);
            let help = defect.help.as_deref().unwrap_or("-");
            format!("{underlined}: {} ({help})", defect.message)
        })
        .collect();
    (kustomization, shown)
}

#[test]
fn an_unknown_field_underlines_its_key_and_suggests() {
    let (_, defects) = read_text("resources: [a.yaml]\nnamePrefx: a-\n");
    assert_eq!(
        defects,
        ["namePrefx: a kustomization has no field `namePrefx` (did you mean `namePrefix`?)"]
    );
    let (_, defects) = read_text("images:\n- name: a\n  newtag: '1'\n  newTags: '2'\n");
    assert_eq!(defects, ["newTags: `images` has no field `newTags` (did you mean `newTag`?)"]);
}

#[test]
fn a_wrong_type_underlines_the_value() {
    let (_, defects) = read_text("resources: a.yaml\ncommonLabels: {a: 1}\n");
    assert_eq!(
        defects,
        [
            "a.yaml: `resources` must be a list, but is a string (-)",
            "1: `commonLabels.a` must be a string, but is a number (put the value in quotes)",
        ]
    );
}

#[test]
fn null_leaves_a_field_unset() {
    let (kustomization, defects) = read_text("resources:\nnamespace: null\nnamePrefix: a\n");
    assert_eq!(defects, [""; 0]);
    assert_eq!(kustomization.resources, []);
    assert_eq!(kustomization.namespace, None);
}

#[test]
fn empty_kustomizations_are_refused() {
    for text in ["", "# nothing\n", "kind: Kustomization\n", "namespace: ''\n"] {
        let (_, defects) = read_text(text);
        assert_eq!(defects.len(), 1, "{text}");
        assert!(defects[0].contains("the kustomization is empty"), "{text}");
    }
}

#[test]
fn another_kind_is_refused() {
    let (_, defects) =
        read_text("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nresources: []");
    assert_eq!(
        defects,
        ["kustomize.toolkit.fluxcd.io/v1: the API version `kustomize.toolkit.fluxcd.io/v1` is \
             not kustomize's (set `apiVersion: kustomize.config.k8s.io/v1beta1`, or leave it out)"]
    );
    let (component, defects) =
        read_text("apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: a");
    assert_eq!(defects, [""; 0]);
    assert_eq!(component.kind(), Kind::Component);
}

#[test]
fn references_say_what_they_are_for() {
    let (kustomization, defects) = read_text(
        "resources: [a.yaml, ../base]\nbases: [b]\ncomponents: [c]\npatches:\n- path: p.yaml\n- \
         patch: '[]'\npatchesStrategicMerge: [q.yaml, \"kind: A\\nname: b\"]\n\
         configMapGenerator:\n- name: x\n  files: [f, k=g]\n  envs: [e]\nsecretGenerator:\n- \
         name: z\n  env: s\nreplacements: [{path: r.yaml}]\nhelmCharts: [{name: h, valuesFile: \
         v.yaml}]\nopenapi: {path: o.json}\ntransformers: [t.yaml]\nconfigurations: [n.yaml]\n",
    );
    assert_eq!(defects, [""; 0]);
    let found: Vec<_> = kustomization
        .references()
        .into_iter()
        .map(|reference| (reference.text, reference.use_))
        .collect();
    let expected = [
        ("a.yaml", ReferenceUse::Resource),
        ("../base", ReferenceUse::Resource),
        ("b", ReferenceUse::Resource),
        ("c", ReferenceUse::Component),
        ("n.yaml", ReferenceUse::Configuration),
        ("t.yaml", ReferenceUse::Transformer),
        ("q.yaml", ReferenceUse::Patch),
        ("p.yaml", ReferenceUse::Patch),
        ("f", ReferenceUse::GeneratorFile),
        ("g", ReferenceUse::GeneratorFile),
        ("e", ReferenceUse::GeneratorFile),
        ("s", ReferenceUse::GeneratorFile),
        ("r.yaml", ReferenceUse::Replacement),
        ("v.yaml", ReferenceUse::HelmValues),
        ("o.json", ReferenceUse::OpenApi),
    ]
    .map(|(text, use_)| (text.to_owned(), use_));
    assert_eq!(found, expected);
}

#[test]
fn two_kustomization_files_are_found_both() {
    let mut repository = repository("resources: []");
    let folder = RepoPath::new("a");
    assert_eq!(find(&repository, &folder), Found::One(RepoPath::new("a/kustomization.yaml")));
    let second = RepoPath::new("a/Kustomization");
    repository.add(Source::new(second.clone(), Origin::File, Vec::new()), true);
    assert_eq!(
        find(&repository, &folder),
        Found::Several(vec![RepoPath::new("a/kustomization.yaml"), second])
    );
    assert_eq!(find(&repository, &RepoPath::root()), Found::None);
}

#[test]
fn remote_references_are_told_from_folders() {
    for remote in [
        "https://example.com/a.yaml",
        "http://example.com/org/repo//dir?ref=v1",
        "ssh://git@example.com/org/repo",
        "git::https://example.com/org/repo",
        "git@github.com:org/repo",
        "github.com/org/repo/dir?ref=main",
        "GitHub.com/org/repo",
        "gh:org/repo",
        "file:///etc",
    ] {
        assert!(is_remote(remote), "{remote}");
    }
    for local in [
        "../base/rbac.authorization.k8s.io/roles",
        "redhatcop.redhat.io/a",
        "a.yaml",
        "/etc",
        "a@b",
    ] {
        assert!(!is_remote(local), "{local}");
    }
}
