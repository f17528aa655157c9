//! Nothing that a change holds is run by a shell or obeyed by the runner.

use std::path::PathBuf;

use serde_json::json;

use crate::runner::{Job, Outcome};

/// What an attacker writes wherever there is room.
const HOSTILE: &[&str] = &[
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned #",
    "\"; touch pwned; \"",
    "'; touch pwned; '",
    "a\n::error file=a::pwned\n::set-output name=denied::0",
    "a\r::stop-commands::x\r::add-mask::a",
    "%0A::set-output name=denied::0",
    "EOF\ndenied=0\nexit-code<<EOF\n0\nEOF",
    "##[set-env name=PATH;]pwned",
    "-rf",
    "--config=evil",
    "\u{1b}]0;pwned\u{7}",
    "${{ github.token }}",
    "@org/team <script>alert(1)</script> | [x](https://evil.example)",
];

/// A `ConfigMap` with two defects whose text is hostile, which the report for people shows.
fn manifest(text: &str) -> String {
    // JSON strings are YAML strings.
    let quoted = json!(text).to_string();
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {quoted}\ndata:\n  {quoted}: 3\n\
         {quoted}: 1\n"
    )
}

fn assert_untouched(outcome: &Outcome, what: &str) {
    assert_eq!(outcome.named("pwned"), Vec::<PathBuf>::new(), "{what}");
    for command in &outcome.commands {
        let known =
            ["::error file=", "::error title=", "::warning file=", "::notice title=Tidewaiter::"];
        assert!(known.iter().any(|it| command.starts_with(it)), "{what}: {command}");
        let head = command.strip_prefix("::").unwrap().split_once("::").unwrap().0;
        assert!(!head.contains("::") && !command.contains('\u{1b}'), "{what}: {command}");
    }
    assert!(!outcome.log.contains('\u{1b}'), "{what}");
    assert_eq!(outcome.output("denied"), outcome.report("json")["summary"]["denied"].to_string());
    assert_eq!(outcome.output("exit-code"), outcome.code.to_string());
    for sign in ["<script", "@org/team <", "](https"] {
        let bare = outcome.summary.replace("<code>", "\u{1}").replace("</code>", "\u{2}");
        let outside: String =
            bare.split('\u{1}').map(|it| it.rsplit('\u{2}').next().unwrap()).collect();
        assert!(!outside.contains(sign), "{what}: {sign}");
    }
}

#[test]
fn branches_and_titles_are_data() {
    for text in HOSTILE {
        let outcome = Job::new()
            .file("a.yaml", &manifest("a"))
            .pull_request(&json!({"full_name": text}))
            .written(text)
            .variable("GITHUB_ACTOR", text)
            .run();
        assert_eq!(outcome.code, 1, "{text}: {}", outcome.log);
        assert_untouched(&outcome, text);
        assert_eq!(outcome.output("can-upload"), "false", "{text}");
    }
}

#[test]
fn names_and_contents_of_files_are_data() {
    let mut job = Job::new();
    for (n, text) in HOSTILE.iter().enumerate() {
        let name = text.replace('/', "-");
        job = job.file(&format!("{name}.yaml"), &manifest(text));
        job = job.file(&format!("{n}{name}/b.yaml"), &manifest(text));
        job = job.file(
            &format!("{n}-{name}/kustomization.yaml"),
            &format!("resources: [{}]\n", json!(text)),
        );
    }
    let outcome = job.run();
    assert_eq!(outcome.code, 1, "{}", outcome.log);
    assert_untouched(&outcome, "files");
    let denied: usize = outcome.output("denied").parse().unwrap();
    assert!(denied >= HOSTILE.len() * 2, "{denied} of the files were judged");
}

#[test]
fn paths_that_a_workflow_takes_from_a_change_are_data() {
    for text in HOSTILE.iter().filter(|it| !it.contains(['\n', '\r'])) {
        let name = format!("{}.yaml", text.replace('/', "-"));
        let outcome = Job::new().file(&name, &manifest("a")).input("path", &name).run();
        assert_eq!(outcome.code, 1, "{text}: {}", outcome.log);
        assert_untouched(&outcome, text);
        assert_eq!(outcome.report("json")["summary"]["files"], 1, "{text}");
    }
}

#[test]
fn programs_and_settings_in_the_workspace_are_not_run() {
    let script = "#!/bin/sh\ntouch pwned\n";
    let mut job = Job::new().file("a.yaml", &manifest("a"));
    for name in
        ["tidewaiter", "bash", "curl", "cargo", "tar", "cat", "sed", "git", ".bashrc", ".profile"]
    {
        job = job.file(name, script);
    }
    job = job.file(".cargo/config.toml", "[build]\nrustc-wrapper = \"./cargo\"\n");
    job = job.file("action/lib.sh", "touch pwned\n");
    let outcome = job.run();
    assert_untouched(&outcome, "programs");
    assert_eq!(outcome.code, 1);
}
