//! kustomize itself, as a program.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// A program that takes the arguments of `kustomize`.
#[derive(Debug)]
pub(crate) struct Kustomize {
    program: OsString,
}

impl Kustomize {
    pub(crate) fn new(program: OsString) -> Self {
        Self { program }
    }

    /// Builds a folder, with files of anywhere allowed: its output, or the last line of its error.
    pub(crate) fn build(&self, folder: &Path) -> Result<String, String> {
        #[expect(clippy::disallowed_methods, reason = "the program is the one that is asked")]
        let output = Command::new(&self.program)
            .args(["build", "--load-restrictor", "LoadRestrictionsNone"])
            .arg(folder)
            .output()
            .unwrap_or_else(|error| panic!("{} does not run: {error}", self.program.display()));
        if output.status.success() {
            return Ok(String::from_utf8(output.stdout).unwrap());
        }
        let error = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = error.lines().filter(|line| !line.starts_with("# ")).collect();
        Err(lines.join(" ").trim_start_matches("Error: ").trim().to_owned())
    }
}
