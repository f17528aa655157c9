//! What the doors see differently, and why: the table that `docs/parity.md` shows.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use tidewaiter::check::schema;
use tidewaiter::rule::{Doors, Registry};
use tidewaiter::run::Rules;

use crate::doors::Seen;

/// Which side has a finding that the other one lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// The repository, or a manifest.
    Check,
    /// The API server.
    Review,
}

/// A reason for which the doors differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    /// The registry says that the rule is not judged at the API server.
    RepositoryOnly,
    /// The API server has validated an object before it asks about it.
    Validated,
    /// A Secret at the API server is always readable: who wrote it decides.
    Provenance,
    /// The values of a Secret are not judged by their format at the API server.
    SecretValue,
    /// A comment is in no field, and mostly in no object.
    Comment,
    /// What a file gives a generator is found in the file, which is no object.
    File,
    /// What a configuration sets for paths does not reach the API server.
    Path,
}

impl Cause {
    pub(crate) const ALL: [Self; 7] = [
        Self::RepositoryOnly,
        Self::Validated,
        Self::Provenance,
        Self::SecretValue,
        Self::Comment,
        Self::File,
        Self::Path,
    ];
}

/// Says whether a rule foresees what the API server has done before it asks.
fn is_validation(rule: &str) -> bool {
    rule.starts_with("api/")
        || [
            "schema/broken-rule",
            "schema/duplicate-item",
            "schema/unknown-custom-field",
            "schema/unproven-defect",
        ]
        .contains(&rule)
}

/// Says whether an object is a custom resource.
fn is_custom(object: &str) -> bool {
    let mut words = object.split(' ');
    let (api_version, kind) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    schema::served(group, version, kind).is_none()
}

/// Returns why a finding is at one side only; nothing where that is a defect.
pub(crate) fn cause(registry: &Registry, side: Side, seen: &Seen) -> Option<Cause> {
    let meta = registry.iter().find(|it| it.id.as_str() == seen.rule).unwrap();
    let category = meta.id.category();
    let is_secret = seen.object.starts_with("v1 Secret ");
    let below = |field: &str| seen.field.starts_with(field);
    match side {
        Side::Check if meta.doors == Doors::Repository && is_validation(&seen.rule) => {
            Some(Cause::Validated)
        }
        Side::Check if meta.doors == Doors::Repository => Some(Cause::RepositoryOnly),
        // By an embedded definition, where the server has its own.
        Side::Check if category == "schema" && is_custom(&seen.object) => Some(Cause::Validated),
        // In the repository the words of validation take the place of those of the schema.
        Side::Review
            if ["schema/missing-field", "schema/invalid-value", "schema/repeated-item"]
                .contains(&&*seen.rule) =>
        {
            Some(Cause::Validated)
        }
        _ if seen.rule == "secrets/plaintext-secret" => Some(Cause::Provenance),
        Side::Check if category == "secrets" && seen.field.is_empty() => Some(Cause::Comment),
        Side::Check
            if category == "secrets" && is_secret && (below("data") || below("stringData")) =>
        {
            Some(Cause::SecretValue)
        }
        _ => None,
    }
}

pub(crate) fn registry() -> Registry {
    Rules::built_in().unwrap().registry
}

const PAGE: &str = "docs/parity.md";
const MARKS: (&str, &str) = ("<!-- generated: begin -->\n", "<!-- generated: end -->");

/// Returns the rules to which a cause applies, as the page lists them.
fn rules(registry: &Registry, cause: Cause) -> Vec<String> {
    let of = |wanted: &dyn Fn(&str, &str, Doors) -> bool| -> Vec<String> {
        registry
            .iter()
            .filter(|it| wanted(it.id.as_str(), it.id.category(), it.doors))
            .map(|it| format!("`{}`", it.id))
            .collect()
    };
    match cause {
        Cause::RepositoryOnly => {
            of(&|id, _, doors| doors == Doors::Repository && !is_validation(id))
        }
        Cause::Validated => {
            let mut rules = vec!["every rule of `api`".to_owned()];
            rules.extend(of(&|id, category, _| category != "api" && is_validation(id)));
            rules.push("every rule of `schema` for custom resources".to_owned());
            rules
        }
        Cause::Provenance => of(&|id, _, _| id == "secrets/plaintext-secret"),
        Cause::SecretValue | Cause::Comment | Cause::File => {
            vec!["every rule of `secrets` that knows a format".to_owned()]
        }
        Cause::Path => vec!["every rule".to_owned()],
    }
}

