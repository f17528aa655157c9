//! The spec of Namespaces.

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::forms::INVALID_NAME;
use super::rule::Rule;
use crate::naming;

pub(super) const KINDS: &[Kind] = &[Kind { group: "", name: "Namespace", validate, update: None }];

pub(super) const RULES: &[&Rule] = &[];

/// Names of finalizers without a domain (`IsStandardFinalizerName`).
const STANDARD: &[&str] = &["kubernetes", "orphan", "foregroundDeletion"];

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    // Updates keep the finalizers that the namespace has.
    if cx.old.is_some() {
        return;
    }
    let finalizers = object.at(&["spec", "finalizers"]);
    for finalizer in finalizers.items() {
        let text = finalizer.text();
        let wrong = naming::qualified_name(text).or_else(|| {
            let known = text.contains('/') || STANDARD.contains(&text);
            (!known).then_some("must have a domain, such as `example.com/name`")
        });
        if let Some(wrong) = wrong {
            cx.invalid(&INVALID_NAME, finalizer, wrong);
            cx.named(finalizers);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_refused};

    #[test]
    fn finalizers_have_domains() {
        let namespace = |name: &str| {
            format!(
                "apiVersion: v1\nkind: Namespace\nmetadata: {{name: a}}\nspec: {{finalizers: [{name}]}}\n"
            )
        };
        assert_clean(&namespace("kubernetes"));
        assert_clean(&namespace("a.b/c"));
        assert_refused(&namespace("other"), &["spec.finalizers"]);
    }
}
