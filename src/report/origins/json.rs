//! Origins for programs, version 1.
//!
//! These structs are the format: within version 1 fields are added, never renamed, removed or
//! given another meaning. `schemas/output/origins-v1.json` is made of them.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use super::Page;
use crate::document::Document;
use crate::report::json::{FormatVersion, LocationV1, ObjectV1, StepV1};
use crate::source::SourceMap;

/// Writes the objects and where each line of them comes from.
pub(super) fn write(
    objects: &[Document],
    sources: &SourceMap,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut number = 0;
    let objects = objects.iter().map(|object| {
        // The line between two documents.
        number += usize::from(number > 0);
        let lines = Page::of(object, sources).lines.into_iter();
        ObjectOriginsV1 {
            object: object.object.as_ref().map(Into::into),
            lines: lines
                .map(|line| {
                    number += 1;
                    LineV1 {
                        number,
                        text: line.text,
                        path: line.path.iter().map(Into::into).collect(),
                        location: line.location.map(Into::into),
                    }
                })
                .collect(),
        }
    });
    let origins = OriginsV1 { version: FormatVersion::V1, objects: objects.collect() };
    serde_json::to_writer_pretty(&mut *out, &origins)?;
    out.write_all(b"\n")
}

/// The objects of a kustomization, and where each line of them comes from.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "Tidewaiter origins, version 1")]
struct OriginsV1 {
    /// The version of this format.
    version: FormatVersion,
    /// The objects, in the order in which they are rendered.
    objects: Vec<ObjectOriginsV1>,
}

/// An object, and where each line of it comes from.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ObjectOriginsV1 {
    /// What the object calls itself.
    object: Option<ObjectV1>,
    /// Its lines, in order.
    lines: Vec<LineV1>,
}

/// A line of a rendered object.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct LineV1 {
    /// The line of the whole output, from 1.
    number: usize,
    /// The line as it is rendered.
    text: String,
    /// The field of the object that begins or goes on here: names of fields and numbers of items,
    /// from 0.
    path: Vec<StepV1>,
    /// The place that set it; `null` where it stands in no file.
    location: Option<LocationV1>,
}

#[cfg(test)]
pub(super) fn schema() -> serde_json::Value {
    // The schema of what is written: an optional field is there, and null.
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<OriginsV1>().to_value()
}
