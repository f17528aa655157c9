//! What a wrong field or value was probably meant to be.

use crate::document::Entry;
use crate::rule::closest;

use super::super::lookup::{Fields, Schema, View};

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
pub(super) fn field<'a>(
    entry: &Entry,
    fields: Fields<'a>,
    entries: &[Entry],
    above: &[(usize, Fields<'a>)],
) -> Option<Field<'a>> {
    let name = &*entry.key;
    if name.len() > LONGEST {
        return None;
    }
    let free = |field: &&str| entries.iter().all(|entry| &*entry.key != *field);
    let names = || fields.iter().map(|(field, _)| field).filter(free);
    if let Some(same) = names().find(|field| field.eq_ignore_ascii_case(name)) {
        return Some(Field::Sibling(same));
    }
    if let Some(missing) = closest(name, fields.required().filter(free)) {
        return Some(Field::Sibling(missing));
    }
    if let Some((crumbs, _)) = above.iter().rev().find(|(_, fields)| fields.get(name).is_some()) {
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
fn keys<'a>(entry: &Entry, fields: Fields<'a>) -> Option<Field<'a>> {
    let is_label = entry.key.contains('/') || fields.get("matchLabels").is_some();
    let takes_strings = |schema: Schema<'_>| match schema.view() {
        View::Map(values) => matches!(values.view(), View::String(..)),
        _ => false,
    };
    let maps: Vec<&str> =
        fields.iter().filter(|(_, schema)| takes_strings(*schema)).map(|(name, _)| name).collect();
    (is_label && entry.value.as_str().is_some() && !maps.is_empty()).then_some(Field::Keys(maps))
}

/// Returns the path to the one object within that has the field, the nearest first.
fn below(name: &str, fields: Fields<'_>, entries: &[Entry]) -> Option<String> {
    let mut level = vec![(String::new(), fields)];
    for _ in 0..DEPTH {
        let mut next = Vec::new();
        for (path, fields) in level {
            for (field, schema) in fields.iter().filter(|(field, _)| *field != "status") {
                if let Some((fields, suffix)) = object(schema) {
                    let dot = if path.is_empty() { "" } else { "." };
                    next.push((format!("{path}{dot}{field}{suffix}"), fields));
                }
            }
        }
        let has: Vec<&str> = next
            .iter()
            .filter(|(_, fields)| fields.get(name).is_some())
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

fn object(schema: Schema<'_>) -> Option<(Fields<'_>, &'static str)> {
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
