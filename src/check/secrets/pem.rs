//! Private keys in PEM armor (RFC 7468), those of OpenSSH and PGP included.

use std::ops::Range;

use super::format::{Candidate, Verdict};
use super::{base64, placeholder};

/// The longest block that is read. An RSA key of 16,384 bits takes 12,600 bytes.
const LONGEST: usize = 32 * 1024;
/// The shortest key in bytes: Ed25519 in PKCS #8 has 48.
const SHORTEST: usize = 40;
const DASHES: &[u8] = b"-----";

/// Finds the private key whose armor starts with the keyword `-----BEGIN `.
pub(super) fn private_key(text: &[u8], keyword: Range<usize>) -> Option<Candidate> {
    let rest = text.get(keyword.end..)?;
    let label_len = find(rest.get(..64.min(rest.len()))?, DASHES)?;
    let label = rest.get(..label_len)?;
    let is_key = label.ends_with(b"PRIVATE KEY") || label.ends_with(b"PRIVATE KEY BLOCK");
    // A key that is encrypted itself is no secret in clear.
    if !is_key || label.starts_with(b"ENCRYPTED") {
        return None;
    }
    let body_start = label_len + DASHES.len();
    let window = rest.get(body_start..LONGEST.min(rest.len()))?;
    // INVARIANT: the next armor of any kind ends the search, so that a text full of beginnings
    // without ends is read once.
    let body_len = find(window, DASHES)?;
    let after = window.get(body_len + DASHES.len()..)?;
    let tail = after.strip_prefix(b"END ")?.strip_prefix(label)?;
    tail.starts_with(DASHES).then_some(())?;
    let body = window.get(..body_len)?;
    let verdict = judge(label, body);
    let end_line = DASHES.len() + b"END ".len() + label.len() + DASHES.len();
    let end = keyword.end + body_start + body_len + end_line;
    Some(Candidate { token: keyword.start..end, related: None, verdict })
}

