//! What a JSON Schema refuses, in the words of the other checks.
//!
//! The library names a place by a JSON pointer into the object and one into the schema; the words,
//! the place in the text and the suggestions are ours. No value of the library's is shown: it has
//! none, see [`super::node`].

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use super::Documents;
use crate::check::schema::defect::{Breach, Defect, LIMIT};
use crate::check::schema::suggest;
use crate::document::{FieldPath, Node, NodeKind, Step};
use crate::rule::closest;
use crate::source::Span;
use crate::wording::{self, Crumb, is_placeholder};

/// How many unknown fields of one object get a suggestion; looking for one takes time.
const SUGGESTIONS: usize = 20;
/// Longer names are not looked at: the time that a comparison takes grows with them.
const LONGEST: usize = 64;
/// How deeply alternatives are looked into.
const DEPTH: usize = 8;
/// Lists of more items are not searched for names that tell items apart.
const NAMED: usize = 256;

/// Puts the errors of one object into words.
pub(super) struct Telling<'a> {
    kind: &'a str,
    root: &'a Node,
    documents: &'a Documents,
    suggestions: usize,
    defects: Vec<Defect>,
}

/// A place in the object.
struct Place<'a> {
    crumbs: Vec<Crumb<'a>>,
    path: FieldPath,
    node: &'a Node,
    /// Where something is shown that is not there: the key or the item.
    anchor: Span,
}

impl<'a> Telling<'a> {
    pub(super) fn new(kind: &'a str, root: &'a Node, documents: &'a Documents) -> Self {
        Self { kind, root, documents, suggestions: SUGGESTIONS, defects: Vec::new() }
    }

