//! `action.yml`: what it installs, what it hands to the runner, and that nothing of a change is
//! ever run or obeyed.

#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::format_push_string,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "runs the scripts of the action, which need the operating system; helpers fail by panicking"
)]

mod injection;
mod install;
mod reports;
mod runner;
mod surface;
