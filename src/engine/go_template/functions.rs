//! The functions of templates.

use std::cmp::Ordering;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::eval::Run;
use super::lists::{self, count, same, whole};
use super::printf::printf;
use super::value::{DEPTH, Value};
use super::{Result, error, text};
use crate::engine::re2;
use crate::load::{self, Dialect, Limits};
use crate::source::{Origin, RepoPath, Source, SourceMap};

/// Functions that take no more than one step into their arguments.
const SHALLOW: [&str; 17] = [
    "coalesce", "default", "dig", "empty", "first", "get", "hasKey", "index", "initial", "keys",
    "kindIs", "kindOf", "last", "len", "not", "rest", "ternary",
];

/// Functions that change a map.
const CHANGING: [&str; 6] =
    ["merge", "mergeOverwrite", "mustMerge", "mustMergeOverwrite", "set", "unset"];

/// Calls a function; the last value of a pipeline is the last argument.
pub(super) fn call(run: &mut Run, name: &str, arguments: &[Value]) -> Result<Value> {
    if !SHALLOW.contains(&name) {
        for argument in arguments {
            run.look(argument, 0)?;
        }
    }
    if CHANGING.contains(&name) {
        run.change()?;
    }
    if let Some(value) = lists::call(name, arguments) {
        return value;
    }
    if let Some(value) = logic(name, arguments) {
        return value;
    }
    if let Some(value) = numbers(name, arguments) {
        return value;
    }
    if let Some(value) = texts(run, name, arguments) {
        let value = value?;
        if let Value::Text(text) = &value {
            run.spend(text.len())?;
        }
        return Ok(value);
    }
    error(format!("the function `{name}` is not known with {} arguments", arguments.len()))
}

fn logic(name: &str, arguments: &[Value]) -> Option<Result<Value>> {
    let compared = |a: &Value, b: &Value, is: fn(Ordering) -> bool| {
        order(a, b).map(|order| Value::Bool(is(order)))
    };
    Some(match (name, arguments) {
        ("not" | "empty", [value]) => Ok(Value::Bool(!value.is_true())),
        ("eq", [value, others @ ..]) if !others.is_empty() => others
            .iter()
            .try_fold(false, |any, other| Ok(any || equal(value, other)?))
            .map(Value::Bool),
        ("ne", [a, b]) => equal(a, b).map(|it| Value::Bool(!it)),
        ("lt", [a, b]) => compared(a, b, Ordering::is_lt),
        ("le", [a, b]) => compared(a, b, Ordering::is_le),
        ("gt", [a, b]) => compared(a, b, Ordering::is_gt),
        ("ge", [a, b]) => compared(a, b, Ordering::is_ge),
        ("default", [default, rest @ ..]) if rest.len() < 2 => {
            Ok(rest.first().filter(|it| it.is_true()).unwrap_or(default).clone())
        }
        ("coalesce", values) => {
            Ok(values.iter().find(|it| it.is_true()).cloned().unwrap_or(Value::Nil))
        }
        ("all", values) => Ok(Value::Bool(values.iter().all(Value::is_true))),
        ("any", values) => Ok(Value::Bool(values.iter().any(Value::is_true))),
        ("ternary", [yes, no, Value::Bool(value)]) => {
            Ok(if *value { yes.clone() } else { no.clone() })
        }
        ("fail", [message]) => error(message.shown(DEPTH)),
        ("kindOf" | "typeOf", [value]) => Ok(Value::text(value.kind())),
        ("kindIs" | "typeIs", [kind, value]) => Ok(Value::Bool(kind.shown(DEPTH) == value.kind())),
        ("deepEqual", [a, b]) => Ok(Value::Bool(same(a, b))),
        _ => return None,
    })
}

fn equal(a: &Value, b: &Value) -> Result<bool> {
    match (a, b) {
        (Value::Nil, other) | (other, Value::Nil) => Ok(matches!(other, Value::Nil)),
        (Value::List(_) | Value::Map(_), _) | (_, Value::List(_) | Value::Map(_)) => {
            error("lists and maps are not compared by `eq`")
        }
        (a, b) if a.kind() == b.kind() => Ok(same(a, b)),
        (a, b) => error(format!("a {} and a {} cannot be compared", a.kind(), b.kind())),
    }
}

fn order(a: &Value, b: &Value) -> Result<Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Ok(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => Ok(a.total_cmp(b)),
        (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
        (a, b) => error(format!("a {} and a {} have no order", a.kind(), b.kind())),
    }
}

