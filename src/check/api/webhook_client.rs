//! How the API server reaches webhooks: URLs, services and the certificates to trust.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::cx::Cx;
use super::field::Field;
use super::rule::Rule;
use crate::naming;

pub(super) const RULES: &[&Rule] = &[&CLIENT];

pub(super) const CLIENT: Rule = Rule::new(
    "api/invalid-webhook-client",
    "Webhook that the API server cannot reach",
    "A webhook is reached either by the URL of a host, over HTTPS and without user, query and \
     fragment, or by a Service, with a port and a path. One of the two is there, and no more.",
    "set either `url` or `service`",
    &["ValidateWebhookURL", "ValidateWebhookService", "ValidateCABundle"],
);

/// Looks at the client configuration of a webhook, which is there.
pub(super) fn check<'a>(cx: &mut Cx<'a>, config: Field<'a>) {
    let (url, service) = (config.get("url"), config.get("service"));
    if url.exists() == service.exists() {
        cx.invalid(&CLIENT, config, "must have either `url` or `service`");
    } else if url.exists() {
        check_url(cx, url);
    } else {
        check_service(cx, service);
    }
}

/// Looks at the URL of a webhook (`ValidateWebhookURL`).
fn check_url<'a>(cx: &mut Cx<'a>, field: Field<'a>) {
    let url = match Url::parse(field.text()) {
        Ok(url) => url,
        Err(wrong) => return cx.invalid(&CLIENT, field, wrong),
    };
    let wrongs = [
        (url.scheme != "https", "must begin with `https://`"),
        (url.host.is_empty(), "must name a host"),
        (url.has_user, "must not name a user"),
        (url.has_fragment, "must not have a fragment"),
        (url.has_query, "must not have query parameters"),
    ];
    for (is_wrong, wrong) in wrongs {
        if is_wrong {
            cx.invalid(&CLIENT, field, wrong);
        }
    }
}

/// Looks at the Service of a webhook (`ValidateWebhookService`).
fn check_service<'a>(cx: &mut Cx<'a>, service: Field<'a>) {
    for key in ["name", "namespace"] {
        if service.get(key).is_empty() {
            cx.required(&CLIENT, service.get(key), "");
        }
    }
    check_port(cx, &CLIENT, service.get("port"));
    if let Some(wrong) = service.get("path").str().and_then(wrong_path) {
        cx.invalid(&CLIENT, service.get("path"), wrong);
    }
}

/// Looks at a port that is 443 where it is missing (`IsValidPortNum`).
pub(super) fn check_port<'a>(cx: &mut Cx<'a>, rule: &'static Rule, port: Field<'a>) {
    if port.int().is_some_and(|it| !(1..=65535).contains(&it)) {
        cx.invalid(rule, port, "must be between 1 and 65535");
    }
}

/// Says whether base64 holds a certificate as PEM.
pub(super) fn has_certificate(text: &str) -> bool {
    let plain: String = text.chars().filter(|it| !it.is_ascii_whitespace()).collect();
    let decoded = STANDARD.decode(plain).unwrap_or_default();
    let head: &[u8] = b"-----BEGIN CERTIFICATE-----";
    decoded.windows(head.len()).any(|it| it == head)
}

/// Says what is wrong with the path of a service.
fn wrong_path(path: &str) -> Option<&'static str> {
    if matches!(path, "" | "/") {
        return None;
    }
    let Some(rest) = path.strip_prefix('/') else {
        return Some("must begin with `/`");
    };
    let segments = rest.strip_suffix('/').unwrap_or(rest);
    let right = segments.split('/').all(|it| naming::dns_subdomain(it).is_none());
    (!right).then_some("must have parts of lower-case letters, digits, `-` and `.`, none empty")
}

/// The parts of a URL that rules look at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Url<'a> {
    pub(super) scheme: String,
    pub(super) host: &'a str,
    has_user: bool,
    has_query: bool,
    has_fragment: bool,
}