    /// Returns the defects in the order of the text.
    pub(super) fn tell<'e>(
        mut self,
        errors: impl Iterator<Item = ValidationError<'e>>,
    ) -> Vec<Defect> {
        for error in errors {
            if self.defects.len() >= LIMIT {
                break;
            }
            self.error(&error, DEPTH);
        }
        let mut defects = self.defects;
        defects.sort_by(|one, other| {
            (one.span.source, one.span.start, &one.path, one.breach, &one.message).cmp(&(
                other.span.source,
                other.span.start,
                &other.path,
                other.breach,
                &other.message,
            ))
        });
        defects.dedup();
        defects.truncate(LIMIT);
        defects
    }

    fn error(&mut self, error: &ValidationError<'_>, depth: usize) {
        use ValidationErrorKind as Kind;
        let Some(place) = self.place(error.instance_path().as_str()) else { return };
        let node = place.node;
        // What will stand there is not known; only that the field may be there.
        let waits = node.as_str().is_some_and(is_placeholder);
        match error.kind() {
            Kind::AdditionalProperties { unexpected }
            | Kind::UnevaluatedProperties { unexpected } => {
                let known = self.known(error);
                for key in unexpected {
                    self.unknown(&place, key, &known);
                }
            }
            Kind::Required { property } => {
                if let Some(name) = property.as_str() {
                    self.missing(&place, name);
                }
            }
            Kind::FalseSchema => self.forbidden(&place),
            _ if waits => {}
            // The only keyword of our own.
            Kind::Custom { message, .. } => {
                let value = self.value_of(&place);
                let message =
                    format!("{value} does not match the pattern {}", wording::code(message));
                self.invalid(&place, message, None);
            }
            Kind::Type { kind } => self.wrong_type(&place, &wanted(kind)),
            Kind::Enum { options } => {
                let options: &[Value] = options.as_array().map_or(&[], Vec::as_slice);
                self.value(&place, options);
            }
            Kind::Constant { expected_value } => {
                self.value(&place, std::slice::from_ref(expected_value));
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                self.alternatives(&place, context, depth);
            }
            Kind::PropertyNames { error } => {
                let why = match error.kind() {
                    Kind::Custom { message, .. } => {
                        format!(" match the pattern {}", wording::code(message))
                    }
                    _ => " have the form that the schema asks for".to_owned(),
                };
                let message = format!("a key of {} does not{why}", self.whole(&place));
                self.invalid(&place, message, None);
            }
            kind => {
                let (message, help) = self.words(&place, kind);
                self.invalid(&place, message, help);
            }
        }
    }

    /// Returns the message and the help for errors that say everything themselves.
    fn words(&self, place: &Place<'_>, kind: &ValidationErrorKind) -> (String, Option<String>) {
        use ValidationErrorKind as Kind;
        let at = self.whole(place);
        let value = self.value_of(place);
        let number = |limit: &Value| format!("`{limit}`");
        match kind {
            Kind::Pattern { pattern } => {
                (format!("{value} does not match the pattern {}", wording::code(pattern)), None)
            }
            Kind::Format { format } => {
                let (what, help) = form(format);
                (format!("{value} is not {what}"), help.map(str::to_owned))
            }
            Kind::Minimum { limit } => (format!("{value} is less than {}", number(limit)), None),
            Kind::Maximum { limit } => (format!("{value} is more than {}", number(limit)), None),
            Kind::ExclusiveMinimum { limit } => {
                (format!("{value} is not more than {}", number(limit)), None)
            }
            Kind::ExclusiveMaximum { limit } => {
                (format!("{value} is not less than {}", number(limit)), None)
            }
            Kind::MultipleOf { multiple_of } => {
                (format!("{value} is not a multiple of `{multiple_of}`"), None)
            }
            Kind::MinLength { limit } => {
                (format!("{value} is shorter than {}", count(*limit, "character")), None)
            }
            Kind::MaxLength { limit } => {
                (format!("the value of {at} is longer than {}", count(*limit, "character")), None)
            }
            Kind::MinItems { limit } => {
                (format!("{at} has fewer than {}", count(*limit, "item")), None)
            }
            Kind::MaxItems { limit } => {
                (format!("{at} has more than {}", count(*limit, "item")), None)
            }
            Kind::AdditionalItems { limit } => {
                (format!("{at} has more than {}", count(*limit as u64, "item")), None)
            }
            Kind::UnevaluatedItems { .. } => {
                (format!("{at} has an item that the schema does not allow"), None)
            }
            Kind::Contains => {
                (format!("{at} lacks an item of the form that the schema asks for"), None)
            }
            Kind::UniqueItems => (
                format!("{at} has two items that are equal"),
                Some("remove one of them".to_owned()),
            ),
            Kind::MinProperties { limit } => {
                (format!("{at} has fewer than {}", count(*limit, "field")), None)
            }
            Kind::MaxProperties { limit } => {
                (format!("{at} has more than {}", count(*limit, "field")), None)
            }
            Kind::OneOfMultipleValid { .. } => (
                format!("{at} has more than one of the forms of which it may have one"),
                Some("keep the fields of one of them".to_owned()),
            ),
            Kind::Not { .. } => (format!("{at} has a form that the schema excludes"), None),
            Kind::ContentEncoding { content_encoding } => {
                (format!("the value of {at} is not {}", wording::code(content_encoding)), None)
            }
            Kind::ContentMediaType { content_media_type } => {
                (format!("the value of {at} is not {}", wording::code(content_media_type)), None)
            }
            _ => (format!("{at} does not fit the schema"), None),
        }
    }

    fn place(&self, pointer: &str) -> Option<Place<'a>> {
        let mut place = Place {
            crumbs: Vec::new(),
            path: FieldPath::root(),
            node: self.root,
            anchor: self.root.get("kind").map_or(self.root.span, |kind| kind.span),
        };
        for part in pointer.split('/').skip(1) {
            let part = part.replace("~1", "/").replace("~0", "~");
            match &place.node.kind {
                NodeKind::Mapping(entries) => {
                    let entry = entries.iter().find(|entry| *entry.key == *part)?;
                    place.crumbs.push(Crumb::Key(&entry.key));
                    place.path.push_key(std::sync::Arc::clone(&entry.key));
                    (place.node, place.anchor) = (&entry.value, entry.key_span);
                }
                NodeKind::Sequence(items) => {
                    let index: usize = part.parse().ok()?;
                    let item = items.get(index)?;
                    place.crumbs.push(Crumb::Item(index, name_of(items, item)));
                    place.path.push_index(index);
                    (place.node, place.anchor) = (item, item.span);
                }
                NodeKind::Scalar(_) => return None,
            }
        }
        Some(place)
    }

    /// Returns the names of the fields that the object has in the schema.
    fn known(&self, error: &ValidationError<'_>) -> Vec<String> {
        let Some(keyword) = error.absolute_keyword_location() else { return Vec::new() };
        let around = keyword.as_str().rsplit_once('/').map_or("", |(around, _)| around);
        let schema = self.documents.part(around).unwrap_or_default();
        let fields = schema.get("properties").and_then(Value::as_object);
        fields.into_iter().flatten().map(|(name, _)| name.clone()).collect()
    }

    fn unknown(&mut self, place: &Place<'a>, key: &str, known: &[String]) {
        let Some(entry) = place.node.entry(key) else { return };
        if is_placeholder(key) || place.path.is_empty() && is_sops(key, &entry.value) {
            return;
        }
        let mut help = None;
        if self.suggestions > 0 && key.len() <= LONGEST {
            self.suggestions -= 1;
            let free = || {
                let taken = |name: &str| place.node.entry(name).is_some();
                known.iter().map(String::as_str).filter(move |name| !taken(name))
            };
            let near =
                free().find(|name| name.eq_ignore_ascii_case(key)).or_else(|| closest(key, free()));
            help = near.map(|near| format!("did you mean `{near}`?"));
        }
        let message = format!("unknown field {} in {}", wording::code(key), self.whole(place));
        let path = place.path.key(key);
        self.push(Breach::UnknownField, path, entry.key_span, message, help);
    }

    fn missing(&mut self, place: &Place<'_>, name: &str) {
        let message = format!("missing field {} in {}", wording::code(name), self.whole(place));
        self.push(Breach::MissingField, place.path.key(name), place.anchor, message, None);
    }

    /// A field of which the schema says that it must not be there.
    fn forbidden(&mut self, place: &Place<'_>) {
        let Some((last, above)) = place.path.split_last() else {
            let message = format!("the schema allows no {}", wording::code(self.kind));
            self.invalid(place, message, None);
            return;
        };
        let around = place.crumbs.get(..above.len()).unwrap_or_default();
        let around = wording::whole(around, self.kind);
        let (what, span) = match last {
            Step::Key(key) => (format!("field {}", wording::code(key)), place.anchor),
            Step::Index(index) => (format!("item {index}"), place.node.span),
        };
        let message = format!("{what} is not allowed in {around}");
        self.push(Breach::UnknownField, place.path.clone(), span, message, None);
    }

    fn wrong_type(&mut self, place: &Place<'_>, wanted: &str) {
        let found = wording::found(place.node, self.shows(place));
        let message = format!("expected {wanted} in {}, found {found}", self.whole(place));
        let help = wording::type_help(place.node, wanted).map(str::to_owned);
        self.push(Breach::WrongType, place.path.clone(), place.node.span, message, help);
    }

    fn value(&mut self, place: &Place<'_>, options: &[Value]) {
        let texts: Vec<&str> =
            options.iter().filter_map(Value::as_str).filter(|it| !it.is_empty()).collect();
        // A number where words are wanted is of the wrong type, and words say more.
        if options.iter().all(Value::is_string)
            && place.node.as_str().is_none()
            && !options.is_empty()
        {
            self.wrong_type(place, "a string");
            return;
        }
        let help = place
            .node
            .as_str()
            .filter(|_| !texts.is_empty())
            .map(|text| suggest::value(text, &texts));
        let message = match wording::scalar(place.node).filter(|_| self.shows(place)) {
            Some(quoted) => format!("{quoted} is not a value of {}", self.whole(place)),
            None => format!("{} does not take this value", self.whole(place)),
        };
        self.invalid(place, message, help);
    }

    /// The value has none of some forms: the one that it comes nearest to says what is wrong.
    fn alternatives(
        &mut self,
        place: &Place<'a>,
        context: &[Vec<ValidationError<'static>>],
        depth: usize,
    ) {
        let here = |error: &ValidationError<'_>| {
            self.place(error.instance_path().as_str()).is_some_and(|it| it.path == place.path)
        };
        let type_here = |error: &&ValidationError<'static>| {
            matches!(error.kind(), ValidationErrorKind::Type { .. }) && here(error)
        };
        let of_type: Vec<Option<&ValidationError<'static>>> =
            context.iter().map(|errors| errors.iter().find(type_here)).collect();
        if !of_type.is_empty() && of_type.iter().all(Option::is_some) {
            let mut types = Vec::new();
            for error in of_type.into_iter().flatten() {
                if let ValidationErrorKind::Type { kind } = error.kind() {
                    types.extend(kinds(kind));
                }
            }
            types.sort_unstable();
            types.dedup();
            self.wrong_type(place, &joined(&types));
            return;
        }
        let fitting = || {
            let forms = context.iter().zip(&of_type);
            forms.filter(|(_, of_type)| of_type.is_none()).map(|(errors, _)| errors)
        };
        let fewest = fitting().map(Vec::len).min().unwrap_or(0);
        let mut nearest = fitting().filter(|errors| errors.len() == fewest);
        if let (Some(errors), None, Some(depth)) =
            (nearest.next(), nearest.next(), depth.checked_sub(1))
        {
            for error in errors {
                self.error(error, depth);
            }
            return;
        }
        let message = match context.len() {
            0 => format!("{} fits none of its forms", self.whole(place)),
            forms => {
                format!("{} fits none of the {forms} forms that it may have", self.whole(place))
            }
        };
        // Where all that is wrong is a field that lacks, the fields say which forms there are.
        let lacks = |errors: &Vec<ValidationError<'static>>| match errors.as_slice() {
            [only] => match only.kind() {
                ValidationErrorKind::Required { property } if here(only) => {
                    property.as_str().map(wording::code)
                }
                _ => None,
            },
            _ => None,
        };
        let lacking: Option<Vec<String>> = context.iter().map(lacks).collect();
        let help = lacking
            .filter(|names| (1..=8).contains(&names.len()))
            .map(|names| format!("it needs one of {}", names.join(", ")));
        self.invalid(place, message, help);
    }

    fn invalid(&mut self, place: &Place<'_>, message: String, help: Option<String>) {
        let span = match &place.node.kind {
            NodeKind::Scalar(_) => place.node.span,
            NodeKind::Sequence(_) | NodeKind::Mapping(_) => place.anchor,
        };
        self.push(Breach::InvalidValue, place.path.clone(), span, message, help);
    }

    fn push(
        &mut self,
        breach: Breach,
        path: FieldPath,
        span: Span,
        message: String,
        help: Option<String>,
    ) {
        if self.defects.len() < LIMIT {
            self.defects.push(Defect { breach, path, span, message, help });
        }
    }

    fn whole(&self, place: &Place<'_>) -> String {
        wording::whole(&place.crumbs, self.kind)
    }

    /// Returns the value with its place, or the place alone where the value must not be seen.
    fn value_of(&self, place: &Place<'_>) -> String {
        match wording::scalar(place.node).filter(|_| self.shows(place)) {
            Some(quoted) => format!("{quoted} in {}", self.whole(place)),
            None => format!("the value of {}", self.whole(place)),
        }
    }

    fn shows(&self, place: &Place<'_>) -> bool {
        self.kind != "Secret" && wording::shows_values(&place.crumbs)
    }
}

