//! What the issuers built into their tokens, checked without asking them.

use super::checksum::{self, crc32};
use super::format::Verdict;
use super::{base64, placeholder};

/// What a token whose checksum was computed is worth.
fn checked(is_right: bool) -> Verdict {
    if is_right { Verdict::Genuine } else { Verdict::Doubtful }
}

/// A prefix up to `_`, a body, and six digits in base 62 of the body's CRC-32: GitHub, npm, Vercel.
pub(super) fn base62_crc(token: &[u8]) -> Verdict {
    let body_start = token.iter().position(|byte| *byte == b'_').map_or(0, |at| at + 1);
    let parts = token
        .split_at_checked(body_start)
        .and_then(|(_, rest)| rest.split_at_checked(rest.len().saturating_sub(6)));
    checked(parts.is_some_and(|(body, check)| checksum::base62(crc32(body), 6) == check))
}

/// GitHub's fine-grained token: its hash stands before its last eight digits.
pub(super) fn github_fine_grained(token: &[u8]) -> Verdict {
    let parts = token.split_at_checked(77).and_then(|(body, rest)| Some((body, rest.get(..8)?)));
    checked(
        parts.is_some_and(|(body, check)| {
            checksum::sha256_base32(body) == check.to_ascii_uppercase()
        }),
    )
}

/// GitLab's tokens that name their cell end in seven digits in base 36 of a CRC-32; the older
/// ones have nothing to check.
pub(super) fn gitlab(token: &[u8]) -> Verdict {
    if !token.contains(&b'.') {
        return Verdict::Plausible;
    }
    let parts = token.split_at_checked(token.len().saturating_sub(7));
    checked(parts.is_some_and(|(body, check)| checksum::base36(crc32(body), 7) == check))
}

/// Atlassian's token ends in eight capital hexadecimal digits of the CRC-32 of all before.
pub(super) fn atlassian(token: &[u8]) -> Verdict {
    let parts = token.split_at_checked(token.len().saturating_sub(8));
    checked(
        parts.is_some_and(|(body, check)| checksum::hex(crc32(body)).to_ascii_uppercase() == check),
    )
}

/// Cloudflare's token ends in eight hexadecimal digits of the CRC-32 of the 40 before.
pub(super) fn cloudflare(token: &[u8]) -> Verdict {
    let body_start = token.iter().position(|byte| *byte == b'_').map_or(0, |at| at + 1);
    let parts = token.split_at_checked(body_start).and_then(|(_, rest)| rest.split_at_checked(40));
    checked(parts.is_some_and(|(body, check)| checksum::hex(crc32(body)) == check))
}

/// Grafana's token ends in `_` and the CRC-32 of all before, least significant byte first.
pub(super) fn grafana(token: &[u8]) -> Verdict {
    let parts = token.split_at_checked(token.len().saturating_sub(9));
    checked(parts.is_some_and(|(body, check)| {
        check.strip_prefix(b"_") == Some(&checksum::hex(crc32(body).swap_bytes()))
    }))
}

/// An age identity ends in the checksum of BIP 173.
pub(super) fn age(token: &[u8]) -> Verdict {
    checked(checksum::is_bech32(token))
}

/// A token of the Python package index is a macaroon: version 2, then the location's length.
pub(super) fn pypi(token: &[u8]) -> Verdict {
    let macaroon = token.strip_prefix(b"pypi-").and_then(base64::decode_url);
    checked(matches!(macaroon.as_deref(), Some([2, 1, length, rest @ ..])
        if rest.get(usize::from(*length)) == Some(&2)))
}

/// A Sentry token holds a JSON object between its prefix and its random part.
pub(super) fn sentry(token: &[u8]) -> Verdict {
    let payload = token.strip_prefix(b"sntrys_").and_then(|rest| {
        let end = rest.iter().rposition(|byte| *byte == b'_')?;
        base64::decode(rest.get(..end)?)
    });
    checked(payload.and_then(|payload| object(&payload)).is_some_and(|it| it.contains_key("org")))
}

/// A token of 1Password is a JSON object after its prefix.
pub(super) fn onepassword(token: &[u8]) -> Verdict {
    let payload = token.strip_prefix(b"ops_").and_then(base64::decode_url);
    checked(payload.and_then(|it| object(&it)).is_some_and(|it| it.contains_key("signInAddress")))
}

/// A JSON Web Token whose header names a signature.
pub(super) fn jwt(token: &[u8]) -> Verdict {
    let Some((header, claims)) = jwt_parts(token) else {
        return Verdict::Refuted;
    };
    let is_signed = header.get("alg").and_then(|it| it.as_str()).is_some_and(|it| it != "none");
    // The token that every introduction to the format shows.
    let is_demo = claims.get("sub").and_then(|it| it.as_str()) == Some("1234567890")
        || claims.get("name").and_then(|it| it.as_str()) == Some("John Doe");
    if is_signed && !is_demo && !is_of_cluster(&claims) {
        Verdict::Genuine
    } else {
        Verdict::Refuted
    }
}

