//! One rule set at every door: what `check` finds in an object, `review` and `serve` find too.
//!
//! The objects are those of `examples/fleet`, rendered for each environment, and of `sample/`. Each
//! is judged as it stands, and as an API server would ask about it. What may differ is listed in
//! `differences.rs` and in `docs/parity.md`, and nothing else may.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking"
)]

mod apiserver;
#[path = "../serve/client.rs"]
#[expect(dead_code, reason = "the tests of the webhook use the rest")]
mod client;
mod differences;
mod doors;
#[path = "../serve/fixture.rs"]
#[expect(dead_code, reason = "the tests of the webhook use the rest")]
mod fixture;
mod fleet;
mod golden;
mod sample;
