//! The program as it is run: one test for each flag, command and exit code.

#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code, which runs the program"
)]

mod config;
mod determinism;
mod flags;
mod flux;
mod gate;
mod help;
mod hostile;
mod kinds;
mod network;
mod outputs;
mod policies;
mod render;
mod schemas;
mod secrets;
mod stdin;
mod verdicts;
mod waivers;
