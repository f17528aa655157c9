//! An AdmissionReview's request: from a tree to what is asked.

use std::sync::Arc;

use crate::document::{Document, Node, NodeKind, ObjectRef, Scalar};
use crate::review::{Asked, Operation};
use crate::source::Span;

/// The version of `admission.k8s.io` that a review was written in; its answer has the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Version {
    /// `v1`.
    #[default]
    V1,
    /// `v1beta1`, which API servers before 1.16 send.
    V1Beta1,
}

impl Version {
    /// Returns the `apiVersion`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "admission.k8s.io/v1",
            Self::V1Beta1 => "admission.k8s.io/v1beta1",
        }
    }
}

/// Bytes of a uid, which an answer must repeat: an API server sends 36.
const UID: usize = 1024;

/// What an AdmissionReview asks: `AdmissionRequest` in `k8s.io/api/admission/v1`.
#[derive(Debug, Clone)]
pub struct Request {
    /// The id, which the answer repeats byte for byte.
    pub uid: String,
    /// The version of the review.
    pub version: Version,
    /// What is to happen.
    pub operation: Operation,
    /// What the request is about. At CONNECT the options of the connection.
    pub target: ObjectRef,
    /// The object as it is to be; `None` at DELETE.
    pub object: Option<Document>,
    /// The object as it is, at UPDATE and DELETE.
    pub old_object: Option<Document>,
    /// Whether nothing will be stored.
    pub dry_run: bool,
    /// What is said beside the objects.
    pub asked: Asked,
}

/// Why a text is no AdmissionReview that can be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidReview {
    /// The id, where it could be read; empty otherwise.
    pub uid: String,
    /// The version of the answer.
    pub version: Version,
    /// Where the defect is.
    pub span: Span,
    /// What is wrong: one sentence, no final period.
    pub message: String,
}

impl Request {
    /// Reads an AdmissionReview.
    pub fn read(mut review: Node) -> Result<Self, InvalidReview> {
        let mut reader = Reader { uid: String::new(), version: Version::V1 };
        let text = |node: &Node, key| node.get(key).and_then(Node::as_str).map(str::to_owned);
        if let Some(uid) = review.get("request").and_then(|it| text(it, "uid")) {
            if uid.len() > UID {
                let message = format!("the uid is longer than {UID} bytes");
                return Err(reader.invalid(review.span, message));
            }
            reader.uid = uid;
        }
        if !review.is_mapping() {
            return Err(reader.invalid(review.span, "an AdmissionReview is a mapping"));
        }
        match text(&review, "apiVersion").as_deref() {
            None | Some("" | "admission.k8s.io/v1") => {}
            Some("admission.k8s.io/v1beta1") => reader.version = Version::V1Beta1,
            Some(other) => {
                let message = format!(
                    "`{other}` is not a version of AdmissionReview that is answered here: send \
                     `admission.k8s.io/v1`"
                );
                return Err(reader.invalid(span_of(&review, "apiVersion"), message));
            }
        }
        if let Some(kind) =
            text(&review, "kind").filter(|it| !matches!(&**it, "" | "AdmissionReview"))
        {
            let message = format!("an AdmissionReview is expected here, not a `{kind}`");
            return Err(reader.invalid(span_of(&review, "kind"), message));
        }
        let span = review.span;
        let Some(mut request) = take(&mut review, "request").filter(Node::is_mapping) else {
            return Err(reader.invalid(span, "the AdmissionReview has no `request`"));
        };
        let operation = match request.get("operation").and_then(Node::as_str) {
            Some("CREATE") => Operation::Create,
            Some("UPDATE") => Operation::Update,
            Some("DELETE") => Operation::Delete,
            Some("CONNECT") => Operation::Connect,
            Some(other) if !other.is_empty() => {
                let message = format!("the operation `{other}` is not known");
                return Err(reader.invalid(span_of(&request, "operation"), message));
            }
            _ => return Err(reader.invalid(request.span, "the request names no `operation`")),
        };
        let target = target(&request);
        let object = reader.object(&mut request, "object", &target)?;
        let old_object = reader.object(&mut request, "oldObject", &target)?;
        if object.is_none() && matches!(operation, Operation::Create | Operation::Update) {
            let message = format!("the request is a {} and has no `object`", operation.as_str());
            return Err(reader.invalid(request.span, message));
        }
        let null = |span| Node { span, kind: NodeKind::Scalar(Scalar::Null) };
        let span = request.span;
        let dry_run = match request.get("dryRun") {
            None => false,
            Some(node) if node.is_null() => false,
            Some(node) => match node.as_bool() {
                Some(dry_run) => dry_run,
                None => return Err(reader.invalid(node.span, "`dryRun` is no boolean")),
            },
        };
        // What is to be is the better witness; what goes away has the name that the request lacks.
        let named = object.as_ref().or(old_object.as_ref()).and_then(|it| it.object.clone());
        Ok(Self {
            operation,
            target: match operation {
                Operation::Connect => target,
                Operation::Create | Operation::Update | Operation::Delete => {
                    named.unwrap_or(target)
                }
            },
            object,
            old_object,
            dry_run,
            asked: Asked {
                sub_resource: text(&request, "subResource").unwrap_or_default().into(),
                user_info: take(&mut request, "userInfo").unwrap_or_else(|| null(span)),
                options: take(&mut request, "options").unwrap_or_else(|| null(span)),
            },
            uid: reader.uid,
            version: reader.version,
        })
    }

