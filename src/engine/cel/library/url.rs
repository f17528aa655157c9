//! URLs, as Go's `net/url` reads them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use super::{Row, Scratch, row};
use crate::engine::cel::cost::Cost;
use crate::engine::cel::value::{Evaluated, Failure, Key, Map, OpaqueValue, Value};

pub(super) const ROWS: &[Row] = &[
    row("url(string): url", url).cost(Cost::Traverse),
    row("isURL(string): bool", is_url),
    row("url#getScheme(): string", scheme),
    row("url#getHost(): string", host),
    row("url#getHostname(): string", hostname),
    row("url#getPort(): string", port),
    row("url#getEscapedPath(): string", escaped_path),
    row("url#getQuery(): map(string, list(string))", query),
];

/// The parts of a URL.
#[derive(Debug, PartialEq)]
pub struct Url {
    scheme: String,
    host: String,
    path: Vec<u8>,
    raw_path: String,
    query: String,
    /// What follows a scheme without a slash.
    opaque: String,
    user: Option<String>,
    fragment: String,
    /// What stood between the slashes, where there were two.
    authority: Option<String>,
    /// A question mark, and no query after it.
    bare_query: bool,
}

impl Url {
    /// Reads an absolute URI or an absolute path, as `ParseRequestURI` does.
    pub(in crate::engine::cel) fn parse_request(text: &str) -> Option<Self> {
        Self::parse(text, true)
    }

    /// Reads a URL that may have a fragment.
    fn parse_reference(text: &str) -> Option<Self> {
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        let mut url = Self::parse(text, false)?;
        fragment.clone_into(&mut url.fragment);
        unescape(fragment, Part::Fragment)?;
        Some(url)
    }

    fn parse(text: &str, request: bool) -> Option<Self> {
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) || (request && text.is_empty()) {
            return None;
        }
        let mut url = Self {
            scheme: String::new(),
            host: String::new(),
            path: Vec::new(),
            raw_path: String::new(),
            query: String::new(),
            opaque: String::new(),
            user: None,
            fragment: String::new(),
            authority: None,
            bare_query: false,
        };
        if text == "*" {
            url.path = b"*".to_vec();
            "*".clone_into(&mut url.raw_path);
            return Some(url);
        }
        let (scheme, rest) = split_scheme(text)?;
        url.scheme = scheme.to_ascii_lowercase();
        url.bare_query = rest.ends_with('?') && rest.matches('?').count() == 1;
        let (mut rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        query.clone_into(&mut url.query);
        if !rest.starts_with('/') {
            if !url.scheme.is_empty() {
                rest.clone_into(&mut url.opaque);
                return Some(url);
            }
            let first = rest.split('/').next().unwrap_or_default();
            if request || first.contains(':') {
                return None;
            }
        }
        if (!url.scheme.is_empty() || (!request && !rest.starts_with("///")))
            && let Some(after) = rest.strip_prefix("//")
        {
            let end = after.find('/').unwrap_or(after.len());
            let (authority, path) = after.split_at_checked(end)?;
            url.set_authority(authority)?;
            rest = path;
        }
        url.path = unescape(rest, Part::Path)?;
        rest.clone_into(&mut url.raw_path);
        Some(url)
    }

    fn set_authority(&mut self, authority: &str) -> Option<()> {
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        self.host = parse_host(&self.scheme, host)?;
        self.authority = Some(host.to_owned());
        if let Some(user) = user {
            let allowed =
                |it: char| it.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(it);
            if !user.chars().all(allowed) {
                return None;
            }
            unescape(user, Part::User)?;
            self.user = Some(user.to_owned());
        }
        Some(())
    }

    fn escaped_path(&self) -> String {
        let raw = self.raw_path.as_bytes();
        let valid =
            raw.iter().all(|byte| b"!$&'()*+,;=:@[]%".contains(byte) || Part::Path.keeps(*byte));
        if valid {
            return self.raw_path.clone();
        }
        escape(&self.path, Part::Path)
    }

    /// Returns host name and port.
    fn host_and_port(&self) -> (&str, &str) {
        let (host, port) = match self.host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|it| it.is_ascii_digit()) => (host, port),
            _ => (self.host.as_str(), ""),
        };
        let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        (bare.unwrap_or(host), port)
    }

    /// Returns the URL as text, by which two are compared.
    pub fn text(&self) -> String {
        let mut out = String::new();
        if !self.scheme.is_empty() {
            out.push_str(&self.scheme);
            out.push(':');
        }
        if self.opaque.is_empty() {
            let empty = self.host.is_empty() && self.path.is_empty() && self.user.is_none();
            if let Some(host) = self.authority.as_deref().filter(|_| !empty) {
                out.push_str("//");
                if let Some(user) = &self.user {
                    out.push_str(&user.replace('@', "%40"));
                    out.push('@');
                }
                out.push_str(host);
            }
            out.push_str(&self.escaped_path());
        } else {
            out.push_str(&self.opaque);
        }
        if self.bare_query {
            out.push('?');
        }
        for (sign, part) in [('?', &self.query), ('#', &self.fragment)] {
            if !part.is_empty() {
                out.push(sign);
                out.push_str(part);
            }
        }
        out
    }
}

