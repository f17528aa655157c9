//! The command `tidewaiter review`: its input, its flags, its exit codes.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::ask::{causes, config_map, create, good_pod, host_network, review, review_in};

/// Returns a review with a uid.
fn asked(uid: &str, object: Value) -> Value {
    let mut review = create(object);
    review["request"]["uid"] = json!(uid);
    review
}

/// Returns the uid and the code of each answer; 200 where it is allowed.
fn told(answers: &[Value]) -> Vec<(String, u64)> {
    answers
        .iter()
        .map(|it| {
            let response = &it["response"];
            let code = response["status"]["code"].as_u64().unwrap_or(200);
            assert_eq!(response["allowed"], code == 200);
            (response["uid"].as_str().unwrap().to_owned(), code)
        })
        .collect()
}

fn expected(answers: &[(&str, u64)]) -> Vec<(String, u64)> {
    answers.iter().map(|(uid, code)| ((*uid).to_owned(), *code)).collect()
}

#[test]
fn exit_codes_say_allowed_denied_or_not_judged() {
    let good = asked("g", good_pod()).to_string();
    let bad = asked("b", host_network()).to_string();
    let broken = "{\"request\": {\"uid\": \"x\"";
    for (text, code) in [
        (good.clone(), 0),
        (bad.clone(), 1),
        (format!("{good}\n{bad}"), 1),
        (broken.to_owned(), 2),
        (format!("{good}\n{broken}"), 2),
        // What is denied is worse than what is not known.
        (format!("{bad}\n{broken}"), 1),
        (format!("{good}\n{{}}\n{bad}"), 1),
        ("{}".to_owned(), 2),
    ] {
        let run = review(&[], &text);
        assert_eq!(run.code, Some(code), "{text}: {run:?}");
    }
}

#[test]
fn without_a_review_nothing_is_answered() {
    for text in ["", "\n \n", "---\n# nothing\n---\n"] {
        let run = review(&[], text);
        assert_eq!((run.code, &*run.stdout), (Some(2), ""), "{text:?}");
        assert_eq!(run.stderr, "error: standard input holds no AdmissionReview\n");
    }
}

#[test]
fn broken_json_lines_between_good_ones_are_answered_in_their_order() {
    let good = |uid| asked(uid, good_pod()).to_string();
    let bad = asked("2", host_network()).to_string();
    let mut wrong = asked("4", good_pod());
    wrong["request"]["operation"] = json!("GUESS");
    let text = [
        good("1"),
        bad,
        "{\"request\": {\"uid\": \"3\", \"operation\": CREATE}}".to_owned(),
        wrong.to_string(),
        "{oops}".to_owned(),
        good("6"),
    ];
    let run = review(&[], text.join("\n"));
    assert_eq!(
        told(&run.answers()),
        expected(&[("1", 200), ("2", 403), ("3", 400), ("4", 400), ("", 400), ("6", 200)])
    );
    assert_eq!(run.code, Some(1));
    assert_eq!(
        run.stderr,
        "error: <stdin>:5:2: the AdmissionReview cannot be read: a key in double quotes is \
         expected here\n",
        "only what nobody can be answered for is told"
    );
}

#[test]
fn broken_pretty_json_between_good_ones_is_answered_in_its_order() {
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    let good = |uid| pretty(&asked(uid, good_pod()));
    let broken = pretty(&asked("2", host_network())).replace("\"CREATE\"", "CREATE");
    let text = [good("1"), broken, good("3")].join("\n");
    let run = review(&[], text);
    let answers = told(&run.answers());
    assert_eq!((answers[0].clone(), answers[2].clone()), (("1".into(), 200), ("3".into(), 200)));
    // A uid that comes after the place where reading ends is not known, and is not guessed.
    assert_eq!((answers.len(), answers[1].1), (3, 400));
    assert_eq!(run.code, Some(2));
}

#[test]
fn broken_yaml_documents_between_good_ones_are_answered_in_their_order() {
    let document = |uid: &str, more: &str| {
        format!(
            "apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\nrequest:\n  uid: {uid}\n  \
             operation: CREATE\n  userInfo: {{username: alice}}\n{more}  object:\n    apiVersion: \
             v1\n    kind: ConfigMap\n    metadata: {{name: a, namespace: apps}}\n"
        )
    };
    let text = [
        document("one", ""),
        "request:\n  uid: two\n  operation: [\n".to_owned(),
        document("three", "  dryRun: maybe\n"),
        "just text\n".to_owned(),
        document("five", ""),
    ];
    let run = review(&[], text.join("---\n"));
    let answers = told(&run.answers());
    let codes: Vec<u64> = answers.iter().map(|it| it.1).collect();
    assert_eq!(codes, [200, 400, 400, 400, 200], "{run:?}");
    assert_eq!((&*answers[0].0, &*answers[2].0, &*answers[4].0), ("one", "three", "five"));
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("<stdin>:"), "{}", run.stderr);
}

