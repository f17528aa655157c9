//! Strings: those of the language, and the second version of its extension.
//!
//! Positions count code points.

use super::{Row, Scratch, row, template};
use crate::engine::cel::cost::Cost;
use crate::engine::cel::value::{Evaluated, Failure, Value};

pub(super) const ROWS: &[Row] = &[
    row("string#contains(string): bool", contains).cost(Cost::Product),
    row("string#endsWith(string): bool", ends_with).cost(Cost::TraverseSecond),
    row("string#startsWith(string): bool", starts_with).cost(Cost::TraverseSecond),
    row("string#charAt(int): string", char_at),
    row("string#indexOf(string): int", index_of).cost(Cost::Deep),
    row("string#indexOf(string, int): int", index_of).cost(Cost::Deep),
    row("string#lastIndexOf(string): int", last_index_of).cost(Cost::Deep),
    row("string#lastIndexOf(string, int): int", last_index_of).cost(Cost::Deep),
    row("string#lowerAscii(): string", lower).cost(Cost::Traverse),
    row("string#upperAscii(): string", upper).cost(Cost::Traverse),
    row("string#replace(string, string): string", replace).cost(Cost::TraverseTwice),
    row("string#replace(string, string, int): string", replace).cost(Cost::TraverseTwice),
    row("string#split(string): list(string)", split).cost(Cost::TraverseTwice),
    row("string#split(string, int): list(string)", split).cost(Cost::TraverseTwice),
    row("string#substring(int): string", substring).cost(Cost::Traverse),
    row("string#substring(int, int): string", substring).cost(Cost::Traverse),
    row("string#trim(): string", trim).cost(Cost::Traverse),
    row("string#format(list(dyn)): string", template::format).cost(Cost::Traverse).since(29),
    row("strings.quote(string): string", quote).cost(Cost::Traverse).since(29),
    row("list(string)#join(): string", join).cost(Cost::Result),
    row("list(string)#join(string): string", join).cost(Cost::Result),
    row("jsonpatch.escapeKey(string): string", escape_key).cost(Cost::Traverse),
];

/// Splits the arguments into strings and numbers.
macro_rules! arguments {
    ($args:expr, $pattern:pat => $result:expr) => {
        match $args {
            $pattern => $result,
            _ => Err(Failure::no_overload()),
        }
    };
}

fn contains<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    arguments!(args, [Value::String(text), Value::String(part)] => {
        Ok(Value::Bool(text.as_str().contains(part.as_str())))
    })
}

fn ends_with<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    arguments!(args, [Value::String(text), Value::String(part)] => {
        Ok(Value::Bool(text.as_str().ends_with(part.as_str())))
    })
}

fn starts_with<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    arguments!(args, [Value::String(text), Value::String(part)] => {
        Ok(Value::Bool(text.as_str().starts_with(part.as_str())))
    })
}

fn out_of_range(index: i64) -> Failure {
    Failure::new(format!("index out of range: {index}"))
}

/// Returns the byte at which a code point begins; the end counts as one.
fn offset(text: &str, index: i64) -> Result<usize, Failure> {
    let wanted = usize::try_from(index).map_err(|_| out_of_range(index))?;
    let mut offsets = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    offsets.nth(wanted).ok_or_else(|| out_of_range(index))
}

fn char_at<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    arguments!(args, [Value::String(text), Value::Int(index)] => {
        let text = text.as_str();
        let rest = text.get(offset(text, *index)?..).unwrap_or_default();
        Ok(Value::string(rest.chars().next().map(String::from).unwrap_or_default()))
    })
}

fn count(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

fn index_of<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let (text, part, from) = match args {
        [Value::String(text), Value::String(part)] => (text, part, 0),
        [Value::String(text), Value::String(part), Value::Int(from)] => (text, part, *from),
        [Value::List(list), item] => return Ok(super::lists::index(list, item, false)),
        _ => return Err(Failure::no_overload()),
    };
    let (text, part) = (text.as_str(), part.as_str());
    if from < 0 {
        return Err(out_of_range(from));
    }
    let length = count(text);
    if part.is_empty() {
        return Ok(Value::Int(from.min(length)));
    }
    if from >= length {
        return Ok(Value::Int(-1));
    }
    let rest = text.get(offset(text, from)?..).unwrap_or_default();
    let found = rest.find(part).and_then(|at| rest.get(..at));
    Ok(Value::Int(found.map_or(-1, |before| from + count(before))))
}

