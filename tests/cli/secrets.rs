//! Secrets that a generator reads from a file.

use crate::gate::{Gate, Run, check};

/// Returns a check of a kustomization that generates from `file`, which holds a password.
fn generated(gate: Gate, generator: &str) -> Run {
    let kustomization = format!("{generator}:\n  - name: settings\n    envs: [settings.env]\n");
    // Nobody's password, put together so that no scanner takes it for one.
    let url =
        ["DATABASE_URL=postgres://ledger", ":nine-bells-at-slack", "@db.internal/x\n"].concat();
    gate.repo([("kustomization.yaml", kustomization.as_str()), ("settings.env", url.as_str())])
        .run()
}

#[test]
fn are_found_once_and_in_the_file() {
    let run = generated(check([]), "configMapGenerator");
    assert_eq!(run.findings(), ["secrets/url-password settings.env:1:32"]);
    let run = generated(check([]), "secretGenerator");
    assert_eq!(run.findings(), ["secrets/url-password settings.env:1:32"]);
}

#[test]
fn do_not_hide_the_name_of_the_file() {
    let run = generated(Gate::new().args(["check"]), "secretGenerator");
    assert!(run.stdout.contains("[settings.env:1:"), "{}", run.stdout);
    assert!(!run.stdout.contains("nine-bells"), "{}", run.stdout);
    assert_eq!(run.code, Some(1));
}
