//! A folder with a kustomization, and the options with which Argo CD changes it.
//!
//! Argo CD runs `kustomize edit` over a copy of the folder; `util/kustomize/kustomize.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::variables::Variables;
use crate::document::{Node, NodeKind, Scalar};
use crate::graph::kustomization::{
    self, Found, Image, Kustomization, Label, Pairs, Patch, Replica, Spanned, Text,
};
use crate::render::deliver::Shared;
use crate::render::fields::{field, item, list, text};
use crate::render::{RenderError, Rendered, kustomize, kustomize_as};
use crate::source::{RepoPath, Span};

/// Renders a folder with the options of a source.
pub(super) fn render(
    shared: &Shared<'_>,
    folder: &RepoPath,
    options: Option<&Node>,
    variables: &Variables,
) -> Result<Rendered, RenderError> {
    let repository = shared.repository;
    let as_it_is = || kustomize(repository, folder, &shared.cache);
    let Some(options) = options.filter(|it| !it.entries().is_empty()) else { return as_it_is() };
    let Found::One(file) = kustomization::find(repository, folder) else { return as_it_is() };
    let Some((mut kustomization, defects)) = kustomization::read(repository, &file) else {
        return as_it_is();
    };
    if !defects.is_empty() {
        return as_it_is();
    }
    Edit { kustomization: &mut kustomization, options, variables }.all(shared, folder)?;
    let mut rendered = kustomize_as(repository, folder, &kustomization, &shared.cache)?;
    rendered.read.insert(file);
    Ok(rendered)
}

struct Edit<'a> {
    kustomization: &'a mut Kustomization,
    options: &'a Node,
    variables: &'a Variables,
}

impl<'a> Edit<'a> {
    fn option(&self, key: &str) -> Option<&'a Node> {
        self.options.get(key).filter(|node| !node.is_null())
    }

    fn is_set(&self, key: &str) -> bool {
        self.option(key).and_then(Node::as_bool) == Some(true)
    }

    fn all(mut self, shared: &Shared<'_>, folder: &RepoPath) -> Result<(), RenderError> {
        for (key, own) in [
            ("namePrefix", &mut self.kustomization.name_prefix),
            ("nameSuffix", &mut self.kustomization.name_suffix),
            ("namespace", &mut self.kustomization.namespace),
        ] {
            if let Some(node) = self.options.get(key).filter(|node| !node.is_null()) {
                let text = text(key, node)?;
                if !text.is_empty() {
                    *own = Some(text);
                }
            }
        }
        self.images()?;
        self.replicas()?;
        self.labels()?;
        self.annotations()?;
        for node in list("patches", self.option("patches"))? {
            self.kustomization.patches.push(item::<Patch>("patches", node)?);
        }
        self.components(shared, folder)
    }

    /// `kustomize edit set image`: what is there of the same name is replaced.
    fn images(&mut self) -> Result<(), RenderError> {
        let given = list("images", self.option("images"))?;
        if given.is_empty() {
            return Ok(());
        }
        let mut all: BTreeMap<Arc<str>, Image> = BTreeMap::new();
        for node in given {
            let text = text("images", node)?;
            let image = image(&self.variables.fill(&text.text), node.span)?;
            if let Some(name) = &image.name {
                all.insert(Arc::clone(&name.text), image);
            }
        }
        for own in self.kustomization.images.drain(..) {
            let name = own.name.as_ref().map(|it| Arc::clone(&it.text)).unwrap_or_default();
            match all.get_mut(&name) {
                Some(image) => keep(image, &own),
                None => drop(all.insert(name, own)),
            }
        }
        self.kustomization.images = all.into_values().map(settled).collect();
        Ok(())
    }

    /// `kustomize edit set replicas`.
    fn replicas(&mut self) -> Result<(), RenderError> {
        for node in list("replicas", self.option("replicas"))? {
            let Some(name) = node.get("name") else { continue };
            let name = text("replicas", name)?;
            let count = node.get("count").and_then(count).ok_or_else(|| {
                let span = node.get("count").map_or(node.span, |node| node.span);
                RenderError::broken(span, "the number of replicas must be a whole number")
            })?;
            let own = &mut self.kustomization.replicas;
            own.retain(|it| it.name.as_ref().map(|it| &it.text) != Some(&name.text));
            own.push(Replica { name: Some(name), count: Some(count), ..Replica::empty(node.span) });
        }
        Ok(())
    }

    /// `kustomize edit add label`.
    fn labels(&mut self) -> Result<(), RenderError> {
        let Some(node) = self.option("commonLabels") else { return Ok(()) };
        let mut given: Pairs = field("commonLabels", node)?;
        for pair in &mut given.0 {
            pair.value.text = Arc::from(self.variables.fill(&pair.value.text));
        }
        let force = self.is_set("forceCommonLabels");
        if !self.is_set("labelWithoutSelector") {
            return add(&mut self.kustomization.common_labels, given, force, "label");
        }
        let templates = self.is_set("labelIncludeTemplates");
        let is_on = |field: &Option<Spanned<bool>>| field.is_some_and(|it| it.value);
        let own = self.kustomization.labels.iter_mut().find(|label| {
            !is_on(&label.include_selectors) && is_on(&label.include_templates) == templates
        });
        if let Some(label) = own {
            return add(&mut label.pairs, given, force, "label");
        }
        self.kustomization.labels.push(Label {
            pairs: given,
            include_templates: Some(Spanned { value: templates, span: node.span }),
            ..Label::empty(node.span)
        });
        Ok(())
    }

    /// `kustomize edit add annotation`.
    fn annotations(&mut self) -> Result<(), RenderError> {
        let Some(node) = self.option("commonAnnotations") else { return Ok(()) };
        let mut given: Pairs = field("commonAnnotations", node)?;
        if self.is_set("commonAnnotationsEnvsubst") {
            for pair in &mut given.0 {
                pair.value.text = Arc::from(self.variables.fill(&pair.value.text));
            }
        }
        let force = self.is_set("forceCommonAnnotations");
        add(&mut self.kustomization.common_annotations, given, force, "annotation")
    }

    /// `kustomize edit add component`.
    fn components(&mut self, shared: &Shared<'_>, folder: &RepoPath) -> Result<(), RenderError> {
        let ignore = self.is_set("ignoreMissingComponents");
        for node in list("components", self.option("components"))? {
            let component = text("components", node)?;
            let exists = || {
                let path = shared.repository.join(folder, &component.text);
                path.is_some_and(|it| kustomization::find(shared.repository, &it) != Found::None)
            };
            let own = &mut self.kustomization.components;
            if own.iter().any(|it| it.text == component.text) || (ignore && !exists()) {
                continue;
            }
            own.push(component);
        }
        Ok(())
    }
}

