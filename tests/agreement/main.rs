//! Holds verdicts against those of a real API server, and prints how far they agree.
//!
//! By itself it judges variants of the manifests beside it and compares with what a server said of
//! them when it was asked (`recorded/`). `tests/agreement/run` asks a real server again.
//! `AGREEMENT=FOLDER` compares with the labelled cases of a folder instead; `CONTRIBUTING.md` says
//! what stands in them.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a tool that prints, and stops at what it cannot read"
)]

mod cases;
#[path = "../e2e/client.rs"]
#[expect(dead_code, reason = "the cases of the gate use the rest")]
mod client;
#[path = "../e2e/cluster.rs"]
#[expect(dead_code, reason = "the cases of the gate use the rest")]
mod cluster;
mod judge;
#[path = "../e2e/process.rs"]
#[expect(dead_code, reason = "the cases of the gate use the rest")]
mod process;
mod recorded;
mod server;
mod table;
#[path = "../serve/client.rs"]
#[expect(dead_code, reason = "the tests of the webhook use the rest")]
mod tls;
mod variants;

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;
use tidewaiter::environment::KubernetesVersion;

fn main() -> ExitCode {
    // What test runners ask of every target.
    if std::env::args().any(|it| it == "--list") {
        return ExitCode::SUCCESS;
    }
    let options = table::Options::from_environment();
    let mut agrees = true;
    for (kubernetes, cases, definitions) in rounds(&options) {
        assert!(!cases.is_empty(), "there are no cases");
        let judge = judge::Judge::new(kubernetes, &definitions);
        let table = table::Table::of(&judge, &cases, &options);
        println!("\nKubernetes {kubernetes}\n\n{table}");
        agrees &= table.agrees();
    }
    if agrees { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

type Round = (KubernetesVersion, Vec<cases::Case>, Vec<Value>);

/// Returns what is to be compared: the version to judge by, the cases, the custom resources.
fn rounds(options: &table::Options) -> Vec<Round> {
    if let Some(folder) = std::env::var_os("AGREEMENT") {
        let input = cases::read(Path::new(&folder), options.verdicts.as_deref());
        return vec![(options.kubernetes, input.cases, input.definitions)];
    }
    if let Some(tools) = std::env::var_os("TIDEWAITER_E2E") {
        let (version, cases) = server::ask(Path::new(&tools), variants::variants());
        if std::env::var_os("RECORD").is_some() {
            recorded::write(&version, &cases);
        }
        return vec![(version.parse().unwrap(), cases, definitions())];
    }
    let of = |version| (version, recorded::read(version, variants::variants()), definitions());
    recorded::versions().into_iter().map(of).collect()
}

/// Returns the custom resource definitions among the manifests.
fn definitions() -> Vec<Value> {
    let manifests = variants::manifests().into_iter();
    manifests.filter(|it| it["kind"] == "CustomResourceDefinition").collect()
}
