//! Parser events to spanned nodes: aliases, merge keys, duplicate keys, limits.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, StrInput, StructureStyle, Tag};

use super::block;
use super::mapping::{Key, Mapping};
use super::resolve::{self, NoValue, Resolved};
use super::shared::Shared;
use super::split::Chunk;
use super::{Dialect, Limits};
use crate::document::{Entry, Node, NodeKind, Scalar};
use crate::load::{Problem, ProblemKind};
use crate::source::{SourceId, Span};

/// Who reads a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader {
    pub(super) dialect: Dialect,
    /// Whether a last line without a line break is read as if it had one.
    pub(super) ends_last_line: bool,
}

/// Builds the first document of a chunk; `None` where it is empty or cannot be read.
pub(super) fn build(
    text: &str,
    source: SourceId,
    chunk: Chunk,
    reader: Reader,
    limits: &Limits,
    shared: &mut Shared,
    problems: &mut Vec<Problem>,
) -> Option<Node> {
    let body = &*plain_breaks(chunk.text(text));
    let place = Place { text: body, json: chunk.json, source, base: chunk.start };
    if let Some((node, mut found)) = by_lines(place, reader, limits, shared) {
        problems.append(&mut found);
        return Some(node);
    }
    by_parser(place, reader, limits, shared, problems)
}

/// Reads a document line by line; `None` where that is not enough.
pub(super) fn by_lines(
    place: Place<'_>,
    reader: Reader,
    limits: &Limits,
    shared: &mut Shared,
) -> Option<(Node, Vec<Problem>)> {
    if place.json {
        return None;
    }
    let mut found = Vec::new();
    let mut builder = Builder::new(place, reader.dialect, limits, shared, &mut found);
    let node = block::read(place.text, &mut builder)?;
    Some((node, found))
}

/// Reads a document with the parser.
pub(super) fn by_parser(
    place: Place<'_>,
    reader: Reader,
    limits: &Limits,
    shared: &mut Shared,
    problems: &mut Vec<Problem>,
) -> Option<Node> {
    let options = granit_parser::options! {
        bom_inside_document_as_content: true,
        block_scalar_eof_without_line_feed: !reader.ends_last_line,
        flow_nesting_limit: limits.depth,
        block_nesting_limit: limits.depth,
    };
    let body = place.text;
    let mut builder = Builder::new(place, reader.dialect, limits, shared, problems);
    match builder.run(Parser::new_from_str_with_options(body, options)) {
        Ok(node) => {
            if let Some(problem) = trailing_tab(body, place.source, place.base) {
                problems.push(problem);
                return None;
            }
            node
        }
        Err(problem) => {
            problems.push(problem);
            None
        }
    }
}

/// Replaces lines that hold nothing but a line break of YAML 1.1 by blanks of the same length.
///
/// To Kubernetes' readers, U+0085, U+2028 and U+2029 end a line; to the parser they are text.
fn plain_breaks(body: &str) -> Cow<'_, str> {
    const BREAKS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];
    if body.is_ascii() || !body.contains(BREAKS) {
        return Cow::Borrowed(body);
    }
    let mut out = String::with_capacity(body.len());
    for line in body.split_inclusive('\n') {
        if line.chars().all(|c| BREAKS.contains(&c) || c.is_ascii_whitespace()) {
            for c in line.chars() {
                if BREAKS.contains(&c) {
                    out.extend(std::iter::repeat_n(' ', c.len_utf8()));
                } else {
                    out.push(c);
                }
            }
        } else {
            out.push_str(line);
        }
    }
    Cow::Owned(out)
}

/// Finds a tab that opens one of the blank lines at the end: libyaml refuses it as indentation.
fn trailing_tab(body: &str, source: SourceId, base: u32) -> Option<Problem> {
    let content = body.trim_end();
    if content.ends_with(['}', ']']) && content.starts_with(['{', '[']) {
        return None;
    }
    let tab = body.get(content.len()..)?.find("\n\t")?;
    let at = base + u32::try_from(content.len() + tab + 1).ok()?;
    let message = "a tab stands where only spaces may indent";
    Some(
        Problem::new(ProblemKind::Syntax, Span::new(source, at, at + 1), message)
            .with_help("remove the tab"),
    )
}

