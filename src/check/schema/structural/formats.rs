//! The formats of strings and numbers that the API server checks in custom resources.
//!
//! Any other format says nothing (`supportedVersionedFormats` of `k8s.io/apiextensions-apiserver`).

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use regex::Regex;

use crate::engine::re2;

/// A format that the server checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    BsonObjectId,
    Uri,
    Email,
    Hostname,
    Ipv4,
    Ipv6,
    Cidr,
    Mac,
    Uuid,
    Uuid3,
    Uuid4,
    Uuid5,
    Isbn,
    Isbn10,
    Isbn13,
    CreditCard,
    Ssn,
    HexColor,
    RgbColor,
    Byte,
    Password,
    Date,
    Duration,
    DateTime,
    ShortName,
    LongName,
    Int32,
    Int64,
    Float,
    Double,
}

/// The minor that checks the names of Kubernetes.
const NAMES_SINCE: u32 = 34;
/// The minor that checks whether numbers fit into their formats.
pub(super) const NUMBERS_SINCE: u32 = 36;

impl Format {
    /// Returns the format of a name, for strings or for values of any type.
    pub(super) fn of_string(name: &str) -> Option<Self> {
        // Dashes do not count.
        let name: String = name.chars().filter(|c| *c != '-').collect();
        Some(match name.as_str() {
            "bsonobjectid" => Self::BsonObjectId,
            "uri" => Self::Uri,
            "email" => Self::Email,
            "hostname" => Self::Hostname,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "cidr" => Self::Cidr,
            "mac" => Self::Mac,
            "uuid" => Self::Uuid,
            "uuid3" => Self::Uuid3,
            "uuid4" => Self::Uuid4,
            "uuid5" => Self::Uuid5,
            "isbn" => Self::Isbn,
            "isbn10" => Self::Isbn10,
            "isbn13" => Self::Isbn13,
            "creditcard" => Self::CreditCard,
            "ssn" => Self::Ssn,
            "hexcolor" => Self::HexColor,
            "rgbcolor" => Self::RgbColor,
            "byte" => Self::Byte,
            "password" => Self::Password,
            "date" => Self::Date,
            "duration" => Self::Duration,
            "datetime" => Self::DateTime,
            "k8sshortname" => Self::ShortName,
            "k8slongname" => Self::LongName,
            _ => return None,
        })
    }

    /// Returns the format of a name, for integers.
    pub(super) fn of_integer(name: &str) -> Option<Self> {
        match name {
            "int32" => Some(Self::Int32),
            "int64" => Some(Self::Int64),
            _ => None,
        }
    }

    /// Returns the format of a name, for numbers.
    pub(super) fn of_number(name: &str) -> Option<Self> {
        match name {
            "float" => Some(Self::Float),
            "double" => Some(Self::Double),
            _ => None,
        }
    }

    /// Says whether it is a format of strings that a minor knows.
    pub(super) fn is_of_strings(self, minor: u32) -> bool {
        match self {
            Self::Int32 | Self::Int64 | Self::Float | Self::Double => false,
            Self::ShortName | Self::LongName => minor >= NAMES_SINCE,
            _ => true,
        }
    }

    /// Says whether a string has it.
    pub(super) fn allows(self, text: &str) -> bool {
        match self {
            Self::BsonObjectId => text.len() == 24 && text.bytes().all(|it| it.is_ascii_hexdigit()),
            Self::Uri => is_request_uri(text),
            Self::Email => is_email(text),
            Self::Hostname => {
                HOSTNAME.is_match(text)
                    && text.len() <= 255
                    && text.split('.').all(|label| label.len() <= 63)
            }
            Self::Ipv4 => text.contains('.') && is_address(text),
            Self::Ipv6 => text.contains(':') && text.parse::<Ipv6Addr>().is_ok(),
            Self::Cidr => is_cidr(text),
            Self::Mac => is_mac(text),
            Self::Uuid => is_uuid(text, None),
            Self::Uuid3 => is_uuid(text, Some('3')),
            Self::Uuid4 => is_uuid(text, Some('4')),
            Self::Uuid5 => is_uuid(text, Some('5')),
            Self::Isbn => is_isbn10(text) || is_isbn13(text),
            Self::Isbn10 => is_isbn10(text),
            Self::Isbn13 => is_isbn13(text),
            Self::CreditCard => is_credit_card(text),
            Self::Ssn => text.len() == 11 && SSN.is_match(text),
            Self::HexColor => HEX_COLOR.is_match(text),
            Self::RgbColor => RGB_COLOR.is_match(text),
            Self::Byte => BASE64.is_match(text),
            Self::Date => is_date(text),
            Self::Duration => is_duration(text),
            Self::DateTime => is_date_time(text),
            Self::ShortName => text.len() <= 63 && SHORT_NAME.is_match(text),
            Self::LongName => text.len() <= 253 && LONG_NAME.is_match(text),
            Self::Password | Self::Int32 | Self::Int64 | Self::Float | Self::Double => true,
        }
    }

