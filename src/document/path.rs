//! Paths of fields inside a document.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// One step of a [`FieldPath`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into a mapping, by key.
    Key(Arc<str>),
    /// Into a sequence, by position.
    Index(usize),
}

/// The part of an entry that a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The key: an unknown field.
    Key,
    /// The value: a wrong value.
    Value,
}

/// The way from the root of a document to a field.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Vec<Step>);

impl FieldPath {
    /// Returns the path of the document itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// Adds a step into a mapping.
    pub fn push_key(&mut self, key: impl Into<Arc<str>>) {
        self.0.push(Step::Key(key.into()));
    }

    /// Adds a step into a sequence.
    pub fn push_index(&mut self, index: usize) {
        self.0.push(Step::Index(index));
    }

    /// Takes the last step away.
    pub fn pop(&mut self) -> Option<Step> {
        self.0.pop()
    }

    /// Returns the path one key further down.
    #[must_use]
    pub fn key(&self, key: impl Into<Arc<str>>) -> Self {
        let mut path = self.clone();
        path.push_key(key);
        path
    }

    /// Returns the path one item further down.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut path = self.clone();
        path.push_index(index);
        path
    }
}

impl Deref for FieldPath {
    type Target = [Step];

    fn deref(&self) -> &[Step] {
        &self.0
    }
}

impl From<Vec<Step>> for FieldPath {
    fn from(steps: Vec<Step>) -> Self {
        Self(steps)
    }
}

impl<const N: usize> From<[&str; N]> for FieldPath {
    fn from(keys: [&str; N]) -> Self {
        Self(keys.into_iter().map(|key| Step::Key(key.into())).collect())
    }
}

/// Writes a path as Kubernetes does: `spec.containers[0].image`, `metadata.labels[app/name]`.
impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if key.is_empty() || key.contains(['.', '/', '[', ' ']) => {
                    write!(f, "[{key}]")?;
                }
                Step::Key(key) if at == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_as_kubernetes_writes_them() {
        let path = FieldPath::from(["spec", "containers"]).index(0).key("image");
        assert_eq!(path.to_string(), "spec.containers[0].image");
        let path = FieldPath::from(["metadata", "labels", "app.kubernetes.io/name"]);
        assert_eq!(path.to_string(), "metadata.labels[app.kubernetes.io/name]");
    }
}