    /// Returns who asks: the name of the user; empty where there is none.
    pub fn user(&self) -> &str {
        self.asked.user_info.get("username").and_then(Node::as_str).unwrap_or_default()
    }

    /// Says whether the request can be answered without asking any rule.
    ///
    /// The status of an object says nothing of what was wanted, and a controller that could not
    /// write it would not find out why. An object that is being deleted and loses a finalizer, and
    /// nothing else, would otherwise stay for ever.
    pub fn needs_no_judgement(&self) -> bool {
        self.operation == Operation::Update
            && (&*self.asked.sub_resource == "status" || self.only_frees_finalizers())
    }

    fn only_frees_finalizers(&self) -> bool {
        let (Some(object), Some(old)) = (&self.object, &self.old_object) else { return false };
        let deleted = |it: &Document| {
            it.root.at(&["metadata", "deletionTimestamp"]).is_some_and(|it| !it.is_null())
        };
        let finalizers = |it: &Document| -> Vec<String> {
            let list = it.root.at(&["metadata", "finalizers"]);
            let items = list.map_or(&[][..], Node::items).iter();
            items.filter_map(Node::as_str).map(str::to_owned).collect()
        };
        let (kept, had) = (finalizers(object), finalizers(old));
        deleted(object)
            && deleted(old)
            && kept.len() < had.len()
            && kept.iter().all(|it| had.contains(it))
            && without_bookkeeping(&object.root) == without_bookkeeping(&old.root)
    }
}

/// Returns an object without what changes whenever it is written.
fn without_bookkeeping(root: &Node) -> serde_json::Value {
    let mut json = root.to_json();
    if let Some(metadata) = json.get_mut("metadata").and_then(serde_json::Value::as_object_mut) {
        for key in ["finalizers", "managedFields", "resourceVersion"] {
            metadata.remove(key);
        }
    }
    json
}

/// What was read of a review before it was found to be wrong.
struct Reader {
    uid: String,
    version: Version,
}

impl Reader {
    fn invalid(&self, span: Span, message: impl Into<String>) -> InvalidReview {
        let (uid, version) = (self.uid.clone(), self.version);
        InvalidReview { uid, version, span, message: message.into() }
    }

    /// Takes an object of the request, and completes its name by what the request says.
    fn object(
        &self,
        request: &mut Node,
        key: &str,
        target: &ObjectRef,
    ) -> Result<Option<Document>, InvalidReview> {
        let Some(node) = take(request, key).filter(|node| !node.is_null()) else {
            return Ok(None);
        };
        if !node.is_mapping() {
            return Err(self.invalid(node.span, format!("`{key}` is no object")));
        }
        let mut document = Document::new(node);
        let mut object = document.object.take().unwrap_or_else(|| target.clone());
        if object.name.is_empty() {
            object.name = Arc::clone(&target.name);
        }
        if object.namespace.is_none() {
            object.namespace.clone_from(&target.namespace);
        }
        document.object = Some(object);
        Ok(Some(document))
    }
}

/// Returns what the request says that it is about.
fn target(request: &Node) -> ObjectRef {
    let text = |keys: &[&str]| request.at(keys).and_then(Node::as_str).unwrap_or_default();
    let (group, version) = (text(&["kind", "group"]), text(&["kind", "version"]));
    let api_version =
        if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    ObjectRef {
        api_version: api_version.into(),
        kind: text(&["kind", "kind"]).into(),
        namespace: Some(text(&["namespace"])).filter(|it| !it.is_empty()).map(Arc::from),
        name: text(&["name"]).into(),
    }
}

/// Takes the value of a key out of a mapping.
fn take(node: &mut Node, key: &str) -> Option<Node> {
    let NodeKind::Mapping(entries) = &mut node.kind else { return None };
    let at = entries.iter().position(|entry| &*entry.key == key)?;
    Some(entries.swap_remove(at).value)
}

fn span_of(node: &Node, key: &str) -> Span {
    node.get(key).map_or(node.span, |it| it.span)
}