/// Finds the private key of a Google service account from the keyword `private_key`.
pub(super) fn service_account(text: &[u8], keyword: Range<usize>) -> Option<Candidate> {
    const AROUND: usize = 4096;
    const BEGIN: &[u8] = b"-----BEGIN ";
    let rest = text.get(keyword.end..)?;
    let gap = rest
        .iter()
        .take(64)
        .take_while(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\\' | b':'))
        .count();
    let start = keyword.end + gap;
    text.get(start..)?.starts_with(BEGIN).then_some(())?;
    let candidate = private_key(text, start..start + BEGIN.len())?;
    let around = text
        .get(keyword.start.saturating_sub(AROUND)..text.len().min(candidate.token.end + AROUND))?;
    placeholder::contains(around, b"service_account").then_some(candidate)
}

/// Judges the text between the two lines of the armor, however it is quoted and indented.
fn judge(label: &[u8], body: &[u8]) -> Verdict {
    if placeholder::contains(body, b"ENCRYPTED") {
        return Verdict::Refuted;
    }
    let digits = digits(body);
    if label.ends_with(b"BLOCK") {
        return if digits.len() < 100 { Verdict::Refuted } else { Verdict::Plausible };
    }
    if digits.len() < SHORTEST * 4 / 3 {
        return Verdict::Refuted;
    }
    // Real keys hold long runs of zero bytes, so only what is no key is asked whether it is random.
    let unlike =
        if placeholder::is_made_up(&digits) { Verdict::Refuted } else { Verdict::Doubtful };
    let Some(key) = base64::decode(&digits) else {
        return unlike;
    };
    if label.starts_with(b"OPENSSH") {
        return match key.strip_prefix(b"openssh-key-v1\0") {
            // The name of the cipher, after its length.
            Some(rest) if rest.starts_with(b"\0\0\0\x04none") => Verdict::Genuine,
            Some(_) => Verdict::Refuted,
            None => unlike,
        };
    }
    if der_length(&key) == Some(key.len()) { Verdict::Genuine } else { unlike }
}

/// Returns the base64 digits of a body, without quotes, escaped line breaks and header lines.
fn digits(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut word = Vec::new();
    let mut is_escape = false;
    for byte in body.iter().chain(b" ") {
        let ends_word = matches!(byte, b'"' | b'\'' | b',' | b'\\') || byte.is_ascii_whitespace();
        if is_escape && matches!(byte, b'n' | b'r' | b't') {
            is_escape = false;
        } else if ends_word {
            is_escape = *byte == b'\\';
            if word.iter().all(|byte| base64::is_digit(*byte) || *byte == b'=') {
                out.append(&mut word);
            }
            word.clear();
        } else {
            is_escape = false;
            word.push(*byte);
        }
    }
    out
}

/// Returns the length of the DER sequence at the start of `bytes`, its header included.
fn der_length(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [0x30, length @ ..=0x7f, ..] => Some(usize::from(*length) + 2),
        [0x30, 0x81, length, ..] => Some(usize::from(*length) + 3),
        [0x30, 0x82, high, low, ..] => Some(usize::from(u16::from_be_bytes([*high, *low])) + 4),
        _ => None,
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &str) -> Option<Verdict> {
        let at = text.find("-----BEGIN ")?;
        private_key(text.as_bytes(), at..at + 11).map(|candidate| {
            let token = text.get(candidate.token).unwrap();
            assert!(token.starts_with("-----BEGIN ") && token.ends_with("-----"));
            candidate.verdict
        })
    }

    fn armor(label: &str, body: &str) -> String {
        format!("key: -----{} {label}-----\n{body}\n-----END {label}-----\n", "BEGIN")
    }

    fn der(length: u8) -> Vec<u8> {
        let mut key = vec![0x30, length];
        key.extend((0..length).map(|at| at.wrapping_mul(167) ^ 0x5a));
        key
    }

    #[test]
    fn der_of_the_right_length_is_genuine() {
        let body = base64::encode(&der(90));
        assert_eq!(verdict(&armor("PRIVATE KEY", &body)), Some(Verdict::Genuine));
        let short = base64::encode(&der(90)[..80]);
        assert_eq!(verdict(&armor("EC PRIVATE KEY", &short)), Some(Verdict::Doubtful));
    }

    #[test]
    fn quotes_escapes_and_indents_do_not_hide_a_key() {
        let body = base64::encode(&der(90));
        let (first, second) = body.split_at(64);
        for lines in [
            format!("{first}\\n{second}\\n"),
            format!("    {first}\r\n    {second}"),
            format!("\",\n  \"{first}\",\n  \"{second}\",\n \""),
        ] {
            assert_eq!(verdict(&armor("RSA PRIVATE KEY", &lines)), Some(Verdict::Genuine));
        }
    }

    #[test]
    fn encrypted_keys_public_keys_and_stubs_are_not_secrets() {
        let body = base64::encode(&der(90));
        assert_eq!(verdict(&armor("ENCRYPTED PRIVATE KEY", &body)), None);
        assert_eq!(verdict(&armor("PUBLIC KEY", &body)), None);
        let legacy = format!("Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n{body}");
        assert_eq!(verdict(&armor("RSA PRIVATE KEY", &legacy)), Some(Verdict::Refuted));
        assert_eq!(verdict(&armor("RSA PRIVATE KEY", "...")), Some(Verdict::Refuted));
        assert_eq!(verdict(&armor("RSA PRIVATE KEY", "<your key>")), Some(Verdict::Refuted));
        let ssh = base64::encode(
            &[&b"openssh-key-v1\0\0\0\0\x0aaes256-ctr\0\0\0\x06bcrypt"[..], &der(60)].concat(),
        );
        assert_eq!(verdict(&armor("OPENSSH PRIVATE KEY", &ssh)), Some(Verdict::Refuted));
    }

    #[test]
    fn openssh_without_a_cipher_is_genuine() {
        let ssh = base64::encode(
            &[&b"openssh-key-v1\0\0\0\0\x04none\0\0\0\x04none\0\0\0\0\0\0\0\x01"[..], &der(60)]
                .concat(),
        );
        assert_eq!(verdict(&armor("OPENSSH PRIVATE KEY", &ssh)), Some(Verdict::Genuine));
        let stub = "A".repeat(200);
        assert_eq!(verdict(&armor("OPENSSH PRIVATE KEY", &stub)), Some(Verdict::Refuted));
    }

    #[test]
    fn a_beginning_without_its_end_is_nothing() {
        let body = base64::encode(&der(90));
        let text = format!("-----{} PRIVATE KEY-----\n{body}", "BEGIN");
        assert_eq!(verdict(&text), None);
        let mixed = text + "\n-----END CERTIFICATE-----";
        assert_eq!(verdict(&mixed), None);
    }
}
