//! Whether each value, key and item of a render is traced to the place that set it.
//!
//! An origin is exact where its text reads as the value, or where it is what made the value: the
//! entry of a generator, the prefix in front of a name, the tag of an image, the field that a
//! replacement fills.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tidewaiter::document::{Entry, Node, NodeKind, Step};
use tidewaiter::load::{Dialect, Limits, Problem, Repository, parse};
use tidewaiter::render::{self, Cache};
use tidewaiter::source::{KUSTOMIZATION_FILES, Origin, RepoPath, Source, SourceMap, Span};

/// The share of exact origins, in percent, that is asked for.
const WANTED: f64 = 99.0;

/// What was found of one kind of place.
#[derive(Debug, Default)]
struct Count {
    all: usize,
    exact: usize,
}

/// The origins of many renders.
#[derive(Debug, Default)]
pub(crate) struct Origins {
    values: Count,
    keys: Count,
    items: Count,
    /// Why origins are not exact, with the number and an example.
    causes: BTreeMap<String, (usize, String)>,
}

impl Origins {
    /// Renders folders and looks at everything in them.
    pub(crate) fn add(&mut self, repository: &Repository, roots: &[RepoPath]) {
        let cache = Cache::default();
        let mut tracer = Tracer { repository, origins: self, seen: BTreeMap::new() };
        for root in roots {
            let Ok(rendered) = render::kustomize(repository, root, &cache) else { continue };
            for object in &rendered.objects {
                tracer.node(&object.root, "");
            }
        }
    }

    /// Says whether as many origins are exact as are asked for.
    pub(crate) fn are_exact(&self) -> bool {
        [&self.values, &self.keys, &self.items].iter().all(|count| count.share() >= WANTED)
    }
}

impl Count {
    fn share(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a percentage")]
        let share = 100.0 * self.exact as f64 / self.all.max(1) as f64;
        share
    }
}

impl fmt::Display for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, count) in
            [("values", &self.values), ("keys", &self.keys), ("items", &self.items)]
        {
            let share = count.share();
            writeln!(
                f,
                "origins of {name}: {} of {} exact ({share:.2} %)",
                count.exact, count.all
            )?;
        }
        let mut causes: Vec<_> = self.causes.iter().collect();
        causes.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        for (cause, (count, example)) in causes.iter().take(40) {
            writeln!(f, "{count:>8} {cause}, e.g. {example}")?;
        }
        Ok(())
    }
}

/// Goes through rendered objects.
struct Tracer<'a> {
    repository: &'a Repository,
    origins: &'a mut Origins,
    /// What was found of places before: bases are rendered many times.
    seen: BTreeMap<(Span, String), bool>,
}