fn split_scheme(text: &str) -> Option<(&str, &str)> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return None,
            b':' => return Some((text.get(..at)?, text.get(at + 1..)?)),
            _ => break,
        }
    }
    Some(("", text))
}

fn is_port(text: &str) -> bool {
    text.is_empty()
        || text.strip_prefix(':').is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_digit()))
}

fn parse_host(scheme: &str, host: &str) -> Option<String> {
    match host.rfind('[') {
        Some(0) => {
            let (address, port) = host.strip_prefix('[')?.rsplit_once(']')?;
            if !is_port(port) {
                return None;
            }
            let (address, zone) = match address.find("%25") {
                Some(at) => address.split_at_checked(at)?,
                None => (address, ""),
            };
            let address = String::from_utf8(unescape(address, Part::Host)?).ok()?;
            let zone = String::from_utf8(unescape(zone, Part::Zone)?).ok()?;
            let IpAddr::V6(_) = address.parse().ok()? else { return None };
            if zone == "%" {
                return None;
            }
            Some(format!("[{address}{zone}]{port}"))
        }
        Some(_) => None,
        None => {
            let colon = host.find(':').map(|first| {
                let strict = scheme == "http" || scheme == "https";
                if strict { first } else { host.rfind(':').unwrap_or(first) }
            });
            if !is_port(colon.and_then(|at| host.get(at..)).unwrap_or_default()) {
                return None;
            }
            Some(String::from_utf8_lossy(&unescape(host, Part::Host)?).into_owned())
        }
    }
}

/// The places of a URL, which differ in what may stand in them.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Path,
    User,
    Host,
    Zone,
    Query,
    Fragment,
}

impl Part {
    /// Says whether a byte stands for itself.
    fn keeps(self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric()
            || match self {
                Self::Path => b"$&+,-./:;=@_~".contains(&byte),
                Self::Host | Self::Zone => b"!\"$&'()*+,-.:;<=>[]_~".contains(&byte),
                Self::User | Self::Query | Self::Fragment => b"-_.~".contains(&byte),
            }
    }
}

fn unescape(text: &str, part: Part) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let mut digit = || u8::try_from(char::from(bytes.next()?).to_digit(16)?).ok();
                let value = digit()? << 4 | digit()?;
                let refused = match part {
                    Part::Host => value < 0x80 && value != b'%',
                    Part::Zone => value != b'%' && value != b' ' && !Part::Host.keeps(value),
                    _ => false,
                };
                if refused {
                    return None;
                }
                out.push(value);
            }
            b'+' if part == Part::Query => out.push(b' '),
            _ => {
                let host = matches!(part, Part::Host | Part::Zone);
                if host && byte < 0x80 && !part.keeps(byte) {
                    return None;
                }
                out.push(byte);
            }
        }
    }
    Some(out)
}

fn escape(bytes: &[u8], part: Part) -> String {
    let mut out = String::new();
    for byte in bytes {
        if part.keeps(*byte) {
            out.push(char::from(*byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn url<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let [Value::String(text)] = args else { return Err(Failure::no_overload()) };
    let text = text.as_str();
    let parsed = Url::parse_request(text).and_then(|_| Url::parse_reference(text));
    let url = parsed.ok_or_else(|| {
        Failure::new(format!("URL parse error during conversion from string: `{text}` is no URL"))
    })?;
    Ok(Value::Opaque(OpaqueValue::Url(Arc::new(url))))
}

fn is_url<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let [Value::String(text)] = args else { return Err(Failure::no_overload()) };
    Ok(Value::Bool(Url::parse_request(text.as_str()).is_some()))
}

fn part<'a>(args: &[Value<'a>], of: impl Fn(&Url) -> String) -> Evaluated<'a> {
    match args {
        [Value::Opaque(OpaqueValue::Url(url))] => Ok(Value::string(of(url))),
        _ => Err(Failure::no_overload()),
    }
}

fn scheme<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    part(args, |url| url.scheme.clone())
}

fn host<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    part(args, |url| url.host.clone())
}

fn hostname<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    part(args, |url| url.host_and_port().0.to_owned())
}

fn port<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    part(args, |url| url.host_and_port().1.to_owned())
}

fn escaped_path<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    part(args, Url::escaped_path)
}

fn query<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let [Value::Opaque(OpaqueValue::Url(url))] = args else { return Err(Failure::no_overload()) };
    let mut values: BTreeMap<String, Vec<Value<'a>>> = BTreeMap::new();
    for pair in url.query.split('&').filter(|it| !it.is_empty() && !it.contains(';')) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let text = |text| {
            let bytes = unescape(text, Part::Query)?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        };
        if let Some((key, value)) = text(key).zip(text(value)) {
            values.entry(key).or_default().push(Value::string(value));
        }
    }
    let entries = values.into_iter().map(|(key, list)| {
        let key: Arc<str> = Arc::from(key);
        (Key::String(Arc::clone(&key)), (Value::string(key), Value::list(list)))
    });
    Ok(Value::Map(Map::Made(Arc::new(entries.collect()))))
}
