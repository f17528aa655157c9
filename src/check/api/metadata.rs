//! What all objects have: names, namespaces, labels, annotations, owners, finalizers.

mod names;

use std::collections::BTreeSet;

use names::Form;

use super::cx::Cx;
use super::field::Field;
use super::rule::Rule;
use crate::naming;
use crate::review::Apply;

pub(super) const RULES: &[&Rule] = &[
    &NAME,
    &NO_NAME,
    &NAMESPACE,
    &LABEL,
    &ANNOTATION,
    &ANNOTATIONS_SIZE,
    &OWNER,
    &FINALIZER,
    &PLAIN_FINALIZER,
    &MANAGED_FIELDS,
    &OF_THE_SERVER,
    &IDENTITY,
    &QUESTION,
];

/// The name of an object does not have the form that its kind asks for.
pub(super) const NAME: Rule = Rule::new(
    "api/invalid-name",
    "Name that the kind does not take",
    "Names of objects stand in URLs, and names of many kinds become host names or labels. Most \
     are DNS subdomains; those of Namespaces, Services and StatefulSets are DNS labels, a CronJob's \
     leaves room for the time that is added to it, and a CustomResourceDefinition's and an \
     APIService's follow from their spec.",
    "choose a name of that form",
    &["ValidateObjectMeta", "NameIsDNSSubdomain", "NameIsDNSLabel", "IsPathSegmentName"],
);

const NO_NAME: Rule = Rule::new(
    "api/missing-name",
    "Object without a name",
    "Every object that is kept has a name, or, where it is created and not applied, a prefix to \
     which the server adds a few letters.",
    "set `metadata.name`",
    &["ValidateObjectMeta"],
);

const NAMESPACE: Rule = Rule::new(
    "api/invalid-namespace",
    "Namespace that cannot exist",
    "The name of a Namespace is a DNS label, so an object cannot live in one of another form.",
    "name the namespace that the object belongs to",
    &["ValidateObjectMeta", "ValidateNamespaceName"],
);

const LABEL: Rule = Rule::new(
    "api/invalid-label",
    "Label with a wrong key or value",
    "Labels are there to be selected by, so both parts are short and plain: at most 63 letters, \
     digits, `-`, `_` and `.`, beginning and ending with a letter or a digit. Keys may have the \
     prefix of a domain; values may be empty.",
    "use an annotation for text of other forms",
    &["ValidateLabels"],
);

const ANNOTATION: Rule = Rule::new(
    "api/invalid-annotation",
    "Annotation with a wrong key",
    "Keys of annotations have the form of keys of labels, in letters of either case.",
    "correct the key",
    &["ValidateAnnotations"],
);

const ANNOTATIONS_SIZE: Rule = Rule::new(
    "api/annotations-too-large",
    "Annotations are too large",
    "The keys and values of an object's annotations may have 256 KiB together.",
    "move the data into a ConfigMap, or apply on the server's side, where no annotation holds the \
     last state",
    &["ValidateAnnotationsSize"],
);

const OWNER: Rule = Rule::new(
    "api/invalid-owner-reference",
    "Owner reference that names no owner",
    "An owner is named by version, kind, name and UID, and only one of the owners controls the \
     object. The garbage collector deletes what has lost its owners. Since UIDs are known only \
     when objects exist, references to owners seldom belong into a repository.",
    "remove the reference; whoever creates the object in the cluster sets it",
    &["ValidateOwnerReferences"],
);

const FINALIZER: Rule = Rule::new(
    "api/invalid-finalizer",
    "Finalizer with a wrong name",
    "A finalizer keeps an object until the controller that it names has cleaned up behind it, so \
     its name has a domain, such as `example.com/cleanup`; only the server's own have none.",
    "give the finalizer the name that its controller looks for",
    &["ValidateFinalizers", "ValidateFinalizerName"],
);

const PLAIN_FINALIZER: Rule = Rule::new(
    "api/unqualified-finalizer",
    "Finalizer of a custom resource without a domain and a path",
    "Finalizers without a domain and a path, such as `example.com/cleanup`, may collide with those \
     of other controllers. The server takes them and warns.",
    "ask the controller's authors for a qualified name",
    &["validateKubeFinalizerName"],
)
.warning();

const MANAGED_FIELDS: Rule = Rule::new(
    "api/managed-fields-applied",
    "Managed fields in an object that is applied",
    "The server keeps account of who owns which field, and refuses to be told so by what is \
     applied.",
    "remove `metadata.managedFields`; it comes from an object that was exported from a cluster",
    &["structuredMergeManager.Apply"],
);