fn last_index_of<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let (text, part, from) = match args {
        [Value::String(text), Value::String(part)] => (text, part, None),
        [Value::String(text), Value::String(part), Value::Int(from)] => (text, part, Some(*from)),
        [Value::List(list), item] => return Ok(super::lists::index(list, item, true)),
        _ => return Err(Failure::no_overload()),
    };
    let (text, part) = (text.as_str(), part.as_str());
    let length = count(text);
    let from = match from {
        None if part.is_empty() => return Ok(Value::Int(length)),
        None if text.len() < part.len() => return Ok(Value::Int(-1)),
        None => length - 1,
        Some(from) => from,
    };
    if from < 0 {
        return Err(out_of_range(from));
    }
    if part.is_empty() {
        return Ok(Value::Int(from.min(length)));
    }
    if from >= length {
        return Ok(Value::Int(-1));
    }
    // The last place at which the part may begin, and all before it.
    let last = offset(text, from)?;
    let end = (last + part.len()).min(text.len());
    let end = (end..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let before = text.get(..end).unwrap_or_default();
    let found = before.rfind(part).filter(|at| *at <= last);
    Ok(Value::Int(found.and_then(|at| text.get(..at)).map_or(-1, count)))
}

fn lower<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    arguments!(args, [Value::String(text)] => Ok(Value::string(text.as_str().to_ascii_lowercase())))
}

fn upper<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    arguments!(args, [Value::String(text)] => Ok(Value::string(text.as_str().to_ascii_uppercase())))
}

/// What a result may grow to: what an object may be large, many times over.
const MAX_MADE: usize = 64 << 20;

fn replace<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let (text, old, new, limit) = match args {
        [Value::String(text), Value::String(old), Value::String(new)] => (text, old, new, -1),
        [Value::String(text), Value::String(old), Value::String(new), Value::Int(limit)] => {
            (text, old, new, *limit)
        }
        _ => return Err(Failure::no_overload()),
    };
    let (text, old, new) = (text.as_str(), old.as_str(), new.as_str());
    let limit = if limit < 0 { usize::MAX } else { usize::try_from(limit).unwrap_or(usize::MAX) };
    let times = text.matches(old).count().min(limit);
    if times.saturating_mul(new.len()).saturating_add(text.len()) > MAX_MADE {
        return Err(Failure::TooExpensive);
    }
    Ok(Value::string(text.replacen(old, new, limit)))
}

fn split<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let (text, separator, limit) = match args {
        [Value::String(text), Value::String(separator)] => (text, separator, -1),
        [Value::String(text), Value::String(separator), Value::Int(limit)] => {
            (text, separator, *limit)
        }
        _ => return Err(Failure::no_overload()),
    };
    let (text, separator) = (text.as_str(), separator.as_str());
    let limit = if limit < 0 { usize::MAX } else { usize::try_from(limit).unwrap_or(usize::MAX) };
    let parts: Vec<Value<'a>> = if limit == 0 {
        Vec::new()
    } else if separator.is_empty() {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if parts.len() + 1 == limit {
                break;
            }
            let (head, tail) = rest.split_at_checked(first.len_utf8()).unwrap_or((rest, ""));
            parts.push(Value::string(head));
            rest = tail;
        }
        if !rest.is_empty() {
            parts.push(Value::string(rest));
        }
        parts
    } else {
        text.splitn(limit, separator).map(Value::string).collect()
    };
    Ok(Value::list(parts))
}

fn substring<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [Value::String(text), Value::Int(start)] => {
            let text = text.as_str();
            Ok(Value::string(text.get(offset(text, *start)?..).unwrap_or_default()))
        }
        [Value::String(text), Value::Int(start), Value::Int(end)] => {
            if start > end {
                return Err(Failure::new(format!(
                    "invalid substring range. start: {start}, end: {end}"
                )));
            }
            let text = text.as_str();
            let (start, end) = (offset(text, *start)?, offset(text, *end)?);
            Ok(Value::string(text.get(start..end).unwrap_or_default()))
        }
        _ => Err(Failure::no_overload()),
    }
}

fn trim<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    arguments!(args, [Value::String(text)] => Ok(Value::string(text.as_str().trim())))
}

fn quote<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    arguments!(args, [Value::String(text)] => {
        let mut out = String::from("\"");
        for character in text.as_str().chars() {
            match character {
                '\u{7}' => out.push_str("\\a"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{b}' => out.push_str("\\v"),
                '\\' => out.push_str("\\\\"),
                '"' => out.push_str("\\\""),
                other => out.push(other),
            }
        }
        out.push('"');
        Ok(Value::string(out))
    })
}

fn join<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let (list, separator) = match args {
        [Value::List(list)] => (list, ""),
        [Value::List(list), Value::String(separator)] => (list, separator.as_str()),
        _ => return Err(Failure::no_overload()),
    };
    let mut out = String::new();
    for (at, item) in list.iter().enumerate() {
        if at > 0 {
            out.push_str(separator);
        }
        match item? {
            Value::String(text) => out.push_str(text.as_str()),
            other => return Err(Failure::new(format!("join: invalid input: {other}"))),
        }
        if out.len() > MAX_MADE {
            return Err(Failure::TooExpensive);
        }
    }
    Ok(Value::string(out))
}

fn escape_key<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    arguments!(args, [Value::String(text)] => {
        Ok(Value::string(text.as_str().replace('~', "~0").replace('/', "~1")))
    })
}
