//! The order in which go-yaml v2 writes the keys of a map.

use std::cmp::Ordering;

use crate::document::Entry;

/// Returns the entries of a mapping in the order in which they are written.
///
/// The order is go-yaml's, which is none: `10 < 1x < 9 < 10`. The sort of the standard library may
/// panic over such an order, so this one merges by hand. Equal input gives equal output.
pub(super) fn sorted(entries: &[Entry]) -> Vec<&Entry> {
    let mut run: Vec<&Entry> = entries.iter().collect();
    let mut width = 1;
    if run.is_sorted_by(|a, b| natural(&a.key, &b.key) != Ordering::Greater) {
        return run;
    }
    let mut merged = Vec::with_capacity(run.len());
    while width < run.len() {
        for pair in run.chunks(width * 2) {
            let (left, right) = pair.split_at_checked(width).unwrap_or((pair, &[]));
            merge(left, right, &mut merged);
        }
        std::mem::swap(&mut run, &mut merged);
        merged.clear();
        width *= 2;
    }
    run
}

fn merge<'a>(left: &[&'a Entry], right: &[&'a Entry], out: &mut Vec<&'a Entry>) {
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = match natural(&a.key, &b.key) {
            Ordering::Greater => right.next(),
            Ordering::Less | Ordering::Equal => left.next(),
        };
        out.extend(next);
    }
    out.extend(left);
    out.extend(right);
}

/// Compares two keys as `keyList.Less` of go-yaml's `sorter.go` does.
///
/// What counts is the first character that differs: other characters come before digits, digits
/// before letters, and digits are compared as the numbers that begin there.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    let shared = common(a, b);
    let rest = |text: &str| text.get(shared..).unwrap_or_default().chars().next();
    let (Some(first), Some(second)) = (rest(a), rest(b)) else {
        return a.len().cmp(&b.len());
    };
    match (first.is_alphabetic(), second.is_alphabetic()) {
        (true, true) => first.cmp(&second),
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            let before = a.get(..shared).unwrap_or_default();
            // A zero in the middle of a number counts, one at its start does not.
            let within = first == '0' || second == '0';
            let start = i64::from(within && ends_with_number(before));
            let (a, b) = (a.get(shared..).unwrap_or_default(), b.get(shared..).unwrap_or_default());
            let ((one, ones), (other, others)) = (number(a, start), number(b, start));
            one.cmp(&other).then(ones.cmp(&others)).then(first.cmp(&second))
        }
    }
}

/// Returns the length of what two texts share at their start, in whole characters.
fn common(a: &str, b: &str) -> usize {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    (0..=same).rev().find(|at| a.is_char_boundary(*at)).unwrap_or(0)
}

/// Says whether a text ends with digits that are not all zeros.
fn ends_with_number(text: &str) -> bool {
    text.bytes().rev().take_while(u8::is_ascii_digit).any(|digit| digit != b'0')
}

/// Returns the number at the start of a text, behind the digits of `start`, and its length.
fn number(text: &str, start: i64) -> (i64, usize) {
    let digits = text.bytes().take_while(u8::is_ascii_digit);
    digits.fold((start, 0), |(value, length), digit| {
        // Go's numbers run over as well.
        (value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')), length + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Node;
    use crate::source::{SourceId, Span};

    fn order(keys: &[&str]) -> Vec<String> {
        let span = Span::start_of(SourceId::NOWHERE);
        let entries: Vec<Entry> = keys
            .iter()
            .map(|key| Entry { key: (*key).into(), key_span: span, value: Node::mapping(span) })
            .collect();
        sorted(&entries).into_iter().map(|entry| entry.key.to_string()).collect()
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        assert_eq!(order(&["a10", "a9", "a1", "a01"]), ["a1", "a01", "a9", "a10"]);
        assert_eq!(order(&["1.10", "1.9", "10.1"]), ["1.9", "1.10", "10.1"]);
        assert_eq!(order(&["v100", "v10-x", "v10"]), ["v10", "v10-x", "v100"]);
    }

    #[test]
    fn other_characters_come_before_digits_and_digits_before_letters() {
        assert_eq!(
            order(&["ab", "a1", "a-", "a_", "a", "a.b"]),
            ["a", "a-", "a.b", "a_", "a1", "ab"]
        );
        assert_eq!(order(&["b", "B", "a", "é", "$patch"]), ["$patch", "B", "a", "b", "é"]);
    }

    #[test]
    fn an_order_that_goes_in_circles_keeps_every_key() {
        let keys: Vec<String> = (0..200).flat_map(|n| [format!("{n}"), format!("{n}x")]).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let mut sorted = order(&keys);
        sorted.sort();
        let mut wanted: Vec<String> = keys.iter().map(ToString::to_string).collect();
        wanted.sort();
        assert_eq!(sorted, wanted);
    }
}
