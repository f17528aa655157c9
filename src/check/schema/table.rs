//! Reads the embedded table of schemas.
//!
//! `xtask/src/schemas/table.rs` writes it and describes the format. Reading takes a fraction of a
//! millisecond: strings stay in one buffer, and nodes refer to each other by number.

use std::ops::Range;

/// The first bytes of a table, which change with the format.
const MAGIC: &[u8] = b"TWSCHEMA2";

/// Schemas of many kinds in many minors.
#[derive(Debug)]
pub(super) struct Table {
    text: String,
    /// The end of each string in `text`; strings are in alphabetical order.
    ends: Vec<u32>,
    pub(super) minors: Vec<u32>,
    nodes: Vec<Node>,
    fields: Vec<Field>,
    /// The values of enumerations.
    values: Vec<Name>,
    /// The fields that tell items of lists apart.
    keys: Vec<Key>,
    /// The bodies of each definition.
    definitions: Vec<Range<u32>>,
    bodies: Vec<Body>,
    pub(super) kinds: Vec<Kind>,
}

/// A string of a table, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name(u32);

/// A node of a table, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NodeId(u32);

#[derive(Debug, Clone)]
pub(super) enum Node {
    Any,
    Boolean,
    Integer(Bits),
    Number,
    String(Format, Range<u32>),
    IntOrString,
    Quantity,
    Open,
    List(NodeId, Items, Range<u32>),
    Map(NodeId),
    Object(Range<u32>),
    Definition(u32),
    /// What the server decodes and does not validate.
    Decoded(NodeId),
    /// This object, or something beside it, read by a decoder that is not strict.
    Or(Beside, NodeId),
}

/// What may stand where a JSON schema may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    /// A list of JSON schemas.
    Schemas,
    /// A boolean.
    Boolean,
    /// A list of strings.
    Strings,
}

/// How large an integer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bits {
    Any,
    B32,
    B64,
}

/// What a string holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    Base64,
    DateTime,
    MicroTime,
}

/// What tells the items of a list apart (`x-kubernetes-list-type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Items {
    /// Their position; keys only help to name an item.
    Atomic,
    /// Their value.
    Set,
    /// Their keys.
    Map,
}

/// A field that tells items of a list apart, and what it is where it is missing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) name: Name,
    pub(super) default: Option<Name>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) name: Name,
    /// The beginning of the name, which tells most names apart.
    pub(super) head: u64,
    pub(super) node: NodeId,
    pub(super) required: bool,
}

#[derive(Debug, Clone, Copy)]
struct Body {
    minors: u64,
    node: NodeId,
}

/// A kind, with the minors that serve it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) group: Name,
    pub(super) version: Name,
    pub(super) name: Name,
    pub(super) plural: Name,
    pub(super) scope: u32,
    pub(super) node: NodeId,
    pub(super) minors: u64,
    /// The minors in which a server serves it only when it is told to.
    pub(super) disabled: u64,
    /// The minor since which it is deprecated; 0 for none.
    pub(super) deprecated: u32,
    /// The minor since which it is no longer served; 0 for none.
    pub(super) removed: u32,
    /// Group, version and kind of what takes its place.
    pub(super) replacement: Option<[Name; 3]>,
}

