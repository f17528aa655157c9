//! The table of formats. To add one, add a row here and its samples to the tests.
//!
//! The order within a file and of the files does not matter, but where two formats match at one
//! place the one that stands first wins: [`texts`] is last.

mod clouds;
mod forges;
mod kubernetes;
mod registries;
mod services;
mod texts;

use super::format::Format;

/// Returns all formats, the more specific ones first.
pub(super) fn all() -> impl Iterator<Item = &'static Format> {
    [
        forges::FORMATS,
        registries::FORMATS,
        clouds::FORMATS,
        services::FORMATS,
        kubernetes::FORMATS,
        texts::FORMATS,
    ]
    .into_iter()
    .flatten()
}
