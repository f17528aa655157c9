//! What the documents of one file share: texts that recur, and room to build collections in.

use std::sync::Arc;

use crate::document::{Entry, Node};

/// The longest text that is looked for among the earlier ones.
const LONGEST: usize = 64;

/// The number of texts that are remembered.
const SLOTS: usize = 512;

/// Kept while a file is read, so that its documents take few and exact allocations.
pub(super) struct Shared {
    texts: Vec<Option<Arc<str>>>,
    entries: Vec<Vec<Entry>>,
    items: Vec<Vec<Node>>,
}

impl Default for Shared {
    fn default() -> Self {
        Self { texts: vec![None; SLOTS], entries: Vec::new(), items: Vec::new() }
    }
}

impl Shared {
    /// Returns a text that equals the given one, and is shared with earlier ones where it recurs,
    /// as keys and many values do.
    pub(super) fn text(&mut self, text: &str) -> Arc<str> {
        if text.len() > LONGEST {
            return Arc::from(text);
        }
        match self.texts.get_mut(slot(text.as_bytes())) {
            Some(Some(known)) if **known == *text => Arc::clone(known),
            Some(slot) => Arc::clone(slot.insert(Arc::from(text))),
            None => Arc::from(text),
        }
    }

    /// Returns room for the entries of a mapping.
    pub(super) fn entries(&mut self) -> Vec<Entry> {
        self.entries.pop().unwrap_or_default()
    }

    /// Returns room for the items of a sequence.
    pub(super) fn items(&mut self) -> Vec<Node> {
        self.items.pop().unwrap_or_default()
    }

    /// Returns the entries without room for more, and keeps the room.
    pub(super) fn exact_entries(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        exact(entries, &mut self.entries)
    }

    /// Returns the items without room for more, and keeps the room.
    pub(super) fn exact_items(&mut self, items: Vec<Node>) -> Vec<Node> {
        exact(items, &mut self.items)
    }
}

fn exact<T>(mut built: Vec<T>, spare: &mut Vec<Vec<T>>) -> Vec<T> {
    if built.len() == built.capacity() {
        return built;
    }
    let mut exact = Vec::with_capacity(built.len());
    exact.append(&mut built);
    spare.push(built);
    exact
}

/// Returns where a text is remembered. One that falls together with another only costs its
/// sharing, so both ends and the length are enough.
fn slot(text: &[u8]) -> usize {
    let word =
        |bytes: &[u8]| bytes.iter().fold(0, |word: u64, byte| (word << 8) | u64::from(*byte));
    let (first, last) = match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => (word(text), 0),
    };
    let mixed = (first ^ last.rotate_left(23) ^ (text.len() as u64).rotate_left(47))
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // The highest nine bits: below 512.
    (mixed >> 55) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_shared() {
        let mut shared = Shared::default();
        for text in ["", "a", "kind", "apiVersion", "app.kubernetes.io/name"] {
            let first = shared.text(text);
            assert_eq!(&*first, text);
            assert!(Arc::ptr_eq(&first, &shared.text(text)), "{text}");
        }
    }

    #[test]
    fn texts_that_fall_together_stay_apart() {
        let mut shared = Shared::default();
        // Equal in length and at both ends.
        for text in ["aaaaaaaa-1-bbbbbbbb", "aaaaaaaa-2-bbbbbbbb", "aaaaaaaa-1-bbbbbbbb"] {
            assert_eq!(&*shared.text(text), text);
        }
    }

    #[test]
    fn collections_keep_no_room() {
        let mut shared = Shared::default();
        let mut items = shared.items();
        items.reserve(10);
        items.push(Node::string(
            "a",
            crate::source::Span::start_of(crate::source::SourceId::NOWHERE),
        ));
        let items = shared.exact_items(items);
        assert_eq!((items.len(), items.capacity()), (1, 1));
        assert!(shared.items().capacity() >= 10);
    }
}
