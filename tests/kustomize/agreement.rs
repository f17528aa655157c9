//! Renders of whole repositories beside those of kustomize.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use tidewaiter::document::{Document, Node, NodeKind};
use tidewaiter::load::Repository;
use tidewaiter::render::{self, Cache, RenderError, Rendered};
use tidewaiter::source::RepoPath;

use crate::oracle::Kustomize;
use crate::origins::Origins;
use crate::repository;

/// How a render compares with kustomize's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Equal,
    BothRefuse,
    /// Something lies outside of the repository, so both cannot be the same.
    Gap,
    Different,
    OnlyKustomizeRenders,
    OnlyTidewaiterRenders,
}

/// Compares all kustomizations below a folder; `true` where none differs.
pub(crate) fn hold(corpora: &Path, kustomize: Option<&Kustomize>) -> bool {
    let mut repositories: Vec<PathBuf> =
        fs::read_dir(corpora).unwrap().map(|it| it.unwrap().path()).collect();
    repositories.retain(|path| path.is_dir());
    repositories.sort();
    let mut tally: BTreeMap<Outcome, usize> = BTreeMap::new();
    let mut origins = Origins::default();
    for path in &repositories {
        let repository = repository::read(path);
        let cache = Cache::default();
        let roots: Vec<RepoPath> = repository::roots(&repository).into_iter().collect();
        let Some(kustomize) = kustomize else {
            origins.add(&repository, &roots);
            continue;
        };
        let lines: Vec<(Outcome, String)> = roots
            .par_iter()
            .map(|root| {
                let ours = render::kustomize(&repository, root, &cache);
                // What lies elsewhere is not fetched by the other side either.
                let theirs = match &ours {
                    Ok(rendered) if !rendered.gaps.is_empty() => Ok(String::new()),
                    _ => kustomize.build(&path.join(root.as_str())),
                };
                let (outcome, why) = compare(&repository, &ours, &theirs);
                (outcome, format!("{}/{root}: {why}", path.file_name().unwrap().display()))
            })
            .collect();
        for (outcome, line) in lines {
            *tally.entry(outcome).or_default() += 1;
            if outcome != Outcome::Equal {
                println!("{outcome:?}: {line}");
            }
        }
    }
    if kustomize.is_none() {
        println!("{origins}");
        return origins.are_exact();
    }
    let all: usize = tally.values().sum();
    for (outcome, count) in &tally {
        println!("{count:>6} of {all}: {outcome:?}");
    }
    tally.keys().all(|it| *it <= Outcome::Gap)
}

fn compare(
    repository: &Repository,
    ours: &Result<Rendered, RenderError>,
    theirs: &Result<String, String>,
) -> (Outcome, String) {
    match (ours, theirs) {
        (Ok(rendered), _) if !rendered.gaps.is_empty() => {
            let gap = &rendered.gaps[0];
            (Outcome::Gap, format!("{:?} {}", gap.kind, gap.text))
        }
        (Ok(rendered), Ok(yaml)) => difference(&rendered.objects, &repository::documents(yaml)),
        (Err(error), Err(theirs)) => (
            Outcome::BothRefuse,
            format!("{}\n    kustomize: {theirs}", repository::shown(repository, error)),
        ),
        (Err(error), Ok(_)) => {
            (Outcome::OnlyKustomizeRenders, repository::shown(repository, error))
        }
        (Ok(_), Err(theirs)) => (Outcome::OnlyTidewaiterRenders, theirs.clone()),
    }
}

/// Compares objects, one after the other.
pub(crate) fn difference(ours: &[Document], theirs: &[Document]) -> (Outcome, String) {
    let names = |documents: &[Document]| -> Vec<String> {
        let name = |it: &Document| match &it.object {
            Some(object) => format!("{} {}", object.kind, object.name),
            None => "?".to_owned(),
        };
        documents.iter().map(name).collect()
    };
    let (our_names, their_names) = (names(ours), names(theirs));
    if our_names != their_names {
        let at = our_names.iter().zip(&their_names).position(|(a, b)| a != b);
        let at = at.unwrap_or_else(|| our_names.len().min(their_names.len()));
        let (ours, theirs) = (our_names.get(at), their_names.get(at));
        return (Outcome::Different, format!("object {at} is {ours:?}, wanted is {theirs:?}"));
    }
    for ((ours, theirs), name) in ours.iter().zip(theirs).zip(our_names) {
        if let Some(why) = differs(&ours.root, &theirs.root, "") {
            return (Outcome::Different, format!("{name}: {why}"));
        }
    }
    (Outcome::Equal, String::new())
}

/// Returns the first place at which two values differ. The order of keys is of no account:
/// kustomize sorts them when it prints.
fn differs(ours: &Node, theirs: &Node, path: &str) -> Option<String> {
    let unequal = || Some(format!("{path} is {}, wanted is {}", ours.to_json(), theirs.to_json()));
    match (&ours.kind, &theirs.kind) {
        (NodeKind::Scalar(_), NodeKind::Scalar(_)) => {
            if ours.to_json() == theirs.to_json() {
                None
            } else {
                unequal()
            }
        }
        (NodeKind::Sequence(a), NodeKind::Sequence(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(at, (a, b))| differs(a, b, &format!("{path}/{at}"))),
        (NodeKind::Mapping(a), NodeKind::Mapping(b)) => {
            let keys = |entries: &[tidewaiter::document::Entry]| -> Vec<String> {
                let mut keys: Vec<String> = entries.iter().map(|it| it.key.to_string()).collect();
                keys.sort();
                keys
            };
            if keys(a) != keys(b) {
                return Some(format!("{path} has {:?}, wanted are {:?}", keys(a), keys(b)));
            }
            a.iter().find_map(|entry| {
                let theirs = theirs.get(&entry.key)?;
                differs(&entry.value, theirs, &format!("{path}/{}", entry.key))
            })
        }
        _ => unequal(),
    }
}
