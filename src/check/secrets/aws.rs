//! Secret keys of AWS: 40 digits without any mark, known by their name or their neighbor.

use std::ops::Range;

use super::format::{Candidate, Verdict};
use super::{base64, placeholder};

/// How far from an id its secret is looked for: the ten lines of a manifest or a credentials file.
const NEARBY: usize = 512;
const SECRET_LEN: usize = 40;
const ID_LEN: usize = 20;

/// Finds a secret key from the keyword: the beginning of an id, or a name.
pub(super) fn secret_key(text: &[u8], keyword: Range<usize>) -> Option<Candidate> {
    let word = text.get(keyword.clone())?;
    if word.len() == 4 { beside_id(text, keyword.start) } else { named(text, keyword.end) }
}

/// Finds the secret key nearest to the id that starts at `start`.
fn beside_id(text: &[u8], start: usize) -> Option<Candidate> {
    let is_id = |byte: u8| byte.is_ascii_uppercase() || matches!(byte, b'2'..=b'7');
    let is_part = |at: Option<usize>| {
        at.and_then(|at| text.get(at))
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    };
    let end = start + ID_LEN;
    let id = text.get(start..end)?;
    let is_whole = !is_part(start.checked_sub(1)) && !is_part(Some(end));
    if !is_whole || !id.iter().all(|byte| is_id(*byte)) || placeholder::is_made_up(id.get(4..)?) {
        return None;
    }
    let after = end..text.len().min(end + NEARBY);
    let before = start.saturating_sub(NEARBY)..start;
    let token = secret_in(text, after).next().or_else(|| secret_in(text, before).last())?;
    Some(Candidate { token, related: Some(start..end), verdict: Verdict::Genuine })
}

/// Finds the secret key that is given to a name which ends at `end`.
fn named(text: &[u8], end: usize) -> Option<Candidate> {
    let rest = text.get(end..text.len().min(end + 64 + SECRET_LEN))?;
    let name_len =
        rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    // `AWS_SECRET_ACCESS_KEY_FILE` and the like name other things.
    if name_len > 0 {
        return None;
    }
    let gap = |from: usize| {
        rest.iter()
            .skip(from)
            .take_while(|byte| {
                byte.is_ascii_whitespace()
                    || matches!(byte, b'"' | b'\'' | b'\\' | b':' | b'=' | b'>' | b',')
            })
            .count()
    };
    let mut at = gap(0);
    if rest.get(at..)?.starts_with(b"value") {
        at += b"value".len();
        at += gap(at);
    }
    let start = end + at;
    let token = secret_in(text, start..text.len().min(start + SECRET_LEN)).next()?;
    Some(Candidate { token, related: None, verdict: Verdict::Plausible })
}

/// Returns the places in `range` that hold 40 digits which look random, and no more than 40.
fn secret_in(text: &[u8], range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let digit = move |at: usize| text.get(at).is_some_and(|byte| base64::is_digit(*byte));
    let mut at = range.start;
    std::iter::from_fn(move || {
        while at < range.end {
            let start = (at..range.end).find(|at| digit(*at))?;
            let end = (start..range.end).find(|at| !digit(*at)).unwrap_or(range.end);
            at = end + 1;
            let is_cut = start.checked_sub(1).is_some_and(digit)
                || digit(end)
                || matches!(text.get(end), Some(b'=' | b'_' | b'-'));
            let is_long = end - start == SECRET_LEN;
            if is_long && !is_cut && text.get(start..end).is_some_and(looks_random) {
                return Some(start..end);
            }
        }
        None
    })
}

/// Says whether 40 digits can be a secret key; a hash in hexadecimal, or a path, cannot.
fn looks_random(digits: &[u8]) -> bool {
    digits.iter().any(u8::is_ascii_uppercase)
        && digits.iter().any(u8::is_ascii_lowercase)
        && digits.iter().any(u8::is_ascii_digit)
        && !digits.iter().all(u8::is_ascii_hexdigit)
        && placeholder::entropy(digits) > 4.0
        && !placeholder::is_made_up(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made up, and in two parts, so that no scanner takes them for a key.
    fn id() -> String {
        ["AKIA", "Z7QK3MUR5TWL2XNB"].concat()
    }

    fn secret() -> String {
        ["q8Zr/3LtWv0bXn+5KdYc", "7JmPs1GhUe9AfQx2RoTi"].concat()
    }

    fn found<'a>(text: &'a str, keyword: &str) -> Option<(&'a str, Option<&'a str>)> {
        let at = text.find(keyword)?;
        secret_key(text.as_bytes(), at..at + keyword.len())
            .map(|it| (text.get(it.token).unwrap(), it.related.map(|id| text.get(id).unwrap())))
    }

    #[test]
    fn a_secret_beside_its_id_is_found() {
        let (id, secret) = (id(), secret());
        for text in [format!("{id}\n{secret}\n"), format!("key: {secret}\nid: {id}\n")] {
            assert_eq!(found(&text, "AKIA"), Some((&*secret, Some(&*id))), "{text}");
        }
    }

    #[test]
    fn an_id_alone_is_nothing() {
        let (id, secret) = (id(), secret());
        assert_eq!(found(&format!("accessKeyID: {id}"), "AKIA"), None);
        let far = format!("{id}{}{secret}", "\n".repeat(NEARBY));
        assert_eq!(found(&far, "AKIA"), None);
        let commit = "3f786850e387550fdab836ed7e6dc881de23001b";
        assert_eq!(found(&format!("{id} {commit}"), "AKIA"), None);
        assert_eq!(found(&format!("{id} {secret}{secret}"), "AKIA"), None);
        assert_eq!(found(&format!("X{id} {secret}"), "AKIA"), None);
    }

    #[test]
    fn the_key_of_the_documentation_is_nothing() {
        let id = ["AKIA", "IOSFODNN7", "EXAMPLE"].concat();
        let secret = ["wJalrXUtnFEMI/K7MDENG/", "bPxRfiCY", "EXAMPLEKEY"].concat();
        assert_eq!(found(&format!("{id}\nsecret_access_key = {secret}"), "AKIA"), None);
        assert_eq!(found(&format!("secret_access_key = {secret}"), "secret_access_key"), None);
    }

    #[test]
    fn a_named_secret_is_found_without_its_id() {
        let secret = secret();
        for text in [
            format!("secret_access_key = {secret}"),
            format!("\"secret_access_key\": \"{secret}\""),
            format!("- name: AWS_secret_access_key\n  value: \"{secret}\""),
        ] {
            assert_eq!(found(&text, "secret_access_key"), Some((&*secret, None)), "{text}");
        }
        assert_eq!(found(&format!("secret_access_key_hash: {secret}"), "secret_access_key"), None);
    }
}
