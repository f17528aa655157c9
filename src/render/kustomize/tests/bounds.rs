//! Repositories that mean harm: nothing leaves the root, nothing runs away.

use std::fmt::Write as _;
use std::sync::Barrier;
use std::thread;

use super::*;

#[test]
fn paths_that_leave_the_repository_are_refused() {
    for (kustomization, path) in [
        ("resources: [../../../etc]\n", "../../../etc"),
        ("resources: [/etc/passwd]\n", "/etc/passwd"),
        ("components: [../..]\n", "../.."),
        ("patches: [{path: ../../p.yaml}]\n", "../../p.yaml"),
        ("configurations: [/proc/self/environ]\n", "/proc/self/environ"),
        ("secretGenerator: [{name: s, envs: [/proc/self/environ]}]\n", "/proc/self/environ"),
        ("replacements: [{path: ../../r.yaml}]\n", "../../r.yaml"),
    ] {
        let fixture = Fixture::new(&[("a/kustomization.yaml", kustomization)]);
        assert_eq!(
            fixture.error("a"),
            format!("a/kustomization.yaml: {path}: `{path}` leads out of the repository")
        );
    }
}

#[test]
fn circles_are_refused() {
    let fixture = Fixture::new(&[
        ("a/kustomization.yaml", "resources: [../b]\n"),
        ("b/kustomization.yaml", "resources: [../a]\n"),
        ("self/kustomization.yaml", "resources: [.]\n"),
        ("up/kustomization.yaml", "resources: [down]\n"),
        ("up/down/kustomization.yaml", "resources: [..]\n"),
    ]);
    assert_eq!(
        fixture.error("a"),
        "b/kustomization.yaml: ../a: `a` refers to itself, over any number of steps"
    );
    assert_eq!(
        fixture.error("self"),
        "self/kustomization.yaml: .: `self` refers to itself, over any number of steps"
    );
    assert_eq!(
        fixture.error("up/down"),
        "up/down/kustomization.yaml: ..: `up` holds `up/down`, which refers to it"
    );
}

#[test]
fn a_circle_is_the_same_whatever_the_cache_holds() {
    let fixture = Fixture::new(&[
        ("a/kustomization.yaml", "resources: [b]\n"),
        ("a/b/kustomization.yaml", "resources: [../../c]\n"),
        ("c/kustomization.yaml", "resources: [../a/d]\n"),
        ("a/d/kustomization.yaml", "resources: [x.yaml]\n"),
        ("a/d/x.yaml", DEPLOYMENT),
        ("e/kustomization.yaml", "resources: [../f]\n"),
        ("f/kustomization.yaml", "resources: [../a]\n"),
        ("a/b/x/kustomization.yaml", "resources: [../../../f]\n"),
    ]);
    let cold = fixture.error("a/b/x");
    let cache = Cache::default();
    kustomize(&fixture.repository, &RepoPath::new("e"), &cache).unwrap();
    let warm = kustomize(&fixture.repository, &RepoPath::new("a/b/x"), &cache).unwrap_err();
    assert_eq!(fixture.shown(&warm), cold);
}

#[test]
fn diamonds_of_components_end() {
    let mut files = vec![("c0/kustomization.yaml".to_owned(), component("namePrefix: x\n"))];
    for level in 1..40 {
        let below = level - 1;
        let text = component(&format!("components: [../c{below}, ../c{below}]\n"));
        files.push((format!("c{level}/kustomization.yaml"), text));
    }
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let error = Fixture::new(&files).error("c39");
    assert!(error.ends_with("the render goes through more than 20000 kustomizations"), "{error}");
}

fn component(rest: &str) -> String {
    format!("apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n{rest}")
}

#[test]
fn diamonds_of_bases_end() {
    let mut files = vec![("b0/kustomization.yaml".to_owned(), "resources: [d.yaml]\n".to_owned())];
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\n";
    files.push(("b0/d.yaml".to_owned(), object.to_owned()));
    for level in 1..20 {
        let below = level - 1;
        for side in ["l", "r"] {
            let text = format!("resources: [../b{below}]\nnamePrefix: {side}-\n");
            files.push((format!("b{level}{side}/kustomization.yaml"), text));
        }
        let text = format!("resources: [../b{level}l, ../b{level}r]\n");
        files.push((format!("b{level}/kustomization.yaml"), text));
    }
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let error = Fixture::new(&files).error("b19");
    assert!(error.ends_with("the render goes through more than 20000 kustomizations"), "{error}");
}

#[test]
fn a_long_chain_of_bases_ends() {
    let mut files = Vec::new();
    for level in 0..60 {
        let text = format!("resources: [../b{}]\n", level + 1);
        files.push((format!("b{level}/kustomization.yaml"), text));
    }
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let mut files = files;
    files.push(("b60/kustomization.yaml", "resources: [d.yaml]\n"));
    files.push(("b60/d.yaml", DEPLOYMENT));
    let fixture = Fixture::new(&files);
    let error = fixture.error("b0");
    assert!(error.ends_with("refer to each other over more than 50 levels"), "{error}");
    // What was put together before changes nothing of that.
    let cache = Cache::default();
    kustomize(&fixture.repository, &RepoPath::new("b30"), &cache).unwrap();
    let warm = kustomize(&fixture.repository, &RepoPath::new("b0"), &cache).unwrap_err();
    assert_eq!(fixture.shown(&warm), error);
}

#[test]
fn copies_that_double_an_object_end() {
    let mut operations = String::new();
    for step in 0..60 {
        writeln!(operations, "- {{op: copy, from: /spec, path: /spec/x{step}}}").unwrap();
    }
    let fixture = Fixture::new(&[
        (
            "kustomization.yaml",
            "resources: [d.yaml]\npatches: [{path: p.yaml, target: {kind: Deployment}}]\n",
        ),
        ("d.yaml", DEPLOYMENT),
        ("p.yaml", &operations),
    ]);
    let error = fixture.error(".");
    assert!(error.ends_with("the objects grow beyond 5000000 values"), "{error}");
}

