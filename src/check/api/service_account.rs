//! `ServiceAccounts`.

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::rule::Rule;
use crate::rule::Minors;

pub(super) const KINDS: &[Kind] =
    &[Kind { group: "", name: "ServiceAccount", validate, update: None }];

pub(super) const RULES: &[&Rule] = &[&MOUNTABLE];

const MOUNTABLE: Rule = Rule::new(
    "api/mountable-secrets",
    "ServiceAccount that limits which Secrets may be mounted",
    "The annotation is deprecated: it keeps nobody from reading the Secrets of the namespace by \
     other ways.",
    "keep Secrets apart in namespaces of their own",
    &["warnIfHasEnforceMountableSecretsAnnotation"],
)
.in_minors(Minors::since(32))
.warning();

const ANNOTATION: &str = "kubernetes.io/enforce-mountable-secrets";

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let way = ["metadata", "annotations", ANNOTATION];
    if object.at(&way).exists() && !cx.old.is_some_and(|it| it.at(&way).exists()) {
        cx.invalid_key(&MOUNTABLE, object.at(&way), "is deprecated");
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::findings;

    #[test]
    fn an_old_annotation_is_warned_of() {
        let text = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a, annotations: {kubernetes.io/enforce-mountable-secrets: 'true'}}\n";
        assert_eq!(findings(32, text)[0].0, "api/mountable-secrets");
        assert_eq!(findings(31, text), []);
    }
}
