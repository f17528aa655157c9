//! Modules to policies: everything is read and linted before anything is judged.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rayon::prelude::*;

use super::lint;
use super::metadata::{self, KindPattern};
use super::{TIME_LIMIT, input};
use crate::document::ObjectRef;
use crate::engine::rego::{Module, Place, Program, RegoError, Rule};
use crate::rule::{Registry, RuleId, RuleMeta};

/// The package that holds the policies and their libraries.
const ROOT: &str = "tidewaiter";

/// The package below [`ROOT`] that holds what policies share.
const LIBRARY: &str = "lib";

/// Policies that were read together, and the libraries that they use.
#[derive(Debug)]
pub struct Bundle {
    /// In the order of their ids.
    pub(super) policies: Vec<Policy>,
}

/// One rule written in Rego.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) meta: RuleMeta,
    /// The objects that it is asked about; all where there is no pattern.
    pub(super) kinds: Vec<KindPattern>,
    owner: Owner,
    /// Its `deny`.
    pub(super) deny: Rule,
}

impl Policy {
    pub(super) fn applies_to(&self, object: &ObjectRef) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|pattern| pattern.matches(object))
    }
}

/// Why a bundle is refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BundleError {
    /// Where the defect is.
    pub place: Option<Place>,
    /// What is wrong: one sentence, no final period.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for BundleError {}

impl BundleError {
    pub(super) fn new(place: &Place, message: impl Into<String>) -> Self {
        Self { place: Some(place.clone()), message: message.into(), help: None }
    }

    #[must_use]
    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl From<RegoError> for BundleError {
    fn from(error: RegoError) -> Self {
        Self { place: error.place().cloned(), message: error.to_string(), help: None }
    }
}

/// Categories of rules that are no policies, whose findings the program itself gives a meaning.
const RESERVED: [&str; 5] = ["config", "coverage", "schema", "waiver", "yaml"];

/// Whose a module is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The program's: its path follows from its package.
    Program,
    /// The user's: its file may have any name, as the keys of a `ConfigMap` are no paths.
    User,
}

/// What a module of a bundle is, by its package.
enum Role {
    Policy { id: RuleId },
    Library,
}

impl Bundle {
    /// Reads and lints modules, each the path below the folder of the bundle, and its text.
    ///
    /// `rbac/wildcard_verb/policy.rego` holds the package `tidewaiter.rbac.wildcard_verb`, which
    /// is the rule `rbac/wildcard-verb`; `lib/k8s.rego` holds the library `tidewaiter.lib.k8s`.
    /// All defects are reported, in the order of their places.
    pub fn load<N, T>(modules: impl IntoIterator<Item = (N, T)>) -> Result<Self, Vec<BundleError>>
    where
        N: Into<String>,
        T: Into<String>,
    {
        let bundle = Self::lint(modules)?;
        bundle.tried(|_| true)
    }

    /// Reads and lints modules, and leaves each policy to be tried at its first evaluation: for
    /// modules that tests have tried, because trying all of them is most of a short run.
    pub(super) fn lint<N, T>(
        modules: impl IntoIterator<Item = (N, T)>,
    ) -> Result<Self, Vec<BundleError>>
    where
        N: Into<String>,
        T: Into<String>,
    {
        let modules = modules.into_iter().map(|(name, text)| (name.into(), text.into()));
        Self::read(modules.collect(), Vec::new(), &Registry::default())
    }

    /// Reads and lints modules of the program, which tests have tried, and of the user, each a
    /// name and a text; tries the latter. `others` are the rules that are no policies.
    pub(super) fn extended<N, T>(
        modules: impl IntoIterator<Item = (N, T)>,
        own: Vec<(String, String)>,
        others: &Registry,
    ) -> Result<Self, Vec<BundleError>>
    where
        N: Into<String>,
        T: Into<String>,
    {
        let modules = modules.into_iter().map(|(name, text)| (name.into(), text.into()));
        let bundle = Self::read(modules.collect(), own, others)?;
        bundle.tried(|policy| policy.owner == Owner::User)
    }

