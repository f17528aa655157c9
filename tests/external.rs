//! What the configuration declares to lie outside no longer closes the gate, and nothing else does so.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::fs;
use std::path::Path;

use tidewaiter::judge::{Exit, Verdict};
use tidewaiter::run::{self, Input, Options};

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Judges a folder with two kustomizations that cannot be rendered.
fn judged(config: &str) -> Verdict {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.yaml", CONFIG_MAP);
    write(folder.path(), "one/kustomization.yaml", "resources: [missing.yaml]\n");
    write(folder.path(), "two/kustomization.yaml", "resources: [missing.yaml]\n");
    write(folder.path(), "tidewaiter.yaml", config);
    let options = Options {
        input: Input::Paths(vec![folder.path().to_owned()]),
        current_dir: folder.path().to_owned(),
        ..Options::default()
    };
    run::check(&options, &()).unwrap().verdict
}

fn reasons(verdict: &Verdict) -> Vec<(&str, &str, bool)> {
    let not_judged = verdict.summary.not_judged.iter();
    not_judged.map(|it| (it.path.as_str(), it.reason.as_str(), it.failure)).collect()
}

const BROKEN: &str =
    "the kustomization cannot be rendered: there is no file or folder `missing.yaml`";

#[test]
fn a_root_that_does_not_render_closes_the_gate() {
    let verdict = judged("{}\n");
    assert_eq!(verdict.exit(), Exit::Incomplete);
    assert_eq!(reasons(&verdict), [("one", BROKEN, true), ("two", BROKEN, true)]);
    let failures: Vec<_> = verdict.failures.iter().map(|it| it.reason.as_str()).collect();
    assert_eq!(
        failures,
        [
            "cannot render `one`: there is no file or folder `missing.yaml`",
            "cannot render `two`: there is no file or folder `missing.yaml`",
        ]
    );
}

#[test]
fn an_external_entry_settles_the_roots_that_it_names_and_no_others() {
    let verdict = judged("external:\n- paths: [one]\n  reason: made elsewhere\n");
    assert_eq!(verdict.exit(), Exit::Incomplete);
    assert_eq!(
        reasons(&verdict),
        [("one", "external: made elsewhere", false), ("two", BROKEN, true)]
    );
    let verdict = judged("external:\n- paths: [one, two]\n  reason: made elsewhere\n");
    assert_eq!(verdict.exit(), Exit::Passed);
    assert_eq!(verdict.failures, []);
}

#[test]
fn a_refused_configuration_closes_the_gate_and_judges_nothing() {
    let verdict = judged("external:\n- paths: [one]\n");
    assert_eq!(verdict.exit(), Exit::Incomplete);
    assert_eq!(verdict.summary.objects, 0);
    let reasons: Vec<_> = verdict.failures.iter().map(|it| it.reason.as_str()).collect();
    assert_eq!(reasons, ["the configuration is refused: the key `reason` is missing"]);
}