    /// Returns the words for a message.
    pub(super) fn what(self) -> &'static str {
        match self {
            Self::BsonObjectId => "a BSON object id of 24 hexadecimal digits",
            Self::Uri => "a URI",
            Self::Email => "an email address",
            Self::Hostname => "a host name",
            Self::Ipv4 => "an IPv4 address",
            Self::Ipv6 => "an IPv6 address",
            Self::Cidr => "a network in CIDR notation",
            Self::Mac => "a MAC address",
            Self::Uuid => "a UUID",
            Self::Uuid3 => "a UUID of version 3",
            Self::Uuid4 => "a UUID of version 4",
            Self::Uuid5 => "a UUID of version 5",
            Self::Isbn | Self::Isbn10 | Self::Isbn13 => "an ISBN",
            Self::CreditCard => "a credit card number",
            Self::Ssn => "a social security number",
            Self::HexColor => "a color in hexadecimal notation",
            Self::RgbColor => "a color such as `rgb(1, 2, 3)`",
            Self::Byte => "base64",
            Self::Password => "a string",
            Self::Date => "a date such as `2006-01-02`",
            Self::Duration => "a duration such as `1h30m`",
            Self::DateTime => "a date and time of RFC 3339",
            Self::ShortName => "a name of lower-case letters, digits and `-`",
            Self::LongName => "a name of lower-case letters, digits, `-` and `.`",
            Self::Int32 => "an integer of 32 bits",
            Self::Int64 => "an integer of 64 bits",
            Self::Float => "a number of 32 bits",
            Self::Double => "a number of 64 bits",
        }
    }
}

/// A pattern of the program's own, which compiles.
struct Known(LazyLock<Option<Regex>>);

impl Known {
    const fn new(compile: fn() -> Option<Regex>) -> Self {
        Self(LazyLock::new(compile))
    }

    fn is_match(&self, text: &str) -> bool {
        self.0.as_ref().is_some_and(|it| it.is_match(text))
    }
}

/// `HostnamePattern` of `k8s.io/kube-openapi`: labels that may hold letters and symbols of any
/// script, or a single such word.
static HOSTNAME: Known = Known::new(|| {
    const ANY: &str = r"a-zA-Z0-9\p{S}\p{L}";
    re2::compile(&format!(
        r"^([{ANY}]((-?[{ANY}]{{0,62}})?)|([{ANY}](([{ANY}-]{{0,61}}[{ANY}])?)(\.)){{1,}}([a-zA-Z\p{{L}}]){{2,63}})$"
    ))
    .ok()
});
static SSN: Known = Known::new(|| re2::compile(r"^\d{3}[- ]?\d{2}[- ]?\d{4}$").ok());
static HEX_COLOR: Known = Known::new(|| re2::compile("^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$").ok());
static RGB_COLOR: Known = Known::new(|| {
    let part = r"\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*";
    re2::compile(&format!(r"^rgb\({part},{part},{part}\)$")).ok()
});
static BASE64: Known = Known::new(|| {
    re2::compile("^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$")
        .ok()
});
static CREDIT_CARD: Known = Known::new(|| {
    re2::compile(
        r"^(4[0-9]{12}([0-9]{3})?|5[1-5][0-9]{14}|6(011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(0[0-5]|[68][0-9])[0-9]{11}|(2131|1800|35\d{3})\d{11})$",
    )
    .ok()
});
static SHORT_NAME: Known = Known::new(|| re2::compile("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$").ok());
static LONG_NAME: Known = Known::new(|| {
    re2::compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$").ok()
});
static TIME_OF_DAY: Known = Known::new(|| {
    re2::compile("^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](.[0-9]+)?(z|[+-][0-9]{2}:[0-9]{2})$")
        .ok()
});
static DURATION: Known = Known::new(|| {
    re2::compile(
        r"(?i)\d\s*(ns|nano|us|µs|micro|ms|milli|s|sec|m|min|h|hr|hour|d|day|w|wk|week)([^a-zµ]|$)",
    )
    .ok()
});
static LONG_UNIT: Known =
    Known::new(|| re2::compile(r"(?i)\d\s*(nano|micro|milli|sec|min|hour|day|week)").ok());

