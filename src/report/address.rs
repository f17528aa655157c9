//! Paths as addresses.

use std::fmt::Write as _;

use crate::source::RepoPath;

/// Returns a path as a relative reference (RFC 3986), every character outside of the unreserved
/// ones escaped, so that no name reads as a scheme, a query or a fragment.
pub(super) fn reference(path: &RepoPath) -> String {
    let mut out = String::with_capacity(path.as_str().len());
    for byte in path.as_str().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            // Writing to a string does not fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    // The root is a folder that is called by no name.
    if out.is_empty() { "./".to_owned() } else { out }
}
