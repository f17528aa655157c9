//! What the flags of `check` do.

use crate::gate::{BOTH, ESCALATE, FILES, GOOD, Gate, WRONG_TYPE, check};

#[test]
fn without_a_path_the_working_directory_is_judged() {
    let run = check(FILES).run();
    assert_eq!(run.findings(), BOTH);
    assert_eq!(run.code, Some(1));
    assert_eq!(run.stderr, "");
}

#[test]
fn a_path_narrows_what_is_judged() {
    let run = check(FILES).args(["role.yaml"]).run();
    assert_eq!(run.findings(), BOTH[..1]);
    assert_eq!(run.json()["summary"]["files"], 1);
}

#[test]
fn a_path_that_does_not_exist_is_refused() {
    check([])
        .args(["nope"])
        .run()
        .refuses("`nope` does not exist: give the path of a file or folder of the repository");
}

#[test]
fn only_takes_rules_and_categories() {
    assert_eq!(check(FILES).args(["--only", "rbac"]).run().findings(), BOTH[..1]);
    assert_eq!(check(FILES).args(["--only", "schema/wrong-type"]).run().findings(), BOTH[1..]);
    let both = check(FILES).args(["--only", "rbac,schema/wrong-type"]).run();
    assert_eq!(both.findings(), BOTH);
    let none = check(FILES).args(["--only", "secrets"]).run();
    assert_eq!((none.findings().len(), none.code), (0, Some(0)));
}

#[test]
fn skip_leaves_rules_and_categories_out() {
    assert_eq!(check(FILES).args(["--skip", "rbac"]).run().findings(), BOTH[1..]);
    let none = check(FILES).args(["--skip", "rbac/escalate-verb", "--skip", "schema"]).run();
    assert_eq!((none.findings().len(), none.code), (0, Some(0)));
}

#[test]
fn only_and_skip_refuse_what_is_no_rule() {
    let run = check(FILES).args(["--only", "rbac/escalate-verbs"]).run();
    run.refuses(
        "there is no rule or category `rbac/escalate-verbs`; did you mean `rbac/escalate-verb`?",
    );
    let run = check(FILES).args(["--skip", "shema"]).run();
    run.refuses("there is no rule or category `shema`; did you mean `schema`?");
}

#[test]
fn kubernetes_decides_which_kinds_there_are() {
    let cron = "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: a}\nspec:\n  \
        schedule: '@daily'\n  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, \
        containers: [{name: a, image: 'a:1'}]}}}}\n";
    let old = check([("cron.yaml", cron)]).args(["--kubernetes", "1.24"]).run();
    assert_eq!(old.findings(), ["schema/deprecated-kind cron.yaml:1:13"]);
    assert_eq!(old.code, Some(0));
    let new = check([("cron.yaml", cron)]).args(["--kubernetes", "v1.25.3"]).run();
    assert_eq!(new.findings(), ["schema/unknown-kind cron.yaml:1:13"]);
}

#[test]
fn a_version_that_is_not_known_is_refused() {
    let run = check(FILES).args(["--kubernetes", "1.4"]).run();
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    let message = "error: Kubernetes 1.4 is not known: this program knows 1.11, ";
    assert!(run.stderr.starts_with(message), "{}", run.stderr);
    check(FILES).args(["--kubernetes", "latest"]).run().refuses(
        "invalid value 'latest' for '--kubernetes <VERSION>': `latest` is not a Kubernetes \
         version: write a minor version such as `1.37`",
    );
}

#[test]
fn environment_narrows_what_is_judged() {
    let files = [("envs/dev/role.yaml", ESCALATE), ("envs/prod/settings.yaml", WRONG_TYPE)];
    let all = check(files).run();
    assert_eq!(all.findings().len(), 2);
    let prod = check(files).args(["--environment", "prod"]).run();
    assert_eq!(prod.findings(), ["schema/wrong-type envs/prod/settings.yaml:6:12"]);
    assert_eq!(prod.json()["findings"][0]["environments"], serde_json::json!(["prod"]));
}

#[test]
fn an_environment_that_is_not_known_is_refused() {
    let files = [("envs/dev/a.yaml", GOOD), ("envs/prod/a.yaml", GOOD)];
    check(files)
        .args(["--environment", "stage"])
        .run()
        .refuses("there is no environment `stage` here: there are dev, prod");
    check([("a.yaml", GOOD)]).args(["--environment", "prod"]).run().refuses(
        "there is no environment `prod` here: no environment is known; name them in \
         `tidewaiter.yaml`",
    );
}

#[test]
fn a_day_that_does_not_exist_is_refused() {
    check(FILES).args(["--now", "2025-02-29"]).run().refuses(
        "invalid value '2025-02-29' for '--now <DATE>': `2025-02-29` is not a day: write it as \
         YYYY-MM-DD",
    );
    assert_eq!(check(FILES).args(["--now", "2024-02-29"]).run().findings(), BOTH);
}

#[test]
fn threads_are_at_least_one() {
    let run = check(FILES).args(["--threads", "0"]).run();
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(run.stderr.contains("'--threads <NUMBER>'"), "{}", run.stderr);
    assert_eq!(check(FILES).args(["--threads", "1"]).run().findings(), BOTH);
}

#[test]
fn a_command_that_does_not_exist_is_refused() {
    let run = Gate::new().args(["chek"]).run();
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(run.stderr.contains("a similar subcommand exists: 'check'"), "{}", run.stderr);
}
