//! What Rego would be silent about: a typo in a policy is a rule that never fires.

use std::collections::BTreeSet;

use super::bundle::BundleError;
use super::input;
use crate::engine::rego::{Module, RuleForm, is_builtin};
use crate::rule::closest;

/// Builtins that read the world around the input: the same review must give the same verdict.
const REFUSED: [(&str, &str); 9] = [
    ("http.send", "uses the network"),
    ("net.lookup_ip_addr", "uses the network"),
    ("opa.runtime", "reads the environment of the process"),
    ("rand.intn", "is not deterministic"),
    ("time.now_ns", "reads the clock"),
    ("uuid.rfc4122", "is not deterministic"),
    ("providers.aws.sign_req", "reads the clock"),
    ("io.jwt.decode_verify", "reads the clock"),
    ("rego.parse_module", "reads policies as data"),
];

/// Looks for the rule that the host evaluates.
pub(super) fn entry_point(module: &Module, errors: &mut Vec<BundleError>) {
    let deny: Vec<_> = module.rules.iter().filter(|rule| rule.name == "deny").collect();
    if deny.is_empty() {
        errors.push(
            BundleError::new(&module.place, "the policy has no rule `deny`")
                .with_help("write `deny contains violation if {…}`"),
        );
    }
    for rule in deny {
        if rule.form != RuleForm::Set {
            errors.push(
                BundleError::new(&rule.place, "`deny` is no set of violations")
                    .with_help("write `deny contains violation if {…}`"),
            );
        }
    }
}

/// Looks at what all modules refer to.
pub(super) fn modules(modules: &[Module], errors: &mut Vec<BundleError>) {
    let packages: BTreeSet<String> = modules.iter().map(|it| it.package.join(".")).collect();
    let rules: BTreeSet<String> = modules
        .iter()
        .flat_map(|module| {
            let package = module.package.join(".");
            module.rules.iter().map(move |rule| format!("{package}.{}", rule.name))
        })
        .collect();
    for module in modules {
        shadowed(module, &rules, errors);
        references(module, &packages, &rules, errors);
        builtins(module, errors);
        inputs(module, errors);
        divergences(module, errors);
    }
}

/// A package below a rule of another package is a second value of the same path.
fn shadowed(module: &Module, rules: &BTreeSet<String>, errors: &mut Vec<BundleError>) {
    for length in 1..=module.package.len() {
        let path = module.package.get(..length).unwrap_or_default().join(".");
        if rules.contains(&path) {
            let message = format!("the package lies below the rule `data.{path}`");
            errors.push(BundleError::new(&module.place, message).with_help("give it another name"));
        }
    }
}

/// There is no data but the rules of the bundle, so a reference to anything else is undefined.
fn references(
    module: &Module,
    packages: &BTreeSet<String>,
    rules: &BTreeSet<String>,
    errors: &mut Vec<BundleError>,
) {
    for reference in &module.references {
        let resolves = (1..=reference.path.len()).any(|length| {
            let prefix = reference.path.get(..length).unwrap_or_default().join(".");
            let is_rule = rules.contains(&prefix);
            let is_package =
                reference.is_import && length == reference.path.len() && packages.contains(&prefix);
            is_rule || is_package
        });
        if resolves {
            continue;
        }
        let path = reference.path.join(".");
        let message = format!("`data.{path}` is neither a rule nor a package of the bundle");
        let mut error = BundleError::new(&reference.place, message);
        if let Some(meant) = closest(&path, rules.iter().chain(packages).map(String::as_str)) {
            error = error.with_help(format!("did you mean `data.{meant}`?"));
        }
        errors.push(error);
    }
}

fn builtins(module: &Module, errors: &mut Vec<BundleError>) {
    for call in &module.calls {
        let name = call.function.as_str();
        if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
            let message = format!("`{name}` is refused, because it {why}");
            errors.push(
                BundleError::new(&call.place, message)
                    .with_help("a policy sees `input` and nothing else"),
            );
        } else if !is_builtin(name) {
            let message = format!("there is no function `{name}`");
            errors.push(BundleError::new(&call.place, message));
        }
    }
}

fn inputs(module: &Module, errors: &mut Vec<BundleError>) {
    for field in &module.inputs {
        if !input::FIELDS.contains(&field.name.as_str()) {
            let message = format!("`input` has no field `{}`", field.name);
            let mut error = BundleError::new(&field.place, message);
            if let Some(meant) = closest(&field.name, input::FIELDS.into_iter()) {
                error = error.with_help(format!("did you mean `input.{meant}`?"));
            }
            errors.push(error);
        }
    }
}

/// Refuses what engines read differently, so that a policy means the same wherever it is tested.
///
/// - A default function: OPA and this interpreter give the default, the bytecode machine of
///   `regorus` gives nothing.
/// - A negated call of a field that may be missing: OPA takes the whole negation for undefined,
///   this interpreter for true.
fn divergences(module: &Module, errors: &mut Vec<BundleError>) {
    for rule in module.rules.iter().filter(|rule| rule.form == RuleForm::DefaultFunction) {
        let message = format!("`{}` is a default function, which engines disagree on", rule.name);
        errors.push(
            BundleError::new(&rule.place, message)
                .with_help("give the default with `else`, or with a second function"),
        );
    }
    for argument in &module.uncertain {
        let message = format!(
            "`{}` may have no value here, and engines disagree on the negation of such a call",
            argument.text
        );
        errors.push(
            BundleError::new(&argument.place, message)
                .with_help("assign it to a variable above, and use the variable"),
        );
    }
}
