//! The embedded store of custom resources: an index, and blocks of shared values.
//!
//! `src/check/schema/embedded/store.rs` reads what [`Store::encode`] writes; [`MAGIC`] changes with
//! the format. All numbers are LEB128. The file is the magic, the number of blocks, the length of
//! each compressed block, and the blocks. Each is a deflate stream, preceded by the length of what
//! it holds:
//!
//! - Block 0 is the index: sources, groups and kinds.
//! - Block 1 holds the strings and values that schemas of several groups share.
//! - Every further block holds those of one group, which the index names.
//!
//! A block is its strings (count, lengths, text) and its values (count, lengths, bytes). Strings
//! and values are numbered through block 1 and the block of the group. A value is a number whose
//! low three bits say what follows (see [`Tag`]); what occurs once is written where it stands.

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::Value;

use super::{Error, Kind};

/// The first bytes of the store.
const MAGIC: &[u8] = b"TWCRDS01";

/// What a value is, in the low three bits of its first number.
#[derive(Clone, Copy)]
enum Tag {
    /// Another value, by number.
    Shared = 0,
    /// As many pairs of a string's number and a value.
    Object = 1,
    /// As many values.
    List = 2,
    /// A string, by number.
    String = 3,
    /// A non-negative integer.
    Integer = 4,
    /// A negative integer `-1 - n`.
    Negative = 5,
    /// A number with a fraction, written as a string.
    Float = 6,
    /// 0: null, 1: false, 2: true.
    Word = 7,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Word(u64),
    Integer(u64),
    Negative(u64),
    Float(u32),
    String(u32),
    List(Vec<u32>),
    Object(Vec<(u32, u32)>),
}

/// All values of all schemas, each once.
#[derive(Default)]
struct Values {
    texts: BTreeMap<String, u32>,
    numbers: BTreeMap<Node, u32>,
    nodes: Vec<Node>,
}

impl Values {
    fn text(&mut self, text: &str) -> u32 {
        let next = number(self.texts.len());
        *self.texts.entry(text.to_owned()).or_insert(next)
    }

    fn add(&mut self, value: &Value) -> Result<u32, Error> {
        let node = match value {
            Value::Null => Node::Word(0),
            Value::Bool(value) => Node::Word(1 + u64::from(*value)),
            Value::Number(value) => match (value.as_u64(), value.as_i64()) {
                (Some(value), _) => Node::Integer(value),
                (None, Some(value)) => Node::Negative(value.unsigned_abs() - 1),
                (None, None) => Node::Float(self.text(&value.to_string())),
            },
            Value::String(value) => Node::String(self.text(value)),
            Value::Array(values) => {
                Node::List(values.iter().map(|it| self.add(it)).collect::<Result<_, _>>()?)
            }
            Value::Object(fields) => Node::Object(
                fields
                    .iter()
                    .map(|(name, it)| Ok((self.text(name), self.add(it)?)))
                    .collect::<Result<_, Error>>()?,
            ),
        };
        if let Some(id) = self.numbers.get(&node) {
            return Ok(*id);
        }
        let id = number(self.nodes.len());
        self.numbers.insert(node.clone(), id);
        self.nodes.push(node);
        Ok(id)
    }

    fn node(&self, id: u32) -> Result<&Node, Error> {
        self.nodes.get(id as usize).ok_or_else(|| "a value without a node".into())
    }
}

impl Node {
    fn children(&self) -> Vec<u32> {
        match self {
            Self::List(items) => items.clone(),
            Self::Object(fields) => fields.iter().map(|(_, value)| *value).collect(),
            _ => Vec::new(),
        }
    }

    fn strings(&self) -> Vec<u32> {
        match self {
            Self::String(text) | Self::Float(text) => vec![*text],
            Self::Object(fields) => fields.iter().map(|(name, _)| *name).collect(),
            _ => Vec::new(),
        }
    }

    fn is_container(&self) -> bool {
        matches!(self, Self::List(_) | Self::Object(_))
    }
}

/// Whose a string or a value is, and how often it is named.
#[derive(Clone, Copy, Default)]
struct Use {
    owner: Option<Owner>,
    count: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Shared,
    Group(usize),
}

impl Use {
    fn by(&mut self, group: usize) {
        self.owner = Some(match self.owner {
            None => Owner::Group(group),
            Some(Owner::Group(other)) if other == group => Owner::Group(group),
            Some(_) => Owner::Shared,
        });
    }
}

/// What is to be written.
pub struct Store<'a> {
    /// Where kinds come from, as people read it.
    pub sources: Vec<String>,
    /// The kinds, in the order of group, kind and version.
    pub kinds: &'a [Kind],
}