fn real(value: &Value) -> f64 {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "that is how Go converts it")]
        Value::Int(value) => *value as f64,
        Value::Float(value) => *value,
        Value::Text(text) => text.trim().parse().unwrap_or_default(),
        _ => 0.0,
    }
}

fn numbers(name: &str, arguments: &[Value]) -> Option<Result<Value>> {
    let int = |value: &Value| whole(value).unwrap_or_default();
    let folded = |all: &[Value], start: i64, step: fn(i64, i64) -> i64| {
        Ok(Value::Int(all.iter().map(int).fold(start, step)))
    };
    let divided = |value: Option<i64>| match value {
        Some(value) => Ok(Value::Int(value)),
        None => error("nothing is divided by zero"),
    };
    Some(match (name, arguments) {
        ("int" | "int64" | "atoi", [value]) => Ok(Value::Int(int(value))),
        ("float64", [value]) => Ok(Value::Float(real(value))),
        ("add", all) => folded(all, 0, i64::saturating_add),
        ("add1", [value]) => Ok(Value::Int(int(value).saturating_add(1))),
        ("mul", all) => folded(all, 1, i64::saturating_mul),
        ("sub", [a, b]) => Ok(Value::Int(int(a).saturating_sub(int(b)))),
        ("div", [a, b]) => divided(int(a).checked_div(int(b))),
        ("mod", [a, b]) => divided(int(a).checked_rem(int(b))),
        ("max" | "biggest", [first, rest @ ..]) => folded(rest, int(first), i64::max),
        ("min", [first, rest @ ..]) => folded(rest, int(first), i64::min),
        ("floor", [value]) => Ok(Value::Float(real(value).floor())),
        ("ceil", [value]) => Ok(Value::Float(real(value).ceil())),
        _ => return None,
    })
}

fn texts(run: &mut Run, name: &str, arguments: &[Value]) -> Option<Result<Value>> {
    let is_text = |it: &Value| !matches!(it, Value::List(_) | Value::Map(_));
    match (name, arguments) {
        ("print", all) => Some(Ok(Value::text(&joined(all)))),
        ("println", all) => {
            let all: Vec<String> = all.iter().map(|it| it.shown(DEPTH)).collect();
            Some(Ok(Value::text(&format!("{}\n", all.join(" ")))))
        }
        ("printf", [format, rest @ ..]) => {
            Some(Ok(Value::text(&printf(&format.shown(DEPTH), rest))))
        }
        ("tpl", [template, data]) => {
            Some(run.tpl(&template.shown(DEPTH), data).map(|it| Value::text(&it)))
        }
        ("toStrings", [Value::List(items)]) => {
            Some(Ok(Value::list(items.iter().map(|it| Value::text(&it.shown(DEPTH))))))
        }
        ("toYaml" | "mustToYaml", [value]) => {
            Some(Ok(Value::text(&text::yaml(&value.json(DEPTH)))))
        }
        ("toJson" | "mustToJson" | "toRawJson" | "mustToRawJson", [value]) => {
            Some(Ok(Value::text(&value.json(DEPTH).to_string())))
        }
        ("toPrettyJson", [value]) => {
            let pretty = serde_json::to_string_pretty(&value.json(DEPTH)).unwrap_or_default();
            Some(Ok(Value::text(&pretty)))
        }
        ("fromJson" | "mustFromJson" | "fromYaml" | "fromYamlArray", [Value::Text(text)]) => {
            Some(match read(text) {
                Some(value) => Ok(value),
                None => error(format!("`{name}` cannot read the text")),
            })
        }
        ("join", [separator, Value::List(items)]) => {
            let items: Vec<String> = items
                .iter()
                .filter(|it| !matches!(it, Value::Nil))
                .map(|it| it.shown(DEPTH))
                .collect();
            Some(Ok(Value::text(&items.join(&separator.shown(DEPTH)))))
        }
        ("join", [_, value]) | ("toString", [value]) => Some(Ok(Value::text(&value.shown(DEPTH)))),
        ("quote" | "squote", all) => {
            let quoted = |it: &Value| {
                let text = it.shown(DEPTH);
                if name == "quote" { format!("{text:?}") } else { format!("'{text}'") }
            };
            let all: Vec<String> =
                all.iter().filter(|it| !matches!(it, Value::Nil)).map(quoted).collect();
            Some(Ok(Value::text(&all.join(" "))))
        }
        ("cat", all) => {
            let all: Vec<String> = all.iter().map(|it| it.shown(DEPTH)).collect();
            Some(Ok(Value::text(&all.join(" "))))
        }
        ("slugify", [options @ .., value]) => {
            let size = options.first().and_then(whole).unwrap_or(50);
            let smart = options.get(1).is_none_or(Value::is_true);
            let size = usize::try_from(size).unwrap_or_default();
            Some(Ok(Value::text(&text::slug(&value.shown(DEPTH), size, smart))))
        }
        (name, all) if all.iter().all(is_text) => {
            let shown: Vec<String> = all
                .iter()
                .map(|it| if matches!(it, Value::Nil) { String::new() } else { it.shown(DEPTH) })
                .collect();
            let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
            plain(run, name, &shown)
        }
        _ => None,
    }
}

