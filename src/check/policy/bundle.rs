//! Modules to policies: everything is read and linted before anything is judged.

use std::collections::BTreeMap;
use std::fmt;

use rayon::prelude::*;

use super::lint;
use super::metadata::{self, KindPattern};
use super::{TIME_LIMIT, input};
use crate::document::ObjectRef;
use crate::engine::rego::{Module, Place, Program, RegoError, Rule};
use crate::rule::{RuleId, RuleMeta};

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
        // Some defects, an unsafe variable for one, show only when a policy is tried.
        let tried = bundle.policies.par_iter().map(|policy| policy.deny.prepare());
        let mut errors: Vec<BundleError> =
            tried.filter_map(Result::err).map(BundleError::from).collect();
        if errors.is_empty() {
            return Ok(bundle);
        }
        errors.sort();
        errors.dedup();
        Err(errors)
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
        let program = Program::load(modules, TIME_LIMIT)
            .map_err(|errors| errors.into_iter().map(BundleError::from).collect::<Vec<_>>())?;
        let mut errors = Vec::new();
        let mut found = Vec::new();
        let mut packages: BTreeMap<&[String], &Place> = BTreeMap::new();
        for module in program.modules() {
            if let Some(first) = packages.insert(&module.package, &module.place) {
                let message = format!("the package is defined in `{}` already", first.file);
                errors.push(BundleError::new(&module.place, message));
            }
            match role(module) {
                Ok(Role::Library) => {}
                Ok(Role::Policy { id }) => {
                    lint::entry_point(module, &mut errors);
                    if let Some((meta, kinds)) = annotation(module, id, &mut errors) {
                        found.push((module, meta, kinds));
                    }
                }
                Err(error) => errors.push(error),
            }
        }
        lint::modules(program.modules(), &mut errors);
        let mut policies = Vec::new();
        if errors.is_empty() {
            found.sort_by(|(_, one, _), (_, other, _)| one.id.cmp(&other.id));
            for (module, meta, kinds) in found {
                policies.push(Policy {
                    meta,
                    kinds,
                    deny: program.rule(module, "deny", &input::empty()),
                });
            }
        }
        if errors.is_empty() {
            Ok(Self { policies })
        } else {
            errors.sort();
            errors.dedup();
            Err(errors)
        }
    }
}

/// Reads what a module is from its package, which its path has to agree with.
fn role(module: &Module) -> Result<Role, BundleError> {
    let parts: Vec<&str> = module.package.iter().map(String::as_str).collect();
    let (path, role) = match parts.as_slice() {
        [ROOT, LIBRARY, rest @ ..] if !rest.is_empty() => {
            (format!("{LIBRARY}/{}.rego", rest.join("/")), Role::Library)
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
    if module.name != path {
        let message = format!("the package `{}` belongs into `{path}`", parts.join("."));
        return Err(BundleError::new(&module.place, message)
            .with_help("package, folder and id of a rule are one name: rename one of them"));
    }
    Ok(role)
}

fn annotation(
    module: &Module,
    id: RuleId,
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
    metadata::read(annotation, id, errors)
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
                "18:13: `data.tidewaiter.lib.shared.nme` is neither a rule nor a package of the \
                 bundle",
            ),
            ("input.object", "input.objct", "18:25: `input` has no field `objct`"),
            ("shared.name(", "trimm(", "18:13: there is no function `trimm`"),
            (
                "shared.name(",
                "http.send(",
                "18:13: `http.send` is refused, because it uses the network",
            ),
            (
                "text := shared",
                "text := \"x\"\n\tnot shared.name(input.object.metadata)\n\ty := shared",
                "19:21: `input.object.metadata` may have no value here, and engines disagree on \
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
}
