//! What a newer version of Kubernetes breaks, and only that.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::fs;
use std::path::Path;

use tidewaiter::environment::KubernetesVersion;
use tidewaiter::judge::{Exit, Verdict};
use tidewaiter::run::{self, Input, Options, RunError};

const BUDGET: &str = "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\n\
                      metadata: {name: a, namespace: b}\nspec: {maxUnavailable: 1}\n";
const CONFIG_MAP: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}\ndatta: {}\n";

fn v(minor: u32) -> KubernetesVersion {
    KubernetesVersion { major: 1, minor }
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn upgrade(files: &[(&str, &str)], from: Option<u32>, to: u32) -> Result<Verdict, RunError> {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(folder.path(), path, text);
    }
    let options = Options {
        input: Input::Paths(vec![folder.path().to_owned()]),
        current_dir: folder.path().to_owned(),
        kubernetes: from.map(v),
        ..Options::default()
    };
    run::upgrade(&options, v(to), &()).map(|outcome| outcome.verdict)
}

fn rules(verdict: &Verdict) -> Vec<(String, Vec<String>)> {
    let told = verdict.findings.iter().map(|it| {
        let environments = it.finding.environments.iter().map(ToString::to_string).collect();
        (it.finding.rule.to_string(), environments)
    });
    told.collect()
}

#[test]
fn only_what_the_newer_version_finds_is_told() {
    let files = [("budget.yaml", BUDGET), ("map.yaml", CONFIG_MAP)];
    let removed = upgrade(&files, Some(24), 25).unwrap();
    assert_eq!(rules(&removed), [("schema/unknown-kind".to_owned(), vec![])]);
    assert_eq!(
        removed.findings[0].finding.help.as_deref(),
        Some(
            "Kubernetes 1.24 was the last version that served it; use `policy/v1`, which is \
             served since 1.21"
        )
    );
    assert_eq!(removed.exit(), Exit::Denied);
    assert_eq!(removed.summary.default_upgraded_from, Some(v(24)));

    let deprecated = upgrade(&files, Some(20), 21).unwrap();
    assert_eq!(rules(&deprecated), [("schema/deprecated-kind".to_owned(), vec![])]);
    assert_eq!(deprecated.exit(), Exit::Passed);

    let nothing = upgrade(&files, Some(22), 23).unwrap();
    assert_eq!(rules(&nothing), []);
}

#[test]
fn each_environment_comes_from_its_own_version() {
    let config = "environments:\n\
                  - {name: old, paths: [old, base], kubernetes: '1.24'}\n\
                  - {name: new, paths: [new, base], kubernetes: '1.26'}\n";
    let kustomization = "resources: [../base]\n";
    let files = [
        ("tidewaiter.yaml", config),
        ("base/kustomization.yaml", "resources: [budget.yaml]\n"),
        ("base/budget.yaml", BUDGET),
        ("old/kustomization.yaml", kustomization),
        ("new/kustomization.yaml", kustomization),
    ];
    let verdict = upgrade(&files, None, 27).unwrap();
    assert_eq!(rules(&verdict), [("schema/unknown-kind".to_owned(), vec!["old".to_owned()])]);
    let versions: Vec<_> = verdict
        .summary
        .environments
        .iter()
        .map(|it| (it.name.as_str(), it.upgraded_from, it.kubernetes))
        .collect();
    assert_eq!(versions, [("new", Some(v(26)), v(27)), ("old", Some(v(24)), v(27))]);
}

#[test]
fn an_upgrade_to_the_present_version_is_a_mistake() {
    let error = upgrade(&[("map.yaml", CONFIG_MAP)], Some(30), 30).unwrap_err();
    assert_eq!(
        error.to_string(),
        "everything is on Kubernetes 1.30 already: name the present version with `--kubernetes` \
         or in the configuration"
    );
}
