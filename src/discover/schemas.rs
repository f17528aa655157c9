//! Where users keep schemas: folders, files and templates of paths.
//!
//! The layouts are those of kubeconform, of the catalog of definitions that Datree publishes, and
//! of kubectl-validate. Plain bytes come out: nothing is parsed here. Of a repository's own
//! configuration nothing leads out of the repository; on the command line paths are the user's.
//! Other hosts are asked only through [`Fetch`], where one is given.

mod files;
mod remote;
mod template;

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use files::is_definition;
pub use files::{Fetch, SchemaFile, SchemaFiles};
use remote::Remote;
use template::{Template, Variables};

/// The layout of kubeconform, which it appends to a location that is not a file of JSON.
const LAYOUT: &str = "{{ .NormalizedKubernetesVersion }}-standalone{{ .StrictSuffix }}/\
                      {{ .ResourceKind }}{{ .KindSuffix }}.json";
/// The layouts of JSON Schemas that are looked for in a folder.
const LAYOUTS: [&str; 3] = [
    LAYOUT,
    "{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json",
    "{{ .ResourceKind }}{{ .KindSuffix }}.json",
];
/// Where the CI of Flux unpacks the schemas of Flux before it calls kubeconform.
const FLUX: &str = "flux-crd-schemas";
/// The version under which schemas of no certain version lie.
const MASTER: &str = "master";
/// Patches are looked for up to this one where no folder can be listed.
const PATCHES: u32 = 32;

/// The kind whose schema is wanted.
#[derive(Debug, Clone, Copy)]
pub struct SchemaWanted<'a> {
    /// The minor version of Kubernetes, e.g. `1.30`.
    pub kubernetes: &'a str,
    /// Whether schemas under `master` will do, where there are none of this version.
    pub master: bool,
    /// The API group; empty for the core group.
    pub group: &'a str,
    /// The version without the group.
    pub version: &'a str,
    /// The kind.
    pub kind: &'a str,
}

/// A schema that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundSchema {
    /// The file.
    pub file: SchemaFile,
    /// What it holds.
    pub form: SchemaForm,
    /// Where it is published, which is where it finds others; none for a file of the disk.
    pub address: Option<String>,
}

impl FoundSchema {
    fn of(file: SchemaFile, form: SchemaForm) -> Self {
        Self { file, form, address: None }
    }
}

/// What a file of schemas holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaForm {
    /// The JSON Schema of the kind.
    JsonSchema,
    /// An `OpenAPI` v3 document, with the kinds of a group and version among its components.
    OpenApi,
}

/// Where the paths of locations start, and whether they may lead out of there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaBase {
    /// The folder that relative paths start from.
    pub folder: PathBuf,
    /// The folder that no path may leave.
    pub within: Option<PathBuf>,
}

/// A place with schemas, as a user names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaLocation {
    text: String,
    form: Form,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// The schemas of the program itself: asked for by name, or by an address that publishes the
    /// same ones, which then may lie in a cache as well.
    Embedded(Option<Remote>),
    /// Files of another host.
    Remote(Remote),
    /// Files whose paths the template makes.
    Template { folder: PathBuf, template: Template },
    /// A folder, of whichever layout.
    Folder { folder: PathBuf, layouts: Vec<Template> },
    /// A file of definitions.
    Definitions(PathBuf),
}

impl SchemaLocation {
    /// Reads a location. The error is a sentence without the location itself.
    pub fn new(text: &str, base: &SchemaBase) -> Result<Self, String> {
        Ok(Self { text: text.to_owned(), form: form(text, base)? })
    }

    /// Returns the location as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Says whether the embedded schemas answer for this location.
    pub fn is_embedded(&self) -> bool {
        matches!(self.form, Form::Embedded(_))
    }

    /// Says whether the location lies on another host, whose schemas are not embedded.
    pub fn is_remote(&self) -> bool {
        matches!(self.form, Form::Remote(_))
    }

    /// Says whether the location is an address.
    pub fn is_address(&self) -> bool {
        matches!(self.form, Form::Remote(_) | Form::Embedded(Some(_)))
    }