/// Adds labels or annotations to those that are there.
fn add(own: &mut Pairs, given: Pairs, force: bool, what: &str) -> Result<(), RenderError> {
    for pair in given.0 {
        match own.0.iter_mut().find(|it| it.key.text == pair.key.text) {
            Some(known) if force => *known = pair,
            Some(_) => {
                let message = format!(
                    "the kustomization sets the {what} `{}` already, so Argo CD refuses to add it",
                    pair.key.text
                );
                let option =
                    if what == "label" { "forceCommonLabels" } else { "forceCommonAnnotations" };
                return Err(RenderError::broken(pair.key.span, message)
                    .with_help(format!("remove one of them, or set `{option}: true`")));
            }
            None => own.0.push(pair),
        }
    }
    Ok(())
}

fn count(node: &Node) -> Option<Spanned<i64>> {
    let value = match &node.kind {
        NodeKind::Scalar(Scalar::Int(value)) => *value,
        NodeKind::Scalar(Scalar::String(text)) => text.parse().ok()?,
        _ => return None,
    };
    Some(Spanned { value, span: node.span })
}

/// The part of an image that keeps what the kustomization has.
const KEEP: &str = "*";

/// Reads an argument of `kustomize edit set image`: `name=new:tag`, `name:tag`, `name@digest`, …
fn image(argument: &str, span: Span) -> Result<Image, RenderError> {
    let part = |text: &str| (!text.is_empty()).then(|| Text { text: Arc::from(text), span });
    let mut image = Image::empty(span);
    let parts: Vec<&str> = argument.split('=').collect();
    let (name, changed) = match parts.as_slice() {
        [name, new] => (Some(*name), *new),
        _ => (None, argument),
    };
    let (base, tag, digest) = overwrite(changed);
    if name.is_none() && tag.is_none() && digest.is_none() {
        let message = format!("the image `{argument}` says neither a new name, a tag nor a digest");
        return Err(RenderError::broken(span, message)
            .with_help("write `name=new-name:tag`, `name:tag` or `name@digest`"));
    }
    match name {
        Some(name) => {
            image.name = part(name);
            image.new_name = part(base);
        }
        None => image.name = part(base),
    }
    image.new_tag = tag.and_then(part);
    image.digest = digest.and_then(part);
    Ok(image)
}

/// Splits off the digest, else the tag.
fn overwrite(text: &str) -> (&str, Option<&str>, Option<&str>) {
    if let Some((name, digest)) = text.split_once('@') {
        return match name.rsplit_once(':').filter(|(_, tag)| is_tag(tag)) {
            Some((name, tag)) => (name, Some(tag), Some(digest)),
            None => (name, None, Some(digest)),
        };
    }
    match text.rsplit_once(':').filter(|(_, tag)| is_tag(tag)) {
        Some((name, tag)) => (name, Some(tag), None),
        None => (text, None, None),
    }
}

fn is_tag(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    text == KEEP || text.chars().all(is_part)
}

/// Puts what is there in the place of each `*`.
fn keep(image: &mut Image, own: &Image) {
    let is_kept = |text: &Option<Text>| text.as_ref().is_some_and(|it| &*it.text == KEEP);
    if is_kept(&image.new_name) {
        image.new_name.clone_from(&own.new_name);
    }
    if is_kept(&image.new_tag) {
        image.new_tag.clone_from(&own.new_tag);
    }
    if is_kept(&image.digest) {
        image.digest.clone_from(&own.digest);
    }
}

/// Leaves out each `*` for which nothing was there.
fn settled(mut image: Image) -> Image {
    for part in [&mut image.new_name, &mut image.new_tag, &mut image.digest] {
        if part.as_ref().is_some_and(|it| &*it.text == KEEP) {
            *part = None;
        }
    }
    image
}
