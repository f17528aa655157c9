//! Objects as YAML, in the very form in which kustomize writes them.
//!
//! kustomize writes through `sigs.k8s.io/yaml`, and so through go-yaml v2: keys in natural order,
//! lists not indented, lines folded after eighty columns. What its own readers could take for
//! something else is quoted.

mod emit;
mod order;
mod scalar;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

pub(super) use self::emit::{Emitter, Lines};
use crate::document::Document;

/// Writes objects as `kubectl kustomize` does: a document each, with `---` between them.
///
/// The error of `out` is handed up as it is, so that a caller can tell a closed pipe.
pub fn write_manifests(objects: &[Document], out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::new();
    for (at, object) in objects.iter().enumerate() {
        if at > 0 {
            text.push_str("---\n");
        }
        text = Emitter::new(text, ()).document(&object.root).0;
        // One object at a time: a render may be larger than what it is made of.
        out.write_all(text.as_bytes())?;
        text.clear();
    }
    Ok(())
}
