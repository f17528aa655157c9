//! What a rule of the API server is, as the validators write it.

use crate::rule::{Doors, Enforcement, Minors, Reference, RuleId, RuleMeta, Scope, Severity};

/// A rule of the API server's validation.
#[derive(Debug)]
pub(super) struct Rule {
    /// `api/` and what the defect is.
    pub(super) id: &'static str,
    /// One line that names the defect.
    pub(super) title: &'static str,
    /// Why the server insists, and on what.
    pub(super) description: &'static str,
    /// How to mend it, where a finding says nothing better.
    pub(super) help: &'static str,
    /// The functions of the server that hold it, e.g. `ValidateConfigMap`.
    pub(super) upstream: &'static [&'static str],
    /// The versions in which it holds.
    pub(super) minors: Minors,
    /// Whether the server only warns.
    pub(super) warns: bool,
}

impl Rule {
    /// Returns a rule that always held and refuses.
    pub(super) const fn new(
        id: &'static str,
        title: &'static str,
        description: &'static str,
        help: &'static str,
        upstream: &'static [&'static str],
    ) -> Self {
        Self { id, title, description, help, upstream, minors: Minors::ALL, warns: false }
    }

    /// Says in which versions it holds.
    pub(super) const fn in_minors(self, minors: Minors) -> Self {
        Self { minors, ..self }
    }

    /// Says that the server only warns.
    pub(super) const fn warning(self) -> Self {
        Self { warns: true, ..self }
    }

    /// Returns the entry of the registry.
    pub(super) fn meta(&self) -> RuleMeta {
        let functions: Vec<String> = self.upstream.iter().map(|it| format!("`{it}`")).collect();
        let description = format!(
            "{}\n\nThe API server's own validation: {}.",
            self.description,
            functions.join(", ")
        );
        RuleMeta {
            id: RuleId::known(self.id),
            title: self.title.into(),
            description: description.into(),
            help: self.help.into(),
            severity: if self.warns { Severity::Low } else { Severity::High },
            enforcement: if self.warns { Enforcement::Warn } else { Enforcement::Deny },
            scope: Scope::Object,
            // An API server validates an object before it asks about it, by its own version.
            doors: Doors::Repository,
            minors: self.minors,
            since: "0.1.0".into(),
            references: vec![Reference {
                title: "Kubernetes API reference".into(),
                url: "https://kubernetes.io/docs/reference/kubernetes-api/".into(),
            }],
        }
    }
}
