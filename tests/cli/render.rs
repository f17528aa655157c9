//! What `render` prints and writes.

use std::fs;
use std::path::Path;

use crate::gate::{Gate, Run};

/// A base and an overlay of it.
const WEB: [(&str, &str); 4] = [
    (
        "apps/web/base/kustomization.yaml",
        "resources: [web.yaml]\nconfigMapGenerator:\n  - name: settings\n    files: [app.conf]\n\
         generatorOptions: {disableNameSuffixHash: true}\n",
    ),
    ("apps/web/base/app.conf", "level: info\nname: 'web'\n"),
    (
        "apps/web/base/web.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports:\n    - port: 80\n",
    ),
    (
        "apps/web/prod/kustomization.yaml",
        "namePrefix: prod-\nresources:\n  - ../base\npatches:\n  - path: port.yaml\n    \
         target: {kind: Service}\n",
    ),
];

const PORT: (&str, &str) =
    ("apps/web/prod/port.yaml", "- op: replace\n  path: /spec/ports/0/port\n  value: 443\n");

/// What the overlay renders to.
const PROD: &str = "\
apiVersion: v1
data:
  app.conf: |
    level: info
    name: 'web'
kind: ConfigMap
metadata:
  name: prod-settings
---
apiVersion: v1
kind: Service
metadata:
  name: prod-web
spec:
  ports:
  - port: 443
";

fn render() -> Gate {
    Gate::new().repo(WEB).repo([PORT]).args(["render"])
}

/// Returns the files that a run left below a folder, with what they hold.
fn files(run: &Run, folder: &str) -> Vec<(String, String)> {
    fn walk(root: &Path, folder: &Path, out: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, out);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                out.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let root = run.path(folder);
    let mut out = Vec::new();
    walk(&root, &root, &mut out);
    out.sort();
    out
}

