//! What expressions do with the values of variables, as Flux's `envsubst` does.
//!
//! The functions work on bytes where the upstream ones do. A value that is cut inside a character
//! is no text any more, and refused.

/// Why a function is not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// What comes out is no text.
    NoText,
    /// It takes more time or room than any real text does.
    TooMuch,
}

/// Says whether an operator stands before a default. `:+` and `:?` are read as one, too.
pub(super) fn is_default(operator: &str) -> bool {
    !matches!(
        operator,
        "," | ",," | "^" | "^^" | "#" | "##" | "%" | "%%" | ":" | "/" | "//" | "/#" | "/%"
    )
}

/// Applies the function of an operator to a value.
pub(super) fn apply(
    operator: &str,
    value: &str,
    arguments: &[String],
    steps: &mut usize,
) -> Result<String, Refused> {
    let first = arguments.first().map(String::as_str);
    Ok(match (operator, first) {
        (",", _) => first_letter(value, lower),
        (",,", _) => value.chars().map(lower).collect(),
        ("^", _) => first_letter(value, upper),
        ("^^", _) => value.chars().map(upper).collect(),
        ("#", None) => value.len().to_string(),
        ("#", Some(pattern)) => without_start(value, pattern, End::Shortest, steps)?,
        ("##", Some(pattern)) => without_start(value, pattern, End::Longest, steps)?,
        ("%", Some(pattern)) => without_end(value, pattern, End::Shortest, steps)?,
        ("%%", Some(pattern)) => without_end(value, pattern, End::Longest, steps)?,
        (":", Some(offset)) => part(value, offset, arguments.get(1).map(String::as_str))?,
        ("/", Some(old)) => replace(value, old, arguments, 1)?,
        ("//", Some(old)) => replace(value, old, arguments, usize::MAX)?,
        ("/#", Some(old)) => match (arguments, value.strip_prefix(old)) {
            ([_, new], Some(rest)) => format!("{new}{rest}"),
            _ => value.to_owned(),
        },
        ("/%", Some(old)) => match (arguments, value.strip_suffix(old)) {
            ([_, new], Some(rest)) => format!("{rest}{new}"),
            _ => value.to_owned(),
        },
        ("##" | "%" | "%%" | ":" | "/" | "//" | "/#" | "/%", None) => value.to_owned(),
        _ if value.is_empty() => arguments.concat(),
        _ => value.to_owned(),
    })
}

/// Go maps letters one to one; those that become several stay.
fn lower(c: char) -> char {
    let mut all = c.to_lowercase();
    match (all.next(), all.next()) {
        (Some(one), None) => one,
        // The dotted capital I, whose simple mapping is the plain letter.
        (Some(one), Some(_)) if c == '\u{130}' => one,
        _ => c,
    }
}

fn upper(c: char) -> char {
    let mut all = c.to_uppercase();
    match (all.next(), all.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

fn first_letter(value: &str, change: fn(char) -> char) -> String {
    let mut chars = value.chars();
    match chars.next() {
        Some(first) => std::iter::once(change(first)).chain(chars).collect(),
        None => String::new(),
    }
}

fn text(bytes: &[u8]) -> Result<String, Refused> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Refused::NoText)
}

/// `${v:offset:length}`, in bytes. What is no number changes nothing.
fn part(value: &str, offset: &str, length: Option<&str>) -> Result<String, Refused> {
    let size = i64::try_from(value.len()).unwrap_or(i64::MAX);
    let Ok(offset) = offset.parse::<i64>() else { return Ok(value.to_owned()) };
    let start = if offset < 0 { size.saturating_add(offset).max(0) } else { offset };
    let end = match length.map(str::parse::<i64>) {
        None => size,
        Some(Err(_)) => return Ok(value.to_owned()),
        // Counted from the end.
        Some(Ok(length)) if length < 0 => size.saturating_add(length),
        Some(Ok(length)) => start.saturating_add(length).min(size),
    };
    let range = usize::try_from(start).unwrap_or(usize::MAX)..usize::try_from(end).unwrap_or(0);
    text(value.as_bytes().get(range).unwrap_or_default())
}

/// The longest text that a replacement makes, in bytes.
const REPLACED: usize = 64 << 20;

fn replace(value: &str, old: &str, arguments: &[String], times: usize) -> Result<String, Refused> {
    let new = arguments.get(1).map_or("", String::as_str);
    let found = value.matches(old).take(times).count();
    if found.saturating_mul(new.len()) > REPLACED {
        return Err(Refused::TooMuch);
    }
    Ok(value.replacen(old, new, times))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Shortest,
    Longest,
}

fn without_start(
    value: &str,
    pattern: &str,
    end: End,
    steps: &mut usize,
) -> Result<String, Refused> {
    text(trimmed(value.as_bytes(), pattern.as_bytes(), end, steps)?)
}

/// Trims the end as the upstream function does: everything is turned round, the pattern too.
fn without_end(value: &str, pattern: &str, end: End, steps: &mut usize) -> Result<String, Refused> {
    let turned = |text: &str| text.chars().rev().collect::<String>();
    let (value, pattern) = (turned(value), turned(pattern));
    let rest = text(trimmed(value.as_bytes(), pattern.as_bytes(), end, steps)?)?;
    Ok(turned(&rest))
}