const OF_THE_SERVER: Rule = Rule::new(
    "api/resource-version-set",
    "Version of an object that does not exist yet",
    "The resource version says on which state a change rests. The server refuses to create an \
     object that has one, and to change one with a version that is no longer the newest.",
    "remove `metadata.resourceVersion`; it comes from an object that was exported from a cluster",
    &["Store.Create", "ValidateObjectMetaUpdate"],
);

const QUESTION: Rule = Rule::new(
    "api/named-access-review",
    "Review of access with metadata",
    "A review of access is a question that is answered and not kept, so it has no metadata.",
    "remove `metadata`",
    &["ValidateSubjectAccessReview"],
);

const IDENTITY: Rule = Rule::new(
    "api/immutable-metadata",
    "Name, namespace, UID or deletion changes",
    "Name, namespace and UID say which object it is; another name is another object. That an \
     object is to be deleted is asked by a request of its own.",
    "delete the object and create another",
    &["ValidateObjectMetaUpdate"],
);

/// The most bytes that keys and values of annotations may have (`TotalAnnotationSizeLimitB`).
const ANNOTATIONS_MAX: usize = 256 * 1024;

/// Looks at the metadata of any object.
pub(super) fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let metadata = object.get("metadata");
    if names::is_question(cx) {
        return check_question(cx, metadata);
    }
    match cx.old {
        None => check_name(cx, metadata),
        Some(old) => check_identity(cx, metadata, old.get("metadata")),
    }
    let namespace = metadata.get("namespace");
    // The server clears the namespace of what lives in the cluster.
    if names::is_namespaced(cx)
        && !namespace.is_empty()
        && let Some(wrong) = naming::dns_label(namespace.text())
    {
        cx.invalid(&NAMESPACE, namespace, wrong);
    }
    labels(cx, metadata.get("labels"));
    annotations(cx, metadata.get("annotations"));
    check_owners(cx, metadata.get("ownerReferences"));
    check_finalizers(cx, metadata.get("finalizers"));
    check_versions(cx, metadata);
}

/// What asks who may do what has no metadata; that a namespace is asked about is no matter.
fn check_question<'a>(cx: &mut Cx<'a>, metadata: Field<'a>) {
    const KEYS: [&str; 6] =
        ["name", "generateName", "labels", "annotations", "ownerReferences", "finalizers"];
    let is_set = KEYS.into_iter().any(|key| !metadata.get(key).is_empty());
    if is_set && cx.object.group() == "authorization.k8s.io" {
        cx.forbidden(&QUESTION, metadata, "in a review of access");
    }
}

fn check_name<'a>(cx: &mut Cx<'a>, metadata: Field<'a>) {
    let (name, prefix) = (metadata.get("name"), metadata.get("generateName"));
    let form = names::form(cx);
    if !prefix.is_empty() {
        check_prefix(cx, name, prefix, form);
    }
    if !name.is_empty() {
        if name.str().is_some()
            && let Some(wrong) = form.check(name.text(), false)
        {
            cx.invalid(&NAME, name, wrong);
        }
        if names::wants_room(cx) && name.text().len() > names::CRON_JOB_MAX {
            cx.invalid(&NAME, name, "must be no more than 52 characters");
        }
    } else if !names::is_known(cx) || names::is_made_up(cx) {
        // Perhaps a file of some tool, which calls itself an object.
    } else if prefix.is_empty() {
        cx.required(&NO_NAME, name, "");
    } else if cx.apply == Apply::ServerSide {
        cx.required(&NO_NAME, name, "`generateName` cannot be applied, only created");
    }
}

/// Looks at a prefix, and at the name that the server would make of it.
fn check_prefix<'a>(cx: &mut Cx<'a>, name: Field<'a>, prefix: Field<'a>, form: Form) {
    if names::has_checked_prefix(cx)
        && let Some(wrong) = form.check(prefix.text(), names::masks_prefix(cx))
    {
        return cx.invalid(&NAME, prefix, wrong);
    }
    if !name.is_empty() || prefix.str().is_none() {
        return;
    }
    let made = names::made_of(prefix.text());
    let wrong = form.check(&made, false).or_else(|| {
        let is_long = names::wants_room(cx) && made.len() > names::CRON_JOB_MAX;
        is_long.then_some("must be no more than 47 characters, because more are added")
    });
    if let Some(wrong) = wrong {
        cx.invalid(&NAME, prefix, wrong);
        cx.named(name);
    }
}

