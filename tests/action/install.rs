//! Which program is installed.

use crate::runner::{COMMIT, Job, Outcome, RELEASE};

fn job() -> Job {
    Job::new().file("good.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: good\n")
}

/// Asserts that the release was installed, and nothing built.
fn assert_released(outcome: &Outcome) {
    assert_eq!(outcome.code, 0, "{}", outcome.log);
    assert_eq!(outcome.named("release"), Vec::<std::path::PathBuf>::new());
    let calls = outcome.calls();
    assert!(!calls.contains("cargo"), "{calls}");
    assert!(calls.contains(&format!("/releases/download/{RELEASE}/SHA256SUMS\n")), "{calls}");
}

/// Asserts that the action's own checkout was built, from within it.
fn assert_built(outcome: &Outcome) {
    assert_eq!(outcome.code, 0, "{}", outcome.log);
    let calls = outcome.calls();
    let build = calls.lines().find(|it| it.starts_with("cargo build --locked --release ")).unwrap();
    assert!(build.ends_with("/action"), "{build}");
}

#[test]
fn a_tag_installs_its_release() {
    assert_released(&job().run());
}

#[test]
fn a_moving_tag_installs_the_release_that_it_points_at() {
    let major = RELEASE.split('.').next().unwrap();
    assert_released(&job().uses("tidewaiter/tidewaiter", major).run());
    assert_built(&job().uses("tidewaiter/tidewaiter", "v999").run());
}

#[test]
fn a_commit_installs_the_release_only_if_that_was_built_from_it() {
    assert_released(&job().uses("tidewaiter/tidewaiter", COMMIT).run());
    let other = "f".repeat(40);
    let outcome = job().uses("tidewaiter/tidewaiter", &other).run();
    assert_built(&outcome);
    assert!(outcome.log.contains("was built from another commit"), "{}", outcome.log);
}

#[test]
fn a_branch_and_a_folder_are_built() {
    for (repository, action_ref) in [("tidewaiter/tidewaiter", "main"), ("", "")] {
        let outcome = job().uses(repository, action_ref).run();
        assert_built(&outcome);
        assert!(!outcome.calls().contains("curl"), "{}", outcome.calls());
    }
}

#[test]
fn without_a_release_the_checkout_is_built() {
    assert_built(&job().unreleased().run());
    assert_built(&job().unlisted().run());
    assert_built(&job().without("curl").run());
    let arm = job().variable("RUNNER_ARCH", "ARM").run();
    assert_built(&arm);
    assert!(arm.log.contains("there is no release for Linux on ARM"), "{}", arm.log);
}

#[test]
fn a_wrong_checksum_is_refused() {
    for outcome in [
        job().tampered().run(),
        job().of_commit(&"f".repeat(40)).uses("tidewaiter/tidewaiter", COMMIT).run(),
    ] {
        assert_eq!(outcome.code, 2, "{}", outcome.log);
        assert_eq!(outcome.commands.len(), 1);
        assert!(outcome.commands[0].starts_with("::error title=Tidewaiter::the checksum of `"));
        assert!(!outcome.calls().contains("cargo"));
        assert_eq!(outcome.output("exit-code"), "");
    }
}

#[test]
fn a_release_that_is_asked_for_is_installed_or_the_step_fails() {
    assert_released(&job().uses("tidewaiter/tidewaiter", "main").input("version", RELEASE).run());
    let outcome = job().input("version", "v99.0.0").run();
    assert_eq!(outcome.code, 2);
    assert!(outcome.commands[0].contains("release v99.0.0 cannot be installed"));
    assert_built(&job().input("version", "source").run());
}

#[test]
fn a_version_that_is_none_is_refused() {
    for version in
        ["latest", "v1", "v1.2.3; touch pwned", "$(touch pwned)", "../../v1.2.3", "v1.2.3\nx"]
    {
        let outcome = job().input("version", version).run();
        assert_eq!(outcome.code, 2, "{version}");
        assert_eq!(outcome.calls(), "", "{version}");
        assert_eq!(outcome.named("pwned"), Vec::<std::path::PathBuf>::new(), "{version}");
        assert_eq!(outcome.commands.len(), 1, "{version}");
    }
}

#[test]
fn only_the_release_of_the_action_is_asked_for_over_an_encrypted_line() {
    let outcome = job().run();
    for call in outcome.calls().lines() {
        assert!(call.starts_with("curl --proto =https --tlsv1.2 "), "{call}");
        let (_, url) = call.rsplit_once(' ').unwrap();
        let base =
            format!("https://github.example/tidewaiter/tidewaiter/releases/download/{RELEASE}/");
        assert!(url.starts_with(&base), "{call}");
    }
}
