//! Values that go into Rego and come out of it.

use crate::document::{Node, NodeKind, Scalar};

/// A value of Rego.
#[derive(Debug, Clone, PartialEq)]
pub struct Value(regorus::Value);

impl Value {
    /// Returns `null`.
    pub fn null() -> Self {
        Self(regorus::Value::Null)
    }

    /// Returns a boolean.
    pub fn bool(value: bool) -> Self {
        Self(regorus::Value::Bool(value))
    }

    /// Returns a string.
    pub fn string(text: &str) -> Self {
        Self(regorus::Value::from(text))
    }

    /// Returns an object. The last of two equal keys wins.
    pub fn object<'a>(entries: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        let mut object = regorus::Value::new_object();
        if let Ok(object) = object.as_object_mut() {
            for (key, value) in entries {
                object.insert(regorus::Value::from(key), value.0);
            }
        }
        Self(object)
    }

    /// Says whether there is no value.
    pub fn is_undefined(&self) -> bool {
        self.0 == regorus::Value::Undefined
    }

    /// Returns the string, where this is one.
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_string().ok().map(AsRef::as_ref)
    }

    /// Returns the number, where this is a whole one that is not negative.
    pub fn as_index(&self) -> Option<usize> {
        self.0.as_u64().ok().and_then(|number| usize::try_from(number).ok())
    }

    /// Returns the value of a key, where this is an object that has it.
    pub fn get(&self, key: &str) -> Option<Self> {
        self.0.as_object().ok()?.get(&regorus::Value::from(key)).cloned().map(Self)
    }

    /// Returns the keys that are strings, in order, where this is an object.
    pub fn keys(&self) -> Option<Vec<String>> {
        let object = self.0.as_object().ok()?;
        Some(
            object
                .keys_sorted()
                .filter_map(|key| key.as_string().ok())
                .map(ToString::to_string)
                .collect(),
        )
    }

    /// Returns the items of an array or a set, in order.
    pub fn items(&self) -> Option<Vec<Self>> {
        match &self.0 {
            regorus::Value::Array(items) => Some(items.iter().cloned().map(Self).collect()),
            regorus::Value::Set(items) => Some(items.iter_sorted().cloned().map(Self).collect()),
            _ => None,
        }
    }

    /// Returns the name of the type as Rego has it.
    pub fn type_name(&self) -> &'static str {
        match &self.0 {
            regorus::Value::Null => "null",
            regorus::Value::Bool(_) => "boolean",
            regorus::Value::Number(_) => "number",
            regorus::Value::String(_) => "string",
            regorus::Value::Array(_) => "array",
            regorus::Value::Set(_) => "set",
            regorus::Value::Object(_) => "object",
            regorus::Value::Undefined => "undefined",
        }
    }
}

/// Built from the tree and not from its JSON text, which `serde_json` refuses below 128 levels.
impl From<&Node> for Value {
    fn from(node: &Node) -> Self {
        fn convert(node: &Node) -> regorus::Value {
            match &node.kind {
                NodeKind::Scalar(scalar) => match scalar {
                    Scalar::Null => regorus::Value::Null,
                    Scalar::Bool(value) => regorus::Value::from(*value),
                    Scalar::Int(value) => regorus::Value::from(*value),
                    Scalar::Uint(value) => regorus::Value::from(*value),
                    Scalar::Float(value) => regorus::Value::from(*value),
                    Scalar::String(text) => regorus::Value::String(text.clone()),
                },
                NodeKind::Sequence(items) => {
                    regorus::Value::from(items.iter().map(convert).collect::<Vec<_>>())
                }
                NodeKind::Mapping(entries) => {
                    let mut object = regorus::Value::new_object();
                    if let Ok(object) = object.as_object_mut() {
                        for entry in entries {
                            let key = regorus::Value::String(entry.key.clone());
                            object.insert(key, convert(&entry.value));
                        }
                    }
                    object
                }
            }
        }
        Self(convert(node))
    }
}

impl From<regorus::Value> for Value {
    fn from(value: regorus::Value) -> Self {
        Self(value)
    }
}

impl From<Value> for regorus::Value {
    fn from(value: Value) -> Self {
        value.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Entry;
    use crate::source::{Origin, RepoPath, Source, SourceMap, Span};

    fn span() -> Span {
        let mut sources = SourceMap::default();
        Span::start_of(sources.add(Source::new(RepoPath::new("a.yaml"), Origin::File, vec![])))
    }

    #[test]
    fn a_tree_deeper_than_json_text_may_be_becomes_a_value() {
        let mut node = Node::string("deep", span());
        for _ in 0..240 {
            let kind =
                NodeKind::Mapping(vec![Entry { key: "k".into(), key_span: span(), value: node }]);
            node = Node { span: span(), kind };
        }
        let mut value = Value::from(&node);
        for _ in 0..240 {
            value = value.get("k").unwrap();
        }
        assert_eq!(value.as_str(), Some("deep"));
    }

    #[test]
    fn numbers_keep_their_value() {
        let number = |scalar| Node { span: span(), kind: NodeKind::Scalar(scalar) };
        assert_eq!(Value::from(&number(Scalar::Int(7))).as_index(), Some(7));
        assert_eq!(Value::from(&number(Scalar::Int(-1))).as_index(), None);
        assert_eq!(Value::from(&number(Scalar::Float(0.5))).as_index(), None);
        let largest = Value::from(&number(Scalar::Uint(u64::MAX)));
        assert_eq!(largest.as_index(), usize::try_from(u64::MAX).ok());
    }
}
