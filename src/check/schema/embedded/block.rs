//! Values that schemas share, by number, and how a schema is put together from them.

use serde_json::{Map, Number, Value};

use super::EmbeddedError;
use super::bytes::{Reader, unpack};

const NOWHERE: EmbeddedError = EmbeddedError("a number leads nowhere");
/// Deeper than any schema; a server refuses deeper ones.
const DEPTH: usize = 200;
/// More values than any schema has.
const VALUES: usize = 2_000_000;

/// Strings and values of one block.
#[derive(Debug)]
pub(super) struct Block {
    data: Vec<u8>,
    /// Where the strings of `data` begin, and the end of each counted from there.
    text: usize,
    ends: Vec<usize>,
    /// Where the values of `data` begin, and the end of each counted from there.
    bodies: usize,
    body_ends: Vec<usize>,
}

impl Block {
    pub(super) fn read(packed: &[u8]) -> Result<Self, EmbeddedError> {
        let data = unpack(packed)?;
        let whole = data.len();
        let mut reader = Reader::new(&data);
        let ends = lengths(&mut reader)?;
        let strings = reader.take(ends.last().copied().unwrap_or(0))?;
        if str::from_utf8(strings).is_err() {
            return Err(EmbeddedError("a text is not UTF-8"));
        }
        let text = whole - reader.len() - strings.len();
        let body_ends = lengths(&mut reader)?;
        let bodies = whole - reader.len();
        if reader.len() != body_ends.last().copied().unwrap_or(0) {
            return Err(EmbeddedError("a block has another length"));
        }
        Ok(Self { data, text, ends, bodies, body_ends })
    }

    fn string(&self, at: usize) -> Option<&str> {
        str::from_utf8(part(&self.data, self.text, &self.ends, at)?).ok()
    }

    fn body(&self, at: usize) -> Option<&[u8]> {
        part(&self.data, self.bodies, &self.body_ends, at)
    }
}

/// Reads how long each of some things is; returns where each ends.
fn lengths(reader: &mut Reader<'_>) -> Result<Vec<usize>, EmbeddedError> {
    let count = reader.count()?;
    let mut ends = Vec::with_capacity(count);
    let mut end: usize = 0;
    for _ in 0..count {
        end = end.checked_add(reader.size()?).ok_or(NOWHERE)?;
        ends.push(end);
    }
    Ok(ends)
}

fn part<'a>(data: &'a [u8], start: usize, ends: &[usize], at: usize) -> Option<&'a [u8]> {
    let from = at.checked_sub(1).map_or(Some(0), |before| ends.get(before).copied())?;
    let to = ends.get(at).copied()?;
    data.get(start.checked_add(from)?..start.checked_add(to)?)
}

/// The values that a group sees: those of all, then its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) shared: &'a Block,
    pub(super) own: &'a Block,
}

impl Scope<'_> {
    /// Puts a value together.
    pub(super) fn value(&self, number: usize) -> Result<Value, EmbeddedError> {
        self.shared_value(number, DEPTH, &mut VALUES.clone())
    }

    fn shared_value(
        &self,
        number: usize,
        depth: usize,
        left: &mut usize,
    ) -> Result<Value, EmbeddedError> {
        let first = self.shared.body_ends.len();
        let body = match number.checked_sub(first) {
            None => self.shared.body(number),
            Some(own) => self.own.body(own),
        };
        let mut reader = Reader::new(body.ok_or(NOWHERE)?);
        let value = self.read(&mut reader, depth, left)?;
        if reader.is_empty() { Ok(value) } else { Err(NOWHERE) }
    }

    fn read(
        &self,
        reader: &mut Reader<'_>,
        depth: usize,
        left: &mut usize,
    ) -> Result<Value, EmbeddedError> {
        let depth = depth.checked_sub(1).ok_or(EmbeddedError("a schema is too deep"))?;
        *left = left.checked_sub(1).ok_or(EmbeddedError("a schema is too large"))?;
        let first = reader.number()?;
        let (mut payload, tag) = (first >> 3, first & 7);
        // What does not fit beside the tag follows as a number of its own.
        if payload == u64::MAX >> 3 {
            payload = reader.number()?;
        }
        let size = || usize::try_from(payload).map_err(|_| NOWHERE);
        Ok(match tag {
            0 => self.shared_value(size()?, depth, left)?,
            1 => {
                let mut fields = Map::new();
                for _ in 0..payload {
                    let name = self.string(reader.size()?)?.to_owned();
                    fields.insert(name, self.read(reader, depth, left)?);
                }
                Value::Object(fields)
            }
            2 => {
                let mut items = Vec::new();
                for _ in 0..payload {
                    items.push(self.read(reader, depth, left)?);
                }
                Value::Array(items)
            }
            3 => Value::String(self.string(size()?)?.to_owned()),
            4 => Value::Number(payload.into()),
            5 => {
                let value = i64::try_from(payload).map_err(|_| NOWHERE)?;
                Value::Number((-1 - value).into())
            }
            6 => {
                let text = self.string(size()?)?;
                let number = text.parse().ok().and_then(Number::from_f64).ok_or(NOWHERE)?;
                Value::Number(number)
            }
            _ => match payload {
                0 => Value::Null,
                1 => Value::Bool(false),
                _ => Value::Bool(true),
            },
        })
    }

    fn string(&self, number: usize) -> Result<&str, EmbeddedError> {
        let text = match number.checked_sub(self.shared.ends.len()) {
            None => self.shared.string(number),
            Some(own) => self.own.string(own),
        };
        text.ok_or(NOWHERE)
    }
}
