//! What makes two findings the same across commits.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::Finding;
use crate::document::Step;
use crate::hex;
use crate::source::RepoPath;

/// The stable identity of a finding: 32 hexadecimal digits.
///
/// Made of the rule, the file, the object and the field; never of line numbers, messages or
/// values, so that it survives edits elsewhere in the file and gives no secret away. Findings
/// that are alike in all of these are told apart by their order in the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Computes the fingerprint of the `nth` (from 0) of the findings that are alike.
    pub fn new(finding: &Finding, path: &RepoPath, nth: usize) -> Self {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            hash.update(text.as_bytes());
            hash.update([0]);
        };
        part("v1");
        part(finding.rule.as_str());
        part(path.as_str());
        if let Some(object) = &finding.object {
            part(object.group());
            part(&object.kind);
            part(object.namespace.as_deref().unwrap_or_default());
            part(&object.name);
        }
        for step in finding.path.iter() {
            match step {
                Step::Key(key) => part(&format!(".{key}")),
                Step::Index(index) => part(&format!("[{index}]")),
            }
        }
        part(&nth.to_string());
        let mut text = hex::digits(hash.finalize());
        text.truncate(32);
        Self(text)
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