/// A collection whose end has not come yet.
struct Frame {
    start: u32,
    flow: bool,
    anchor: usize,
    /// The number of values decoded before it.
    decoded_before: usize,
    height: usize,
    kind: FrameKind,
}

enum FrameKind {
    Sequence(Vec<Node>),
    Mapping(Mapping),
}

/// A completed node that aliases may repeat.
struct Anchored {
    node: Node,
    size: usize,
    height: usize,
}

/// The text of a document, and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) text: &'a str,
    /// Whether it is one JSON value.
    pub(super) json: bool,
    pub(super) source: SourceId,
    /// Where it starts in its source.
    pub(super) base: u32,
}

/// Takes what a text holds, in its order, and builds the tree.
pub(super) struct Builder<'a> {
    text: &'a str,
    json: bool,
    source: SourceId,
    base: u32,
    dialect: Dialect,
    limits: &'a Limits,
    stack: Vec<Frame>,
    anchors: BTreeMap<usize, Option<Anchored>>,
    shared: &'a mut Shared,
    decoded: usize,
    aliased: usize,
    problems: &'a mut Vec<Problem>,
}

pub(super) type Step<T> = Result<T, Problem>;

impl<'a> Builder<'a> {
    fn new(
        at: Place<'a>,
        dialect: Dialect,
        limits: &'a Limits,
        shared: &'a mut Shared,
        problems: &'a mut Vec<Problem>,
    ) -> Self {
        let Place { text, json, source, base } = at;
        Self {
            text,
            json,
            source,
            base,
            dialect,
            limits,
            stack: Vec::new(),
            anchors: BTreeMap::new(),
            shared,
            decoded: 0,
            aliased: 0,
            problems,
        }
    }

