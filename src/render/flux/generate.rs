//! The kustomization that Flux builds: that of the folder, or one for its files, with what the
//! Kustomization object adds.
//!
//! `kustomize_generator.go` of `github.com/fluxcd/pkg/kustomize`.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::document::{Document, Node};
use crate::graph::kustomization::{self, Found, Image, Kustomization, Patch, SortOptions, Text};
use crate::load::Repository;
use crate::render::RenderError;
use crate::render::fields::{item, list, text};
use crate::source::{RepoPath, Span};

/// A kustomization, and the file it was read from.
pub(super) struct Generated {
    pub(super) kustomization: Kustomization,
    pub(super) file: Option<RepoPath>,
}

/// Returns the kustomization of a folder; `span` is the place for errors of a folder without one.
///
/// `is_left_out` says which files the source leaves out.
pub(super) fn of_folder(
    repository: &Repository,
    folder: &RepoPath,
    span: Span,
    is_left_out: &dyn Fn(&RepoPath) -> bool,
) -> Result<Generated, RenderError> {
    let file = match kustomization::find(repository, folder) {
        Found::One(file) => file,
        Found::None => {
            let mut kustomization = Kustomization::empty(span);
            kustomization.resources = resources(repository, folder, is_left_out);
            return Ok(Generated { kustomization, file: None });
        }
        Found::Several(files) => {
            return Err(RenderError::several_kustomizations(span, &files));
        }
    };
    let (mut kustomization, defects) = kustomization::read(repository, &file)
        .unwrap_or_else(|| (Kustomization::empty(span), Vec::new()));
    // Flux reads this one file without regard to what it does not know, and does not mind one that
    // is empty.
    if let Some(defect) = defects.into_iter().find(|defect| !defect.is_lenient) {
        return Err(defect.into());
    }
    if kustomization.resources.is_empty() && kustomization.build_metadata.is_empty() {
        // That is how Flux keeps kustomize from refusing an empty one.
        let text = Arc::from("originAnnotations");
        kustomization.build_metadata = vec![Text { text, span: kustomization.span }];
    }
    Ok(Generated { kustomization, file: Some(file) })
}

/// Lists what a folder without a kustomization holds: folders that have one, and YAML files.
fn resources(
    repository: &Repository,
    folder: &RepoPath,
    is_left_out: &dyn Fn(&RepoPath) -> bool,
) -> Vec<Text> {
    let mut files: Vec<&RepoPath> =
        repository.below(folder).map(|(path, _)| path).filter(|path| !is_left_out(path)).collect();
    // Go walks a folder by names, each folder before what sorts after it.
    files.sort_by(|a, b| by_segments(a, b));
    let depth = folder.segments().count();
    let mut whole: BTreeSet<RepoPath> = BTreeSet::new();
    let mut listed = Vec::new();
    for path in files {
        let above: Vec<RepoPath> = {
            let mut above = Vec::new();
            let mut at = path.parent();
            while at.segments().count() > depth {
                above.push(at.clone());
                at = at.parent();
            }
            above.reverse();
            above
        };
        let with_own = above
            .into_iter()
            .find(|it| whole.contains(it) || kustomization::find(repository, it) != Found::None);
        let entry = match with_own {
            Some(inside) if whole.contains(&inside) => continue,
            Some(inside) => {
                whole.insert(inside.clone());
                inside
            }
            None if matches!(path.extension(), Some("yaml" | "yml")) => path.clone(),
            None => continue,
        };
        let relative: Vec<&str> = entry.segments().skip(depth).collect();
        let Some(file) = repository.file(path) else { continue };
        listed.push(Text {
            text: Arc::from(format!("./{}", relative.join("/"))),
            span: Span::start_of(file.source),
        });
    }
    listed
}

fn by_segments(a: &RepoPath, b: &RepoPath) -> Ordering {
    a.segments().cmp(b.segments())
}