/// Why bytes are not a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the embedded schemas cannot be read: {0}")]
pub(super) struct TableError(&'static str);

impl Table {
    /// Reads a table and checks that every number in it leads somewhere.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, TableError> {
        let bytes = bytes.strip_prefix(MAGIC).ok_or(TableError("unknown format"))?;
        let mut reader = Reader { bytes };

        let mut text = String::with_capacity(bytes.len() / 2);
        let strings = reader.count()?;
        let mut ends = Vec::with_capacity(strings);
        for _ in 0..strings {
            let len = reader.count()?;
            let (head, rest) = reader.bytes.split_at_checked(len).ok_or(TRUNCATED)?;
            text.push_str(str::from_utf8(head).map_err(|_| TableError("a string is not UTF-8"))?);
            ends.push(u32::try_from(text.len()).map_err(|_| TOO_LARGE)?);
            reader.bytes = rest;
        }

        let minors: Vec<u32> = reader.many(Reader::number)?;
        if minors.len() > 64 || minors.is_empty() {
            return Err(TableError("the number of minors is out of range"));
        }

        let mut table = Self {
            text,
            ends,
            minors,
            nodes: Vec::new(),
            fields: Vec::new(),
            values: Vec::new(),
            keys: Vec::new(),
            definitions: Vec::new(),
            bodies: Vec::new(),
            kinds: Vec::new(),
        };
        let nodes = reader.count()?;
        for _ in 0..nodes {
            let node = table.read_node(&mut reader)?;
            table.nodes.push(node);
        }
        for _ in 0..reader.count()? {
            let bodies =
                reader.many(|it| Ok(Body { minors: it.long()?, node: NodeId(it.number()?) }))?;
            table.definitions.push(extend(&mut table.bodies, bodies)?);
        }
        table.kinds = reader.many(|it| {
            Ok(Kind {
                group: Name(it.number()?),
                version: Name(it.number()?),
                name: Name(it.number()?),
                plural: Name(it.number()?),
                scope: it.number()?,
                node: NodeId(it.number()?),
                minors: it.long()?,
                disabled: it.long()?,
                deprecated: it.number()?,
                removed: it.number()?,
                replacement: match it.number()? {
                    0 => None,
                    _ => Some([Name(it.number()?), Name(it.number()?), Name(it.number()?)]),
                },
            })
        })?;
        table.resolve_kinds()?;
        if reader.bytes.is_empty() { table.checked() } else { Err(TableError("too many bytes")) }
    }

    fn read_node(&mut self, reader: &mut Reader<'_>) -> Result<Node, TableError> {
        Ok(match reader.number()? {
            0 => Node::Any,
            1 => Node::Boolean,
            2 => Node::Integer(match reader.number()? {
                0 => Bits::Any,
                32 => Bits::B32,
                64 => Bits::B64,
                _ => return Err(TableError("unknown size of an integer")),
            }),
            3 => Node::Number,
            4 => {
                let format = match reader.number()? {
                    0 => Format::Text,
                    1 => Format::Base64,
                    2 => Format::DateTime,
                    3 => Format::MicroTime,
                    _ => return Err(TableError("unknown format of a string")),
                };
                let values = reader.many(|it| it.number().map(Name))?;
                Node::String(format, extend(&mut self.values, values)?)
            }
            5 => Node::IntOrString,
            6 => Node::Quantity,
            7 => Node::Open,
            8 => {
                let apart = match reader.number()? {
                    0 => Items::Atomic,
                    1 => Items::Set,
                    2 => Items::Map,
                    _ => return Err(TableError("unknown type of a list")),
                };
                let items = NodeId(reader.number()?);
                let keys = reader.many(|it| {
                    let packed = it.number()?;
                    let default = if packed & 1 == 1 { Some(Name(it.number()?)) } else { None };
                    Ok(Key { name: Name(packed >> 1), default })
                })?;
                Node::List(items, apart, extend(&mut self.keys, keys)?)
            }
            9 => Node::Map(NodeId(reader.number()?)),
            10 => {
                let fields = reader.many(|it| {
                    let name = Name(it.number()?);
                    let packed = it.number()?;
                    let (node, required) = (NodeId(packed >> 1), packed & 1 == 1);
                    Ok(Field { name, head: head(self.text(name)), node, required })
                })?;
                Node::Object(extend(&mut self.fields, fields)?)
            }
            11 => Node::Definition(reader.number()?),
            12 => Node::Decoded(NodeId(reader.number()?)),
            13 => {
                let beside = match reader.number()? {
                    0 => Beside::Schemas,
                    1 => Beside::Boolean,
                    2 => Beside::Strings,
                    _ => return Err(TableError("unknown alternative")),
                };
                Node::Or(beside, NodeId(reader.number()?))
            }
            _ => return Err(TableError("unknown node")),
        })
    }

    /// Kinds name definitions; from here on they are nodes as any other.
    fn resolve_kinds(&mut self) -> Result<(), TableError> {
        for kind in &mut self.kinds {
            let node = u32::try_from(self.nodes.len()).map_err(|_| TOO_LARGE)?;
            self.nodes.push(Node::Definition(kind.node.0));
            kind.node = NodeId(node);
        }
        Ok(())
    }

    fn checked(self) -> Result<Self, TableError> {
        let node = |id: NodeId| (id.0 as usize) < self.nodes.len();
        let name = |name: Name| (name.0 as usize) < self.ends.len();
        let nodes = self.nodes.iter().all(|it| match it {
            Node::List(it, ..) | Node::Map(it) | Node::Or(_, it) => node(*it),
            // What is decoded is an object or a list, never decoded twice.
            Node::Decoded(it) => self
                .nodes
                .get(it.0 as usize)
                .is_some_and(|inner| !matches!(inner, Node::Decoded(_))),
            Node::Definition(definition) => (*definition as usize) < self.definitions.len(),
            _ => true,
        });
        // A body is never a mere reference, so that following one ends.
        let bodies = self.bodies.iter().all(|it| {
            self.nodes
                .get(it.node.0 as usize)
                .is_some_and(|node| !matches!(node, Node::Definition(_) | Node::Decoded(_)))
        });
        let complete = nodes
            && bodies
            && self.fields.iter().all(|it| name(it.name) && node(it.node))
            && self.values.iter().all(|it| name(*it))
            && self.keys.iter().all(|it| name(it.name) && it.default.is_none_or(name))
            && self.kinds.iter().all(|it| {
                let own = [it.group, it.version, it.name, it.plural];
                own.into_iter().chain(it.replacement.into_iter().flatten()).all(name)
            });
        if complete { Ok(self) } else { Err(TableError("a number leads nowhere")) }
    }

    /// Returns a string.
    pub(super) fn text(&self, name: Name) -> &str {
        let at = name.0 as usize;
        let start = at.checked_sub(1).and_then(|it| self.ends.get(it)).copied().unwrap_or(0);
        let end = self.ends.get(at).copied().unwrap_or(start);
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Returns a node as a minor has it, definitions followed.
    pub(super) fn node(&self, id: NodeId, minor: u64) -> &Node {
        let direct = self.nodes.get(id.0 as usize).unwrap_or(&Node::Any);
        let Node::Definition(definition) = direct else { return direct };
        self.definitions
            .get(*definition as usize)
            .and_then(|range| self.bodies.get(range.start as usize..range.end as usize))
            .and_then(|bodies| bodies.iter().find(|body| body.minors & minor != 0))
            .and_then(|body| self.nodes.get(body.node.0 as usize))
            .unwrap_or(&Node::Any)
    }

    /// Returns the fields of an object, in alphabetical order.
    pub(super) fn fields(&self, range: &Range<u32>) -> &[Field] {
        self.fields.get(range.start as usize..range.end as usize).unwrap_or_default()
    }

    /// Returns the values of an enumeration.
    pub(super) fn values(&self, range: &Range<u32>) -> &[Name] {
        self.values.get(range.start as usize..range.end as usize).unwrap_or_default()
    }

    /// Returns the fields that tell the items of a list apart.
    pub(super) fn keys(&self, range: &Range<u32>) -> &[Key] {
        self.keys.get(range.start as usize..range.end as usize).unwrap_or_default()
    }
}

/// Returns the first bytes of a text as a number. Numbers are ordered as the texts are, but for
/// those that begin alike.
pub(super) fn head(text: &str) -> u64 {
    let bytes = text.as_bytes();
    if let Some(first) = bytes.first_chunk() {
        return u64::from_be_bytes(*first);
    }
    let mut first = [0; 8];
    for (to, from) in first.iter_mut().zip(bytes) {
        *to = *from;
    }
    u64::from_be_bytes(first)
}

const TRUNCATED: TableError = TableError("it is cut off");
const TOO_LARGE: TableError = TableError("it is too large");

fn extend<T>(all: &mut Vec<T>, more: Vec<T>) -> Result<Range<u32>, TableError> {
    let start = u32::try_from(all.len()).map_err(|_| TOO_LARGE)?;
    all.extend(more);
    Ok(start..u32::try_from(all.len()).map_err(|_| TOO_LARGE)?)
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn long(&mut self) -> Result<u64, TableError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.bytes.split_first().ok_or(TRUNCATED)?;
            self.bytes = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(TOO_LARGE)
    }

    fn number(&mut self) -> Result<u32, TableError> {
        u32::try_from(self.long()?).map_err(|_| TOO_LARGE)
    }

    /// A count of things that take at least one byte each.
    fn count(&mut self) -> Result<usize, TableError> {
        let count = self.number()? as usize;
        if count > self.bytes.len() { Err(TRUNCATED) } else { Ok(count) }
    }

    fn many<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, TableError>,
    ) -> Result<Vec<T>, TableError> {
        (0..self.count()?).map(|_| read(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_or_foreign_bytes_are_refused() {
        let whole = crate::check::schema::builtin::BYTES;
        assert!(Table::read(whole).is_ok());
        for end in [0, 5, 9, 100, 5_000, whole.len() / 2, whole.len() - 1] {
            assert!(Table::read(&whole[..end]).is_err(), "{end}");
        }
        assert_eq!(Table::read(b"TWSCHEMA0").unwrap_err(), TableError("unknown format"));
        let longer = [whole, &[0]].concat();
        assert_eq!(Table::read(&longer).unwrap_err(), TableError("too many bytes"));
    }
}
