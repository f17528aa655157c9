//! The embedded table: strings, hash-consed nodes, definitions and kinds with their minors.
//!
//! All numbers are LEB128. `src/check/schema/table.rs` reads what [`Builder::encode`] writes;
//! [`MAGIC`] changes with the format. A definition that several minors share is stored once,
//! with a mask of the minors that have it; nodes refer to definitions by number, so that a change
//! deep inside of a `PodSpec` does not touch what contains it.

use std::collections::BTreeMap;

use super::Error;
use super::lifecycles::Lifecycle;

/// The first bytes of the table.
const MAGIC: &[u8] = b"TWSCHEMA2";

/// Where an object of a kind lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Namespaced = 1,
    Cluster = 2,
    Subresource = 3,
}

/// A schema; other nodes, definitions and strings by number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    Any,
    Boolean,
    /// 0: any, 32 or 64 bits.
    Integer(u32),
    Number,
    /// Any, `byte` or `date-time`; the values, none for any.
    String(Format, Vec<u32>),
    IntOrString,
    Quantity,
    /// An object without declared fields.
    Open,
    /// The items, what tells them apart, and the fields that do so, each with its default.
    List(u32, Items, Vec<(u32, Option<u32>)>),
    Map(u32),
    /// Field, node, required.
    Object(Vec<(u32, u32, bool)>),
    Definition(u32),
    /// What the server decodes and does not validate.
    Decoded(u32),
    /// This object, or something beside it, read by a decoder that is not strict.
    Or(Beside, u32),
}

/// What may stand where a JSON schema may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Beside {
    /// A list of JSON schemas.
    Schemas = 0,
    /// A boolean.
    Boolean = 1,
    /// A list of strings.
    Strings = 2,
}

/// What a string holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    Text = 0,
    Byte = 1,
    DateTime = 2,
    MicroTime = 3,
}

/// What tells the items of a list apart (`x-kubernetes-list-type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Items {
    /// Their position. Keys of such a list only help to name an item.
    Atomic = 0,
    /// Their value.
    Set = 1,
    /// Their keys.
    Map = 2,
}

/// A kind in the versions that have it.
struct Kind {
    plural: u32,
    scope: u32,
    definition: u32,
    minors: u64,
    /// 0 for none.
    deprecated: u32,
    removed: u32,
    /// Group, version and kind.
    replacement: Option<[u32; 3]>,
    /// The minors in which a server serves it only when it is told to.
    disabled: u64,
}

/// Collects definitions and kinds of all minors.
#[derive(Default)]
pub struct Builder {
    strings: BTreeMap<String, u32>,
    nodes: BTreeMap<Node, u32>,
    names: BTreeMap<String, u32>,
    definitions: BTreeMap<u32, BTreeMap<u32, u64>>,
    kinds: BTreeMap<(String, String, String), Kind>,
    minors: Vec<u32>,
}

impl Builder {
    /// Starts a minor and returns its bit.
    pub fn minor(&mut self, minor: u32) -> u64 {
        self.minors.push(minor);
        1 << (self.minors.len() - 1)
    }

    pub fn string(&mut self, text: &str) -> u32 {
        let next = number(self.strings.len());
        *self.strings.entry(text.to_owned()).or_insert(next)
    }

    pub fn node(&mut self, node: Node) -> u32 {
        let next = number(self.nodes.len());
        *self.nodes.entry(node).or_insert(next)
    }

    /// Returns the number of a definition; its body may follow later.
    pub fn definition(&mut self, name: &str) -> u32 {
        let next = number(self.names.len());
        *self.names.entry(name.to_owned()).or_insert(next)
    }

    pub fn define(&mut self, definition: u32, minor: u64, body: u32) {
        *self.definitions.entry(definition).or_default().entry(body).or_insert(0) |= minor;
    }

    pub fn kind(
        &mut self,
        (group, version, kind): (&str, &str, &str),
        place: Option<(&str, Scope)>,
        definition: u32,
        lifecycle: &Lifecycle,
        minor: u64,
        is_disabled: bool,
    ) {
        let (plural, scope) = place.map_or(("", 0), |(plural, scope)| (plural, scope as u32));
        let plural = self.string(plural);
        let key = (group.to_owned(), version.to_owned(), kind.to_owned());
        for text in [group, version, kind] {
            self.string(text);
        }
        let replacement =
            lifecycle.replacement.as_ref().map(|parts| parts.each_ref().map(|it| self.string(it)));
        let kind = self.kinds.entry(key).or_insert(Kind {
            plural,
            scope,
            definition,
            minors: 0,
            deprecated: lifecycle.deprecated,
            removed: lifecycle.removed,
            replacement,
            disabled: 0,
        });
        kind.minors |= minor;
        if is_disabled {
            kind.disabled |= minor;
        }
    }

