//! Tells what stands for a secret from what is one.

/// Words that people write where a secret is to be filled in.
const WORDS: &[&[u8]] = &[
    b"example",
    b"changeme",
    b"changeit",
    b"change-me",
    b"change_me",
    b"placeholder",
    b"redacted",
    b"dummy",
    b"sample",
    b"replace",
    b"insert",
    b"notreal",
    b"xxxx",
    b"your",
    b"fake",
    b"****",
    b"....",
    // What this program and many forms show in place of a secret.
    "••••".as_bytes(),
];

/// Texts that, as a whole, name a secret instead of being one.
const NAMES: &[&[u8]] = &[
    b"password",
    b"passwd",
    b"passw0rd",
    b"pass",
    b"pwd",
    b"pw",
    b"secret",
    b"token",
    b"user",
    b"username",
    b"apikey",
    b"api_key",
    b"api-key",
    b"key",
    b"credentials",
    b"null",
    b"none",
    b"nil",
    b"todo",
    b"tbd",
    b"foo",
    b"bar",
    b"baz",
    b"mypassword",
    b"my-password",
    b"my_password",
    b"mypass",
    b"change me",
    b"hidden",
    b"omitted",
    b"removed",
    b"masked",
    b"p4ssw0rd",
    b"pass1",
    b"pass2",
];

/// The shortest random text in which the entropy says anything.
const MEASURABLE: usize = 16;

/// Bits for each byte below which a text of [`MEASURABLE`] length is not random.
///
/// 20 random hexadecimal digits have 3.3 bits on average, and fewer than 2.6 about once in 10,000.
const RANDOM_BITS: f64 = 2.6;

/// Says whether the random part of a token was made up: words, runs, counting, few letters.
pub(super) fn is_made_up(random: &[u8]) -> bool {
    let lower = random.to_ascii_lowercase();
    WORDS.iter().any(|word| contains(&lower, word))
        || longest(&lower, |a, b| a == b) >= 6
        || longest(&lower, |a, b| a.checked_add(1) == Some(b)) >= 6
        || longest(&lower, |a, b| a.checked_sub(1) == Some(b)) >= 6
        || is_periodic(random)
        || (random.len() >= MEASURABLE && entropy(random) < RANDOM_BITS)
}

/// Says whether a value as a whole stands for a secret: a reference, a template, a usual word.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    let lower = value.to_ascii_lowercase();
    value.is_empty()
        || is_reference(value)
        || NAMES.contains(&lower.as_slice())
        || WORDS.iter().any(|word| contains(&lower, word))
        || [&b"my-"[..], b"my_", b"update_", b"some", b"enter", b"set_", b"the-", b"the_"]
            .iter()
            .any(|start| lower.starts_with(start) && names_a_secret(&lower))
        || is_variable_name(value)
        || longest(&lower, |a, b| a == b) == lower.len()
}

/// Says whether a value names where the secret is kept, or is filled in by a template.
fn is_reference(value: &[u8]) -> bool {
    const SCHEMES: &[&[u8]] = &[b"ref+", b"vault:", b"op://", b"arn:", b"ENC[", b"projects/"];
    const TEMPLATES: &[&[u8]] = &[b"{{", b"${", b"$(", b"#{", b"%("];
    let wrapped =
        matches!(value, [b'<', .., b'>'] | [b'{', .., b'}'] | [b'[', .., b']'] | [b'%', .., b'%']);
    wrapped
        || matches!(value, [b'$', next, ..] if next.is_ascii_alphabetic() || *next == b'_')
        || matches!(value, [b'%', verb] if verb.is_ascii_alphabetic())
        || SCHEMES.iter().any(|scheme| value.starts_with(scheme))
        || TEMPLATES.iter().any(|open| contains(value, open))
}

/// Says whether a value is the name of a variable: `DB_PASSWORD`, `__TOKEN__`.
fn is_variable_name(value: &[u8]) -> bool {
    value.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_')
        && (value.contains(&b'_') || names_a_secret(&value.to_ascii_lowercase()))
}

fn names_a_secret(lower: &[u8]) -> bool {
    [&b"pass"[..], b"pwd", b"secret", b"token", b"key", b"cred"]
        .iter()
        .any(|word| contains(lower, word))
}

/// Returns the length of the longest run in which neighbors are related.
fn longest(bytes: &[u8], related: impl Fn(u8, u8) -> bool) -> usize {
    let mut best = usize::from(!bytes.is_empty());
    let mut run = best;
    for (a, b) in bytes.iter().zip(bytes.iter().skip(1)) {
        run = if related(*a, *b) { run + 1 } else { 1 };
        best = best.max(run);
    }
    best
}

/// Says whether a text repeats its own beginning, at least twice.
fn is_periodic(bytes: &[u8]) -> bool {
    (1..=bytes.len() / 2)
        .take(16)
        .any(|period| bytes.iter().zip(bytes.iter().skip(period)).all(|(a, b)| a == b))
}

/// Returns the Shannon entropy, in bits for each byte.
pub(super) fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let total = f64::from(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / total)
        .map(|share| -share * share.log2())
        .sum()
}

pub(super) fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_a_secret_is_told_from_one() {
        for value in [
            "",
            " ",
            "<password>",
            "${DB_PASSWORD}",
            "$(PASS)",
            "$PASS",
            "{{ .Values.password }}",
            "%s",
            "{env:TOKEN}",
            "changeme",
            "ChangeMe123",
            "change me",
            "__REPLACE_ME__",
            "REPLACE_ME",
            "UPDATE_PASSWORD",
            "INSERT_TOKEN_HERE",
            "your-token",
            "my_secret_key",
            "example-password",
            "xxxxxxxx",
            "****",
            "...",
            "DB_PASSWORD",
            "PASSWORD",
            "password",
            "ref+vault://a/b",
            "<path:secret/data/x#key>",
            "vault:secret/data/x#K",
            "op://vault/item/field",
            "arn:aws:secretsmanager:eu-west-1:1:secret:x",
            "ENC[AES256_GCM,data:x]",
            "••••••••",
            "a${b}c",
        ] {
            assert!(is_placeholder(value.as_bytes()), "{value}");
        }
        for value in
            ["hunter2", "s3cr3t!", "admin123", "postgres", "Tr0ub4dor&3", "MYVOICE", "my-dog"]
        {
            assert!(!is_placeholder(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn made_up_tokens_are_told_from_random_ones() {
        for value in [
            "xxxxxxxxxxxxxxxxxxxx",
            "0123456789abcdefghij",
            "abc123abc123abc123abc123",
            "T00000000B00000000ZZ",
            "aaabbbaaabbbababab",
            "k3VYourTokenHere9q2b",
            "zyxwvuts1234q9f8",
        ] {
            assert!(is_made_up(value.as_bytes()), "{value}");
        }
        for value in ["9f86d081884c7d659a2f", "k3Vq9ZtR7xLm2PbN8sWd", "q7m2x9"] {
            assert!(!is_made_up(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn entropy_counts_bits() {
        assert!((entropy(b"aabb") - 1.0).abs() < 1e-9);
        assert!(entropy(b"") < 1e-9);
    }
}
