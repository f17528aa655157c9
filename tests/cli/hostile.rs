//! Repositories that mean harm.

use std::fmt::Write as _;

use crate::gate::{ESCALATE, GOOD, Gate, WRONG_TYPE, check};

#[cfg(unix)]
#[test]
fn a_file_name_cannot_write_to_the_terminal_or_forge_lines() {
    let name = "a\n::error::\x1b[31mfake\u{202e}.yaml";
    let gate = Gate::new().repo([(name, ESCALATE)]).args(["check", "--color", "never"]);
    let run = gate.run();
    assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""));
    assert!(!run.stdout.contains(['\x1b', '\u{202e}']), "{}", run.stdout);
    assert!(!run.stdout.lines().any(|line| line.trim_start().starts_with("::")), "{}", run.stdout);
    let run = check([(name, ESCALATE)]).run();
    assert_eq!(run.findings(), [format!("rbac/escalate-verb {name}:8:13")]);
}

#[cfg(unix)]
#[test]
fn links_out_of_the_repository_are_not_followed() {
    let outside = Gate::new().repo([("secret.yaml", WRONG_TYPE)]);
    let secret = outside.path().join("secret.yaml");
    let gate =
        check([("a.yaml", GOOD), ("k/kustomization.yaml", "resources: [../up/secret.yaml]\n")]);
    std::os::unix::fs::symlink(&secret, gate.path().join("absolute.yaml")).unwrap();
    let folder = outside.path().file_name().unwrap().to_str().unwrap();
    std::os::unix::fs::symlink(format!("../{folder}"), gate.path().join("up")).unwrap();
    let run = gate.run();
    assert!(!run.stdout.contains("retries"), "{}", run.stdout);
    assert_eq!((run.findings().len(), run.code), (0, Some(2)), "{run:?}");
}

#[test]
fn references_out_of_the_repository_are_not_followed() {
    let files = [("k/kustomization.yaml", "resources: [../../../../../../../etc/passwd]\n")];
    let run = check(files).run();
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(!run.stdout.contains("root:"), "{}", run.stdout);
}

#[test]
fn deep_nesting_is_refused() {
    let deep = format!("{GOOD}data: {}{}\n", "[".repeat(100_000), "]".repeat(100_000));
    let run = check([("deep.yaml", deep.as_str())]).run();
    assert_eq!(run.code, Some(1));
    assert_eq!(run.findings().len(), 1);
    assert!(run.findings()[0].starts_with("yaml/limit-exceeded deep.yaml:5:"), "{run:?}");
}

#[test]
fn aliases_that_multiply_are_refused() {
    let mut bomb = format!("{GOOD}a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{items}]").unwrap();
    }
    let run = check([("bomb.yaml", bomb.as_str())]).run();
    assert_eq!(run.code, Some(1));
    assert_eq!(run.findings().len(), 1);
    assert!(run.findings()[0].starts_with("yaml/limit-exceeded bomb.yaml:"), "{run:?}");
}

#[test]
fn a_kind_with_a_space_is_no_way_around_the_rules() {
    let pod = "apiVersion: v1\nkind: \"Pod \"\nmetadata: {name: a}\nspec:\n  hostPID: true\n";
    let run = check([("pod.yaml", pod)]).run();
    assert_eq!(run.findings(), ["schema/unknown-kind pod.yaml:2:7"]);
    assert_eq!(run.code, Some(1));
}

#[test]
fn kustomizations_that_build_on_each_other_end() {
    let run = check([
        ("a/kustomization.yaml", "resources: [../b]\n"),
        ("b/kustomization.yaml", "resources: [../a]\n"),
    ])
    .run();
    assert_eq!(run.code, Some(2), "{run:?}");
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let gate = check([]);
    std::fs::write(gate.path().join("a.yaml"), b"apiVersion: v1\nkind: \xff\xfe\n").unwrap();
    let run = gate.run();
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.findings()[0].starts_with("yaml/invalid-encoding a.yaml:2:"), "{run:?}");
}
