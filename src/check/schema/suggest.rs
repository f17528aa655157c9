//! What a wrong field or value was probably meant to be.

use crate::document::Entry;
use crate::rule::closest;

use super::lookup::{Fields as BuiltIn, Schema, View};

/// The fields that an object may have, as a suggestion looks at them.
pub(super) trait Fields<'a>: Copy {
    /// Returns the names of all fields, in alphabetical order.
    fn names(self) -> impl Iterator<Item = &'a str>;
    /// Returns the names of the fields that must be there.
    fn required(self) -> impl Iterator<Item = &'a str>;
    /// Says whether there is a field of this name.
    fn has(self, name: &str) -> bool;
    /// Returns the fields that hold objects, or lists of objects, with the fields of those and
    /// with `[]` for a list.
    fn objects(self) -> impl Iterator<Item = (&'a str, Self, &'static str)>;
    /// Returns the fields that hold strings by keys of one's own.
    fn maps_of_strings(self) -> impl Iterator<Item = &'a str>;
}

impl<'a> Fields<'a> for BuiltIn<'a> {
    fn names(self) -> impl Iterator<Item = &'a str> {
        self.iter().map(|(name, _)| name)
    }

    fn required(self) -> impl Iterator<Item = &'a str> {
        self.required()
    }

    fn has(self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn objects(self) -> impl Iterator<Item = (&'a str, Self, &'static str)> {
        self.iter().filter_map(|(name, schema)| {
            let (fields, suffix) = object(schema)?;
            Some((name, fields, suffix))
        })
    }

    fn maps_of_strings(self) -> impl Iterator<Item = &'a str> {
        let takes_strings = |schema: Schema<'_>| match schema.view() {
            View::Map(values) => matches!(values.view(), View::String(..)),
            _ => false,
        };
        self.iter().filter(move |(_, schema)| takes_strings(*schema)).map(|(name, _)| name)
    }
}

/// Where an unknown field belongs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Field<'a> {
    /// It is this field, misspelt.
    Sibling(&'a str),
    /// It belongs into an object around this one: so many crumbs lead there.
    Above(usize),
    /// It belongs into an object within this one, at this path.
    Below(String),
    /// It is a key of one's own, and these fields take such keys.
    Keys(Vec<&'a str>),
}

/// Longer names are not looked at: the time that a comparison takes grows with them.
const LONGEST: usize = 64;
/// How far below an unknown field is searched: `spec` of a workload to `template.spec.containers`.
const DEPTH: usize = 3;

/// Returns where an unknown field belongs.
///
/// The same name in other case counts most, then a like one that is required and missing, then the
/// same name elsewhere, then any like one.
pub(super) fn field<'a, F: Fields<'a>>(
    entry: &Entry,
    fields: F,
    entries: &[Entry],
    above: &[(usize, F)],
) -> Option<Field<'a>> {
    let name = &*entry.key;
    if name.len() > LONGEST {
        return None;
    }
    let free = |field: &&str| entries.iter().all(|entry| &*entry.key != *field);
    let names = || fields.names().filter(free);
    if let Some(same) = names().find(|field| field.eq_ignore_ascii_case(name)) {
        return Some(Field::Sibling(same));
    }
    if let Some(missing) = closest(name, fields.required().filter(free)) {
        return Some(Field::Sibling(missing));
    }
    if let Some((crumbs, _)) = above.iter().rev().find(|(_, fields)| fields.has(name)) {
        return Some(Field::Above(*crumbs));
    }
    if let Some(path) = below(name, fields, entries) {
        return Some(Field::Below(path));
    }
    if let Some(near) = closest(name, names()) {
        return Some(Field::Sibling(near));
    }
    keys(entry, fields)
}

/// A label outside of `labels`, or outside of `matchLabels`.
fn keys<'a, F: Fields<'a>>(entry: &Entry, fields: F) -> Option<Field<'a>> {
    let is_label = entry.key.contains('/') || fields.has("matchLabels");
    if !is_label || entry.value.as_str().is_none() {
        return None;
    }
    let maps: Vec<&str> = fields.maps_of_strings().collect();
    (!maps.is_empty()).then_some(Field::Keys(maps))
}

/// Returns the path to the one object within that has the field, the nearest first.
fn below<'a, F: Fields<'a>>(name: &str, fields: F, entries: &[Entry]) -> Option<String> {
    let mut level = vec![(String::new(), fields)];
    for _ in 0..DEPTH {
        let mut next = Vec::new();
        for (path, fields) in level {
            for (field, fields, suffix) in fields.objects().filter(|it| it.0 != "status") {
                let dot = if path.is_empty() { "" } else { "." };
                next.push((format!("{path}{dot}{field}{suffix}"), fields));
            }
        }
        let has: Vec<&str> = next
            .iter()
            .filter(|(_, fields)| fields.has(name))
            .map(|(path, _)| path.as_str())
            .collect();
        let written = |path: &&&str| {
            let first = path.split(['.', '[']).next();
            entries.iter().any(|entry| Some(&*entry.key) == first)
        };
        let mut there = has.iter().filter(written);
        match (has.as_slice(), there.next(), there.next()) {
            ([only], ..) | ([_, ..], Some(only), None) => return Some((*only).to_owned()),
            ([_, ..], ..) => return None,
            ([], ..) => level = next,
        }
    }
    None
}

fn object(schema: Schema<'_>) -> Option<(BuiltIn<'_>, &'static str)> {
    match schema.view() {
        View::Object(fields) => Some((fields, "")),
        View::List(items, _) => match items.view() {
            View::Object(fields) => Some((fields, "[]")),
            _ => None,
        },
        _ => None,
    }
}

/// More values than these are not listed.
const LISTED: usize = 10;

/// Says which values there are, and which one was probably meant.
pub(in crate::check::schema) fn value(wrong: &str, values: &[&str]) -> String {
    let near = if wrong.len() > LONGEST { None } else { closest(wrong, values.iter().copied()) };
    let listed = match values {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|it| format!("`{it}`")).collect();
            format!("{} or `{last}`", first.join(", "))
        }
    };
    match near {
        Some(near) if values.len() > LISTED => format!("did you mean `{near}`?"),
        Some(near) => format!("did you mean `{near}`? It takes {listed}"),
        None if values.len() > LISTED => "use one of the values that the field takes".to_owned(),
        None => format!("it takes {listed}"),
    }
}
