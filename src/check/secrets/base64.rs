//! Base64 as it stands in manifests: with or without padding, broken over lines.

use std::ops::Range;

use ::base64::Engine as _;
use ::base64::alphabet::{STANDARD, URL_SAFE};
use ::base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Texts are cut and edited by hand, so that neither padding nor spare bits say anything.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const PLAIN: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// The shortest run of digits that is decoded: the shortest tokens take 20 bytes and a name.
const SHORTEST_RUN: usize = 40;

/// Says whether a byte is a digit of the standard alphabet.
pub(super) fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

/// Decodes the standard alphabet.
pub(super) fn decode(digits: &[u8]) -> Option<Vec<u8>> {
    PLAIN.decode(digits).ok()
}

/// Decodes the alphabet of URLs and tokens.
pub(super) fn decode_url(digits: &[u8]) -> Option<Vec<u8>> {
    URL.decode(digits).ok()
}

/// Decodes digits that hold text; `None` where they hold anything else.
///
/// Only as much is decoded as it takes to see that it is no text.
pub(super) fn decode_text(digits: &[u8]) -> Option<Vec<u8>> {
    let start = PLAIN.decode(digits.get(..32.min(digits.len() & !3))?).ok()?;
    let is_text = start.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r'));
    if !is_text {
        return None;
    }
    // Digits that are left over from cutting do not make the rest unreadable.
    let whole = if digits.len() % 4 == 1 { digits.len() - 1 } else { digits.len() };
    decode(digits.get(..whole)?)
}

/// Returns the places of long runs of digits, with the padding after them.
pub(super) fn runs(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let digit = move |at: usize| text.get(at).is_some_and(|byte| is_digit(*byte));
    let mut floor = 0;
    // A run of this length covers at least one of the places that are looked at.
    let mut at = SHORTEST_RUN - 1;
    std::iter::from_fn(move || {
        while at < text.len() {
            if !digit(at) {
                at += SHORTEST_RUN;
                continue;
            }
            let start = (floor..at).rev().take_while(|before| digit(*before)).last().unwrap_or(at);
            let end = (at..text.len()).find(|after| !digit(*after)).unwrap_or(text.len());
            floor = end;
            at = end + SHORTEST_RUN;
            if end - start >= SHORTEST_RUN {
                let padding = (end..text.len())
                    .take(2)
                    .take_while(|after| text.get(*after) == Some(&b'='))
                    .count();
                return Some(start..end + padding);
            }
        }
        None
    })
}

#[cfg(test)]
pub(super) fn encode(bytes: &[u8]) -> String {
    ::base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_found_wherever_they_stand() {
        let run = "Q".repeat(SHORTEST_RUN);
        for lead in 0..90 {
            let text = format!("{}{run}== {} {run}!{run}", "-".repeat(lead), "Q".repeat(39));
            let found: Vec<_> = runs(text.as_bytes()).collect();
            let first = lead..lead + 42;
            let second = lead + 83..lead + 123;
            assert_eq!(found, [first, second, lead + 124..lead + 164], "{lead}");
        }
    }

    #[test]
    fn only_text_is_decoded_whole() {
        assert_eq!(decode_text(encode(b"token: abc").as_bytes()), Some(b"token: abc".to_vec()));
        assert_eq!(decode_text(encode(b"\x30\x82\x01\x0aabcdef").as_bytes()), None);
        assert_eq!(decode_text(b"dG9rZW46IGFiYw"), Some(b"token: abc".to_vec()));
    }
}
