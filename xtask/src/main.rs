//! Regenerates what Tidewaiter embeds: `cargo run --manifest-path xtask/Cargo.toml -- schemas`.
//!
//! Needs the package registries (through `pip`, `npm` and `cargo`); the program itself never does.

mod schemas;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    match (args.next().as_deref(), args.next()) {
        (Some("schemas"), None) => {
            let Some(root) = Path::new(env!("CARGO_MANIFEST_DIR")).parent() else {
                return ExitCode::FAILURE;
            };
            match schemas::generate(root) {
                Ok(()) => ExitCode::SUCCESS,
                Err(err) => {
                    eprintln!("cannot regenerate the schemas: {err}");
                    ExitCode::FAILURE
                }
            }
        }
        _ => {
            eprintln!("usage: xtask schemas");
            ExitCode::from(2)
        }
    }
}