fn check_identity<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    for key in ["name", "namespace"] {
        let (new, old) = (new.get(key), old.get(key));
        if !new.is_empty() && !old.is_empty() && !new.equals(old) {
            cx.immutable(&IDENTITY, new);
        }
    }
    // What the old state does not tell, the server has all the same, or never had.
    for key in ["uid", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        let (new, old) = (new.get(key), old.get(key));
        if new.exists() && !new.is_empty() && !new.equals(old) {
            cx.immutable(&IDENTITY, new);
        }
    }
}

/// Looks at labels, of objects and of templates (`ValidateLabels`).
pub(super) fn labels<'a>(cx: &mut Cx<'a>, labels: Field<'a>) {
    for (key, value) in labels.entries() {
        if let Some(wrong) = naming::qualified_name(key) {
            cx.invalid_key_of(&LABEL, labels, key, wrong);
        }
        if let Some(wrong) = value.str().and_then(naming::label_value) {
            cx.invalid_value_of(&LABEL, labels, value, wrong);
        }
    }
}

/// Looks at annotations, of objects and of templates (`ValidateAnnotations`).
pub(super) fn annotations<'a>(cx: &mut Cx<'a>, annotations: Field<'a>) {
    let mut size = 0;
    for (key, value) in annotations.entries() {
        size += key.len() + value.text().len();
        let wrong = if key.bytes().any(|it| it.is_ascii_uppercase()) {
            naming::qualified_name(&key.to_ascii_lowercase())
        } else {
            naming::qualified_name(key)
        };
        if let Some(wrong) = wrong {
            cx.invalid_key_of(&ANNOTATION, annotations, key, wrong);
        }
    }
    if size > ANNOTATIONS_MAX {
        cx.too_long(&ANNOTATIONS_SIZE, annotations, ANNOTATIONS_MAX, "bytes");
    }
}

fn check_owners<'a>(cx: &mut Cx<'a>, owners: Field<'a>) {
    let mut has_controller = false;
    for owner in owners.items() {
        let version = owner.get("apiVersion");
        let text = version.text();
        if text.is_empty() {
            cx.required(&OWNER, version, "");
        } else if text.matches('/').count() > 1 || text.ends_with('/') {
            cx.invalid(&OWNER, version, "must be a version, or a group, `/` and a version");
        }
        for key in ["kind", "name", "uid"] {
            if owner.get(key).is_empty() {
                cx.required(&OWNER, owner.get(key), "");
            }
        }
        if text == "v1" && owner.get("kind").text() == "Event" {
            cx.invalid(&OWNER, owner, "must not be an Event");
        }
        if owner.get("controller").is_true() {
            if has_controller {
                cx.invalid(&OWNER, owners, "must have one controller only");
            }
            has_controller = true;
        }
    }
}

/// The finalizers that are the server's own.
const OWN_FINALIZERS: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];

fn check_finalizers<'a>(cx: &mut Cx<'a>, finalizers: Field<'a>) {
    if !finalizers.exists() {
        return;
    }
    let is_kube = names::has_known_finalizers(cx);
    let is_custom = !names::is_built_in(cx.object.group());
    let mut conflicting = BTreeSet::new();
    for finalizer in finalizers.items() {
        // `null` in a list of strings is an empty string.
        let name = finalizer.text();
        if let Some(wrong) = naming::qualified_name(name) {
            cx.invalid_value_of(&FINALIZER, finalizers, finalizer, wrong);
        }
        if !name.contains('/') && !OWN_FINALIZERS.contains(&name) {
            if is_kube {
                cx.invalid(
                    &FINALIZER,
                    finalizer,
                    "must have a domain, or be one of the server's own",
                );
            } else if is_custom {
                cx.invalid(&PLAIN_FINALIZER, finalizer, "should have a domain and a path");
            }
        }
        if matches!(name, "orphan" | "foregroundDeletion") {
            conflicting.insert(name);
        }
    }
    if conflicting.len() > 1 {
        cx.invalid(&FINALIZER, finalizers, "must not have both `orphan` and `foregroundDeletion`");
    }
}

fn check_versions<'a>(cx: &mut Cx<'a>, metadata: Field<'a>) {
    let version = metadata.get("resourceVersion");
    let is_some = version.str().and_then(|it| it.parse::<u64>().ok()).is_some_and(|it| it > 0);
    // In a dry run nothing is stored, and only the store looks.
    if cx.old.is_none() && is_some && !cx.dry_run {
        cx.forbidden(&OF_THE_SERVER, version, "on an object that is created");
    }
    let managed = metadata.get("managedFields");
    if cx.apply == Apply::ServerSide && managed.exists() {
        cx.forbidden(&MANAGED_FIELDS, managed, "on an object that is applied");
    }
}

#[cfg(test)]
mod tests;
