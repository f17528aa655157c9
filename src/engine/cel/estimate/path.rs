//! Where in the declared data a part of an expression points.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// The items of a list, and the values and the keys of a map.
pub(super) const ITEMS: &str = "@items";
pub(super) const INDICES: &str = "@indices";
pub(super) const VALUES: &str = "@values";
pub(super) const KEYS: &str = "@keys";

/// A variable, and the steps from it to a part of its value.
///
/// Upstream, a path is a slice that is grown in place where its memory has room, so that two paths
/// that go on from the same one may share what was written last. Whether a rule is refused depends
/// on it: in `self.list.all(x, x.tags.all(t, t != x.name))` the length of `x.name` is taken for the
/// number of tags. So the memory is shared here as well.
#[derive(Debug, Clone)]
pub(super) struct Path {
    memory: Rc<RefCell<Memory>>,
    length: usize,
}

#[derive(Debug)]
struct Memory {
    steps: Vec<Arc<str>>,
    /// How many steps it has room for.
    room: usize,
}

impl Path {
    /// Returns the path of a variable.
    pub(super) fn of(name: &Arc<str>) -> Self {
        let memory = Memory { steps: vec![Arc::clone(name)], room: 1 };
        Self { memory: Rc::new(RefCell::new(memory)), length: 1 }
    }

    /// Goes on from a path (`append`); from none, the step is the first one.
    pub(super) fn with(path: Option<&Self>, step: &Arc<str>) -> Self {
        let Some(path) = path else { return Self::of(step) };
        let mut memory = path.memory.borrow_mut();
        let length = path.length + 1;
        if path.length == memory.room {
            let room = memory.room * 2;
            let mut steps = Vec::with_capacity(room);
            steps.extend(memory.steps.iter().take(path.length).cloned());
            steps.push(Arc::clone(step));
            return Self { memory: Rc::new(RefCell::new(Memory { steps, room })), length };
        }
        match memory.steps.get_mut(path.length) {
            Some(place) => *place = Arc::clone(step),
            None => memory.steps.push(Arc::clone(step)),
        }
        Self { memory: Rc::clone(&path.memory), length }
    }

    /// Follows the path from a start, which its variable stands for.
    pub(super) fn follow<T>(
        &self,
        start: T,
        mut go: impl FnMut(T, &str) -> Option<T>,
    ) -> Option<T> {
        let memory = self.memory.borrow();
        let mut steps = memory.steps.iter().take(self.length).skip(1);
        steps.try_fold(start, |at, step| go(at, step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &Path) -> String {
        let go = |text: String, step: &str| Some(format!("{text}.{step}"));
        path.follow(String::new(), go).unwrap()
    }

    fn with(path: &Path, step: &str) -> Path {
        Path::with(Some(path), &Arc::from(step))
    }

    #[test]
    fn paths_share_what_they_go_on_in_while_there_is_room() {
        let start = Path::of(&Arc::from("self"));
        // One step fills the room of one, two fill that of two: each path is on its own.
        let (left, right) = (with(&start, "a"), with(&start, "b"));
        assert_eq!((text(&left), text(&right)), (".a".to_owned(), ".b".to_owned()));
        // The third step finds room for four.
        let third = with(&left, "c");
        let (left, right) = (with(&third, "d"), with(&third, "e"));
        assert_eq!((text(&left), text(&right)), (".a.c.e".to_owned(), ".a.c.e".to_owned()));
        // The fifth does not.
        let (left, right) = (with(&left, "f"), with(&right, "g"));
        assert_eq!((text(&left), text(&right)), (".a.c.e.f".to_owned(), ".a.c.e.g".to_owned()));
    }
}