    /// Says how much there is, in one line.
    pub fn describe(&self) -> String {
        format!(
            "{} minors, {} kinds, {} definitions, {} nodes, {} strings",
            self.minors.len(),
            self.kinds.len(),
            self.definitions.len(),
            self.nodes.len(),
            self.strings.len()
        )
    }

    /// Returns the bytes of the table.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        // Strings in alphabetical order, so that fields can be found by halving.
        let mut order = vec![0; self.strings.len()];
        for (rank, &id) in self.strings.values().enumerate() {
            *order.get_mut(id as usize).ok_or("a string without a number")? = number(rank);
        }
        let string = |id: &u32| order.get(*id as usize).copied().ok_or("an unknown string");

        let mut out = MAGIC.to_vec();
        put(&mut out, number(self.strings.len()).into());
        for text in self.strings.keys() {
            put(&mut out, number(text.len()).into());
            out.extend_from_slice(text.as_bytes());
        }

        put(&mut out, number(self.minors.len()).into());
        for &minor in &self.minors {
            put(&mut out, minor.into());
        }

        let mut nodes: Vec<(&u32, &Node)> =
            self.nodes.iter().map(|(node, id)| (id, node)).collect();
        nodes.sort_by_key(|(id, _)| **id);
        put(&mut out, number(nodes.len()).into());
        for (_, node) in nodes {
            match node {
                Node::Any => out.push(0),
                Node::Boolean => out.push(1),
                Node::Integer(bits) => {
                    out.push(2);
                    put(&mut out, (*bits).into());
                }
                Node::Number => out.push(3),
                Node::String(format, values) => {
                    out.extend([4, *format as u8]);
                    put(&mut out, number(values.len()).into());
                    for value in values {
                        put(&mut out, string(value)?.into());
                    }
                }
                Node::IntOrString => out.push(5),
                Node::Quantity => out.push(6),
                Node::Open => out.push(7),
                Node::List(items, apart, keys) => {
                    out.extend([8, *apart as u8]);
                    put(&mut out, (*items).into());
                    put(&mut out, number(keys.len()).into());
                    for (key, default) in keys {
                        let packed = u64::from(string(key)?) << 1;
                        put(&mut out, packed | u64::from(default.is_some()));
                        if let Some(default) = default {
                            put(&mut out, string(default)?.into());
                        }
                    }
                }
                Node::Map(values) => {
                    out.push(9);
                    put(&mut out, (*values).into());
                }
                Node::Object(fields) => {
                    out.push(10);
                    let mut fields: Vec<(u32, u32, bool)> = fields
                        .iter()
                        .map(|(name, node, required)| Ok((string(name)?, *node, *required)))
                        .collect::<Result<_, &str>>()?;
                    fields.sort_unstable();
                    put(&mut out, number(fields.len()).into());
                    for (name, node, required) in fields {
                        put(&mut out, name.into());
                        put(&mut out, u64::from(node) << 1 | u64::from(required));
                    }
                }
                Node::Definition(definition) => {
                    out.push(11);
                    put(&mut out, (*definition).into());
                }
                Node::Decoded(node) => {
                    out.push(12);
                    put(&mut out, (*node).into());
                }
                Node::Or(beside, node) => {
                    out.extend([13, *beside as u8]);
                    put(&mut out, (*node).into());
                }
            }
        }

        put(&mut out, number(self.names.len()).into());
        for definition in 0..number(self.names.len()) {
            let bodies = self.definitions.get(&definition).ok_or("a definition without a body")?;
            put(&mut out, number(bodies.len()).into());
            for (body, minors) in bodies {
                put(&mut out, *minors);
                put(&mut out, (*body).into());
            }
        }

        put(&mut out, number(self.kinds.len()).into());
        for ((group, version, kind), it) in &self.kinds {
            for text in [group, version, kind] {
                let id = self.strings.get(text).ok_or("a kind without a name")?;
                put(&mut out, string(id)?.into());
            }
            put(&mut out, string(&it.plural)?.into());
            put(&mut out, it.scope.into());
            put(&mut out, it.definition.into());
            put(&mut out, it.minors);
            put(&mut out, it.disabled);
            put(&mut out, it.deprecated.into());
            put(&mut out, it.removed.into());
            match &it.replacement {
                Some(parts) => {
                    out.push(1);
                    for part in parts {
                        put(&mut out, string(part)?.into());
                    }
                }
                None => out.push(0),
            }
        }
        Ok(out)
    }
}

fn number(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
