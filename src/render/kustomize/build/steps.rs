//! What one kustomization does, step by step: fields, generators, transformers, validators.

use std::sync::Arc;

use super::{Accumulated, Build, Result};
use crate::graph::kustomization::{self, Kustomization, Text};
use crate::load::Dialect;
use crate::render::kustomize::budget::Budget;
use crate::render::kustomize::config::{self, Config};
use crate::render::kustomize::field::{self, Field, Kinds};
use crate::render::kustomize::files;
use crate::render::kustomize::notes::Notes;
use crate::render::kustomize::object::{Object, count};
use crate::render::kustomize::transform::{self, End, Subjects};
use crate::render::kustomize::{crds, generate, image, inline, patch, plugin, replace};
use crate::render::{Gap, GapKind, RenderError};
use crate::source::RepoPath;

impl Build<'_> {
    /// Adds the fields of `configurations` and `crds`.
    pub(super) fn configure(
        &mut self,
        out: &mut Accumulated,
        folder: &RepoPath,
        kustomization: &Kustomization,
    ) -> Result<()> {
        let mut config = Config::defaults();
        if !kustomization.configurations.is_empty() {
            let mut added = Config::default();
            for reference in &kustomization.configurations {
                let Some(path) = self.files(out, folder).require(reference)? else { continue };
                if let Some(root) = files::document(self.repository, &path)? {
                    added.absorb(&Config::read(root)?, reference.span)?;
                }
            }
            config = Config::merge(&config, &Arc::new(added), kustomization.span)?;
        }
        out.config = Config::merge(&out.config, &config, kustomization.span)?;
        if !kustomization.crds.is_empty() {
            let mut added = Config::default();
            for reference in &kustomization.crds {
                let Some(path) = self.files(out, folder).require(reference)? else { continue };
                if let Some(root) = files::document(self.repository, &path)? {
                    added.absorb(&crds::read(root, reference.span)?, reference.span)?;
                }
            }
            out.config = Config::merge(&out.config, &Arc::new(added), kustomization.span)?;
        }
        Ok(())
    }

    /// Adds what generators make.
    pub(super) fn generate(
        &mut self,
        out: &mut Accumulated,
        folder: &RepoPath,
        kustomization: &Kustomization,
    ) -> Result<()> {
        let tolerant = out.is_tolerant();
        let notes = self.notes.clone();
        out.ids = None;
        let mut objects = std::mem::take(&mut out.objects);
        let mut files = self.files(out, folder);
        let global = kustomization.generator_options.as_ref();
        for (kind, name, generators) in [
            (generate::Kind::ConfigMap, "ConfigMapGenerator", &kustomization.config_map_generator),
            (generate::Kind::Secret, "SecretGenerator", &kustomization.secret_generator),
        ] {
            for generator in generators {
                let mut object = generate::generate(kind, generator, global, &mut files)?;
                files.budget.work(20 * objects.len(), generator.span)?;
                files.budget.grow(object.size, generator.span)?;
                if let Some(notes) = &notes {
                    notes.generated(&mut object, &notes.builtin(name));
                }
                generate::absorb(&mut objects, object, tolerant)?;
            }
        }
        for chart in &kustomization.helm_charts {
            files.gaps.push(plugin::chart_gap(chart));
        }
        for chart in &kustomization.helm_inflations {
            let name = chart.chart_name.as_ref();
            files.gaps.push(Gap {
                kind: GapKind::RemoteChart,
                span: name.map_or(chart.span, |name| name.span),
                text: name.map(|name| name.text.to_string()).unwrap_or_default(),
            });
        }
        out.objects = objects;
        if !kustomization.generators.is_empty() {
            let plugins = self.plugins(out, folder, &kustomization.generators)?;
            let tolerant = out.is_tolerant();
            let mut objects = std::mem::take(&mut out.objects);
            let mut files = self.files(out, folder);
            for generator in &plugins {
                let Some(mut object) = plugin::run_generator(generator, &mut files)? else {
                    continue;
                };
                if let Some((notes, origin)) = notes.as_ref().zip(Notes::plugin(generator)) {
                    notes.generated(&mut object, &origin);
                }
                generate::absorb(&mut objects, object, tolerant)?;
            }
            out.objects = objects;
        }
        Ok(())
    }

    /// Returns the configurations of plugins: those that stand inline, then those in files and
    /// folders.
    fn plugins(
        &mut self,
        out: &mut Accumulated,
        folder: &RepoPath,
        references: &[Text],
    ) -> Result<Vec<Object>> {
        let mut found = Accumulated::new();
        let (inline, paths): (Vec<&Text>, Vec<&Text>) =
            references.iter().partition(|it| kustomization::is_inline(&it.text));
        for reference in inline {
            let sources = self.repository.sources();
            let parsed =
                inline::parse(&reference.text, reference.span, sources, Dialect::Kustomize);
            let files = self.files(&mut found, folder);
            let mut objects = files.objects_of(&parsed, reference.span)?;
            if let Some(notes) = &self.notes {
                notes.inline(&mut objects);
            }
            found.append(objects, reference, sources)?;
        }
        for reference in paths {
            self.resource(&mut found, folder, reference)?;
        }
        out.read.append(&mut found.read);
        out.gaps.append(&mut found.gaps);
        Ok(found.objects)
    }

    /// Runs all transformers.
    pub(super) fn transform(
        &mut self,
        out: &mut Accumulated,
        folder: &RepoPath,
        kustomization: &Kustomization,
    ) -> Result<()> {
        let tolerant = out.is_tolerant();
        let plugins = self.plugins(out, folder, &kustomization.transformers)?;
        self.schema_asks +=
            kustomization.patches.len() + kustomization.patches_strategic_merge.len();
        let config = Arc::clone(&out.config);
        let notes = self.notes.clone();
        out.ids = None;
        let size = out.size();
        let mut objects = std::mem::take(&mut out.objects);
        let mut files = self.files(out, folder);
        // What kustomize does behind each of its transformers.
        let after = |objects: &mut Vec<Object>, budget: &mut Budget, kind: &str| -> Result<()> {
            if let Some(notes) = &notes {
                notes.transformed(objects, &notes.builtin(kind), budget)?;
            }
            objects.retain(|object| !object.is_empty());
            Ok(())
        };
        if let Some(first) = kustomization.patches_strategic_merge.first() {
            let mut patches = 0;
            for entry in &kustomization.patches_strategic_merge {
                patches += patch::apply_strategic(&mut objects, entry, &mut files, tolerant)?;
            }
            if patches == 0 && files.gaps.is_empty() {
                return Err(RenderError::broken(first.span, "the patches are all empty")
                    .with_help("remove them, or write something into them"));
            }
            after(&mut objects, files.budget, "PatchStrategicMergeTransformer")?;
        }
        for entry in &kustomization.patches {
            files.budget.work(size, entry.span)?;
            patch::apply(&mut objects, entry, &mut files, tolerant)?;
            after(&mut objects, files.budget, "PatchTransformer")?;
        }
        if let Some(namespace) = kustomization.namespace.as_ref().filter(|it| !it.is_empty()) {
            let subjects = Subjects::Default;
            transform::namespace(&mut objects, namespace, &config.namespace, subjects, false)?;
            after(&mut objects, files.budget, "NamespaceTransformer")?;
        }
        if let Some(prefix) = kustomization.name_prefix.as_ref().filter(|it| !it.is_empty()) {
            transform::affix(&mut objects, prefix, End::Prefix, &config.name_prefix)?;
            after(&mut objects, files.budget, "PrefixTransformer")?;
        }
        if let Some(suffix) = kustomization.name_suffix.as_ref().filter(|it| !it.is_empty()) {
            transform::affix(&mut objects, suffix, End::Suffix, &config.name_suffix)?;
            after(&mut objects, files.budget, "SuffixTransformer")?;
        }
        for label in &kustomization.labels {
            let fields = label_fields(label, &config)?;
            transform::entries(&mut objects, &label.pairs, &fields, files.budget)?;
            after(&mut objects, files.budget, "LabelTransformer")?;
        }
        let labels = &kustomization.common_labels;
        if !labels.is_empty() || !kustomization.labels.is_empty() {
            transform::entries(&mut objects, labels, &config.common_labels, files.budget)?;
            after(&mut objects, files.budget, "LabelTransformer")?;
        }
        let annotations = &kustomization.common_annotations;
        if !annotations.is_empty() {
            transform::entries(
                &mut objects,
                annotations,
                &config.common_annotations,
                files.budget,
            )?;
            after(&mut objects, files.budget, "AnnotationsTransformer")?;
        }
        for entry in &kustomization.patches_json6902 {
            files.budget.work(size, entry.span)?;
            patch::apply_json(&mut objects, entry, &mut files)?;
            after(&mut objects, files.budget, "PatchJson6902Transformer")?;
        }
        for replica in &kustomization.replicas {
            files.budget.work(size, replica.span)?;
            let found = transform::replicas(&mut objects, replica, &config.replicas)?;
            if !found && !tolerant {
                return Err(plugin::no_replica(replica));
            }
            after(&mut objects, files.budget, "ReplicaCountTransformer")?;
        }
        for change in kustomization.images.iter().chain(&kustomization.image_tags) {
            files.budget.work(size, change.span)?;
            image::transform(&mut objects, change, &config.images)?;
            after(&mut objects, files.budget, "ImageTagTransformer")?;
        }
        if !kustomization.replacements.is_empty() {
            replace::apply(&mut objects, &kustomization.replacements, &mut files, tolerant)?;
            after(&mut objects, files.budget, "ReplacementTransformer")?;
        }
        for transformer in &plugins {
            files.budget.work(size, transformer.node.span)?;
            plugin::run_transformer(&mut objects, transformer, &mut files, tolerant)?;
            if let Some((notes, origin)) = notes.as_ref().zip(Notes::plugin(transformer)) {
                notes.transformed(&mut objects, &origin, files.budget)?;
            }
            objects.retain(|object| !object.is_empty());
        }
        objects.retain(|object| !object.is_empty());
        for object in &mut objects {
            object.size = count(&object.node);
        }
        out.objects = objects;
        Ok(())
    }

    /// Runs all validators, which must not change anything.
    pub(super) fn validate(
        &mut self,
        out: &mut Accumulated,
        folder: &RepoPath,
        kustomization: &Kustomization,
    ) -> Result<()> {
        if kustomization.validators.is_empty() {
            return Ok(());
        }
        let validators = self.plugins(out, folder, &kustomization.validators)?;
        let tolerant = out.is_tolerant();
        let size = out.size();
        let mut objects = out.objects.clone();
        let mut files = self.files(out, folder);
        for validator in &validators {
            files.budget.work(size, validator.node.span)?;
            plugin::run_transformer(&mut objects, validator, &mut files, tolerant)?;
        }
        let same = |(a, b): (&Object, &Object)| a.node.to_json() == b.node.to_json();
        if objects.len() != out.objects.len() || !objects.iter().zip(&out.objects).all(same) {
            let span = validators.first().map_or(kustomization.span, |it| it.node.span);
            return Err(RenderError::broken(span, "a validator changes objects")
                .with_help("list it under `transformers`"));
        }
        Ok(())
    }
}

