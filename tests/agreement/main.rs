//! Holds verdicts against those of a real API server, and prints how far they agree.
//!
//! By itself it judges variants of the manifests beside it and compares with what a server said of
//! them when it was asked (`recorded.tsv`). `tests/agreement/run` asks a real server again.
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

fn main() -> ExitCode {
    // What test runners ask of every target.
    if std::env::args().any(|it| it == "--list") {
        return ExitCode::SUCCESS;
    }
    let options = table::Options::from_environment();
    let (cases, definitions) =
        match (std::env::var_os("AGREEMENT"), std::env::var_os("TIDEWAITER_E2E")) {
            (Some(folder), _) => {
                let input = cases::read(Path::new(&folder), options.verdicts.as_deref());
                (input.cases, input.definitions)
            }
            (None, Some(tools)) => {
                let (version, cases) = server::ask(Path::new(&tools), variants::variants());
                if std::env::var_os("RECORD").is_some() {
                    recorded::write(&version, &cases);
                }
                (cases, definitions())
            }
            (None, None) => (recorded::read(variants::variants()), definitions()),
        };
    assert!(!cases.is_empty(), "there are no cases");
    let judge = judge::Judge::new(options.kubernetes, &definitions);
    let table = table::Table::of(&judge, &cases, &options);
    println!("{table}");
    if table.agrees() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Returns the custom resource definitions among the manifests.
fn definitions() -> Vec<Value> {
    let manifests = variants::manifests().into_iter();
    manifests.filter(|it| it["kind"] == "CustomResourceDefinition").collect()
}
