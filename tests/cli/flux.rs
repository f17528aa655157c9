//! What Flux applies, followed from a folder and judged.

use std::fs;

use crate::gate::Gate;

const APP: (&str, &str) = (
    "clusters/prod/app.yaml",
    "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: app\n  \
     namespace: flux-system\nspec:\n  path: ./apps/web\n  \
     sourceRef: {kind: GitRepository, name: flux-system}\n  interval: 1h\n  prune: true\n  targetNamespace: shop\n  postBuild:\n    \
     substituteFrom:\n    - kind: Secret\n      name: cluster\n",
);

const WEB: (&str, &str) = (
    "apps/web/web.yaml",
    "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  selector: {app: web}\n  ports:\n  \
     - port: ${PORT}\n",
);

/// Returns a configuration that knows the Secret.
fn known(port: &str) -> String {
    format!(
        "environments:\n- name: prod\n  paths: [clusters/prod/**]\n  clusterValues:\n  \
         - kind: Secret\n    namespace: flux-system\n    name: cluster\n    \
         values: {{PORT: '{port}'}}\n"
    )
}

fn entry() -> Gate {
    let arguments = ["render", "--entry", "clusters/prod", "--output-dir", "out"];
    Gate::new().repo([APP, WEB]).args(arguments)
}

#[test]
fn an_entry_is_followed_to_a_file_for_each_object() {
    let config = known("8080");
    let run = entry().repo([("tidewaiter.yaml", &*config)]).run();
    assert_eq!(
        (run.code, &*run.stdout, &*run.stderr),
        (Some(0), "", "rendered 2 of 2 that Flux or Argo CD applies to `out`\n")
    );
    let mut names: Vec<String> = fs::read_dir(run.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["flux-system_app.yaml", "flux-system_entry.yaml"]);
    assert_eq!(
        fs::read_to_string(run.path("out/flux-system_app.yaml")).unwrap(),
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  ports:\n  \
         - port: 8080\n  selector:\n    app: web\n"
    );
}

#[test]
fn what_an_entry_leaves_out_or_cannot_render_is_named() {
    let elsewhere = APP.1.replace("name: app", "name: other").replace("./apps/web", "./nowhere");
    let broken = APP.1.replace("name: app", "name: broken").replace("apps/web", "apps/broken");
    let run = entry()
        .repo([
            ("clusters/prod/other.yaml", &*elsewhere),
            ("clusters/prod/broken.yaml", &*broken),
            ("apps/broken/a.yaml", "a: b\n"),
        ])
        .run();
    assert_eq!((run.code, &*run.stdout), (Some(2), ""));
    assert_eq!(
        run.stderr,
        "error: cannot render `apps/broken`: the object has no `kind`\n  at apps/broken/a.yaml:1:1\n  \
         help: only objects may be listed under `resources`, not values or other YAML\n\
         warning: the path `./nowhere` is not in this repository, so its objects are left out\n  \
         at clusters/prod/other.yaml:7:9\n  \
         help: give the repository that has it with `--source URL=FOLDER`\n\
         rendered 3 of 4 that Flux or Argo CD applies to `out`, 1 of them in part\n"
    );
    assert!(!run.path("out/flux-system_broken.yaml").exists());
}

#[test]
fn a_text_that_only_the_cluster_knows_is_held_against_no_schema() {
    let run = Gate::new().repo([APP, WEB]).args(["check", "--format", "json"]).run();
    assert_eq!(run.code, Some(0), "{run:?}");
    let json = run.json();
    let rules: Vec<&str> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["rule"].as_str().unwrap())
        .collect();
    assert_eq!(rules, ["coverage/unknown-values"]);
    let judged: Vec<&str> = json["summary"]["judgedFiles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["path"].as_str().unwrap())
        .collect();
    assert_eq!(judged, ["apps/web/web.yaml", "clusters/prod/app.yaml"]);
    assert_eq!(
        json["findings"][0]["message"],
        "the values of `Secret/cluster` are not known, so its variables stay as they are"
    );
}

#[test]
fn a_value_that_is_given_is_judged_and_the_value_of_a_secret_is_never_shown() {
    let config = known("hunter2-hunter2");
    for format in ["human", "json", "sarif", "markdown"] {
        let run = Gate::new()
            .repo([APP, WEB, ("tidewaiter.yaml", &*config)])
            .args(["check", "clusters", "apps", "--format", format])
            .run();
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.stdout.contains("schema/wrong-type"), "{}", run.stdout);
        assert!(!run.stdout.contains("hunter2"), "{}", run.stdout);
    }
    let config = known("8080");
    let run = Gate::new().repo([APP, WEB, ("tidewaiter.yaml", &*config)]).args(["check"]).run();
    assert_eq!(run.code, Some(0), "{run:?}");
}

const TEAM: (&str, &str) = (
    "clusters/prod/team.yaml",
    "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\n\
     metadata: {name: flux-system, namespace: flux-system}\n\
     spec: {url: 'ssh://git@example.com/org/team'}\n",
);

#[test]
fn the_configuration_may_say_where_other_repositories_lie() {
    let config = "sources:\n- url: https://example.com/org/team.git\n  path: vendor/team\n";
    let theirs = WEB.1.replace("name: web", "name: theirs").replace("${PORT}", "80");
    let run = entry()
        .repo([TEAM, ("tidewaiter.yaml", config), ("vendor/team/apps/web/web.yaml", &*theirs)])
        .run();
    assert_eq!(run.code, Some(0), "{run:?}");
    let text = fs::read_to_string(run.path("out/flux-system_app.yaml")).unwrap();
    assert!(text.contains("name: theirs"), "{text}");
}

#[test]
fn a_source_of_the_repositorys_own_configuration_lies_in_the_repository() {
    let config = "sources:\n- url: https://example.com/org/team\n  path: ../..\n";
    let run = entry().repo([TEAM, ("tidewaiter.yaml", config)]).run();
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("the source `../..` lies outside of the repository"), "{run:?}");
    let config = "sources:\n- url: https://example.com/org/team\n  path: nowhere\n";
    let run = Gate::new().repo([TEAM, ("tidewaiter.yaml", config)]).args(["check"]).run();
    assert_eq!(run.code, Some(2));
    assert!(run.stdout.contains("the source `nowhere` is not there"), "{run:?}");
}
