//! Expressions of CEL in policies, webhooks and custom resource definitions.

use std::sync::Arc;

use super::cx::Cx;
use super::field::Field;
use super::rule::Rule;
use crate::document::Part;
use crate::engine::cel::{Bounds, Environment, Opaque, Type, compile, compile_within};
use crate::wording;

pub(super) const RULES: &[&Rule] = &[&EXPRESSION];

pub(super) const EXPRESSION: Rule = Rule::new(
    "api/invalid-expression",
    "CEL expression that does not compile",
    "The server compiles expressions before it stores them: they parse, name only variables and \
     functions that there are, and have the type that their place asks for. Functions that came \
     with a version are usable one version later, so that a cluster can be rolled back.",
    "mend the expression",
    &["CompileCELExpression", "validateCELCondition", "compileRule"],
);

/// What the result of an expression may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Anything,
    Bool,
    String,
    /// A string, or `null`.
    StringOrNull,
    /// `Object{…}`.
    Object,
    /// A list of `JSONPatch{…}`.
    Patches,
}

impl Wanted {
    fn takes(self, of: &Type) -> bool {
        match (self, of) {
            (Self::Anything, _)
            | (Self::Bool, Type::Bool)
            | (Self::String | Self::StringOrNull, Type::String)
            | (Self::StringOrNull, Type::Null)
            | (Self::Object, Type::Dyn) => true,
            (Self::Patches, Type::List(list)) => {
                matches!(&list.item, Type::Object(object) if &*object.name == "JSONPatch")
            }
            _ => false,
        }
    }

    /// Says whether an expression may be what is wanted. An `Object` has no type of its own here, so
    /// that one is made is all that can be told.
    fn may_be(self, text: &str) -> bool {
        let is_made = |after: &str| after.trim_start().starts_with('{');
        self != Self::Object || text.split("Object").skip(1).any(is_made)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Anything => "anything",
            Self::Bool => "a bool",
            Self::String => "a string",
            Self::StringOrNull => "a string or null",
            Self::Object => "an `Object`",
            Self::Patches => "a list of `JSONPatch`",
        }
    }
}

/// What an expression turned out to be.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) result: Type,
    /// Whether it names `oldSelf`.
    pub(super) uses_old: bool,
    /// What it may cost; 0 where there are no bounds.
    pub(super) cost: u64,
}

/// Compiles an expression, and reports what is wrong with it.
pub(super) fn check<'a>(
    cx: &mut Cx<'a>,
    field: Field<'a>,
    environment: &Environment,
    wanted: Wanted,
) -> Option<Compiled> {
    check_within(cx, field, environment, wanted, None)
}

/// As [`check`], and estimates what the expression costs where its variables are within bounds.
pub(super) fn check_within<'a>(
    cx: &mut Cx<'a>,
    field: Field<'a>,
    environment: &Environment,
    wanted: Wanted,
    bounds: Option<&Bounds>,
) -> Option<Compiled> {
    let text = field.str()?;
    let compiled = match bounds {
        Some(bounds) => {
            compile_within(text, environment, bounds).map(|(program, cost)| (program, cost.max))
        }
        None => compile(text, environment).map(|program| (program, 0)),
    };
    let message = match compiled {
        Ok((program, cost)) if wanted.takes(program.result_type()) && wanted.may_be(text) => {
            let uses_old = program.uses("oldSelf");
            return Some(Compiled { result: program.result_type().clone(), uses_old, cost });
        }
        // What is filled in later may be right.
        _ if wording::is_placeholder(text) => return None,
        Ok((program, _)) => {
            let found = wording::code(&program.result_type().to_string());
            format!("results in {found}, and must result in {}", wanted.name())
        }
        Err(errors) => {
            let first = errors.first().map_or("", |it| &*it.message);
            format!("does not compile: {first}")
        }
    };
    let path = field.path();
    let message = format!("the expression in {} {message}", cx.place(&path));
    cx.report(&EXPRESSION, path, Part::Value, message, None);
    None
}

/// Returns an object type of strings.
fn strings(name: &str, fields: &[&str]) -> Type {
    Type::object(name, fields.iter().map(|it| (Arc::from(*it), Type::String)))
}

fn object(name: &str, fields: Vec<(&str, Type)>) -> Type {
    Type::object(name, fields.into_iter().map(|(name, of)| (Arc::from(name), of)))
}