    fn run(&mut self, mut parser: Parser<'a, StrInput<'a>>) -> Step<Option<Node>> {
        let mut document = None;
        let mut documents = 0;
        while let Some(next) = parser.next_event() {
            let (event, at) = match next {
                Ok(next) => next,
                // What is wrong behind the first document is never read.
                Err(error) if document.is_some() => {
                    let at = self.base
                        + u32::try_from(error.marker().byte_offset().unwrap_or(0))
                            .unwrap_or(u32::MAX);
                    let end = self.base + u32::try_from(self.text.len()).unwrap_or(u32::MAX);
                    self.unread(Span::new(self.source, at.min(end), at.min(end)));
                    break;
                }
                Err(error) => return Err(self.syntax(&error)),
            };
            let span = self.span(&at);
            match event {
                Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
                Event::DocumentStart(_, version) => {
                    documents += 1;
                    if documents > 1 {
                        continue;
                    }
                    if version.is_some_and(|version| (version.major, version.minor) != (1, 1)) {
                        return Err(self.problem(
                            ProblemKind::Syntax,
                            Span::new(self.source, self.base, span.end),
                            "Kubernetes reads YAML 1.1 only, and refuses any other `%YAML` version",
                        ));
                    }
                }
                // A `---` at the very end starts a document without text.
                Event::Scalar(..) if documents > 1 && span.start == span.end => {}
                _ if documents > 1 => {
                    self.unread(span);
                    break;
                }
                event => {
                    if let Some(root) = self.event(event, span)? {
                        document = Some(root);
                    }
                }
            }
        }
        // A chunk of comments alone is no document; one that says `null` is none either.
        Ok(document.filter(|node| !node.is_null()))
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Step<Option<Node>> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.text(&text, style, anchor, tag.as_deref(), span)
            }
            Event::SequenceStart(style, anchor, _) => {
                self.open(true, style, anchor, span).map(|()| None)
            }
            Event::MappingStart(style, anchor, _) => {
                self.open(false, style, anchor, span).map(|()| None)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(id) => self.alias(id, span),
            // Comments and the like are switched off, and the stream's own events are handled.
            _ => Ok(None),
        }
    }

    /// Takes a scalar: a key where one is expected, a value elsewhere.
    pub(super) fn text(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: Span,
    ) -> Step<Option<Node>> {
        if self.expects_key() {
            let key = self.key(text, style, tag, span)?;
            if anchor > 0 {
                let node = Node::string(Arc::clone(&key.text), span);
                self.remember(anchor, &node, 1, 1);
            }
            self.open_key(key);
            return Ok(None);
        }
        let scalar = self.scalar(text, style, tag, span)?;
        self.count(1, span)?;
        let node = Node { span, kind: NodeKind::Scalar(scalar) };
        self.remember(anchor, &node, 1, 1);
        self.complete(node, 1)
    }

    /// Says whether the next node is a key of the innermost mapping.
    fn expects_key(&self) -> bool {
        matches!(
            self.stack.last(),
            Some(Frame { kind: FrameKind::Mapping(Mapping { key: None, .. }), .. })
        )
    }

    fn open_key(&mut self, key: Key) {
        if let Some(Frame { kind: FrameKind::Mapping(mapping), .. }) = self.stack.last_mut() {
            mapping.key = Some(key);
        }
    }

    /// Opens a list, or a map.
    pub(super) fn open(
        &mut self,
        sequence: bool,
        style: StructureStyle,
        anchor: usize,
        span: Span,
    ) -> Step<()> {
        if self.expects_key() {
            return Err(self.complex_key(span));
        }
        self.count(1, span)?;
        if self.stack.len() >= self.limits.depth {
            return Err(self.too_deep(span));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, None);
        }
        let kind = if sequence {
            FrameKind::Sequence(self.shared.items())
        } else {
            FrameKind::Mapping(Mapping::new(self.shared.entries()))
        };
        self.stack.push(Frame {
            start: span.start,
            flow: matches!(style, StructureStyle::Flow),
            anchor,
            decoded_before: self.decoded - 1,
            height: 1,
            kind,
        });
        Ok(())
    }

    /// Closes the innermost collection, and returns it where it is the document.
    pub(super) fn close(&mut self, span: Span) -> Step<Option<Node>> {
        let Some(frame) = self.stack.pop() else {
            return Ok(None);
        };
        let (kind, first, last) = match frame.kind {
            FrameKind::Sequence(items) => {
                let last = items.last().map(|node| node.span.end);
                (NodeKind::Sequence(self.shared.exact_items(items)), None, last)
            }
            FrameKind::Mapping(mapping) => {
                let (entries, first, last) = mapping.finish();
                (NodeKind::Mapping(self.shared.exact_entries(entries)), first, last)
            }
        };
        // The end event of a block collection lies at the next token, lines further down.
        let end = if frame.flow { span.end } else { last.unwrap_or(frame.start) };
        let start = if frame.flow { frame.start } else { first.unwrap_or(frame.start) };
        let node = Node { span: Span::new(self.source, start, end), kind };
        let size = self.decoded - frame.decoded_before;
        self.remember(frame.anchor, &node, size, frame.height);
        self.complete(node, frame.height)
    }

    fn alias(&mut self, id: usize, span: Span) -> Step<Option<Node>> {
        let Some(Some(anchored)) = self.anchors.get(&id) else {
            return Err(self.problem(
                ProblemKind::Syntax,
                span,
                "the alias stands inside the value that it repeats",
            ));
        };
        let (node, size, height) = (anchored.node.clone(), anchored.size, anchored.height);
        if self.expects_key() {
            let NodeKind::Scalar(scalar) = node.kind else {
                return Err(self.complex_key(span));
            };
            let text = resolve::key(Resolved::Scalar(scalar), None, self.dialect)
                .map_err(|error| self.no_value(&error, span))?;
            self.open_key(Key { text, span, merge: false });
            return Ok(None);
        }
        self.aliased += size;
        self.count(size, span)?;
        if self.stack.len() + height > self.limits.depth {
            return Err(self.too_deep(span));
        }
        self.complete(node, height)
    }

    /// Hands a finished node to the collection around it, or returns it as the document.
    fn complete(&mut self, node: Node, height: usize) -> Step<Option<Node>> {
        let Some(frame) = self.stack.last_mut() else {
            return Ok(Some(node));
        };
        frame.height = frame.height.max(height + 1);
        match &mut frame.kind {
            FrameKind::Sequence(items) => items.push(node),
            FrameKind::Mapping(mapping) => match mapping.key.take() {
                Some(key) if key.merge => {
                    let span = node.span;
                    let Some(overridden) = mapping.merge(node, &key, self.dialect) else {
                        return Err(self.problem(
                            ProblemKind::Syntax,
                            span,
                            "the value of the merge key `<<` must be a map or a list of maps",
                        ));
                    };
                    for (name, first) in overridden {
                        let message = format!(
                            "the merge key `<<` overrides the key `{name}`, which stands above it"
                        );
                        let mut problem =
                            Problem::new(ProblemKind::DuplicateKey, key.span, message).with_help(
                                "put `<<` first, so that kubectl and kustomize read the same value",
                            );
                        problem.related = Some((first, "this value is lost".to_owned()));
                        self.problems.push(problem);
                    }
                }
                Some(key) => {
                    let entry =
                        Entry { key: Arc::clone(&key.text), key_span: key.span, value: node };
                    if let Some(first) = mapping.set(entry) {
                        let message = format!("the key `{}` stands twice in one map", key.text);
                        let mut problem =
                            Problem::new(ProblemKind::DuplicateKey, key.span, message);
                        problem.related = Some((first, "it stands here first".to_owned()));
                        self.problems.push(problem);
                    }
                }
                None => {}
            },
        }
        Ok(None)
    }

    fn remember(&mut self, anchor: usize, node: &Node, size: usize, height: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, Some(Anchored { node: node.clone(), size, height }));
        }
    }

    /// Counts decoded values against the budget, as `allowedAliasRatio` of go-yaml's `decode.go`.
    fn count(&mut self, nodes: usize, span: Span) -> Step<()> {
        self.decoded += nodes;
        if self.decoded > self.limits.nodes {
            let message = format!("the document holds more than {} values", self.limits.nodes);
            return Err(self.problem(ProblemKind::Limit, span, &message));
        }
        if self.aliased > 100 && self.decoded > 1000 {
            const LOW: f64 = 400_000.0;
            const HIGH: f64 = 4_000_000.0;
            #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
            let (decoded, aliased) = (self.decoded as f64, self.aliased as f64);
            let allowed = if decoded <= LOW {
                0.99
            } else if decoded >= HIGH {
                0.10
            } else {
                0.99 - 0.89 * (decoded - LOW) / (HIGH - LOW)
            };
            if aliased / decoded > allowed {
                return Err(self.problem(
                    ProblemKind::Limit,
                    span,
                    "the document consists of aliases that repeat each other, and is refused",
                ));
            }
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Span,
    ) -> Step<Scalar> {
        match self.resolve(text, style, tag, span)? {
            Resolved::Scalar(scalar) => Ok(scalar),
            Resolved::Merge => Ok(Scalar::String(Arc::from("<<"))),
            Resolved::NotFinite(value) => Err(self.no_value(
                &NoValue(format!(
                    "`{value}` is a number that JSON, and so Kubernetes, cannot hold"
                )),
                span,
            )),
        }
    }

    fn key(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Step<Key> {
        let resolved = self.resolve(text, style, tag, span)?;
        let merge = resolved == Resolved::Merge;
        let text = if span.start == span.end { "" } else { text };
        let plain = (matches!(style, ScalarStyle::Plain) && tag.is_none()).then_some(text);
        let text = resolve::key(resolved, plain, self.dialect)
            .map_err(|error| self.no_value(&error, span))?;
        Ok(Key { text, span, merge })
    }

    fn resolve(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Span,
    ) -> Step<Resolved> {
        let plain = matches!(style, ScalarStyle::Plain);
        match tag {
            Some(tag) => {
                let suffix = tag.suffix_in_namespace("tag:yaml.org,2002:").unwrap_or_default();
                resolve::tagged(&suffix, text, self.dialect)
                    .map_err(|error| self.no_value(&error, span))
            }
            // The parser shows a node that is not there as an empty `~`.
            None if plain && span.start == span.end => Ok(Resolved::Scalar(Scalar::Null)),
            None if plain => Ok(resolve::plain(text, self.dialect)
                .unwrap_or_else(|| Resolved::Scalar(Scalar::String(self.shared.text(text))))),
            None if matches!(style, ScalarStyle::Folded) && self.is_written_folded() => {
                Ok(Resolved::Scalar(Scalar::String(resolve::folded_again(text))))
            }
            None => {
                self.escapes(style, span)?;
                Ok(Resolved::Scalar(Scalar::String(self.shared.text(text))))
            }
        }
    }

    /// Says whether kustomize writes a folded text folded: everywhere but among the annotations,
    /// which it sets anew.
    fn is_written_folded(&self) -> bool {
        let key = |depth: usize| match self.stack.get(depth) {
            Some(Frame { kind: FrameKind::Mapping(Mapping { key: Some(key), .. }), .. }) => {
                Some(&*key.text)
            }
            _ => None,
        };
        self.dialect == Dialect::Kustomize
            && (key(0), key(1)) != (Some("metadata"), Some("annotations"))
    }

    /// Refuses the escapes that JSON has and Kubernetes' YAML readers have not.
    fn escapes(&self, style: ScalarStyle, span: Span) -> Step<()> {
        if self.json || !matches!(style, ScalarStyle::DoubleQuoted) {
            return Ok(());
        }
        let from = span.start.saturating_sub(self.base) as usize;
        let to = span.end.saturating_sub(self.base) as usize;
        let Some(raw) = self.text.get(from..to).filter(|raw| raw.contains('\\')) else {
            return Ok(());
        };
        let mut escaped = false;
        for (at, c) in raw.char_indices() {
            if !escaped {
                escaped = c == '\\';
                continue;
            }
            escaped = false;
            let surrogate = c == 'u'
                && raw
                    .get(at + 1..at + 3)
                    .is_some_and(|hex| matches!(u8::from_str_radix(hex, 16), Ok(0xd8..=0xdf)));
            let slash = c == '/' && self.dialect == Dialect::Kubectl;
            if surrogate || slash {
                let start = span.start + u32::try_from(at).unwrap_or(0) - 1;
                let end = start + if slash { 2 } else { 6 };
                return Err(self.problem(
                    ProblemKind::Syntax,
                    Span::new(self.source, start, end),
                    "Kubernetes reads this escape in JSON, but not in YAML",
                ));
            }
        }
        Ok(())
    }

    fn span(&self, at: &granit_parser::Span) -> Span {
        self.place(at.start.byte_offset().unwrap_or(0), at.end.byte_offset().unwrap_or(0))
    }

    /// Returns the range between two bytes of the document's text.
    pub(super) fn place(&self, start: usize, end: usize) -> Span {
        let offset = |at| self.base + u32::try_from(at).unwrap_or(u32::MAX);
        Span::new(self.source, offset(start), offset(end))
    }

    fn problem(&self, kind: ProblemKind, span: Span, message: &str) -> Problem {
        let problem = Problem::new(kind, span, message);
        if self.near_template(span) {
            return problem.with_help(
                "this looks like a template that is not filled in: it belongs into a chart's \
                 `templates/` folder, or has to be rendered before it is committed",
            );
        }
        problem
    }

    fn no_value(&self, error: &NoValue, span: Span) -> Problem {
        self.problem(ProblemKind::Syntax, span, &error.0)
    }

    fn complex_key(&self, span: Span) -> Problem {
        self.problem(ProblemKind::Syntax, span, "a key must be text, but this one is a map or list")
    }

    fn too_deep(&self, span: Span) -> Problem {
        let message = format!("the document is nested deeper than {} levels", self.limits.depth);
        self.problem(ProblemKind::Limit, span, &message)
    }

    fn syntax(&self, error: &ScanError) -> Problem {
        use granit_parser::ErrorKind;
        let at = error.marker().byte_offset().unwrap_or(0);
        let start = self.base + u32::try_from(at).unwrap_or(u32::MAX);
        let end = self.base + u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        let span = Span::new(self.source, start.min(end), start.min(end));
        let kind = match error.kind() {
            ErrorKind::RecursionLimitExceeded => return self.too_deep(span),
            _ => ProblemKind::Syntax,
        };
        self.problem(kind, span, &error.info())
    }

    /// Says whether the line of a place, or the one above it, holds template braces.
    fn near_template(&self, span: Span) -> bool {
        let at = (span.start.saturating_sub(self.base) as usize).min(self.text.len());
        let before = self.text.get(..at).unwrap_or(self.text);
        let from = before.rmatch_indices('\n').nth(1).map_or(0, |(index, _)| index);
        let rest = self.text.get(at..).unwrap_or_default();
        let to = at + rest.find('\n').unwrap_or(rest.len());
        self.text.get(from..to).is_some_and(|lines| lines.contains("{{") || lines.contains("{%"))
    }

    fn unread(&mut self, span: Span) {
        let message =
            "what follows here stands behind the document without a `---` line, and is never read";
        self.problems.push(Problem::new(ProblemKind::Unread, span, message));
    }
}