    /// Tries some policies: some defects, an unsafe variable for one, show only then.
    fn tried(self, wanted: impl Fn(&Policy) -> bool + Sync) -> Result<Self, Vec<BundleError>> {
        let tried = self
            .policies
            .par_iter()
            .filter(|policy| wanted(policy))
            .map(|policy| policy.deny.prepare());
        let mut errors: Vec<BundleError> =
            tried.filter_map(Result::err).map(BundleError::from).collect();
        if errors.is_empty() {
            return Ok(self);
        }
        errors.sort();
        errors.dedup();
        Err(errors)
    }

    fn read(
        modules: Vec<(String, String)>,
        own: Vec<(String, String)>,
        others: &Registry,
    ) -> Result<Self, Vec<BundleError>> {
        let of_program = modules.len();
        let program = Program::load(modules.into_iter().chain(own), TIME_LIMIT)
            .map_err(|errors| errors.into_iter().map(BundleError::from).collect::<Vec<_>>())?;
        let mut errors = Vec::new();
        let mut found = Vec::new();
        let mut packages: BTreeMap<&[String], (&Module, Owner)> = BTreeMap::new();
        let mut ids: BTreeSet<RuleId> = BTreeSet::new();
        for (position, module) in program.modules().iter().enumerate() {
            let owner = if position < of_program { Owner::Program } else { Owner::User };
            if let Some(known) = packages.get(&*module.package) {
                errors.push(defined_already(module, owner, *known));
                continue;
            }
            packages.insert(&module.package, (module, owner));
            match role(module, owner) {
                Ok(Role::Library) => {}
                Ok(Role::Policy { id }) => {
                    if !ids.insert(id.clone()) || others.get(&id).is_some() {
                        let message = format!("there is a rule `{id}` already");
                        errors
                            .push(BundleError::new(&module.place, message).with_help(ANOTHER_NAME));
                    }
                    lint::entry_point(module, &mut errors);
                    if let Some((meta, kinds)) = annotation(module, id, owner, &mut errors) {
                        found.push((module, owner, meta, kinds));
                    }
                }
                Err(error) => errors.push(error),
            }
        }
        lint::modules(program.modules(), &mut errors);
        if !errors.is_empty() {
            errors.sort();
            errors.dedup();
            return Err(errors);
        }
        found.sort_by(|(_, _, one, _), (_, _, other, _)| one.id.cmp(&other.id));
        let policy = |(module, owner, meta, kinds)| Policy {
            meta,
            kinds,
            owner,
            deny: program.rule(module, "deny", &input::empty()),
        };
        Ok(Self { policies: found.into_iter().map(policy).collect() })
    }
}

const ANOTHER_NAME: &str =
    "give yours another name; `enforcement` in the configuration changes what a rule does";

fn defined_already(module: &Module, owner: Owner, known: (&Module, Owner)) -> BundleError {
    let (known, of) = known;
    if owner == of {
        let message = format!("the package is defined in `{}` already", known.name);
        return BundleError::new(&module.place, message);
    }
    let message = format!("the package `{}` is built in", module.package.join("."));
    BundleError::new(&module.place, message).with_help(ANOTHER_NAME)
}