/// Returns the type of `request` (`BuildRequestType`).
fn request() -> Type {
    let kind = strings("kubernetes.GroupVersionKind", &["group", "version", "kind"]);
    let resource = strings("kubernetes.GroupVersionResource", &["group", "version", "resource"]);
    let user = object(
        "kubernetes.UserInfo",
        vec![
            ("username", Type::String),
            ("uid", Type::String),
            ("groups", Type::list(Type::String)),
            ("extra", Type::map(Type::String, Type::list(Type::String))),
        ],
    );
    object(
        "kubernetes.AdmissionRequest",
        vec![
            ("kind", kind.clone()),
            ("resource", resource.clone()),
            ("subResource", Type::String),
            ("requestKind", kind),
            ("requestResource", resource),
            ("requestSubResource", Type::String),
            ("name", Type::String),
            ("namespace", Type::String),
            ("operation", Type::String),
            ("userInfo", user),
            ("dryRun", Type::Bool),
            ("options", Type::Dyn),
        ],
    )
}

/// Returns the type of `namespaceObject` (`BuildNamespaceType`).
fn namespace() -> Type {
    let labels = || Type::map(Type::String, Type::String);
    let condition = object(
        "kubernetes.NamespaceCondition",
        vec![
            ("status", Type::String),
            ("type", Type::String),
            ("lastTransitionTime", Type::Timestamp),
            ("message", Type::String),
            ("reason", Type::String),
        ],
    );
    let metadata = object(
        "kubernetes.NamespaceMetadata",
        vec![
            ("name", Type::String),
            ("generateName", Type::String),
            ("namespace", Type::String),
            ("labels", labels()),
            ("annotations", labels()),
            ("UID", Type::String),
            ("creationTimestamp", Type::Timestamp),
            ("deletionGracePeriodSeconds", Type::Int),
            ("deletionTimestamp", Type::Timestamp),
            ("generation", Type::Int),
            ("resourceVersion", Type::String),
            ("finalizers", Type::list(Type::String)),
        ],
    );
    let spec = object("kubernetes.NamespaceSpec", vec![("finalizers", Type::list(Type::String))]);
    let status = object(
        "kubernetes.NamespaceStatus",
        vec![("conditions", Type::list(condition)), ("phase", Type::String)],
    );
    object("kubernetes.Namespace", vec![("metadata", metadata), ("spec", spec), ("status", status)])
}

/// What an expression of admission may name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    pub(super) params: bool,
    pub(super) authorizer: bool,
    /// The types with which objects are changed.
    pub(super) patches: bool,
}

/// Returns the environment of an expression that is evaluated at admission
/// (`createEnvForOpts`). `is_stored` says whether the object has the expression already.
pub(super) fn at_admission(minor: u32, is_stored: bool, names: Names) -> Environment {
    let base = if is_stored { Environment::for_stored(minor) } else { Environment::for_new(minor) };
    let mut environment = base
        .with("object", Type::Dyn)
        .with("oldObject", Type::Dyn)
        .with("namespaceObject", namespace())
        .with("request", request());
    if names.params {
        environment = environment.with("params", Type::Dyn);
    }
    if names.authorizer {
        environment = environment
            .with("authorizer", Type::Opaque(Opaque::Authorizer))
            .with("authorizer.requestResource", Type::Opaque(Opaque::ResourceCheck));
    }
    if names.patches { environment.with_mutation() } else { environment }
}

/// The variables of a policy, each of which may name those before it (`CompositedCompiler`).
#[derive(Debug, Default)]
pub(super) struct Composition(Vec<(Arc<str>, Type)>);

impl Composition {
    /// Adds a variable with what its expression results in, where it compiles.
    pub(super) fn add(&mut self, name: &str, of: Option<&Type>) {
        self.0.push((Arc::from(name), of.map_or(Type::Dyn, plain)));
    }

    /// Adds the variables so far to an environment.
    pub(super) fn within(&self, environment: Environment) -> Environment {
        environment.with("variables", Type::object("kubernetes.variables", self.0.iter().cloned()))
    }
}

/// Returns the type of a variable, of which only plain ones are kept
/// (`convertCelTypeToDeclType`).
fn plain(of: &Type) -> Type {
    match of {
        Type::Bool
        | Type::Bytes
        | Type::Double
        | Type::Duration
        | Type::Int
        | Type::Null
        | Type::String
        | Type::Timestamp
        | Type::Uint => of.clone(),
        Type::List(list) => Type::list(plain(&list.item)),
        Type::Map(map) => Type::map(plain(&map.0), plain(&map.1)),
        _ => Type::Dyn,
    }
}
