//! JSON Schemas that users bring: drafts 4 to 2020-12, as kubeconform reads them.
//!
//! The library walks our tree in place. It never opens a file or a connection: what a schema refers
//! to is asked of whoever brings the schema.

mod defects;
mod formats;
mod node;
mod open_api;
mod patterns;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::{Draft, PatternOptions, Retrieve, Uri, Validator};
use serde_json::Value;

use super::defect::{Breach, Defect};
use super::source::ObjectSchema;
use crate::document::{FieldPath, Node};
use crate::wording;
use defects::Telling;
use node::{Spot, Tree, bounded};
pub use open_api::schema_of;

/// How many steps the question whether an object is valid may take: a fixed number, and more for
/// each value of the object. A pod takes some hundred, and some millions take a second.
const STEPS: u64 = 1 << 21;
const STEPS_EACH: u64 = 64;
/// How many steps it may take to say what is wrong, which costs memory too.
const TELLING: u64 = 1 << 20;
/// How large a compiled pattern may be, in bytes.
const PATTERN: usize = 1 << 20;
/// How large all patterns of a document may be together, in about the instructions that they
/// become. Those of all definitions of a large operator are some hundred thousand.
const PATTERNS: usize = 10_000_000;
/// How many schemas a schema may refer to, all documents together. All kinds of one version of
/// Kubernetes are 860. Bounds how long a chain of references can be, each of which takes stack.
const REFERENCES: usize = 3000;
/// Under which address a schema and what lies beside it are known to the library.
const BESIDE: &str = "file:///schemas/";

/// Reads the documents beside a schema, by a path relative to it. The error is a sentence.
pub type Beside = Arc<dyn Fn(&str) -> Result<Arc<Value>, String> + Send + Sync>;

/// A JSON Schema, compiled. Shared by threads.
#[derive(Debug)]
pub struct JsonSchema {
    compiled: Compiled,
    documents: Documents,
}

#[derive(Debug)]
enum Compiled {
    /// Every value counts.
    Full(Validator<Tree<false>>),
    /// What is `null` is absent.
    Sparse(Validator<Tree<true>>),
}

/// Sets what holds for both readings of a tree, whose builders are of two types.
macro_rules! configured {
    ($options:expr, $draft:expr, $address:expr, $documents:expr) => {
        $options
            .with_draft($draft)
            .with_base_uri($address)
            .with_retriever($documents.clone())
            .with_pattern_options(PatternOptions::regex().size_limit(PATTERN))
            .with_keyword(patterns::KEYWORD, patterns::keyword)
            .with_format("duration", formats::is_duration)
            .with_format("uuid", formats::is_uuid)
    };
}
impl JsonSchema {
    /// Compiles a schema; `beside` reads what it refers to. The error is a sentence.
    pub fn compile(schema: Value, beside: Beside) -> Result<Self, String> {
        Self::build(schema, beside, false)
    }

    /// Compiles the schema of a kind of an `OpenAPI` v3 document, see [`schema_of`].
    ///
    /// A `null` counts as absent, as it does for the API server that publishes the document.
    pub fn compile_open_api(schema: Value) -> Result<Self, String> {
        let nothing: Beside = Arc::new(|_| Err("it refers to another document".to_owned()));
        Self::build(schema, nothing, true)
    }

    fn build(mut schema: Value, beside: Beside, sparse: bool) -> Result<Self, String> {
        let draft = draft(&schema)?;
        if let Some(object) = schema.as_object_mut() {
            // Found out above; one that the library does not know it would want to fetch.
            object.remove("$schema");
        }
        few(patterns::set_aside(&mut schema))?;
        let documents = Documents { beside, read: Arc::default(), references: Arc::default() };
        let address = format!("{BESIDE}schema.json");
        documents.keep(&address, Arc::new(schema.clone()))?;
        let told = |error: jsonschema::ValidationError<'_>| {
            let place = error.instance_path().as_str().replace(patterns::KEYWORD, "pattern");
            // Without the part of the schema that is wrong, which may be all of it.
            let error: String = error.masked().to_string().chars().take(300).collect();
            match place.as_str() {
                "" | "/pattern" => error,
                place => format!("{error} (at `{place}`)"),
            }
        };
        let compiled = if sparse {
            let options = jsonschema::options_for::<Tree<true>>();
            Compiled::Sparse(
                configured!(options, draft, address, documents).build(&schema).map_err(told)?,
            )
        } else {
            let options = jsonschema::options_for::<Tree<false>>();
            Compiled::Full(
                configured!(options, draft, address, documents).build(&schema).map_err(told)?,
            )
        };
        Ok(Self { compiled, documents })
    }
}