/// Reads YAML, which JSON is too.
fn read(text: &str) -> Option<Value> {
    let source = Source::new(RepoPath::root(), Origin::File, text.as_bytes().to_vec());
    let mut sources = SourceMap::default();
    let id = sources.add(source);
    let parsed = load::parse(sources.get(id)?, id, Dialect::Kubectl, &Limits::default());
    if parsed.problems.iter().any(load::Problem::is_fatal) {
        return None;
    }
    Some(parsed.documents.first().map_or(Value::map([]), |document| Value::of(&document.root)))
}

/// Writes values one after the other, with spaces between those that are no texts (`fmt.Sprint`).
fn joined(all: &[Value]) -> String {
    let mut out = String::new();
    let mut before = true;
    for (at, value) in all.iter().enumerate() {
        let is_text = matches!(value, Value::Text(_));
        if at > 0 && !is_text && !before {
            out.push(' ');
        }
        out.push_str(&value.shown(DEPTH));
        before = is_text;
    }
    out
}

/// Calls a function that takes nothing but texts; numbers come as such too.
fn plain(run: &mut Run, name: &str, arguments: &[&str]) -> Option<Result<Value>> {
    let number = |text: &str| text.parse::<i64>().unwrap_or_default();
    let size = |text: &str| usize::try_from(number(text)).unwrap_or_default();
    let owned = match (name, arguments) {
        ("lower", [text]) => text.to_lowercase(),
        ("upper", [text]) => text.to_uppercase(),
        ("title", [text]) => text::title(text),
        ("untitle", [text]) => text
            .split(' ')
            .map(|word| {
                let mut all = word.chars();
                all.next().map_or_else(String::new, |c| c.to_lowercase().chain(all).collect())
            })
            .collect::<Vec<String>>()
            .join(" "),
        ("trim", [text]) => text.trim().to_owned(),
        ("trimAll" | "trimall", [cut, text]) => text.trim_matches(|c| cut.contains(c)).to_owned(),
        ("trimPrefix", [cut, text]) => text.strip_prefix(cut).unwrap_or(text).to_owned(),
        ("trimSuffix", [cut, text]) => text.strip_suffix(cut).unwrap_or(text).to_owned(),
        ("nospace", [text]) => text.split_whitespace().collect(),
        ("trunc", [count, text]) => {
            let count = number(count);
            let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
            let cut = if count >= 0 {
                text.get(..usize::try_from(count).unwrap_or_default())
            } else {
                usize::try_from(length.saturating_add(count)).ok().and_then(|at| text.get(at..))
            };
            cut.unwrap_or(text).to_owned()
        }
        ("substr", [start, end, text]) => {
            let start = usize::try_from(number(start)).unwrap_or_default();
            let end = usize::try_from(number(end)).unwrap_or(text.len()).min(text.len());
            text.get(start..end).unwrap_or_default().to_owned()
        }
        ("replace", [from, to, text]) => {
            let made = text.len().saturating_add(text.len().saturating_mul(to.len()));
            if let Err(error) = run.spend(made) {
                return Some(Err(error));
            }
            text.replace(from, to)
        }
        ("repeat", [count, text]) => {
            if let Err(error) = run.spend(size(count).saturating_mul(text.len())) {
                return Some(Err(error));
            }
            text.repeat(size(count))
        }
        ("indent" | "nindent", [count, text]) => {
            let lines = text.lines().count().max(1);
            if let Err(error) = run.spend(size(count).saturating_mul(lines)) {
                return Some(Err(error));
            }
            let pad = " ".repeat(size(count));
            let text = format!("{pad}{}", text.replace('\n', &format!("\n{pad}")));
            if name == "nindent" { format!("\n{text}") } else { text }
        }
        ("initials", [text]) => {
            text.split_whitespace().filter_map(|it| it.chars().next()).collect()
        }
        ("snakecase", [text]) => text::words(text).join("_").to_lowercase(),
        ("kebabcase", [text]) => text::words(text).join("-").to_lowercase(),
        ("camelcase", [text]) => text::words(text).iter().map(|it| text::title(it)).collect(),
        ("b64enc", [text]) => STANDARD.encode(text),
        ("b64dec", [text]) => match STANDARD.decode(text).map(String::from_utf8) {
            Ok(Ok(text)) => text,
            _ => return Some(error("the text is not base64")),
        },
        ("sha256sum", [text]) => {
            let mut out = String::new();
            for byte in Sha256::digest(text.as_bytes()) {
                // Writing to a text does not fail.
                let _ = write!(out, "{byte:02x}");
            }
            out
        }
        ("base" | "osBase", [path]) => text::base(path).to_owned(),
        ("dir" | "osDir", [path]) => {
            text::clean(path.rsplit_once('/').map_or("", |(folder, _)| folder))
        }
        ("clean" | "osClean", [path]) => text::clean(path),
        ("ext" | "osExt", [path]) => {
            let base = path.rsplit('/').next().unwrap_or(path);
            base.rfind('.').and_then(|at| base.get(at..)).unwrap_or_default().to_owned()
        }
        ("normalize", [text]) => text::normalized(text),
        ("html", [text]) => text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&#34;")
            .replace('\'', "&#39;"),
        _ => return tests(name, arguments).or_else(|| expressions(name, arguments)),
    };
    Some(Ok(Value::text(&owned)))
}

