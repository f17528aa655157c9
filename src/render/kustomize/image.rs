//! New names, tags and digests for images.

use std::sync::Arc;

use regex::Regex;

use super::field::{self, Create, Field};
use super::object::Object;
use super::select;
use crate::document::{Node, NodeKind, Scalar};
use crate::graph::kustomization::{Image, Text};
use crate::render::RenderError;
use crate::source::Span;

/// The longest part of an image that is set.
const NAME: usize = 1024;

/// Changes one image in all objects.
pub(super) fn transform(
    objects: &mut [Object],
    image: &Image,
    fields: &[Field],
) -> Result<(), RenderError> {
    let update = Update::new(image)?;
    for object in objects {
        if &*object.kind() == "CustomResourceDefinition" {
            continue;
        }
        update.containers(&mut object.node);
        for field in fields {
            field::visit(&mut object.node, field, Create::Nothing, image.span, &mut |node| {
                update.set(node);
                Ok(())
            })?;
        }
    }
    Ok(())
}

struct Update<'a> {
    image: &'a Image,
    pattern: Regex,
    span: Span,
}

impl<'a> Update<'a> {
    fn new(image: &'a Image) -> Result<Self, RenderError> {
        let empty = Text { text: Arc::from(""), span: image.span };
        let name = image.name.as_ref().unwrap_or(&empty);
        // kustomize takes the name for a regular expression, unescaped.
        let pattern = format!(
            "^{}(:[a-zA-Z0-9_.{{}}-]*)?(@[a-zA-Z][a-zA-Z0-9]*:[a-zA-Z0-9_.{{}}-]*)?$",
            name.text
        );
        let texts = [&image.new_tag, &image.digest, &image.new_name, &image.tag_suffix];
        if let Some(long) = texts.into_iter().flatten().find(|text| text.text.len() > NAME) {
            return Err(RenderError::unsupported(
                long.span,
                format!("a text of more than {NAME} bytes cannot be a part of an image"),
            ));
        }
        let span = texts
            .into_iter()
            .flatten()
            .find(|text| !text.is_empty())
            .map_or(image.span, |text| text.span);
        Ok(Self { image, pattern: select::compile(&pattern, name)?, span })
    }

    /// Changes the items of every `containers` and `initContainers`, wherever they stand.
    fn containers(&self, node: &mut Node) {
        match &mut node.kind {
            NodeKind::Mapping(entries) => {
                for entry in entries {
                    self.containers(&mut entry.value);
                    if matches!(&*entry.key, "containers" | "initContainers")
                        && let NodeKind::Sequence(items) = &mut entry.value.kind
                    {
                        items.iter_mut().filter_map(|item| item.get_mut("image")).for_each(|it| {
                            self.set(it);
                        });
                    }
                }
            }
            NodeKind::Sequence(items) => items.iter_mut().for_each(|item| self.containers(item)),
            NodeKind::Scalar(_) => {}
        }
    }

    fn set(&self, node: &mut Node) {
        let NodeKind::Scalar(Scalar::String(value)) = &node.kind else { return };
        if !self.pattern.is_match(value) {
            return;
        }
        let new = self.updated(value);
        if new != **value {
            *node = Node::string(new, self.span);
        }
    }

    fn updated(&self, value: &str) -> String {
        let text =
            |text: &'a Option<Text>| text.as_ref().map(Text::as_str).filter(|it| !it.is_empty());
        let (name, tag, digest) = split(value);
        let name = text(&self.image.new_name).unwrap_or(name);
        let suffixed;
        let (tag, digest) = match (text(&self.image.new_tag), text(&self.image.digest)) {
            (None, None) => match text(&self.image.tag_suffix) {
                Some(suffix) => {
                    suffixed = format!("{}{suffix}", tag.unwrap_or_default());
                    (Some(suffixed.as_str()), None)
                }
                None => (tag, digest),
            },
            new => new,
        };
        let mut out = name.to_owned();
        if let Some(tag) = tag.filter(|tag| !tag.is_empty()) {
            out.push(':');
            out.push_str(tag);
        }
        if let Some(digest) = digest {
            out.push('@');
            out.push_str(digest);
        }
        out
    }
}

/// Splits an image into its name, tag and digest. The colon of a registry's port is no tag.
fn split(image: &str) -> (&str, Option<&str>, Option<&str>) {
    let (rest, digest) = match image.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (image, None),
    };
    let path = rest.find('/').filter(|slash| *slash > 0).unwrap_or(0);
    let colon = rest.get(path..).and_then(|tail| tail.find(':')).map(|at| at + path);
    match colon.and_then(|colon| Some((rest.get(..colon)?, rest.get(colon + 1..)?))) {
        Some((name, tag)) => (name, Some(tag), digest),
        None => (rest, None, digest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_split_behind_the_registry() {
        assert_eq!(split("nginx"), ("nginx", None, None));
        assert_eq!(split("nginx:1"), ("nginx", Some("1"), None));
        assert_eq!(split("r.example:5000/a/b"), ("r.example:5000/a/b", None, None));
        assert_eq!(
            split("r.example:5000/a/b:1@sha256:0"),
            ("r.example:5000/a/b", Some("1"), Some("sha256:0"))
        );
    }
}
