//! Regenerates what Tidewaiter embeds: `cargo run --manifest-path xtask/Cargo.toml -- schemas`.
//!
//! Needs the package registries (through `pip`, `npm`, `cargo` and `go`); the program itself never
//! does. `crds` regenerates the custom resources alone.

mod crds;
mod schemas;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    match (args.next().as_deref(), args.next()) {
        (Some(what @ ("schemas" | "crds")), None) => {
            let Some(root) = Path::new(env!("CARGO_MANIFEST_DIR")).parent() else {
                return ExitCode::FAILURE;
            };
            // The custom resources are many packages; they can be regenerated alone.
            let builtin = if what == "schemas" { schemas::generate(root) } else { Ok(()) };
            match builtin.and_then(|()| crds::generate(root)) {
                Ok(()) => ExitCode::SUCCESS,
                Err(err) => {
                    eprintln!("cannot regenerate the schemas: {err}");
                    ExitCode::FAILURE
                }
            }
        }
        _ => {
            eprintln!("usage: xtask schemas | crds");
            ExitCode::from(2)
        }
    }
}