fn tests(name: &str, arguments: &[&str]) -> Option<Result<Value>> {
    let parts = |all: Vec<&str>| {
        let named = all.iter().enumerate();
        Value::map(named.map(|(at, it)| (format!("_{at}"), Value::text(it))))
    };
    Some(Ok(match (name, arguments) {
        ("contains", [part, text]) => Value::Bool(text.contains(part)),
        ("hasPrefix", [part, text]) => Value::Bool(text.starts_with(part)),
        ("hasSuffix", [part, text]) => Value::Bool(text.ends_with(part)),
        ("isAbs" | "osIsAbs", [path]) => Value::Bool(path.starts_with('/')),
        ("splitList", [separator, text]) => Value::list(text.split(*separator).map(Value::text)),
        ("split", [separator, text]) => parts(text.split(*separator).collect()),
        ("splitn", [separator, count, text]) => {
            parts(text.splitn(count.parse().unwrap_or(1), *separator).collect())
        }
        ("list", texts) => count(texts.len()),
        _ => return None,
    }))
}

fn expressions(name: &str, arguments: &[&str]) -> Option<Result<Value>> {
    let name = name
        .strip_prefix("must")
        .map_or_else(|| name.to_owned(), |rest| rest.replacen("Regex", "regex", 1));
    if !name.starts_with("regex") {
        return None;
    }
    let (pattern, rest) = arguments.split_first()?;
    let regex = match re2::compile(pattern) {
        Ok(regex) => regex,
        Err(reason) => return Some(error(format!("`{pattern}` is no expression: {reason}"))),
    };
    let limit =
        |text: &str| usize::try_from(text.parse::<i64>().unwrap_or(-1)).unwrap_or(usize::MAX);
    Some(Ok(match (name.as_str(), rest) {
        ("regexMatch", [text]) => Value::Bool(regex.is_match(text)),
        ("regexFind", [text]) => Value::text(regex.find(text).map_or("", |it| it.as_str())),
        ("regexFindAll", [text, count]) => {
            Value::list(regex.find_iter(text).take(limit(count)).map(|it| Value::text(it.as_str())))
        }
        ("regexReplaceAll", [text, to]) => Value::text(&regex.replace_all(text, *to)),
        ("regexReplaceAllLiteral", [text, to]) => {
            Value::text(&regex.replace_all(text, regex::NoExpand(to)))
        }
        ("regexSplit", [text, count]) => {
            Value::list(regex.splitn(text, limit(count)).map(Value::text))
        }
        ("regexQuoteMeta", []) => Value::text(&regex::escape(pattern)),
        _ => return None,
    }))
}
