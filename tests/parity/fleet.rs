//! The objects of `examples/fleet`, as its overlays render them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tidewaiter::discover::{self, WalkLimits};
use tidewaiter::load::{self, Dialect, Limits, Repository};
use tidewaiter::render;
use tidewaiter::run::{Input, Options};
use tidewaiter::source::{Origin, RepoPath, Source};

use crate::apiserver::Applied;
use crate::differences::{Cause, Side, cause, registry};
use crate::doors::{Doors, Seen, report_of};

/// What each environment receives: the roots that its cluster renders, and its plain manifests.
const ENVIRONMENTS: [(&str, &str); 4] =
    [("dev", "dev"), ("stage", "stage"), ("prod/eu", "prod-eu"), ("prod/us", "prod-us")];

fn fleet() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/fleet")
}

fn repository() -> Repository {
    let scope = discover::scope(&[fleet()], &fleet()).unwrap();
    let mut repository = Repository::new(Limits::default());
    for file in discover::walk(&scope, &WalkLimits::default()).files {
        repository.add(Source::new(file.path, Origin::File, file.bytes), file.in_scope);
    }
    repository
}

/// Returns the path of a folder of the fleet within its repository.
fn path(folder: &str) -> RepoPath {
    let scope = discover::scope(&[fleet()], &fleet()).unwrap();
    scope.paths().next().unwrap().join(folder).unwrap()
}

/// Returns the objects that an environment receives.
fn objects(repository: &Repository, cluster: &str) -> Vec<Value> {
    let mut out = Vec::new();
    let mut folders: Vec<String> = ["ledger", "log-agent", "storefront"]
        .iter()
        .map(|app| format!("apps/{app}/overlays/{cluster}"))
        .collect();
    let prod = cluster.starts_with("prod");
    folders.push(if prod { "infrastructure/prod" } else { "infrastructure/base" }.to_owned());
    for folder in folders {
        let rendered =
            render::kustomize(repository, &path(&folder), &render::Cache::default()).unwrap();
        assert!(!rendered.objects.is_empty(), "{folder}");
        out.extend(rendered.objects.iter().map(|it| it.root.to_json()));
    }
    let plain = path(&format!("clusters/{cluster}"));
    let names: Vec<RepoPath> = repository
        .files()
        .map(|(path, _)| path.clone())
        .filter(|it| it.parent() == plain)
        .collect();
    assert!(!names.is_empty(), "{cluster}");
    for name in names {
        let parsed = repository.parsed(&name, Dialect::Kubectl).unwrap();
        let objects = parsed.documents.iter().flat_map(load::objects);
        out.extend(objects.map(|it| it.document.root.to_json()));
    }
    out
}

/// Returns what `check` finds in the whole fleet, for one environment.
fn whole(environment: &str) -> BTreeSet<Seen> {
    let options = Options {
        input: Input::Paths(vec![fleet()]),
        current_dir: fleet(),
        environment: Some(environment.to_owned()),
        ..Options::default()
    };
    let report = report_of(&options);
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .filter(|it| it["environments"].as_array().unwrap().iter().any(|it| it == environment))
        .map(Seen::read)
        .collect()
}

/// Holds that two sides agree, but for what is listed; returns what was met of that.
#[track_caller]
fn assert_same(name: &str, check: &BTreeSet<Seen>, review: &BTreeSet<Seen>) -> BTreeSet<Cause> {
    let registry = registry();
    let mut causes = BTreeSet::new();
    for (side, one, other) in [(Side::Check, check, review), (Side::Review, review, check)] {
        for seen in one.difference(other) {
            // The configuration of the fleet turns one rule off for a path.
            let off = side == Side::Review && seen.rule == "pod-security/host-path-volume";
            let in_file = |it: &Seen| {
                it.object.is_empty() && (&it.rule, &it.message) == (&seen.rule, &seen.message)
            };
            let cause = match side {
                Side::Review if off => Some(Cause::Path),
                Side::Review if other.iter().any(in_file) => Some(Cause::File),
                Side::Check | Side::Review => cause(&registry, side, seen),
            };
            match cause {
                Some(cause) => drop(causes.insert(cause)),
                None => panic!("{name}: only {side:?} finds {seen:#?}\nthe other: {other:#?}"),
            }
        }
    }
    causes
}

#[test]
fn both_doors_find_the_same_in_every_object_of_the_fleet() {
    let repository = repository();
    let config = fleet().join("tidewaiter.yaml");
    let mut all = 0;
    for (environment, cluster) in ENVIRONMENTS {
        let doors = Doors::new(Some(&config), Some(environment));
        for object in objects(&repository, cluster) {
            let check = doors.check(&object.to_string());
            for applied in Applied::ALL {
                let review = doors.review(&object, applied);
                assert_same(&format!("{environment}: {object}"), &check, &review);
            }
            all += 1;
        }
    }
    assert!(all > 60, "{all}");
}

#[test]
fn the_cluster_finds_what_the_repository_promises() {
    let repository = repository();
    let config = fleet().join("tidewaiter.yaml");
    let mut causes = BTreeSet::new();
    let mut same = 0;
    for (environment, cluster) in ENVIRONMENTS {
        let doors = Doors::new(Some(&config), Some(environment));
        let review: BTreeSet<Seen> = objects(&repository, cluster)
            .iter()
            .flat_map(|object| doors.review(object, Applied::ByServer))
            .collect();
        let check = whole(environment);
        same += check.intersection(&review).count();
        causes.extend(assert_same(environment, &check, &review));
    }
    assert!(same >= 10, "{same}");
    for cause in [Cause::Path, Cause::File, Cause::RepositoryOnly] {
        assert!(causes.contains(&cause), "{cause:?} is not shown: {causes:?}");
    }
}
