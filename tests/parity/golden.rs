//! The objects of a folder of manifests that somebody has, e.g. renders of other repositories.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::apiserver::Applied;
use crate::differences::{Side, cause, registry};
use crate::doors::{Doors, Seen, identity};
use crate::sample::objects;

fn manifests(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            manifests(&path, out);
        } else if path.extension().is_some_and(|it| it == "yaml" || it == "yml") {
            out.push(path);
        }
    }
}

/// What is counted of one file.
#[derive(Debug, Default)]
struct Count {
    objects: usize,
    same: usize,
    /// By side, rule and cause.
    differences: BTreeMap<String, usize>,
    /// Differences that are not listed, each with its file.
    unlisted: Vec<String>,
}

fn count(doors: &Doors, path: &Path) -> Count {
    let registry = registry();
    let mut count = Count::default();
    let Ok(text) = fs::read_to_string(path) else { return count };
    let objects = objects(&text);
    count.objects = objects.len();
    let known: BTreeSet<String> = objects.iter().map(identity).collect();
    // What `check` finds outside of the objects is about the text.
    let check = doors.check(&text);
    let review: BTreeSet<Seen> =
        objects.iter().flat_map(|object| doors.review(object, Applied::ByServer)).collect();
    count.same = check.intersection(&review).count();
    for (side, one, other) in [(Side::Check, &check, &review), (Side::Review, &review, &check)] {
        for seen in one.difference(other) {
            let cause = cause(&registry, side, seen);
            let label = cause.map_or_else(|| "not listed".to_owned(), |it| format!("{it:?}"));
            *count.differences.entry(format!("{side:?} {} {label}", seen.rule)).or_default() += 1;
            if cause.is_none() {
                let whose = if known.contains(&seen.object) { "" } else { " (of no object)" };
                count.unlisted.push(format!("{}: {side:?}{whose} {seen:?}", path.display()));
            }
        }
    }
    count
}

/// Compares both doors over the manifests below the folder that `MANIFESTS` names, and prints the
/// figures: `MANIFESTS=folder cargo test --release --test parity -- --ignored --nocapture`.
#[test]
#[ignore = "needs a folder of manifests"]
#[expect(clippy::disallowed_methods, reason = "a figure for people")]
fn both_doors_find_the_same_in_every_object_of_a_folder() {
    let folder = std::env::var("MANIFESTS").expect("MANIFESTS names a folder");
    let mut paths = Vec::new();
    manifests(Path::new(&folder), &mut paths);
    paths.sort();
    let doors = Doors::without_web(None, Some("production"));
    let counts: Vec<Count> = paths.par_iter().map(|path| count(&doors, path)).collect();
    let mut differences: BTreeMap<&String, usize> = BTreeMap::new();
    for (label, number) in counts.iter().flat_map(|it| &it.differences) {
        *differences.entry(label).or_default() += number;
    }
    println!("files: {}", paths.len());
    println!("objects: {}", counts.iter().map(|it| it.objects).sum::<usize>());
    println!("findings that both have: {}", counts.iter().map(|it| it.same).sum::<usize>());
    for (label, number) in differences {
        println!("{number:6} {label}");
    }
    let unlisted: Vec<&String> = counts.iter().flat_map(|it| &it.unlisted).collect();
    for line in unlisted.iter().take(40) {
        println!("{line}");
    }
    assert!(unlisted.is_empty(), "{} differences are not listed", unlisted.len());
}