/// `url.ParseRequestURI` of Go: an absolute URI, or a path that starts with a slash.
fn is_request_uri(text: &str) -> bool {
    if text.is_empty() || text.bytes().any(|it| it < 0x20 || it == 0x7f) {
        return false;
    }
    if text == "*" {
        return true;
    }
    let rest = match scheme(text) {
        Scheme::Before(rest) => rest,
        Scheme::Broken => return false,
        Scheme::Missing => {
            let path = text.split('?').next().unwrap_or_default();
            return path.starts_with('/') && escapes_are_whole(path);
        }
    };
    let rest = rest.split('?').next().unwrap_or_default();
    if !rest.starts_with('/') {
        // Opaque, such as `mailto:someone`.
        return true;
    }
    let Some(after) = rest.strip_prefix("//").filter(|_| !rest.starts_with("///")) else {
        return escapes_are_whole(rest);
    };
    let (authority, path) = after.split_at(after.find('/').unwrap_or(after.len()));
    is_authority(authority) && escapes_are_whole(path)
}

/// How a text begins, as a URL.
enum Scheme<'a> {
    /// With a scheme, and what follows it.
    Before(&'a str),
    Missing,
    Broken,
}

fn scheme(text: &str) -> Scheme<'_> {
    for (at, c) in text.char_indices() {
        match c {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if at > 0 => {}
            ':' if at == 0 => return Scheme::Broken,
            ':' => return Scheme::Before(text.get(at + 1..).unwrap_or_default()),
            _ => return Scheme::Missing,
        }
    }
    Scheme::Missing
}

fn escapes_are_whole(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut hex = || bytes.next().is_some_and(|it| it.is_ascii_hexdigit());
        if byte == b'%' && !(hex() && hex()) {
            return false;
        }
    }
    true
}

/// `parseAuthority` of Go: a user, a host, a port of digits.
fn is_authority(text: &str) -> bool {
    let (user, host) = match text.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, text),
    };
    let is_user = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
    if let Some(user) = user
        && !(user.chars().all(is_user) && escapes_are_whole(user))
    {
        return false;
    }
    let is_port = |text: &str| {
        text.is_empty()
            || text.strip_prefix(':').is_some_and(|it| it.bytes().all(|it| it.is_ascii_digit()))
    };
    if host.starts_with('[') {
        return host.rfind(']').is_some_and(|at| is_port(host.get(at + 1..).unwrap_or_default()));
    }
    let (name, port) = host.split_at(host.rfind(':').unwrap_or(host.len()));
    let is_host = |c: char| {
        !c.is_ascii() || c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:[]<>\"%".contains(c)
    };
    // Only what is no ASCII may be escaped in a host.
    let escaped = name.split('%').skip(1).all(|it| {
        it.get(..2).is_some_and(|hex| {
            hex.bytes().all(|it| it.is_ascii_hexdigit()) && hex.as_bytes().first() >= Some(&b'8')
        })
    });
    is_port(port) && name.chars().all(is_host) && escaped
}

/// `mail.ParseAddress` of Go, as far as addresses are written by people: `user@host`, or with a
/// name before it in angle brackets.
fn is_email(text: &str) -> bool {
    let text = text.trim_matches([' ', '\t']);
    let address = match text.strip_suffix('>') {
        Some(rest) => {
            let Some((name, address)) = rest.rsplit_once('<') else { return false };
            if !is_phrase(name.trim_matches([' ', '\t'])) {
                return false;
            }
            address
        }
        None => text,
    };
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    let quoted = local.len() >= 2 && local.starts_with('"') && local.ends_with('"');
    let literal = domain
        .strip_prefix('[')
        .and_then(|it| it.strip_suffix(']'))
        .is_some_and(|it| is_address(it) || it.parse::<Ipv6Addr>().is_ok());
    (quoted || is_dot_atom(local)) && (literal || is_dot_atom(domain))
}

/// A name before an address: words, or a text in quotes.
fn is_phrase(text: &str) -> bool {
    let quoted = text.len() >= 2 && text.starts_with('"') && text.ends_with('"');
    quoted || text.split([' ', '\t']).all(|word| word.is_empty() || is_dot_atom(word))
}

/// `consumeAtom` of Go: characters of words, with single dots between them.
fn is_dot_atom(text: &str) -> bool {
    let is_atom =
        |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    !text.is_empty() && text.split('.').all(|part| !part.is_empty() && part.chars().all(is_atom))
}

/// An address of either version; leading zeros are tolerated (`ParseIPSloppy`).
fn is_address(text: &str) -> bool {
    if text.contains(':') { text.parse::<Ipv6Addr>().is_ok() } else { is_sloppy_v4(text) }
}

