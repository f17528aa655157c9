//! Bytes to spanned trees, as Kubernetes reads them.
//!
//! Loading never fails on content: a text that cannot be read gives [`Problem`]s with their
//! places, beside the documents that could be read.

mod json;
mod objects;
mod problem;
mod repository;
mod yaml;

pub use json::json_value;
pub use objects::{Object, objects};
pub use problem::{Problem, ProblemKind, rules};
pub use repository::{File, Parsed, Repository};
pub(crate) use yaml::is_typed;
pub use yaml::{Dialect, Limits, parse};