impl<'a> Url<'a> {
    /// Reads a URL as Go's `url.Parse` does, or says what is wrong with it.
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        if text.chars().any(|it| it.is_ascii_control()) {
            return Err("must not have control characters");
        }
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (scheme, rest) = scheme(text)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = match rest.strip_prefix("//") {
            None => ("", rest),
            Some(rest) => match rest.find('/').and_then(|at| rest.split_at_checked(at)) {
                None => (rest, ""),
                Some(parts) => parts,
            },
        };
        if scheme.is_empty() && path.split('/').next().is_some_and(|it| it.contains(':')) {
            return Err("must not have a `:` in the first part of its path");
        }
        let (user, host) = match authority.rsplit_once('@') {
            None => (None, authority),
            Some((user, host)) => (Some(user), host),
        };
        let escapes = [user.unwrap_or_default(), path, fragment];
        if !escapes.iter().all(|it| has_right_escapes(it)) {
            return Err("must have two hexadecimal digits after every `%`");
        }
        check_host(host)?;
        Ok(Self {
            scheme,
            host,
            has_user: user.is_some(),
            has_query: !query.is_empty(),
            has_fragment: !fragment.is_empty(),
        })
    }
}

/// Splits the scheme off, in lower case; empty where there is none.
fn scheme(text: &str) -> Result<(String, &str), &'static str> {
    let Some((head, rest)) = text.split_once(':') else {
        return Ok((String::new(), text));
    };
    if head.is_empty() {
        return Err("must have a scheme before the `:`");
    }
    let inner = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'+' | b'-' | b'.');
    if !head.bytes().all(inner) {
        return Ok((String::new(), text));
    }
    if head.starts_with(|it: char| it.is_ascii_alphabetic()) {
        Ok((head.to_ascii_lowercase(), rest))
    } else if head.starts_with(|it: char| it.is_ascii_digit() || it == '.') {
        Err("must not have a `:` in the first part of its path")
    } else {
        Ok((String::new(), text))
    }
}

fn has_right_escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|it| {
        let mut digits = it.bytes();
        digits.next().is_some_and(|it| it.is_ascii_hexdigit())
            && digits.next().is_some_and(|it| it.is_ascii_hexdigit())
    })
}

fn check_host(host: &str) -> Result<(), &'static str> {
    let port = if let Some(rest) = host.strip_prefix('[') {
        rest.split_once(']').ok_or("must close the `[` of its host")?.1
    } else {
        let name_end = host.find(':').unwrap_or(host.len());
        let (name, port) = host.split_at_checked(name_end).unwrap_or((host, ""));
        let right = |it: u8| {
            !it.is_ascii() || it.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=\"<>%".contains(&it)
        };
        if !name.bytes().all(right) {
            return Err("must not have that character in its host");
        }
        port
    };
    let right = port.is_empty()
        || port.strip_prefix(':').is_some_and(|it| it.bytes().all(|it| it.is_ascii_digit()));
    if right { Ok(()) } else { Err("must have a number after the `:` of its host") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_go_reads_them() {
        let host = |text| Url::parse(text).map(|it| (it.scheme, it.host));
        assert_eq!(host("HTTPS://a.b:1/c"), Ok(("https".to_owned(), "a.b:1")));
        assert_eq!(host("a/b"), Ok((String::new(), "")));
        assert_eq!(host("https:/a"), Ok(("https".to_owned(), "")));
        assert_eq!(host("https://[::1]:2/"), Ok(("https".to_owned(), "[::1]:2")));
        for bad in ["1:2", ":a", "https://a:b", "https://a b", "https://a/%z", "a\n", "https://[a"]
        {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_of_services() {
        for right in ["", "/", "/a", "/a/b.c/"] {
            assert_eq!(wrong_path(right), None, "{right}");
        }
        for wrong in ["a", "//", "/a//b", "/A", "/a?b"] {
            assert!(wrong_path(wrong).is_some(), "{wrong}");
        }
    }
}