fn names(run: &Run, folder: &str) -> Vec<String> {
    files(run, folder).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn objects_are_printed_as_kubectl_does() {
    let run = render().args(["apps/web/prod"]).run();
    assert_eq!((run.code, &*run.stdout, &*run.stderr), (Some(0), PROD, ""));
}

#[test]
fn a_folder_without_git_reads_up_to_the_working_directory() {
    // From inside of the folder, its base lies outside.
    let inside =
        Gate::new().repo([("kustomization.yaml", "resources: [../base]\n")]).args(["render"]).run();
    assert_eq!((inside.code, &*inside.stdout), (Some(2), ""));
    assert_eq!(
        inside.stderr,
        "error: cannot render `.`: `../base` leads out of the repository\n  \
         at kustomization.yaml:1:13\n  \
         help: only what lies in the repository can be judged; use a relative path inside it\n"
    );
}

#[test]
fn an_error_has_its_place_and_a_remedy() {
    let run = Gate::new()
        .repo([("a/kustomization.yaml", "resources:\n  - missing.yaml\n")])
        .args(["render", "a"])
        .run();
    assert_eq!((run.code, &*run.stdout), (Some(2), ""));
    assert_eq!(
        run.stderr,
        "error: cannot render `a`: there is no file or folder `missing.yaml`\n  \
         at a/kustomization.yaml:2:5\n  help: it would be `a/missing.yaml` in the repository\n"
    );
}

#[test]
fn what_is_no_folder_or_no_kustomization_is_refused() {
    render()
        .args(["nope"])
        .run()
        .refuses("`nope` does not exist: give the path of a file or folder of the repository");
    render().args(["apps/web/base/web.yaml"]).run().refuses(
        "`apps/web/base/web.yaml` is no folder: give the one that holds the kustomization",
    );
    let run = render().args(["apps"]).run();
    assert_eq!((run.code, &*run.stdout), (Some(2), ""));
    assert!(
        run.stderr
            .starts_with("error: cannot render `apps`: the folder `apps` has no kustomization\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_lies_elsewhere_is_left_out_and_named() {
    let run = Gate::new()
        .repo([
            ("kustomization.yaml", "resources:\n  - https://example.com/base?ref=v1\n  - a.yaml\n"),
            ("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
        ])
        .args(["render"])
        .run();
    assert_eq!(run.code, Some(2));
    assert_eq!(run.stdout, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n");
    assert_eq!(
        run.stderr,
        "warning: `https://example.com/base?ref=v1` lies on another host, so its objects are left \
         out\n  at kustomization.yaml:2:5\n  \
         help: copy it into the repository, and refer to the copy\n"
    );
}

#[test]
fn origins_name_the_place_of_every_line() {
    let run = render().args(["--origins", "apps/web/prod"]).run();
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
    let lines: Vec<(&str, &str)> =
        run.stdout.lines().map(|line| line.split_once(" │ ").unwrap()).collect();
    let text: Vec<&str> = lines.iter().map(|(_, text)| *text).collect();
    assert_eq!(text.join("\n") + "\n", PROD);
    let place = |wanted: &str| {
        let (place, _) = lines.iter().find(|(_, text)| text.trim() == wanted).unwrap();
        place.trim_end()
    };
    assert_eq!(place("- port: 443"), "apps/web/prod/port.yaml:3:10");
    assert_eq!(place("ports:"), "apps/web/base/web.yaml:5:3");
    assert_eq!(place("name: prod-web"), "apps/web/prod/kustomization.yaml:1:13");
    assert_eq!(place("kind: Service"), "apps/web/base/web.yaml:2:7");
    assert_eq!(place("---"), "");
}

#[test]
fn origins_are_printed_for_programs() {
    let run = render().args(["--origins", "--format", "json", "apps/web/prod"]).run();
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
    let json = run.json();
    let service = &json["objects"][1];
    assert_eq!(service["object"]["name"], "prod-web");
    let last = service["lines"].as_array().unwrap().last().unwrap();
    assert_eq!(
        last,
        &serde_json::json!({
            "number": 16,
            "text": "  - port: 443",
            "path": ["spec", "ports", 0, "port"],
            "location": {
                "path": "apps/web/prod/port.yaml",
                "line": 3, "column": 10, "endLine": 3, "endColumn": 13
            }
        })
    );
}

#[test]
fn output_goes_to_a_file() {
    let run = render().args(["-o", "out.yaml", "apps/web/prod"]).run();
    assert_eq!((run.code, &*run.stdout, &*run.stderr), (Some(0), "", ""));
    assert_eq!(fs::read_to_string(run.path("out.yaml")).unwrap(), PROD);
}

#[test]
fn files_of_other_folders_are_read_only_on_demand() {
    let outside = || {
        Gate::new()
            .repo([
                ("a/kustomization.yaml", "resources:\n  - ../b/b.yaml\n"),
                ("b/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n"),
            ])
            .args(["render", "a"])
    };
    let run = outside().run();
    assert_eq!((run.code, &*run.stdout), (Some(2), ""));
    assert!(run.stderr.contains("--load-restrictor LoadRestrictionsNone"), "{}", run.stderr);
    let run = outside().args(["--load-restrictor", "LoadRestrictionsNone"]).run();
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
    assert_eq!(run.stdout, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n");
}

#[test]
fn all_writes_a_file_for_every_kustomization() {
    let run = render()
        .repo([
            ("kustomization.yaml", "resources: [apps/web/prod]\n"),
            ("broken/kustomization.yaml", "resources: [missing.yaml]\n"),
            ("out/broken.yaml", "stale\n"),
            ("out/apps/web/base.yaml", "old\n"),
            ("out/other.yaml", "not ours\n"),
        ])
        .args(["--all", "--output-dir", "out"])
        .run();
    assert_eq!((run.code, &*run.stdout), (Some(2), ""));
    assert_eq!(
        run.stderr,
        "error: cannot render `broken`: there is no file or folder `missing.yaml`\n  \
         at broken/kustomization.yaml:1:13\n  \
         help: it would be `broken/missing.yaml` in the repository\n\
         rendered 3 of 4 kustomizations to `out`\n"
    );
    let names = names(&run, "out");
    assert_eq!(names, ["_root.yaml", "apps/web/base.yaml", "apps/web/prod.yaml", "other.yaml"]);
    let files = files(&run, "out");
    assert_eq!(files[0].1, PROD);
    assert_eq!(files[2].1, PROD);
    assert_eq!(files[3].1, "not ours\n");
}

#[test]
fn all_names_files_from_the_folder_that_is_asked_for() {
    let run = render().args(["--all", "apps/web", "--output-dir", "out"]).run();
    assert_eq!((run.code, &*run.stdout), (Some(0), ""));
    assert_eq!(run.stderr, "rendered 2 of 2 kustomizations to `out`\n");
    assert_eq!(names(&run, "out"), ["base.yaml", "prod.yaml"]);
}

#[test]
fn all_without_a_kustomization_is_refused() {
    let run = Gate::new().args(["render", "--all", "--output-dir", "out"]).run();
    run.refuses("there is no kustomization below `.`");
}

#[test]
fn two_folders_never_share_a_file() {
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    let list = "resources: [a.yaml]\n";
    let run = Gate::new()
        .repo([
            ("kustomization.yaml", list),
            ("a.yaml", object),
            ("_root/kustomization.yaml", list),
            ("_root/a.yaml", object),
            ("_root.yaml/b/kustomization.yaml", list),
            ("_root.yaml/b/a.yaml", object),
        ])
        .args(["render", "--all", "--output-dir", "out"])
        .run();
    assert_eq!(run.code, Some(2));
    assert_eq!(
        run.stderr,
        "error: cannot write the render of `_root`: its file would be that of `.`\n\
         error: cannot write the render of `_root.yaml/b`: its file would be that of `.`\n\
         rendered 1 of 3 kustomizations to `out`\n"
    );
    assert_eq!(names(&run, "out"), ["_root.yaml"]);
}

#[cfg(unix)]
#[test]
fn no_link_leads_out_of_the_folder() {
    use std::os::unix::fs::symlink;
    let gate = render().args(["--all", "--output-dir", "out"]);
    let path = gate.path().to_owned();
    fs::create_dir_all(path.join("elsewhere")).unwrap();
    fs::create_dir_all(path.join("out/apps/web")).unwrap();
    fs::write(path.join("elsewhere/kept"), "kept").unwrap();
    symlink(path.join("elsewhere/kept"), path.join("out/apps/web/base.yaml")).unwrap();
    symlink(path.join("elsewhere/new"), path.join("out/apps/web/prod.yaml")).unwrap();
    let run = gate.run();
    assert_eq!((run.code, &*run.stdout), (Some(0), ""));
    assert_eq!(files(&run, "elsewhere"), [("kept".to_owned(), "kept".to_owned())]);
    let prod = run.path("out/apps/web/prod.yaml");
    assert!(prod.symlink_metadata().unwrap().is_file());

    let gate = render().args(["--all", "--output-dir", "out"]);
    let path = gate.path().to_owned();
    fs::create_dir_all(path.join("elsewhere/web")).unwrap();
    fs::create_dir_all(path.join("out")).unwrap();
    symlink(path.join("elsewhere"), path.join("out/apps")).unwrap();
    let run = gate.run();
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("is no folder"), "{}", run.stderr);
    assert_eq!(names(&run, "elsewhere"), [""; 0]);
}

#[test]
fn flags_that_do_not_belong_together_are_refused() {
    for arguments in [
        &["--all"][..],
        &["--output-dir", "out"],
        &["--all", "--output-dir", "out", "--origins"],
        &["--all", "--output-dir", "out", "--output", "a.yaml"],
        &["--format", "json"],
        &["--load-restrictor", "Some"],
    ] {
        let run = render().args(arguments.iter().copied()).run();
        assert_eq!((run.code, &*run.stdout), (Some(2), ""), "{arguments:?}");
        assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let runs = ["1", "4"].map(|threads| {
        let run = render().args(["--all", "--output-dir", "out", "--threads", threads]).run();
        (run.stderr.clone(), files(&run, "out"))
    });
    assert_eq!(runs[0], runs[1]);
}
