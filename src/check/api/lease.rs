//! Leases.

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::rule::Rule;

pub(super) const KINDS: &[Kind] =
    &[Kind { group: "coordination.k8s.io", name: "Lease", validate, update: None }];

pub(super) const RULES: &[&Rule] = &[];

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    cx.at_least(spec.get("leaseDurationSeconds"), 1);
    cx.at_least(spec.get("leaseTransitions"), 0);
    // `strategy` and `preferredHolder` are dropped as long as their gate is off.
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_refused};

    #[test]
    fn a_lease_lasts() {
        let lease = |spec: &str| {
            format!(
                "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {{name: a}}\nspec: {{{spec}}}\n"
            )
        };
        assert_clean(&lease("leaseDurationSeconds: 1, leaseTransitions: 0"));
        assert_refused(
            &lease("leaseDurationSeconds: 0, leaseTransitions: -1"),
            &["spec.leaseDurationSeconds", "spec.leaseTransitions"],
        );
    }
}
