//! The rules about the configuration itself: what in it has no effect, or no longer.

use std::borrow::Cow;

use crate::rule::{Doors, Enforcement, Minors, RuleId, RuleMeta, Scope, Severity};

/// An entry names an environment that is not there.
pub const UNKNOWN_ENVIRONMENT: RuleId = RuleId::known("config/unknown-environment");
/// A waiver holds no longer.
pub const WAIVER_EXPIRED: RuleId = RuleId::known("waiver/expired");
/// A waiver holds longer than the configuration allows.
pub const WAIVER_LONG: RuleId = RuleId::known("waiver/long-lifetime");
/// A waiver lets nothing through.
pub const WAIVER_UNUSED: RuleId = RuleId::known("waiver/unused");

/// Returns the rules about the configuration itself.
pub fn rules() -> Vec<RuleMeta> {
    let rule = |id, title, description, help, severity, enforcement| RuleMeta {
        id,
        title: Cow::Borrowed(title),
        description: Cow::Borrowed(description),
        help: Cow::Borrowed(help),
        severity,
        enforcement,
        scope: Scope::Run,
        // The cluster has the configuration of the repository, where these are reported.
        doors: Doors::Repository,
        minors: Minors::ALL,
        since: Cow::Borrowed("0.1.0"),
        references: Vec::new(),
    };
    vec![
        rule(
            UNKNOWN_ENVIRONMENT,
            "Configuration names an environment that is not there",
            "An entry of `enforcement` or `waivers` names an environment that neither the \
             configuration nor the repository has, so the entry does nothing there. Most often \
             the name is misspelt, or the environment was renamed. Judged where the whole \
             repository is.",
            "correct the name, or add the environment under `environments`",
            Severity::Medium,
            Enforcement::Warn,
        ),
        rule(
            WAIVER_EXPIRED,
            "Waiver has expired",
            "The day that the waiver names as its last is over, so it lets nothing through any \
             more: what it waived closes the gate again.",
            "mend what it waived and remove it, or decide again and set another day",
            Severity::Low,
            Enforcement::Warn,
        ),
        rule(
            WAIVER_LONG,
            "Waiver holds longer than allowed",
            "`waiverPolicy.maxDays` says how many days ahead a waiver may hold. One that holds \
             longer, or for ever, is a decision that nobody has to make again.",
            "set `expires` to a day within the limit",
            Severity::Low,
            Enforcement::Deny,
        ),
        rule(
            WAIVER_UNUSED,
            "Waiver waives nothing",
            "In a run over the whole repository the waiver let no finding through. It hides the \
             next one of its kind, which nobody has looked at. Its defect may have been mended, \
             or the waiver names another object than was meant.",
            "remove it; keep it where it is for objects that only the cluster sees",
            Severity::Low,
            Enforcement::Warn,
        ),
    ]
}