/// Adds what a Kustomization object says, in Flux's order.
pub(super) fn extend(
    kustomization: &mut Kustomization,
    document: &Document,
    repository: &Repository,
    folder: &RepoPath,
) -> Result<(), RenderError> {
    let spec = |key| document.root.at(&["spec", key]).filter(|node| !node.is_null());
    for (key, field) in [
        ("targetNamespace", &mut kustomization.namespace),
        ("namePrefix", &mut kustomization.name_prefix),
        ("nameSuffix", &mut kustomization.name_suffix),
    ] {
        if let Some(node) = spec(key) {
            *field = Some(text(key, node)?);
        }
    }
    for node in list("patches", spec("patches"))? {
        let patch = item::<Patch>("patches", node)?;
        // Flux's own patches have no more fields than these.
        let Patch { span, patch, target, .. } = patch;
        kustomization.patches.push(Patch { patch, target, ..Patch::empty(span) });
    }
    let ignore = spec("ignoreMissingComponents").and_then(Node::as_bool) == Some(true);
    for node in list("components", spec("components"))? {
        let component = text("components", node)?;
        if !is_local(&component.text) {
            return Err(RenderError::broken(
                component.span,
                format!("the component `{}` must be a path inside the source", component.text),
            ));
        }
        let exists = repository
            .join(folder, &component.text)
            .is_some_and(|it| repository.is_folder(&it) || repository.file(&it).is_some());
        if exists || !ignore {
            kustomization.components.push(component);
        }
    }
    for node in list("patchesStrategicMerge", spec("patchesStrategicMerge"))? {
        kustomization.patches_strategic_merge.push(json(node));
    }
    for node in list("patchesJson6902", spec("patchesJson6902"))? {
        let mut patch = Patch::empty(node.span);
        patch.patch = node.get("patch").map(json);
        patch.target = match node.get("target") {
            Some(target) => Some(item("target", target)?),
            None => None,
        };
        kustomization.patches_json6902.push(patch);
    }
    for node in list("images", spec("images"))? {
        add_image(&mut kustomization.images, item::<Image>("images", node)?);
    }
    let metadata = list("buildMetadata", spec("buildMetadata"))?;
    if !metadata.is_empty() {
        kustomization.build_metadata =
            metadata.iter().map(|node| text("buildMetadata", node)).collect::<Result<_, _>>()?;
    }
    Ok(())
}

/// Leaves the objects in the order in which they are met, unless the kustomization says otherwise.
///
/// Flux asks kustomize for no order at all, where its own command asks for the legacy one.
pub(super) fn keep_order(kustomization: &mut Kustomization) {
    let span = kustomization.span;
    kustomization.sort_options.get_or_insert_with(|| SortOptions {
        order: Some(Text { text: Arc::from("fifo"), span }),
        ..SortOptions::empty(span)
    });
}

/// Merges an image into the one of the same name; tag and digest count as one.
fn add_image(images: &mut Vec<Image>, image: Image) {
    let set = |text: &Option<Text>| text.as_ref().is_some_and(|it| !it.is_empty());
    let name = |image: &Image| image.name.as_ref().map(|it| Arc::clone(&it.text));
    match images.iter_mut().find(|it| name(it) == name(&image)) {
        Some(own) => {
            if set(&image.new_name) {
                own.new_name = image.new_name;
            }
            if set(&image.new_tag) || set(&image.digest) {
                own.new_tag = image.new_tag;
                own.digest = image.digest;
            }
        }
        None => images.push(Image { tag_suffix: None, ..image }),
    }
}

/// Says whether kustomize would take a path for one on this machine (`IsLocalRelativePath`).
fn is_local(path: &str) -> bool {
    const REMOTE: [&str; 8] =
        ["git::", "gh:", "ssh://", "https://", "http://", "git@", "github.com:", "github.com/"];
    let lower = path.to_ascii_lowercase();
    let is_remote =
        REMOTE.iter().any(|start| lower.len() > start.len() && lower.starts_with(start));
    !is_remote && !lower.strip_prefix("file://").unwrap_or(&lower).starts_with('/')
}

/// Writes a value as JSON, which is how the legacy patches reach kustomize.
fn json(node: &Node) -> Text {
    Text { text: Arc::from(node.to_json().to_string()), span: node.span }
}