impl Store<'_> {
    /// Returns the bytes of the store, and what is to be said about it.
    pub fn encode(&self) -> Result<(Vec<u8>, String), Error> {
        let mut groups: Vec<&str> = self.kinds.iter().map(|it| &*it.group).collect();
        groups.dedup();
        let group_of = |kind: &Kind| groups.iter().position(|it| *it == kind.group);

        let mut values = Values::default();
        let mut roots = Vec::new();
        for kind in self.kinds {
            let group = group_of(kind).ok_or("a kind without a group")?;
            roots.push((group, values.add(&kind.schema)?));
        }
        let layout = Layout::new(&values, &roots, groups.len())?;

        let mut blocks = vec![layout.block(&values, Owner::Shared)?];
        for group in 0..groups.len() {
            blocks.push(layout.block(&values, Owner::Group(group))?);
        }
        blocks.insert(0, self.index(&groups, &layout, &roots)?);

        let plain: usize = blocks.iter().map(Vec::len).sum();
        let mut out = MAGIC.to_vec();
        put(&mut out, blocks.len() as u64);
        let mut body = Vec::new();
        for block in &blocks {
            let packed = deflate(block)?;
            put(&mut out, packed.len() as u64);
            body.extend_from_slice(&packed);
        }
        out.extend_from_slice(&body);
        let said = format!(
            "{} kinds in {} groups, {} values, {} strings, {plain} bytes before and {} after \
             compression",
            self.kinds.len(),
            groups.len(),
            values.nodes.len(),
            values.texts.len(),
            out.len()
        );
        Ok((out, said))
    }

    fn index(
        &self,
        groups: &[&str],
        layout: &Layout,
        roots: &[(usize, u32)],
    ) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        put(&mut out, self.sources.len() as u64);
        for source in &self.sources {
            put_text(&mut out, source);
        }
        put(&mut out, groups.len() as u64);
        let mut kinds = self.kinds.iter().zip(roots).peekable();
        for (number, group) in groups.iter().enumerate() {
            put_text(&mut out, group);
            let mut own = Vec::new();
            while let Some((kind, (_, root))) = kinds.next_if(|(_, (of, _))| *of == number) {
                own.push((kind, *root));
            }
            put(&mut out, own.len() as u64);
            for (kind, root) in own {
                put_text(&mut out, &kind.kind);
                put_text(&mut out, &kind.version);
                put_text(&mut out, &kind.plural);
                let flags = u64::from(kind.namespaced)
                    | u64::from(kind.status) << 1
                    | (kind.fidelity as u64) << 2;
                put(&mut out, flags);
                put(&mut out, kind.source as u64);
                put(&mut out, layout.value(root)?);
            }
        }
        Ok(out)
    }
}

/// Which block each string and value stands in, and its number there.
struct Layout {
    strings: Vec<Use>,
    string_numbers: Vec<u64>,
    uses: Vec<Use>,
    value_numbers: BTreeMap<u32, u64>,
    /// The strings and the values of each block, in their order.
    blocks: BTreeMap<usize, (Vec<u32>, Vec<u32>)>,
}

impl Layout {
    fn new(values: &Values, roots: &[(usize, u32)], groups: usize) -> Result<Self, Error> {
        let mut uses = vec![Use::default(); values.nodes.len()];
        let mut strings = vec![Use::default(); values.texts.len()];
        for group in 0..groups {
            let mut seen = vec![false; values.nodes.len()];
            let mut open: Vec<u32> =
                roots.iter().filter(|(of, _)| *of == group).map(|(_, root)| *root).collect();
            while let Some(id) = open.pop() {
                let known = seen.get_mut(id as usize).ok_or("a value without a node")?;
                if std::mem::replace(known, true) {
                    continue;
                }
                let node = values.node(id)?;
                uses.get_mut(id as usize).ok_or("a value without a use")?.by(group);
                for text in node.strings() {
                    strings.get_mut(text as usize).ok_or("a string without a use")?.by(group);
                }
                open.extend(node.children());
            }
        }
        for node in &values.nodes {
            for child in node.children() {
                uses.get_mut(child as usize).ok_or("a value without a use")?.count += 1;
            }
            for text in node.strings() {
                strings.get_mut(text as usize).ok_or("a string without a use")?.count += 1;
            }
        }
        // The root of a kind is always a value of its own, so that the index can name it.
        for (_, root) in roots {
            uses.get_mut(*root as usize).ok_or("a value without a use")?.count += 2;
        }

        let mut layout = Self {
            strings,
            string_numbers: vec![0; values.texts.len()],
            value_numbers: BTreeMap::new(),
            blocks: BTreeMap::new(),
            uses,
        };
        let alone = layout.alone(values)?;
        layout.number(values, &alone);
        Ok(layout)
    }

    /// Finds the values that get a number: those that are named from several places.
    fn alone(&self, values: &Values) -> Result<Vec<bool>, Error> {
        let mut alone = vec![false; values.nodes.len()];
        for (id, node) in values.nodes.iter().enumerate() {
            let own = self.uses.get(id).ok_or("a value without a use")?;
            if own.count > 1 && node.is_container() {
                *alone.get_mut(id).ok_or("a value without a node")? = true;
            }
            for child in node.children() {
                let used = self.uses.get(child as usize).ok_or("a value without a use")?;
                if used.owner != own.owner && values.node(child)?.is_container() {
                    *alone.get_mut(child as usize).ok_or("a value without a node")? = true;
                }
            }
        }
        Ok(alone)
    }

