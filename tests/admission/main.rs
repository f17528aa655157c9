//! AdmissionReviews and their answers: what API servers have really sent, and every shape besides.
//!
//! `captures-*.jsonl` hold requests of real API servers, one a line: the `step` that caused it, the
//! `review`, and the answer to `expect`. `denied` is what a cluster of any environment denies,
//! `production` what one of production denies besides.

#![expect(
    clippy::disallowed_methods,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "test code, which runs the program"
)]

mod answers;
mod ask;
mod captures;
mod command;
mod large;
mod operations;
mod shapes;