/// Returns the name of an item, where names tell the items of its list apart.
fn name_of<'a>(items: &'a [Node], item: &'a Node) -> Option<&'a str> {
    let name = |item: &'a Node| item.get("name").and_then(Node::as_str);
    let own = name(item)?;
    if items.len() > NAMED {
        return None;
    }
    let mut names: Vec<&str> = items.iter().map(name).collect::<Option<_>>()?;
    names.sort_unstable();
    let before = names.len();
    names.dedup();
    (names.len() == before).then_some(own)
}

/// SOPS keeps its own data in an encrypted object; decryption takes it out before it is applied.
fn is_sops(key: &str, value: &Node) -> bool {
    key == "sops" && ["mac", "lastmodified", "version"].iter().any(|key| value.get(key).is_some())
}

fn kinds(kind: &TypeKind) -> Vec<JsonType> {
    match kind {
        TypeKind::Single(kind) => vec![*kind],
        TypeKind::Multiple(kinds) => kinds.iter().collect(),
    }
}

fn wanted(kind: &TypeKind) -> String {
    joined(&kinds(kind))
}

/// Returns types in words; `null` is left out, since nobody means to write it.
fn joined(kinds: &[JsonType]) -> String {
    let words: Vec<&str> = kinds
        .iter()
        .filter_map(|kind| match kind {
            JsonType::Null => None,
            JsonType::Boolean => Some("a boolean"),
            JsonType::Integer => Some("an integer"),
            JsonType::Number => Some("a number"),
            JsonType::String => Some("a string"),
            JsonType::Array => Some("a list"),
            JsonType::Object => Some("an object"),
        })
        .collect();
    match words.as_slice() {
        [] => "nothing".to_owned(),
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        [.., only] => (*only).to_owned(),
    }
}

fn count(number: u64, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {what}{s}")
}

/// Returns what a format is, and how to write it.
fn form(format: &str) -> (String, Option<&'static str>) {
    let (what, help) = match format {
        "date-time" => {
            ("a date and time of RFC 3339", Some("write it as in `2006-01-02T15:04:05Z`"))
        }
        "date" => ("a date of RFC 3339", Some("write it as in `2006-01-02`")),
        "time" => ("a time of RFC 3339", Some("write it as in `15:04:05Z`")),
        "duration" => ("a duration", Some("write it as in `1h30m` or `PT1H30M`")),
        "email" | "idn-email" => ("an e-mail address", None),
        "hostname" | "idn-hostname" => ("a host name", None),
        "ipv4" => ("an IPv4 address", None),
        "ipv6" => ("an IPv6 address", None),
        "uri" | "iri" => ("a URI", Some("write it with its scheme, as in `https://example.com`")),
        "uri-reference" | "iri-reference" => ("a URI or a part of one", None),
        "uuid" => ("a UUID", None),
        "regex" => ("a regular expression", None),
        _ => return (format!("of the format {}", wording::code(format)), None),
    };
    (what.to_owned(), help)
}