    fn number(&mut self, values: &Values, alone: &[bool]) {
        // What is named most gets the smallest numbers, which take the fewest bytes.
        let mut strings: Vec<u32> = (0..number(values.texts.len())).collect();
        let count = |uses: &[Use], id: u32| uses.get(id as usize).map_or(0, |it| it.count);
        strings.sort_by_key(|id| (std::cmp::Reverse(count(&self.strings, *id)), *id));
        let mut nodes: Vec<u32> = (0..number(values.nodes.len()))
            .filter(|id| alone.get(*id as usize).copied().unwrap_or(false))
            .collect();
        nodes.sort_by_key(|id| (std::cmp::Reverse(count(&self.uses, *id)), *id));
        for id in strings {
            if let Some(owner) = self.strings.get(id as usize).and_then(|it| it.owner) {
                self.blocks.entry(block_of(owner)).or_default().0.push(id);
            }
        }
        for id in nodes {
            if let Some(owner) = self.uses.get(id as usize).and_then(|it| it.owner) {
                self.blocks.entry(block_of(owner)).or_default().1.push(id);
            }
        }
        let (shared_strings, shared_values) =
            self.blocks.get(&0).map_or((0, 0), |(strings, nodes)| (strings.len(), nodes.len()));
        for (block, (strings, nodes)) in &self.blocks {
            let (first_string, first_value) =
                if *block == 0 { (0, 0) } else { (shared_strings, shared_values) };
            for (at, id) in strings.iter().enumerate() {
                if let Some(number) = self.string_numbers.get_mut(*id as usize) {
                    *number = (first_string + at) as u64;
                }
            }
            for (at, id) in nodes.iter().enumerate() {
                self.value_numbers.insert(*id, (first_value + at) as u64);
            }
        }
    }

    fn value(&self, id: u32) -> Result<u64, Error> {
        self.value_numbers.get(&id).copied().ok_or_else(|| "a value without a number".into())
    }

    fn string(&self, id: u32) -> Result<u64, Error> {
        self.string_numbers.get(id as usize).copied().ok_or_else(|| "an unknown string".into())
    }

    fn block(&self, values: &Values, owner: Owner) -> Result<Vec<u8>, Error> {
        let empty = (Vec::new(), Vec::new());
        let (strings, nodes) = self.blocks.get(&block_of(owner)).unwrap_or(&empty);
        let mut texts = vec![""; values.texts.len()];
        for (text, id) in &values.texts {
            *texts.get_mut(*id as usize).ok_or("an unknown string")? = text;
        }
        let text = |id: &u32| texts.get(*id as usize).copied().ok_or("an unknown string");

        let mut out = Vec::new();
        put(&mut out, strings.len() as u64);
        for id in strings {
            put(&mut out, text(id)?.len() as u64);
        }
        for id in strings {
            out.extend_from_slice(text(id)?.as_bytes());
        }
        let mut bodies = Vec::new();
        put(&mut out, nodes.len() as u64);
        for id in nodes {
            let before = bodies.len();
            self.write(values, values.node(*id)?, &mut bodies)?;
            put(&mut out, (bodies.len() - before) as u64);
        }
        out.extend_from_slice(&bodies);
        Ok(out)
    }

    fn write(&self, values: &Values, node: &Node, out: &mut Vec<u8>) -> Result<(), Error> {
        match node {
            Node::Word(word) => put_tagged(out, *word, Tag::Word),
            Node::Integer(value) => put_tagged(out, *value, Tag::Integer),
            Node::Negative(value) => put_tagged(out, *value, Tag::Negative),
            Node::Float(text) => put_tagged(out, self.string(*text)?, Tag::Float),
            Node::String(text) => put_tagged(out, self.string(*text)?, Tag::String),
            Node::List(items) => {
                put_tagged(out, items.len() as u64, Tag::List);
                for item in items {
                    self.write_child(values, *item, out)?;
                }
            }
            Node::Object(fields) => {
                put_tagged(out, fields.len() as u64, Tag::Object);
                for (name, value) in fields {
                    put(out, self.string(*name)?);
                    self.write_child(values, *value, out)?;
                }
            }
        }
        Ok(())
    }

    fn write_child(&self, values: &Values, id: u32, out: &mut Vec<u8>) -> Result<(), Error> {
        match self.value_numbers.get(&id) {
            Some(number) => put_tagged(out, *number, Tag::Shared),
            None => self.write(values, values.node(id)?, out)?,
        }
        Ok(())
    }
}

fn block_of(owner: Owner) -> usize {
    match owner {
        Owner::Shared => 0,
        Owner::Group(group) => 1 + group,
    }
}

fn deflate(block: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    put(&mut out, block.len() as u64);
    let mut encoder = DeflateEncoder::new(out, Compression::best());
    encoder.write_all(block)?;
    Ok(encoder.finish()?)
}

fn number(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

fn put_tagged(out: &mut Vec<u8>, value: u64, tag: Tag) {
    // Integers of schemas are bounds and counts; the largest leave room for three bits or are
    // written as two numbers.
    if value < 1 << 60 {
        put(out, value << 3 | tag as u64);
    } else {
        put(out, u64::MAX << 3 | tag as u64);
        put(out, value);
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