fn is_sloppy_v4(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let is_part = |part: &&str| {
        !part.is_empty()
            && part.bytes().all(|it| it.is_ascii_digit())
            && part.trim_start_matches('0').len() <= 3
            && part.trim_start_matches('0').parse::<u32>().unwrap_or(0) <= 255
    };
    text.parse::<Ipv4Addr>().is_ok() || parts.len() == 4 && parts.iter().all(is_part)
}

fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let most = if address.contains(':') { 128 } else { 32 };
    is_address(address)
        && !length.is_empty()
        && length.bytes().all(|it| it.is_ascii_digit())
        && length.parse::<u32>().is_ok_and(|it| it <= most)
}

/// `net.ParseMAC` of Go: 6, 8 or 20 bytes, in pairs by `:` or `-` or in fours by `.`.
fn is_mac(text: &str) -> bool {
    let parts = |separator: char, width: usize, counts: [usize; 3]| {
        let parts: Vec<&str> = text.split(separator).collect();
        counts.contains(&parts.len())
            && parts
                .iter()
                .all(|it| it.len() == width && it.bytes().all(|it| it.is_ascii_hexdigit()))
    };
    parts(':', 2, [6, 8, 20]) || parts('-', 2, [6, 8, 20]) || parts('.', 4, [3, 4, 10])
}

/// Dashes may be left out; each stands in its place where it is there.
fn is_uuid(text: &str, version: Option<char>) -> bool {
    let mut rest = text;
    for (at, width) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if at > 0 {
            rest = rest.strip_prefix('-').unwrap_or(rest);
        }
        let Some((part, after)) = rest.split_at_checked(width) else { return false };
        if !part.bytes().all(|it| it.is_ascii_hexdigit()) {
            return false;
        }
        if at == 2 && version.is_some_and(|it| !part.starts_with(it)) {
            return false;
        }
        let variant = matches!(version, Some('4' | '5'));
        if at == 3 && variant && !part.starts_with(['8', '9', 'a', 'b', 'A', 'B']) {
            return false;
        }
        rest = after;
    }
    rest.is_empty()
}

fn digits_of(text: &str) -> Vec<char> {
    text.chars().filter(|c| !c.is_ascii_whitespace() && *c != '-').collect()
}

fn is_isbn10(text: &str) -> bool {
    let digits = digits_of(text);
    let value = |(at, c): (usize, &char)| match c {
        'X' if at == 9 => Some(10),
        _ => c.to_digit(10),
    };
    let values: Option<Vec<u32>> = digits.iter().enumerate().map(value).collect();
    values.is_some_and(|values| {
        let sum: u32 = (1..).zip(&values).map(|(weight, value)| weight * value).sum();
        values.len() == 10 && sum.is_multiple_of(11)
    })
}

fn is_isbn13(text: &str) -> bool {
    let values: Option<Vec<u32>> = digits_of(text).iter().map(|c| c.to_digit(10)).collect();
    values.is_some_and(|values| {
        let sum: u32 = values.iter().zip([1, 3].into_iter().cycle()).map(|(v, w)| v * w).sum();
        values.len() == 13 && sum.is_multiple_of(10)
    })
}

fn is_credit_card(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|c| c.to_digit(10))
        .enumerate()
        .map(|(at, digit)| match digit * 2 {
            _ if at % 2 == 0 => digit,
            double if double >= 10 => double % 10 + 1,
            double => double,
        })
        .sum();
    CREDIT_CARD.is_match(&digits) && sum.is_multiple_of(10)
}

/// `time.Parse` of Go with the layout `2006-01-02`.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let mut number = |width: usize| {
        parts
            .next()
            .filter(|it| it.len() == width && it.bytes().all(|it| it.is_ascii_digit()))
            .and_then(|it| it.parse::<u32>().ok())
    };
    let (Some(year), Some(month), Some(day)) = (number(4), number(2), number(2)) else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

fn is_date_time(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut parts = lower.split('t');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else { return false };
    is_date(date) && TIME_OF_DAY.is_match(time)
}

/// `strfmt.ParseDuration`: what Go takes, or a number with a unit anywhere in the text.
fn is_duration(text: &str) -> bool {
    is_go_duration(text) || DURATION.is_match(text) || LONG_UNIT.is_match(text)
}

/// `time.ParseDuration` of Go.
fn is_go_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let number = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let (digits, after) = rest.split_at(rest.len() - number.len());
        if !digits.contains(|c: char| c.is_ascii_digit()) || digits.matches('.').count() > 1 {
            return false;
        }
        let units = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"];
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        if !units.contains(&unit) {
            return false;
        }
        rest = next;
    }
    true
}

#[cfg(test)]
mod tests;