/// Reads what a module is from its package, which the path of one of the program has to agree with.
fn role(module: &Module, owner: Owner) -> Result<Role, BundleError> {
    let parts: Vec<&str> = module.package.iter().map(String::as_str).collect();
    let (path, role) = match parts.as_slice() {
        [ROOT, LIBRARY, rest @ ..] if !rest.is_empty() => {
            (format!("{LIBRARY}/{}.rego", rest.join("/")), Role::Library)
        }
        [ROOT, category, _] if owner == Owner::User && RESERVED.contains(category) => {
            let message = format!("rules of the category `{category}` are the program's own");
            return Err(BundleError::new(&module.place, message)
                .with_help("choose another category, e.g. the name of your organization"));
        }
        [ROOT, category, rule] => {
            let id = format!("{category}/{rule}").replace('_', "-");
            let id = id.parse().map_err(|error| {
                BundleError::new(&module.place, format!("the package makes no rule id: {error}"))
            })?;
            (format!("{category}/{rule}/policy.rego"), Role::Policy { id })
        }
        _ => {
            let message = format!("`{}` is no package of a policy", parts.join("."));
            return Err(BundleError::new(&module.place, message).with_help(format!(
                "name it `{ROOT}.<category>.<rule>`, or `{ROOT}.{LIBRARY}.<name>` for what \
                 policies share"
            )));
        }
    };
    if owner == Owner::Program && module.name != path {
        let message = format!("the package `{}` belongs into `{path}`", parts.join("."));
        return Err(BundleError::new(&module.place, message)
            .with_help("package, folder and id of a rule are one name: rename one of them"));
    }
    Ok(role)
}