impl ObjectSchema for JsonSchema {
    fn check(&self, kind: &str, root: &Node) -> Vec<Defect> {
        let steps = STEPS + STEPS_EACH * node::size(root) as u64;
        let valid = bounded(steps, |budget| {
            let spot = Spot::new(root, budget);
            match &self.compiled {
                Compiled::Full(validator) => validator.is_valid(spot),
                Compiled::Sparse(validator) => validator.is_valid(spot),
            }
        });
        if valid == Ok(true) {
            return Vec::new();
        }
        let told = bounded(TELLING, |budget| {
            let spot = Spot::new(root, budget);
            let telling = Telling::new(kind, root, &self.documents);
            match &self.compiled {
                Compiled::Full(validator) => telling.tell(validator.iter_errors(spot)),
                Compiled::Sparse(validator) => telling.tell(validator.iter_errors(spot)),
            }
        });
        match (valid, told) {
            (Ok(_), Ok(defects)) => defects,
            (Ok(_), Err(_)) => {
                let message = format!(
                    "the {} does not fit its schema",
                    wording::whole(&[], kind).trim_start_matches("the ")
                );
                vec![whole(
                    root,
                    message,
                    "there is too much wrong, or the schema branches too often, to say more",
                )]
            }
            (Err(_), _) => {
                let message = format!(
                    "{} takes too long to hold against its schema",
                    wording::whole(&[], kind)
                );
                vec![whole(root, message, "make the schema branch less, or the object smaller")]
            }
        }
    }
}

/// Returns a defect of an object as a whole, shown at its kind.
fn whole(root: &Node, message: String, help: &str) -> Defect {
    Defect {
        breach: Breach::InvalidValue,
        path: FieldPath::root(),
        span: root.get("kind").map_or(root.span, |kind| kind.span),
        message,
        help: Some(help.to_owned()),
    }
}

/// Returns the draft of a schema: the one that it names, else draft 4, as for kubeconform.
fn draft(schema: &Value) -> Result<Draft, String> {
    let Some(name) = schema.get("$schema") else { return Ok(Draft::Draft4) };
    let name = name.as_str().unwrap_or_default();
    let bare = name.trim_end_matches('#');
    let bare = bare.strip_prefix("http://").or_else(|| bare.strip_prefix("https://"));
    match bare.unwrap_or_default() {
        // The name without a version means the newest one.
        "json-schema.org/schema" | "json-schema.org/draft/2020-12/schema" => Ok(Draft::Draft202012),
        "json-schema.org/draft/2019-09/schema" => Ok(Draft::Draft201909),
        "json-schema.org/draft-07/schema" => Ok(Draft::Draft7),
        "json-schema.org/draft-06/schema" => Ok(Draft::Draft6),
        "json-schema.org/draft-04/schema" => Ok(Draft::Draft4),
        _ => Err(format!(
            "its `$schema` {} is none of the drafts 4, 6, 7, 2019-09 and 2020-12",
            wording::code(name)
        )),
    }
}

/// Refuses a document whose patterns are larger than anybody writes them: it takes time to compile
/// them.
fn few(weight: usize) -> Result<(), String> {
    if weight > PATTERNS { Err("its patterns are too large".to_owned()) } else { Ok(()) }
}

/// Adds what a document refers to.
fn references_of(schema: &Value, out: &mut BTreeSet<String>) {
    match schema {
        Value::Array(items) => items.iter().for_each(|item| references_of(item, out)),
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(target)
                        if matches!(key.as_str(), "$ref" | "$dynamicRef" | "$recursiveRef") =>
                    {
                        out.insert(target.clone());
                    }
                    value => references_of(value, out),
                }
            }
        }
        _ => {}
    }
}

/// The documents of a schema: itself, and those that it refers to.
#[derive(Clone)]
struct Documents {
    beside: Beside,
    read: Arc<Mutex<BTreeMap<String, Arc<Value>>>>,
    references: Arc<Mutex<BTreeSet<String>>>,
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").finish_non_exhaustive()
    }
}

impl Documents {
    fn keep(&self, address: &str, document: Arc<Value>) -> Result<(), String> {
        let mut references = self.references.lock().unwrap_or_else(PoisonError::into_inner);
        references_of(&document, &mut references);
        if references.len() > REFERENCES {
            return Err(format!("it refers to more than {REFERENCES} schemas"));
        }
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.insert(address.to_owned(), document);
        Ok(())
    }

    /// Returns the part of a document at an address with a JSON pointer in its fragment.
    fn part(&self, address: &str) -> Option<Value> {
        let (address, pointer) = address.split_once('#').unwrap_or((address, ""));
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let document = Arc::clone(read.get(address)?);
        drop(read);
        document.pointer(&decoded(pointer)).cloned()
    }
}

/// Decodes `%XX`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        let byte = hex.and_then(|it| u8::from_str_radix(it, 16).ok()).filter(|_| *first == b'%');
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Retrieve for Documents {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn Error + Send + Sync>> {
        let address = uri.as_str().split('#').next().unwrap_or_default();
        let name = match address.strip_prefix(BESIDE) {
            Some(relative) => decoded(relative),
            // Published schemas refer to the definitions beside them by their address.
            None if address.starts_with("http") => {
                decoded(address.rsplit('/').next().unwrap_or_default())
            }
            None => return Err(format!("it refers to {}", wording::code(address)).into()),
        };
        let leaves = |part: &str| matches!(part, "" | "." | "..") || part.contains(['\\', '\0']);
        if name.split('/').any(leaves) {
            return Err(format!("it refers to {}", wording::code(address)).into());
        }
        let document = (self.beside)(&name)?;
        self.keep(address, Arc::clone(&document))?;
        let mut document = (*document).clone();
        few(patterns::set_aside(&mut document))?;
        Ok(document)
    }
}

#[cfg(test)]
mod tests;