#[test]
fn only_and_skip_choose_the_rules() {
    let mut pod = host_network();
    pod["spec"]["hostPID"] = json!(true);
    let text = create(pod).to_string();
    let network = ("pod-security/host-network".to_owned(), "spec.hostNetwork".to_owned());
    let processes = ("pod-security/host-pid".to_owned(), "spec.hostPID".to_owned());
    for (arguments, denied) in [
        (&[][..], vec![network.clone(), processes.clone()]),
        (&["--only", "pod-security/host-pid"], vec![processes.clone()]),
        (&["--skip", "pod-security/host-pid"], vec![network]),
        (&["--only", "pod-security", "--skip", "pod-security/host-network"], vec![processes]),
        (&["--skip", "pod-security"], vec![]),
        (&["--only", "schema,rbac"], vec![]),
    ] {
        let run = review(arguments, &text);
        let mut found = causes(&run.answers()[0]);
        found.sort();
        assert_eq!(found, denied, "{arguments:?}");
        assert_eq!(run.code, Some(i32::from(!denied.is_empty())), "{arguments:?}");
    }
    let run = review(&["--only", "pod-security/host-netwrk"], &text);
    assert_eq!((run.code, &*run.stdout), (Some(2), ""));
    assert!(run.stderr.contains("pod-security/host-network"), "{}", run.stderr);
}

#[test]
fn the_kubernetes_version_decides_about_fields() {
    let mut pod = good_pod();
    pod["spec"]["hostUsers"] = json!(false);
    pod["spec"]["resources"] = json!({"requests": {"cpu": "100m"}});
    let text = create(pod).to_string();
    let field = ("schema/unknown-field".to_owned(), "spec.resources".to_owned());
    for (version, denied) in [("1.37", vec![]), ("1.30", vec![field])] {
        let run = review(&["--kubernetes", version], &text);
        assert_eq!(causes(&run.answers()[0]), denied, "{version}: {run:?}");
    }
    let run = review(&["--kubernetes", "1.5"], &text);
    assert_eq!((run.code, &*run.stdout), (Some(2), ""));
    assert!(run.stderr.starts_with("error: Kubernetes 1.5 is not known: "), "{}", run.stderr);
}

#[test]
fn an_environment_that_nobody_knows_is_an_error() {
    let folder = TempDir::new().unwrap();
    let text = create(good_pod()).to_string();
    // Without a list of environments every name is one.
    let run = review_in(folder.path(), &["--environment", "anything"], &text);
    assert_eq!(run.code, Some(0), "{run:?}");
    fs::write(
        folder.path().join("tidewaiter.yaml"),
        "environments:\n  - name: staging\n    paths: [clusters/staging]\n  - name: \
         prod\n    tier: production\n    paths: [clusters/prod]\n",
    )
    .unwrap();
    let run = |name: &str| {
        review_in(folder.path(), &["--config", "tidewaiter.yaml", "--environment", name], &text)
    };
    assert_eq!(run("prod").code, Some(0), "{:?}", run("prod"));
    let wrong = run("pord");
    assert_eq!((wrong.code, &*wrong.stdout), (Some(2), ""));
    assert_eq!(
        wrong.stderr,
        "error: there is no environment `pord` here: there are prod, staging\n"
    );
}

#[test]
fn errors_of_the_configuration_have_a_line_and_a_column() {
    let folder = TempDir::new().unwrap();
    let text = create(good_pod()).to_string();
    let run = |config: &str| {
        fs::write(folder.path().join("c.yaml"), config).unwrap();
        review_in(folder.path(), &["--config", "c.yaml"], &text)
    };
    for (config, place) in [
        ("enforcement:\n  - rules: [rbac/bind-verbs]\n    set: warn\n", "2:13"),
        ("enforcement:\n  - rules: [rbac]\n    set: maybe\n", "3:10"),
        ("external: []\nruls: {}\n", "2:1"),
        ("enforcement: [\n", "1:14"),
        ("external: []\n---\nexternal: []\n", ":1"),
    ] {
        let run = run(config);
        assert_eq!((run.code, &*run.stdout), (Some(2), ""), "{config}");
        let told = &run.stderr;
        assert!(told.starts_with("error: "), "{config}{told}");
        assert!(told.contains("c.yaml") && told.contains(&format!("{place}: ")), "{config}{told}");
    }
    let run = review_in(folder.path(), &["--config", "missing.yaml"], &text);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("missing.yaml"), "{}", run.stderr);
}

#[test]
fn a_configuration_lying_about_is_not_read() {
    // A gate is configured by who starts it, not by the folder that it happens to stand in.
    let folder = TempDir::new().unwrap();
    let config = "enforcement:\n  - {rules: [pod-security], set: off}\n";
    fs::write(folder.path().join("tidewaiter.yaml"), config).unwrap();
    let text = create(host_network()).to_string();
    assert_eq!(review_in(folder.path(), &[], &text).code, Some(1));
    assert_eq!(review_in(folder.path(), &["--config", "tidewaiter.yaml"], &text).code, Some(0));
}

#[test]
fn answers_are_the_same_however_often_and_in_whatever_company() {
    let reviews: Vec<Value> = (0..40)
        .map(|index| {
            let object = if index % 3 == 0 { host_network() } else { config_map("a") };
            asked(&index.to_string(), object)
        })
        .collect();
    let lines: Vec<String> = reviews.iter().map(ToString::to_string).collect();
    let together = review(&[], lines.join("\n"));
    assert_eq!(together.stdout, review(&[], lines.join("")).stdout);
    let alone: String = lines.iter().take(4).map(|line| review(&[], line).stdout).collect();
    assert!(together.stdout.starts_with(&alone));
    let uids: Vec<String> = told(&together.answers()).into_iter().map(|it| it.0).collect();
    assert_eq!(uids, (0..40).map(|it| it.to_string()).collect::<Vec<_>>());
}