fn annotation(
    module: &Module,
    id: RuleId,
    owner: Owner,
    errors: &mut Vec<BundleError>,
) -> Option<(RuleMeta, Vec<KindPattern>)> {
    let annotation = match &module.annotation {
        Ok(Some(annotation)) => annotation,
        Ok(None) => {
            errors.push(
                BundleError::new(&module.place, "the policy has no annotation")
                    .with_help("put a `# METADATA` comment directly above `package`"),
            );
            return None;
        }
        Err(error) => {
            errors.push(BundleError::new(&error.place, error.message.clone()));
            return None;
        }
    };
    metadata::read(annotation, id, owner, errors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Enforcement, Severity};

    const GOOD: &str = "\
# METADATA
# title: A title
# description: What it is about.
# related_resources:
#   - description: A page
#     ref: https://example.com
# custom:
#   severity: high
#   enforcement: warn
#   since: 0.1.0
#   help: mend it
#   kinds: [apps/Deployment, core/Secret, Pod]
package tidewaiter.some_group.some_rule

import data.tidewaiter.lib.shared

deny contains {\"msg\": text, \"path\": []} if {
\ttext := shared.name(input.object)
}
";
    const SHARED: &str = "package tidewaiter.lib.shared\n\nname(object) := object.metadata.name\n";

    fn load(policy: &str) -> Result<Bundle, Vec<String>> {
        let modules = [("lib/shared.rego", SHARED), ("some_group/some_rule/policy.rego", policy)];
        Bundle::load(modules)
            .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    fn errors(from: &str, to: &str) -> Vec<String> {
        assert!(GOOD.contains(from), "{from}");
        let errors = load(&GOOD.replace(from, to)).unwrap_err();
        let short = |it: &String| it.replace("some_group/some_rule/policy.rego:", "");
        errors.iter().map(short).collect()
    }

    #[test]
    fn a_policy_is_read_with_its_annotation() {
        let bundle = load(GOOD).unwrap();
        let [policy] = bundle.policies.as_slice() else { panic!("{bundle:?}") };
        assert_eq!(policy.meta.id.as_str(), "some-group/some-rule");
        assert_eq!(policy.meta.title, "A title");
        assert_eq!(policy.meta.help, "mend it");
        assert_eq!(policy.meta.severity, Severity::High);
        assert_eq!(policy.meta.enforcement, Enforcement::Warn);
        assert_eq!(policy.meta.references.len(), 1);
        let object = |api_version: &str, kind: &str| ObjectRef {
            api_version: api_version.into(),
            kind: kind.into(),
            namespace: None,
            name: "x".into(),
        };
        assert!(policy.applies_to(&object("apps/v1", "Deployment")));
        assert!(!policy.applies_to(&object("acme.example/v1", "Deployment")));
        assert!(policy.applies_to(&object("v1", "Secret")));
        assert!(!policy.applies_to(&object("vault.example/v1", "Secret")));
        assert!(policy.applies_to(&object("acme.example/v1", "Pod")));
        assert!(!policy.applies_to(&object("v1", "Service")));
    }

    #[test]
    fn an_annotation_is_held_to_its_keys() {
        let cases = [
            (
                "#   severity",
                "#   serverity",
                vec![
                    "8:5: `custom` has the unknown key `serverity`; did you mean `severity`?",
                    "8:5: the annotation has no `severity`",
                ],
            ),
            (
                "severity: high",
                "severity: bad",
                vec!["8:15: `severity` is `low`, `medium`, `high` or `critical`"],
            ),
            (": warn", ": 'off'", vec!["9:18: `enforcement` is `warn` or `deny`"]),
            ("0.1.0", "soon", vec!["10:12: `since` is a version such as `0.1.0`"]),
            ("# title: A title\n", "", vec!["2:3: the annotation has no `title`"]),
            ("A title", "7", vec!["2:10: `title` is a text"]),
            ("core/Secret", "core/secret", vec!["12:30: `kinds` lists `Kind` or `group/Kind`"]),
            ("# METADATA\n", "", vec!["12:9: the policy has no annotation"]),
        ];
        for (from, to, expected) in cases {
            assert_eq!(errors(from, to), expected, "{to}");
        }
    }

    #[test]
    fn what_rego_would_be_silent_about_is_refused() {
        let cases = [
            ("deny contains", "denny contains", "13:9: the policy has no rule `deny`"),
            (
                "deny contains {\"msg\": text, \"path\": []} if",
                "deny := text if",
                "17:1: `deny` is no set of violations",
            ),
            (
                "import data.tidewaiter.lib.shared",
                "import data.tidewaiter.lib.shard as shared",
                "15:8: `data.tidewaiter.lib.shard` is neither a rule nor a package of the bundle",
            ),
            (
                "shared.name(",
                "shared.nme(",
                "18:10: `data.tidewaiter.lib.shared.nme` is neither a rule nor a package of the \
                 bundle",
            ),
            ("input.object", "input.objct", "18:22: `input` has no field `objct`"),
            ("shared.name(", "trimm(", "18:10: there is no function `trimm`"),
            (
                "shared.name(",
                "http.send(",
                "18:10: `http.send` is refused, because it uses the network",
            ),
            (
                "text := shared",
                "text := \"x\"\n\tnot shared.name(input.object.metadata)\n\ty := shared",
                "19:18: `input.object.metadata` may have no value here, and engines disagree on \
                 the negation of such a call",
            ),
            (
                "deny contains",
                "default f(_) := 1\n\ndeny contains",
                "17:9: `f` is a default function, which engines disagree on",
            ),
            (
                "tidewaiter.some_group.some_rule",
                "tidewaiter.some_group.other",
                "13:9: the package `tidewaiter.some_group.other` belongs into \
                 `some_group/other/policy.rego`",
            ),
            (
                "tidewaiter.some_group.some_rule",
                "acme.some_rule",
                "13:9: `acme.some_rule` is no package of a policy",
            ),
        ];
        for (from, to, expected) in cases {
            assert!(errors(from, to).contains(&expected.to_owned()), "{:?}", errors(from, to));
        }
    }

    #[test]
    fn what_shows_only_in_the_analysis_is_refused() {
        let errors = errors("text := shared.name(input.object)", "text := nowhere");
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains("nowhere") && errors[0].contains("unsafe"), "{errors:?}");
    }

    #[test]
    fn a_syntax_error_has_its_place() {
        let errors = errors("text := shared", "text := := shared");
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].starts_with("18:"), "{errors:?}");
    }

    #[test]
    fn a_package_that_is_there_twice_is_refused() {
        let modules = [("lib/shared.rego", SHARED), ("lib/shared.rego", SHARED)];
        let errors = Bundle::load(modules).unwrap_err();
        let expected = "lib/shared.rego:1:9: the package is defined in `lib/shared.rego` already";
        assert_eq!(errors[0].to_string(), expected);
    }

    /// Reads policies of the user beside a library and a policy of the program.
    fn extended(own: &[(&str, &str)]) -> Result<Vec<String>, Vec<String>> {
        let program = [("lib/shared.rego", SHARED), ("some_group/some_rule/policy.rego", GOOD)];
        let own = own.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let mut others = Registry::default();
        let known = Bundle::load(program).unwrap();
        let mut meta = known.policies[0].meta.clone();
        meta.id = "secrets/github-pat".parse().unwrap();
        others.add(meta).unwrap();
        match Bundle::extended(program, own.collect(), &others) {
            Ok(bundle) => Ok(bundle.policies.iter().map(|it| it.meta.id.to_string()).collect()),
            Err(errors) => Err(errors
                .iter()
                .map(|it| match &it.help {
                    Some(help) => format!("{it} ({help})"),
                    None => it.to_string(),
                })
                .collect()),
        }
    }

    fn own(package: &str) -> String {
        GOOD.replace("tidewaiter.some_group.some_rule", package).replace("#   since: 0.1.0\n", "")
    }

    #[test]
    fn a_policy_of_the_user_may_lie_anywhere_and_names_no_version() {
        let text = own("tidewaiter.acme.missing_label");
        assert_eq!(
            extended(&[("rules/labels.rego", &text)]).unwrap(),
            ["acme/missing-label", "some-group/some-rule"]
        );
    }

    #[test]
    fn policies_of_the_user_may_have_libraries() {
        let library = "package tidewaiter.lib.acme\n\nname(object) := object.kind\n";
        let text = own("tidewaiter.acme.a").replace("lib.shared", "lib.acme as shared");
        assert_eq!(
            extended(&[("a.rego", &text), ("b.rego", library)]).unwrap(),
            ["acme/a", "some-group/some-rule"]
        );
    }

    #[test]
    fn names_of_the_program_are_not_taken_over() {
        let another = "give yours another name; `enforcement` in the configuration changes what \
                       a rule does";
        let cases = [
            (
                own("tidewaiter.some_group.some_rule"),
                format!(
                    "a.rego:12:9: the package `tidewaiter.some_group.some_rule` is built in \
                     ({another})"
                ),
            ),
            (
                own("tidewaiter.secrets.github_pat"),
                format!("a.rego:12:9: there is a rule `secrets/github-pat` already ({another})"),
            ),
            (
                own("tidewaiter.coverage.gap"),
                "a.rego:12:9: rules of the category `coverage` are the program's own (choose \
                 another category, e.g. the name of your organization)"
                    .to_owned(),
            ),
            (
                SHARED.to_owned(),
                format!("a.rego:1:9: the package `tidewaiter.lib.shared` is built in ({another})"),
            ),
            (
                "package tidewaiter.lib.shared.name\n\nx := 1\n".to_owned(),
                "a.rego:1:9: the package lies below the rule `data.tidewaiter.lib.shared.name` \
                 (give it another name)"
                    .to_owned(),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(extended(&[("a.rego", &text)]).unwrap_err(), [expected]);
        }
    }

    #[test]
    fn two_files_of_the_user_are_two_rules() {
        let text = own("tidewaiter.acme.a");
        assert_eq!(
            extended(&[("a.rego", &text), ("b.rego", &text)]).unwrap_err(),
            ["b.rego:12:9: the package is defined in `a.rego` already"]
        );
    }

    #[test]
    fn a_policy_of_the_user_that_nothing_evaluates_is_refused() {
        let text =
            own("tidewaiter.acme.a").replace("#   kinds", "#   scope: environment\n#   kinds");
        assert_eq!(
            extended(&[("a.rego", &text)]).unwrap_err(),
            ["a.rego:11:12: `scope` is `object`: no other is evaluated for policies of your own"]
        );
    }

    #[test]
    fn a_policy_of_the_user_is_tried_when_it_is_read() {
        let text = own("tidewaiter.acme.a")
            .replace("text := shared.name(input.object)", "text := nowhere");
        let errors = extended(&[("a.rego", &text)]).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains("nowhere") && errors[0].contains("unsafe"), "{errors:?}");
    }
}