    /// Returns the files that may hold definitions of custom resources, in the order of their
    /// names.
    pub fn definitions(&self, files: &SchemaFiles) -> Result<Vec<SchemaFile>, String> {
        match &self.form {
            Form::Definitions(path) => Ok(files.read(path)?.into_iter().collect()),
            Form::Folder { folder, .. } => files.definitions(folder),
            Form::Template { .. } | Form::Embedded(_) | Form::Remote(_) => Ok(Vec::new()),
        }
    }

    /// Finds the schema of a kind.
    pub fn find(
        &self,
        files: &SchemaFiles,
        wanted: &SchemaWanted<'_>,
    ) -> Result<Option<FoundSchema>, String> {
        // The names are those of an object that nobody vouches for, and become parts of paths.
        if ![wanted.group, wanted.version, wanted.kind].iter().all(|it| is_plain(it)) {
            return Ok(None);
        }
        let found =
            |form| move |file: Option<SchemaFile>| file.map(|file| FoundSchema::of(file, form));
        match &self.form {
            Form::Definitions(_) | Form::Embedded(None) => Ok(None),
            Form::Embedded(Some(remote)) | Form::Remote(remote) => published(remote, files, wanted),
            Form::Template { folder, template } => {
                by_template(folder, template, files, wanted).map(found(SchemaForm::JsonSchema))
            }
            Form::Folder { folder, layouts } => {
                for layout in layouts {
                    if let Some(file) = by_template(folder, layout, files, wanted)? {
                        return Ok(Some(FoundSchema::of(file, SchemaForm::JsonSchema)));
                    }
                }
                let name = format!("{}.json", wanted.version);
                let path = match wanted.group {
                    "" => folder.join("api").join(name),
                    group => folder.join("apis").join(group).join(name),
                };
                files.read(&path).map(found(SchemaForm::OpenApi))
            }
        }
    }

    /// Reads every file in which this location may find a schema of any kind.
    pub fn everything(&self, files: &SchemaFiles) -> Result<Vec<SchemaFile>, String> {
        match &self.form {
            Form::Embedded(_) | Form::Remote(_) => Ok(Vec::new()),
            Form::Definitions(path) => Ok(files.read(path)?.into_iter().collect()),
            Form::Folder { folder, .. } => files.below(folder),
            Form::Template { folder, template } => {
                let path = folder.join(template.head());
                if path.is_file() {
                    return Ok(files.read(&path)?.into_iter().collect());
                }
                files.below(&folder_of(folder, template))
            }
        }
    }
}

/// Says whether a part of an object's kind may become a part of a path.
fn is_plain(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    text.len() <= 253 && text.chars().all(fits) && !text.starts_with('.') && !text.contains("..")
}

fn form(text: &str, base: &SchemaBase) -> Result<Form, String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if text == "default" {
        return Ok(Form::Embedded(None));
    }
    if text.starts_with("http://") || text.starts_with("https://") {
        let remote = Remote::new(&completed(text)?).map_err(|error| error.to_string())?;
        return Ok(if remote.is_well_known() {
            Form::Embedded(Some(remote))
        } else {
            Form::Remote(remote)
        });
    }
    let path = text.strip_prefix("file://").unwrap_or(text);
    if base.within.is_some() {
        let parts = || Path::new(path).components();
        let leaves =
            |part: Component<'_>| !matches!(part, Component::Normal(_) | Component::CurDir);
        if parts().any(leaves) || path.contains('\\') || text != path {
            return Err("it leads out of the folder of the configuration".to_owned());
        }
    }
    if path.contains("{{") {
        let template = Template::new(&completed(path)?).map_err(|error| error.to_string())?;
        let folder = folder_of(&base.folder, &template);
        if !folder.is_dir() {
            return absent(&folder, format!("the folder `{}` does not exist", folder.display()));
        }
        return Ok(Form::Template { folder: base.folder.clone(), template });
    }
    let absolute = base.folder.join(path);
    let Ok(metadata) = absolute.metadata() else {
        return absent(&absolute, "it does not exist".to_owned());
    };
    let invalid = |error: template::InvalidTemplate| error.to_string();
    if metadata.is_dir() {
        let layouts: Result<Vec<_>, _> = LAYOUTS.into_iter().map(Template::new).collect();
        return Ok(Form::Folder { folder: absolute, layouts: layouts.map_err(invalid)? });
    }
    let template = Template::new(path).map_err(invalid)?;
    match absolute.extension().and_then(|it| it.to_str()) {
        Some("yaml" | "yml") => Ok(Form::Definitions(absolute)),
        Some("json") if is_definition(&absolute) => Ok(Form::Definitions(absolute)),
        // As for kubeconform: a template without variables is the schema of every kind.
        Some("json") => Ok(Form::Template { folder: base.folder.clone(), template }),
        _ => Err("it is neither a folder nor a file of YAML or JSON".to_owned()),
    }
}

