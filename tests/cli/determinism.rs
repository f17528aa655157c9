//! The same repository gives the same bytes.

use std::fmt::Write as _;

use crate::gate::{ESCALATE, Gate, WRONG_TYPE};

/// Returns a repository whose files share bases and defects, in the order of their making.
fn files() -> Vec<(String, String)> {
    let mut files = vec![
        ("base/role.yaml".to_owned(), ESCALATE.to_owned()),
        ("base/settings.yaml".to_owned(), WRONG_TYPE.to_owned()),
        (
            "base/kustomization.yaml".to_owned(),
            "resources: [role.yaml, settings.yaml]\n".to_owned(),
        ),
    ];
    for environment in ["dev", "test", "stage", "prod"] {
        let kustomization = format!("namePrefix: {environment}-\nresources: [../../base]\n");
        files.push((format!("envs/{environment}/kustomization.yaml"), kustomization));
        let mut roles = String::new();
        for number in 0..20 {
            let role = ESCALATE.replace("editor", &format!("editor-{number}"));
            write!(roles, "---\n{role}").unwrap();
        }
        files.push((format!("plain/{environment}.yaml"), roles));
        files.push((format!("broken/{environment}/kustomization.yaml"), "resources: [x]\n".into()));
    }
    files
}

fn report(files: &[(String, String)], threads: &str, format: &str) -> String {
    let files = files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let run =
        Gate::new().repo(files).args(["check", "--threads", threads, "--format", format]).run();
    assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""));
    run.stdout
}

#[test]
fn neither_threads_nor_the_order_of_files_show() {
    let files = files();
    let mut shuffled = files.clone();
    shuffled.reverse();
    shuffled.swap(0, 5);
    shuffled.rotate_left(4);
    for format in ["human", "json", "sarif"] {
        let first = report(&files, "1", format);
        assert!(first.contains("plain/test.yaml"), "{first}");
        assert!(report(&files, "4", format) == first, "{format}: threads show");
        assert!(report(&shuffled, "4", format) == first, "{format}: the order of files shows");
    }
}