/// A JSON Web Token that a cluster issued to a service account.
pub(super) fn service_account_jwt(token: &[u8]) -> Verdict {
    match jwt_parts(token) {
        Some((_, claims)) if is_of_cluster(&claims) => Verdict::Genuine,
        _ => Verdict::Refuted,
    }
}

fn is_of_cluster(claims: &Object) -> bool {
    claims.contains_key("kubernetes.io")
        || claims.get("iss").and_then(|it| it.as_str()) == Some("kubernetes/serviceaccount")
}

fn jwt_parts(token: &[u8]) -> Option<(Object, Object)> {
    let mut parts = token.split(|byte| *byte == b'.');
    let mut part = || object(&base64::decode_url(parts.next()?)?);
    Some((part()?, part()?))
}

type Object = serde_json::Map<String, serde_json::Value>;

fn object(json: &[u8]) -> Option<Object> {
    serde_json::from_slice(json).ok()
}

/// The `auth` of a container registry: a user and a password in base64.
pub(super) fn registry_auth(auth: &[u8]) -> Verdict {
    let decoded = base64::decode(auth);
    let password = decoded.as_deref().and_then(|decoded| {
        let colon = decoded.iter().position(|byte| *byte == b':')?;
        let is_text = decoded.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r'));
        is_text.then_some(decoded.get(colon + 1..)?)
    });
    match password {
        Some(password) if !placeholder::is_placeholder(password) => Verdict::Genuine,
        _ => Verdict::Refuted,
    }
}

/// The key of a client in a kubeconfig: PEM in base64.
pub(super) fn client_key(data: &[u8]) -> Verdict {
    let Some(key) = base64::decode_text(data) else {
        return Verdict::Refuted;
    };
    let begin = b"-----BEGIN ";
    if !key.starts_with(begin) {
        return Verdict::Refuted;
    }
    super::pem::private_key(&key, 0..begin.len())
        .map_or(Verdict::Refuted, |candidate| candidate.verdict)
}

/// The key of an Azure account is 64 random bytes.
pub(super) fn azure_key(key: &[u8]) -> Verdict {
    match base64::decode(key) {
        Some(bytes) if bytes.len() == 64 && !placeholder::is_made_up(key) => Verdict::Genuine,
        _ => Verdict::Refuted,
    }
}

/// A value that a machine chose at random, out of letters and digits of all kinds.
pub(super) fn random(value: &[u8]) -> Verdict {
    if placeholder::is_placeholder(value) || placeholder::is_made_up(value) {
        Verdict::Refuted
    } else {
        Verdict::Plausible
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demonstration_token_is_nothing() {
        let part = |json: &str| {
            let text = base64::encode(json.as_bytes());
            text.trim_end_matches('=').replace('+', "-").replace('/', "_")
        };
        let token = |header: &str, claims: &str| {
            format!("{}.{}.{}", part(header), part(claims), "c2ln".repeat(8))
        };
        let hs256 = r#"{"alg":"HS256","typ":"JWT"}"#;
        let verdict = |header, claims| jwt(token(header, claims).as_bytes());
        assert_eq!(verdict(hs256, r#"{"sub":"ci","iat":1}"#), Verdict::Genuine);
        assert_eq!(verdict(hs256, r#"{"sub":"1234567890","iat":1}"#), Verdict::Refuted);
        assert_eq!(verdict(hs256, r#"{"sub":"1","name":"John Doe"}"#), Verdict::Refuted);
        assert_eq!(verdict(r#"{"alg":"none"}"#, r#"{"sub":"ci"}"#), Verdict::Refuted);
        assert_eq!(verdict(hs256, r#"{"iss":"kubernetes/serviceaccount"}"#), Verdict::Refuted);
        let cluster = token(hs256, r#"{"iss":"kubernetes/serviceaccount"}"#);
        assert_eq!(service_account_jwt(cluster.as_bytes()), Verdict::Genuine);
        assert_eq!(
            service_account_jwt(token(hs256, r#"{"sub":"ci"}"#).as_bytes()),
            Verdict::Refuted
        );
    }

    #[test]
    fn a_registry_auth_without_a_real_password_is_nothing() {
        let verdict = |text: &str| registry_auth(base64::encode(text.as_bytes()).as_bytes());
        assert_eq!(verdict("robot:k3Vq9ZtR7xLm"), Verdict::Genuine);
        for stub in ["robot:", "robot", "user:<password>", "user:${PASSWORD}", "user:password"] {
            assert_eq!(verdict(stub), Verdict::Refuted, "{stub}");
        }
        assert_eq!(registry_auth(b"!!!"), Verdict::Refuted);
    }
}