impl Tracer<'_> {
    fn node(&mut self, node: &Node, path: &str) {
        match &node.kind {
            NodeKind::Scalar(_) => {
                let value = node.to_json();
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let exact = self.once(node.span, &text, |it| it.is_value(node, path, &text));
                self.origins.values.all += 1;
                self.origins.values.exact += usize::from(exact);
                if !exact {
                    self.cause("value", node.span, path, &text);
                }
            }
            NodeKind::Sequence(items) => {
                for (at, item) in items.iter().enumerate() {
                    let exact = self.holds(item);
                    self.origins.items.all += 1;
                    self.origins.items.exact += usize::from(exact);
                    let path = format!("{path}/{at}");
                    if !exact {
                        self.cause("item", item.span, &path, "");
                    }
                    self.node(item, &path);
                }
            }
            NodeKind::Mapping(entries) => {
                for entry in entries {
                    let path = format!("{path}/{}", entry.key);
                    let exact = self.once(entry.key_span, &entry.key, |it| it.is_key(entry));
                    self.origins.keys.all += 1;
                    self.origins.keys.exact += usize::from(exact);
                    if !exact {
                        self.cause("key", entry.key_span, &path, &entry.key);
                    }
                    self.node(&entry.value, &path);
                }
            }
        }
    }

    fn once(&mut self, span: Span, text: &str, judge: impl FnOnce(&Self) -> bool) -> bool {
        let key = (span, text.to_owned());
        if let Some(known) = self.seen.get(&key) {
            return *known;
        }
        let exact = judge(self);
        self.seen.insert(key, exact);
        exact
    }

    fn sources(&self) -> &SourceMap {
        self.repository.sources()
    }

    /// Says whether the text of a place reads as a value, or made it.
    fn is_value(&self, node: &Node, path: &str, value: &str) -> bool {
        let text = self.sources().text(node.span);
        if text.is_empty() {
            // Nothing is written where nothing stands, but the place is that behind its key.
            return value.is_empty() || value == "null";
        }
        let read = read(text);
        // The lines of a block stand further in than those of its value.
        if words(text) == words(value) {
            return true;
        }
        if read.as_ref().is_some_and(|read| read.to_json() == node.to_json()) {
            return true;
        }
        // Labels, annotations and the like become texts, in the spelling that they have.
        let spelled = read.as_ref().map(|it| it.to_json().to_string());
        if text == value || spelled.as_deref() == Some(value) {
            return true;
        }
        if STANDARD.decode(value.replace('\n', "")).is_ok_and(|it| {
            let read = read.as_ref().and_then(Node::as_str).unwrap_or(text);
            it == text.as_bytes() || ends(read, &String::from_utf8_lossy(&it))
        }) {
            return true;
        }
        // What a generator gives to all that it makes has the generator itself for its place.
        let given = matches!(path, "/apiVersion" | "/kind" | "/type") || value.is_empty();
        if given && self.is_generator(node.span) {
            return true;
        }
        // A value that a kustomization puts together holds what is written there, or is held by it.
        let Some(field) = self.field(node.span) else {
            return false;
        };
        match read.as_ref().and_then(Node::as_str) {
            _ if field.contains("/fieldPaths/") || field.contains("buildMetadata") => true,
            Some(read) => !read.is_empty() && (value.contains(read) || ends(read, value)),
            None => value.contains(text) || words(text).ends_with(&words(value)),
        }
    }

    /// Says whether the text of a place reads as a key, or made it.
    fn is_key(&self, entry: &Entry) -> bool {
        let text = self.sources().text(entry.key_span);
        if text.is_empty() {
            return false;
        }
        if read(text).and_then(|it| it.as_str().map(|it| *it == *entry.key)) == Some(true)
            || *text == *entry.key
        {
            return true;
        }
        // The path of an operation ends with the key.
        let escaped = entry.key.replace('~', "~0").replace('/', "~1");
        if text.trim_matches(['"', '\'']).ends_with(&format!("/{escaped}")) {
            return true;
        }
        self.field(entry.key_span).is_some() || self.is_generator(entry.key_span)
    }

    /// Says whether a place is a generator: an entry of a kustomization, or a file of its own.
    fn is_generator(&self, span: Span) -> bool {
        let fields = ["/configMapGenerator/", "/secretGenerator/", "/generators/"];
        self.field(span).is_some_and(|field| fields.iter().any(|it| field.starts_with(it)))
            || self.sources().text(span).contains("Generator\n")
    }

    /// Says whether an item stands where it, or something in it, stands.
    fn holds(&self, item: &Node) -> bool {
        if self.sources().text(item.span).is_empty() {
            return false;
        }
        let within = |span: Span| {
            span.source == item.span.source
                && item.span.start <= span.start
                && span.end <= item.span.end
        };
        match &item.kind {
            NodeKind::Scalar(_) => true,
            NodeKind::Sequence(items) => items.is_empty() || items.iter().any(|it| within(it.span)),
            NodeKind::Mapping(entries) => {
                // The item of a base, all of whose keys a patch sets.
                let column = self.sources().location(item.span).start.column as usize;
                let text = self.sources().text(item.span);
                let written = read(&format!("\n{}{text}", " ".repeat(column)));
                entries.is_empty()
                    || entries.iter().any(|it| within(it.key_span))
                    || written
                        .is_some_and(|it| entries.iter().any(|own| it.get(&own.key).is_some()))
            }
        }
    }

    /// Returns the field of a kustomization in which a place lies.
    fn field(&self, span: Span) -> Option<String> {
        let path = self.sources().path(span);
        if !KUSTOMIZATION_FILES.contains(&path.name()) {
            return None;
        }
        let parsed = self.repository.parsed(&path, Dialect::Kubectl)?;
        let steps = parsed.documents.first()?.root.path_at(span.start);
        let shown: Vec<String> = steps
            .iter()
            .map(|step| match step {
                Step::Key(key) => key.to_string(),
                Step::Index(at) => at.to_string(),
            })
            .collect();
        (!shown.is_empty()).then(|| format!("/{}/", shown.join("/")))
    }

    fn cause(&mut self, what: &str, span: Span, path: &str, value: &str) {
        let text = self.sources().text(span);
        let location = self.sources().location(span);
        let field = self.field(span).unwrap_or_default();
        let field: String = field.chars().filter(|c| !c.is_ascii_digit()).collect();
        let cause = match text {
            "" => format!("{what} without a place"),
            _ if !field.is_empty() => format!("{what} from {field}"),
            _ => format!("{what} from a file"),
        };
        let shown = |text: &str| text.chars().take(50).collect::<String>().replace('\n', "⏎");
        let example = format!(
            "{path} `{}` is at {}:{} `{}`",
            shown(value),
            location.path,
            location.start.line,
            shown(text)
        );
        let entry = self.origins.causes.entry(cause).or_insert((0, example));
        entry.0 += 1;
    }
}

/// Returns a text with single blanks between its words.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Says whether a text of the form `key=value` ends with a value, quotes aside.
fn ends(text: &str, value: &str) -> bool {
    let (_, tail) = text.split_once('=').unwrap_or(("", text));
    tail == value || tail.trim_matches(['"', '\'']) == value
}

/// Reads a text that stands behind a key.
fn read(text: &str) -> Option<Node> {
    let mut sources = SourceMap::default();
    let text = format!("x: {text}\n");
    let id = sources.add(Source::new(RepoPath::new("x"), Origin::File, text.into()));
    let limits = Limits::default();
    let parsed = parse(sources.get(id)?, id, Dialect::Kustomize, &limits);
    if parsed.problems.iter().any(Problem::is_fatal) {
        return None;
    }
    parsed.documents.first()?.root.get("x").cloned()
}
