//! Modules to policies: everything is read and linted before anything is judged.

use std::collections::BTreeMap;
use std::fmt;

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
        // What the lint refuses is not worth a try. Some defects, an unsafe variable for one, show
        // only then.
        if errors.is_empty() {
            found.sort_by(|(_, one, _), (_, other, _)| one.id.cmp(&other.id));
            for (module, meta, kinds) in found {
                match program.rule(module, "deny", &input::empty()) {
                    Ok(deny) => policies.push(Policy { meta, kinds, deny }),
                    Err(error) => errors.push(error.into()),
                }
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