/// Returns the fields that an entry of `labels` sets.
fn label_fields(label: &kustomization::Label, config: &Config) -> Result<Vec<Field>> {
    let text = |text: &Option<Text>| {
        text.as_ref().map_or_else(|| Arc::from(""), |text| Arc::clone(&text.text))
    };
    let on = |flag: &Option<kustomization::Spanned<bool>>| flag.is_some_and(|it| it.value);
    let mut fields: Vec<Field> = label
        .fields
        .iter()
        .map(|spec| {
            let kinds = Kinds {
                group: text(&spec.group),
                version: text(&spec.version),
                kind: text(&spec.kind),
            };
            Field::new(kinds, &text(&spec.path), on(&spec.create))
        })
        .collect();
    config::add_all(&mut fields, &config.labels, label.span)?;
    if on(&label.include_selectors) {
        config::add_all(&mut fields, &config.common_labels, label.span)?;
    } else {
        if on(&label.include_templates) {
            config::add_all(&mut fields, &config.template_labels, label.span)?;
        }
        let metadata = Field::new(Kinds::default(), "metadata/labels", true);
        // A conflict here would be one with a field that the entry itself names.
        if field::add(&mut fields, metadata).is_err() {
            return Err(RenderError::broken(
                label.span,
                "the entry names `metadata/labels` as a field that is not to be created",
            ));
        }
    }
    Ok(fields)
}
