//! The webhook over real TLS connections: what an API server and worse clients get from it.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "test code"
)]

mod answers;
mod client;
mod files;
mod fixture;
mod http;
mod life;
mod limits;
mod log;
mod process;