/// Returns what stands for a path that does not exist: an error, but for the folder of Flux.
fn absent(path: &Path, error: String) -> Result<Form, String> {
    if path.components().any(|part| part.as_os_str() == FLUX) {
        return Ok(Form::Embedded(None));
    }
    Err(error)
}

/// Returns the folder that every path of a template lies below.
fn folder_of(base: &Path, template: &Template) -> PathBuf {
    match template.head().rsplit_once('/') {
        Some(("", _)) => PathBuf::from("/"),
        Some((folder, _)) => base.join(folder),
        None => base.to_owned(),
    }
}

/// Appends what kubeconform appends to a template that is one already.
fn completed(text: &str) -> Result<String, String> {
    Template::new(text).map_err(|error| error.to_string())?;
    Ok(if text.ends_with("json") { text.to_owned() } else { format!("{text}/{LAYOUT}") })
}

fn by_template(
    folder: &Path,
    template: &Template,
    files: &SchemaFiles,
    wanted: &SchemaWanted<'_>,
) -> Result<Option<SchemaFile>, String> {
    let mut asked = BTreeSet::new();
    for strict in ["-strict", ""] {
        let of = |kubernetes| variables(wanted, kubernetes, strict);
        // A NUL stands in no name, so what it leaves in the path is the patch.
        let open = format!("v{}.\0", wanted.kubernetes);
        let mut candidates = files.patches(&folder.join(template.expand(of(&open))));
        if wanted.master {
            candidates.push(folder.join(template.expand(of(MASTER))));
        }
        for path in candidates {
            if asked.insert(path.clone())
                && let Some(file) = files.read(&path)?
            {
                return Ok(Some(file));
            }
        }
    }
    Ok(None)
}

/// Finds what is published: in the cache, then where it is published.
fn published(
    remote: &Remote,
    files: &SchemaFiles,
    wanted: &SchemaWanted<'_>,
) -> Result<Option<FoundSchema>, String> {
    let found =
        |file, address| FoundSchema { file, form: SchemaForm::JsonSchema, address: Some(address) };
    if files.has_cache() {
        for address in addresses(remote, wanted, PATCHES) {
            if let Some(file) = files.cached(&address)? {
                return Ok(Some(found(file, address)));
            }
        }
    }
    if files.has_network() {
        // As kubeconform asks; no host is asked for every patch that there might be.
        for address in addresses(remote, wanted, 1) {
            if let Some(file) = files.fetched(&address)? {
                return Ok(Some(found(file, address)));
            }
        }
    }
    Ok(None)
}

/// Returns where a schema may be published: the strict ones first, of those the highest patch
/// first, and `master` after them.
fn addresses(remote: &Remote, wanted: &SchemaWanted<'_>, patches: u32) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut known = BTreeSet::new();
    for strict in ["-strict", ""] {
        let patches = (0..patches).rev().map(|it| format!("v{}.{it}", wanted.kubernetes));
        let master = wanted.master.then(|| MASTER.to_owned());
        for kubernetes in patches.chain(master) {
            let address = remote.address(variables(wanted, &kubernetes, strict));
            if known.insert(address.clone()) {
                out.push(address);
            }
        }
    }
    out
}

fn variables<'a>(wanted: &SchemaWanted<'a>, kubernetes: &'a str, strict: &'a str) -> Variables<'a> {
    let SchemaWanted { group, version, kind, .. } = *wanted;
    Variables { kubernetes, strict, kind, group, version }
}

#[cfg(test)]
mod tests;