/// Returns what is left behind a start that the pattern matches; the empty start is not tried.
fn trimmed<'v>(
    value: &'v [u8],
    pattern: &[u8],
    end: End,
    steps: &mut usize,
) -> Result<&'v [u8], Refused> {
    let mut shortest = None;
    for length in (1..=value.len()).rev() {
        let start = value.get(..length).unwrap_or_default();
        match matches(pattern, start, steps)? {
            // A pattern that cannot be read removes nothing.
            None => return Ok(value),
            Some(true) => {
                shortest = Some(length);
                if end == End::Longest {
                    break;
                }
            }
            Some(false) => {}
        }
    }
    Ok(shortest.and_then(|length| value.get(length..)).unwrap_or(value))
}

/// Says whether a pattern matches a whole name; none where the pattern cannot be read.
///
/// `*`, `?`, classes and escapes as Go's `path.Match` has them, but that `*` takes `/` too and one
/// at the end takes everything.
fn matches(
    mut pattern: &[u8],
    mut name: &[u8],
    steps: &mut usize,
) -> Result<Option<bool>, Refused> {
    'pattern: while !pattern.is_empty() {
        let (star, chunk, rest) = next_chunk(pattern);
        pattern = rest;
        if star && chunk.is_empty() {
            return Ok(Some(true));
        }
        let first = match_chunk(chunk, name, steps)?;
        if let Chunk::Matched(left) = first
            && (left.is_empty() || !pattern.is_empty())
        {
            name = left;
            continue;
        }
        if first == Chunk::Unreadable {
            return Ok(None);
        }
        if star {
            for at in 1..=name.len() {
                match match_chunk(chunk, name.get(at..).unwrap_or_default(), steps)? {
                    Chunk::Unreadable => return Ok(None),
                    Chunk::Matched(left) if !pattern.is_empty() || left.is_empty() => {
                        name = left;
                        continue 'pattern;
                    }
                    Chunk::Matched(_) | Chunk::Different => {}
                }
            }
        }
        return Ok(Some(false));
    }
    Ok(Some(name.is_empty()))
}

/// Splits off the stars at the start of a pattern, and what follows up to the next one.
fn next_chunk(pattern: &[u8]) -> (bool, &[u8], &[u8]) {
    let stars = pattern.iter().take_while(|byte| **byte == b'*').count();
    let rest = pattern.get(stars..).unwrap_or_default();
    let (mut in_class, mut at) = (false, 0);
    while let Some(byte) = rest.get(at) {
        match byte {
            b'\\' if at + 1 < rest.len() => at += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'*' if !in_class => break,
            _ => {}
        }
        at += 1;
    }
    let (chunk, rest) = rest.split_at_checked(at).unwrap_or((rest, &[]));
    (stars > 0, chunk, rest)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Chunk<'n> {
    /// The start of the name; holds the rest.
    Matched(&'n [u8]),
    Different,
    Unreadable,
}

fn match_chunk<'n>(
    mut chunk: &[u8],
    mut name: &'n [u8],
    steps: &mut usize,
) -> Result<Chunk<'n>, Refused> {
    *steps = steps.checked_sub(1).ok_or(Refused::TooMuch)?;
    while let Some((first, rest)) = chunk.split_first() {
        *steps = steps.checked_sub(1).ok_or(Refused::TooMuch)?;
        let Some((byte, after)) = name.split_first() else { return Ok(Chunk::Different) };
        match first {
            b'[' => {
                let (letter, after) = letter(name);
                name = after;
                match class(rest, letter) {
                    None => return Ok(Chunk::Unreadable),
                    Some((false, _)) => return Ok(Chunk::Different),
                    Some((true, rest)) => chunk = rest,
                }
                continue;
            }
            b'?' => {
                name = letter(name).1;
                chunk = rest;
                continue;
            }
            b'\\' => match rest.split_first() {
                None => return Ok(Chunk::Unreadable),
                Some((wanted, _)) if wanted != byte => return Ok(Chunk::Different),
                Some((_, rest)) => chunk = rest,
            },
            wanted if wanted != byte => return Ok(Chunk::Different),
            _ => chunk = rest,
        }
        name = after;
    }
    Ok(Chunk::Matched(name))
}

/// Reads a class after its bracket: whether the letter is in it, and what follows.
fn class(mut chunk: &[u8], letter: char) -> Option<(bool, &[u8])> {
    let negated = chunk.first() == Some(&b'^');
    if negated {
        chunk = chunk.get(1..)?;
    }
    let (mut matched, mut ranges) = (false, 0);
    loop {
        if chunk.first() == Some(&b']') && ranges > 0 {
            return Some((matched != negated, chunk.get(1..)?));
        }
        let (low, rest) = class_letter(chunk)?;
        chunk = rest;
        let mut high = low;
        if chunk.first() == Some(&b'-') {
            (high, chunk) = class_letter(chunk.get(1..)?)?;
        }
        matched |= (low..=high).contains(&letter);
        ranges += 1;
    }
}

/// Reads one letter of a class, behind which something must follow.
fn class_letter(chunk: &[u8]) -> Option<(char, &[u8])> {
    let chunk = match chunk.first()? {
        b'-' | b']' => return None,
        b'\\' => chunk.get(1..)?,
        _ => chunk,
    };
    let (found, rest) = letter(chunk);
    let is_broken = found == char::REPLACEMENT_CHARACTER && chunk.len() - rest.len() == 1;
    (!is_broken && !rest.is_empty()).then_some((found, rest))
}

/// Returns the first letter of some bytes; one byte for what is none.
fn letter(bytes: &[u8]) -> (char, &[u8]) {
    let found = (1..=4.min(bytes.len())).find_map(|length| {
        let (start, rest) = bytes.split_at_checked(length)?;
        Some((std::str::from_utf8(start).ok()?.chars().next()?, rest))
    });
    found.unwrap_or((char::REPLACEMENT_CHARACTER, bytes.get(1..).unwrap_or_default()))
}
