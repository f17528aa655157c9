//! Holds verdicts against those of a real API server, and prints how far they agree.
//!
//! `AGREEMENT=FOLDER cargo test --release --test agreement` reads every `*.jsonl` file of a folder;
//! `CONTRIBUTING.md` describes what stands in them. Without the variable it says that it is
//! skipped.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a tool that prints, and stops at what it cannot read"
)]

mod cases;
mod judge;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = std::env::var_os("AGREEMENT").map(PathBuf::from) else {
        eprintln!(
            "SKIPPED: set AGREEMENT to a folder of labelled cases to hold verdicts against them"
        );
        return ExitCode::SUCCESS;
    };
    let options = table::Options::from_environment();
    let input = cases::read(&folder, &options.verdicts);
    let judge = judge::Judge::new(options.kubernetes, &input.definitions);
    let table = table::Table::of(&judge, &input.cases, &options);
    println!("{table}");
    if table.agrees() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