fn told(cause: Cause) -> (&'static str, &'static str) {
    match cause {
        Cause::RepositoryOnly => (
            "Only a text or a repository shows it",
            "not judged at the cluster: an API server has parsed the text, knows its kinds, and \
             says nothing of the repository",
        ),
        Cause::Validated => (
            "The API server validates an object before it asks",
            "in the repository, what the server of that version would refuse; at the cluster, it \
             has refused it already, and what reaches the gate all the same is said in the words \
             of `schema`",
        ),
        Cause::Provenance => (
            "A Secret at the API server is always readable",
            "in the repository, each readable value is found; at the cluster, a Secret that a \
             person writes and no controller owns, and one that a reconciler applies where the \
             environment has the label `decryption: none`",
        ),
        Cause::SecretValue => (
            "Values of a Secret, under `data` and `stringData`",
            "formats of credentials are found in the repository only: a Secret is where they \
             belong",
        ),
        Cause::Comment => ("Comments of a manifest", "in the repository only: no object has them"),
        Cause::File => (
            "Files from which kustomize generates a ConfigMap",
            "in the repository, what is found has the place in the file and no object; at the \
             cluster, it has the object and the field",
        ),
        Cause::Path => (
            "`enforcement` and `external` with `paths`",
            "in the repository only: an object at the API server has no path",
        ),
    }
}

#[test]
fn the_page_lists_every_difference() {
    let registry = registry();
    let mut part = String::from("| what | rules | difference |\n|---|---|---|\n");
    for cause in Cause::ALL {
        let (what, difference) = told(cause);
        let rules = rules(&registry, cause).join(", ");
        let _ = writeln!(part, "| {what} | {rules} | {difference} |");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(MARKS.0).unwrap();
    let (_, after) = rest.split_once(MARKS.1).unwrap();
    let fresh = format!("{before}{}\n{part}\n{}{after}", MARKS.0, MARKS.1);
    #[expect(clippy::disallowed_methods, reason = "UPDATE=1 rewrites generated files")]
    if std::env::var("UPDATE").is_ok() {
        fs::write(&path, &fresh).unwrap();
    } else {
        assert!(page == fresh, "{PAGE} is stale: run `UPDATE=1 cargo test --test parity`");
    }
}

#[test]
fn the_registry_says_which_rules_a_repository_alone_has() {
    // What is left out at the cluster is left out on purpose: a new rule is judged at both doors
    // unless it is about texts, or about what lies outside of an object.
    let only: BTreeSet<String> = registry()
        .iter()
        .filter(|it| it.doors == Doors::Repository)
        .map(|it| match it.id.category() {
            category @ ("api" | "config" | "coverage" | "flux" | "waiver" | "yaml") => {
                format!("{category}/*")
            }
            _ => it.id.to_string(),
        })
        .collect();
    assert_eq!(
        only,
        BTreeSet::from(
            [
                // An API server has refused it already.
                "api/*",
                "config/*",
                "coverage/*",
                "flux/*",
                "schema/broken-rule",
                "schema/duplicate-item",
                "schema/unknown-custom-field",
                "schema/unproven-defect",
                // An API server says these itself, or serves no such kind.
                "schema/deprecated-kind",
                "schema/disabled-api",
                "schema/unknown-kind",
                "schema/unserved-version",
                "waiver/*",
                "yaml/*",
            ]
            .map(str::to_owned)
        )
    );
}
