//! The gate in front of a real kube-apiserver and etcd: what a client of the API sees.
//!
//! `tests/e2e/run` builds the servers and runs every case. Without it this target does nothing, and
//! says so.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test, and the runner of its cases"
)]

mod cases;
mod client;
#[expect(dead_code, reason = "the tool that compares verdicts uses the rest")]
mod cluster;
mod gate;
mod process;
#[path = "../serve/client.rs"]
#[expect(dead_code, reason = "the tests of the webhook use the rest")]
mod tls;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;

use cases::{CASES, World};

fn main() -> ExitCode {
    let tools = std::env::var_os("TIDEWAITER_E2E");
    // What test runners ask of every target.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|it| it == "--list") {
        return ExitCode::SUCCESS;
    }
    let Some(tools) = tools else {
        println!(
            "\n!!! SKIPPED: the gate in front of a real API server. `tests/e2e/run` builds \
             kube-apiserver and etcd (needs Go) and runs {} cases.\n",
            CASES.len()
        );
        return ExitCode::SUCCESS;
    };
    let wanted = arguments.iter().find(|it| !it.starts_with('-'));
    let folder = tempfile::Builder::new().prefix("tidewaiter-e2e-").tempdir().unwrap();
    println!("\nrunning {} cases", CASES.len());
    let furnished = catch_unwind(|| World::new(Path::new(&tools), folder.path()));
    let Ok(mut world) = furnished else {
        println!("the servers did not start; their logs are in {}", folder.keep().display());
        return ExitCode::FAILURE;
    };
    let (mut passed, mut failed, mut skipped) = (0, Vec::new(), 0);
    for (name, case) in CASES {
        if wanted.is_some_and(|wanted| !name.contains(wanted.as_str())) {
            skipped += 1;
            continue;
        }
        // A case that fails leaves the world to those after it.
        let result = catch_unwind(AssertUnwindSafe(|| case(&mut world)));
        println!("case {name} ... {}", if result.is_ok() { "ok" } else { "FAILED" });
        if result.is_ok() { passed += 1 } else { failed.push(*name) }
    }
    println!("\n{passed} passed, {} failed, {skipped} skipped", failed.len());
    if failed.is_empty() && passed > 0 {
        return ExitCode::SUCCESS;
    }
    println!("failed: {}", failed.join(", "));
    drop(world);
    println!("the logs of the servers are in {}", folder.keep().display());
    ExitCode::FAILURE
}
