//! Holds renders against those of kustomize itself.
//!
//! By itself it renders the cases beside it and compares with what kustomize said of them when it
//! was asked; the answers stand in the cases. It also traces every value of the cases to its place.
//! `tests/kustomize/run` asks kustomize again, with `RECORD=1` to write down what it says.
//! `CORPORA=FOLDER` takes the kustomizations below a folder instead, each folder in it being a
//! repository: with `KUSTOMIZE=PROGRAM` it compares all of them, and it always traces them.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a tool that prints, and stops at what it cannot read"
)]

mod agreement;
mod case;
mod oracle;
mod origins;
mod repository;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    // What test runners ask of every target.
    if std::env::args().any(|it| it == "--list") {
        return ExitCode::SUCCESS;
    }
    let kustomize = std::env::var_os("KUSTOMIZE").map(oracle::Kustomize::new);
    let agrees = match std::env::var_os("CORPORA") {
        Some(folder) => agreement::hold(Path::new(&folder), kustomize.as_ref()),
        None => case::hold(kustomize.as_ref(), std::env::var_os("RECORD").is_some()),
    };
    if agrees { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