#[test]
fn patches_that_nest_an_object_end() {
    let mut path = "/spec".to_owned();
    let mut operations = String::new();
    for _ in 0..600 {
        path.push_str("/x");
        writeln!(operations, "- {{op: add, path: {path}, value: {{}}}}").unwrap();
    }
    let fixture = Fixture::new(&[
        (
            "kustomization.yaml",
            "resources: [d.yaml]\npatches: [{path: p.yaml, target: {kind: Deployment}}]\n",
        ),
        ("d.yaml", DEPLOYMENT),
        ("p.yaml", &operations),
    ]);
    let error = fixture.error(".");
    assert!(error.ends_with("the patch nests values deeper than 500 levels"), "{error}");
}

#[test]
fn the_deepest_objects_fit_on_the_stack_of_a_thread() {
    let value = format!("{}1{}", "{x: ".repeat(240), "}".repeat(240));
    let path = "/x".repeat(240);
    let fixture = Fixture::new(&[
        (
            "kustomization.yaml",
            "resources: [d.yaml]\nnamespace: prod\nimages: [{name: a, newTag: b}]\npatches:\n- \
             {path: p.yaml, target: {kind: Deployment}}\n- {path: q.yaml}\n",
        ),
        ("d.yaml", DEPLOYMENT),
        (
            "p.yaml",
            &format!(
                "- {{op: add, path: /spec/x, value: {value}}}\n- {{op: add, path: /spec{path}, value: \
                 {value}}}\n"
            ),
        ),
        ("q.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {a: 1}\n"),
    ]);
    let object = fixture.json(".").remove(0);
    assert_eq!(object.pointer(&format!("/spec{path}{path}")), Some(&Value::from(1)));
}

#[test]
fn patterns_are_bounded_in_size_and_linear_in_time() {
    let kustomization = |name: &str| {
        format!(
            "resources: [d.yaml]\npatches:\n- target: {{name: '{name}'}}\n  patch: '[{{\"op\": \
             \"remove\", \"path\": \"/spec\"}}]'\n"
        )
    };
    let long = DEPLOYMENT.replace("name: web", &format!("name: {}", "a".repeat(50_000)));
    let fixture = Fixture::new(&[
        ("a/kustomization.yaml", &kustomization("(a+)+!")),
        ("a/d.yaml", &long),
        ("b/kustomization.yaml", &kustomization("((a{1,500}){1,500}){1,500}")),
        ("b/d.yaml", DEPLOYMENT),
        ("c/kustomization.yaml", &kustomization("(a")),
        ("c/d.yaml", DEPLOYMENT),
    ]);
    assert!(fixture.json("a")[0].get("spec").is_some());
    assert!(fixture.error("b").ends_with("the pattern `((a{1,500}){1,500}){1,500}` is too large"));
    assert!(fixture.error("c").ends_with("`(a` is not a regular expression"));
}

#[test]
fn variables_that_blow_up_a_text_end() {
    let args = "$(BIG)".repeat(1_000);
    let big = "x".repeat(10_000);
    let fixture = Fixture::new(&[
        (
            "kustomization.yaml",
            "resources: [r.yaml]\nvars: [{name: BIG, objref: {apiVersion: v1, kind: ConfigMap, name: \
             m}, fieldref: {fieldpath: data.big}}]\n",
        ),
        (
            "r.yaml",
            &format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m}}\ndata: {{big: \
                 {big}}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: \
                 {{containers: [{{args: ['{args}']}}]}}\n"
            ),
        ),
    ]);
    let error = fixture.error(".");
    assert!(error.ends_with("a text becomes longer than 4194304 bytes"), "{error}");
}

#[test]
fn the_root_only_restrictor_refuses_files_elsewhere() {
    let fixture = Fixture::new(&[
        ("a/kustomization.yaml", "resources: [../d.yaml]\n"),
        ("d.yaml", DEPLOYMENT),
    ]);
    assert_eq!(fixture.json("a").len(), 1);
    let cache = Cache::new(LoadRestrictor::RootOnly);
    let error = kustomize(&fixture.repository, &RepoPath::new("a"), &cache).unwrap_err();
    assert_eq!(
        fixture.shown(&error),
        "a/kustomization.yaml: ../d.yaml: `d.yaml` lies outside of the folder of the kustomization"
    );
}

#[test]
fn a_folder_without_any_file_is_an_error() {
    assert_eq!(
        Fixture::new(&[]).try_render("x").unwrap_err().message,
        "the folder `x` has no kustomization"
    );
}

#[test]
fn many_threads_render_the_same() {
    let mut files = vec![
        ("base/kustomization.yaml".to_owned(), "resources: [d.yaml]\nnamePrefix: p-\n".to_owned()),
        ("base/d.yaml".to_owned(), DEPLOYMENT.to_owned()),
    ];
    for overlay in 0..8 {
        let text = format!("resources: [../base]\nnameSuffix: -o{overlay}\n");
        files.push((format!("o{overlay}/kustomization.yaml"), text));
    }
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let fixture = Fixture::new(&files);
    let cache = Cache::default();
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        for overlay in 0..8 {
            let (fixture, cache, barrier) = (&fixture, &cache, &barrier);
            scope.spawn(move || {
                let folder = format!("o{overlay}");
                barrier.wait();
                let rendered =
                    kustomize(&fixture.repository, &RepoPath::new(&folder), cache).unwrap();
                assert_eq!(rendered.objects, fixture.render(&folder).objects);
            });
        }
    });
}
