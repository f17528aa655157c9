//! The arithmetic by which issuers mark their tokens, so that a typing error can be told offline.

use sha2::{Digest as _, Sha256};

const CRC_TABLE: [u32; 256] = crc_table();

/// Returns the CRC-32 of IEEE 802.3, as zlib computes it.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        let [low, ..] = crc.to_le_bytes();
        let entry = CRC_TABLE.get(usize::from(low ^ byte)).copied().unwrap_or_default();
        entry ^ (crc >> 8)
    })
}

const fn crc_table() -> [u32; 256] {
    let mut table = [0u32; 256];
    let mut rest: &mut [u32] = &mut table;
    let mut byte = 0u32;
    while let [entry, others @ ..] = rest {
        let mut crc = byte;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        *entry = crc;
        byte += 1;
        rest = others;
    }
    table
}

/// Digits, then capitals, then small letters: the order in which GitHub, npm and Vercel count.
const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Returns `number` in base 62, padded with zeros to `width`.
pub(super) fn base62(number: u32, width: usize) -> Vec<u8> {
    digits(number, BASE62, width)
}

/// Returns `number` in base 36 with small letters, padded with zeros to `width`.
pub(super) fn base36(number: u32, width: usize) -> Vec<u8> {
    digits(number, b"0123456789abcdefghijklmnopqrstuvwxyz", width)
}

/// Returns the eight hexadecimal digits of `number`, in small letters.
pub(super) fn hex(number: u32) -> Vec<u8> {
    digits(number, b"0123456789abcdef", 8)
}

fn digits(mut number: u32, alphabet: &[u8], width: usize) -> Vec<u8> {
    let base = u32::try_from(alphabet.len()).unwrap_or(u32::MAX);
    let mut out = Vec::with_capacity(width);
    while number > 0 || out.len() < width {
        out.extend(alphabet.get((number % base) as usize));
        number /= base;
    }
    out.reverse();
    out
}

/// Returns the first eight base-32 digits of the SHA-256 of `bytes`.
///
/// They mark GitHub's fine-grained tokens.
pub(super) fn sha256_base32(bytes: &[u8]) -> Vec<u8> {
    let mut group = [0; 8];
    for (to, from) in group.iter_mut().skip(3).zip(Sha256::digest(bytes)) {
        *to = from;
    }
    let number = u64::from_be_bytes(group);
    (0..8)
        .rev()
        .filter_map(|digit| {
            let value = usize::try_from((number >> (5 * digit)) & 31).ok()?;
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".get(value)
        })
        .copied()
        .collect()
}

const BECH32: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// Says whether `text` ends in the checksum of BIP 173. The case of the letters is not looked at.
pub(super) fn is_bech32(text: &[u8]) -> bool {
    let text = text.to_ascii_lowercase();
    let Some(separator) = text.iter().rposition(|byte| *byte == b'1') else {
        return false;
    };
    let (prefix, rest) = text.split_at(separator);
    let mut values: Vec<u8> = prefix.iter().map(|byte| byte >> 5).collect();
    values.push(0);
    values.extend(prefix.iter().map(|byte| byte & 31));
    for byte in rest.iter().skip(1) {
        match BECH32.iter().zip(0u8..).find(|(digit, _)| *digit == byte) {
            Some((_, value)) => values.push(value),
            None => return false,
        }
    }
    !prefix.is_empty() && rest.len() > 6 && bech32_polymod(&values) == 1
}

fn bech32_polymod(values: &[u8]) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    values.iter().fold(1, |checksum: u32, value| {
        let top = checksum >> 25;
        let next = ((checksum & 0x1ff_ffff) << 5) ^ u32::from(*value);
        GENERATOR
            .iter()
            .zip(0..)
            .filter(|(_, bit)| (top >> bit) & 1 == 1)
            .fold(next, |next, (generator, _)| next ^ generator)
    })
}

/// Returns `prefix`, the separator, `data` and the checksum of BIP 173, all in small letters.
#[cfg(test)]
pub(super) fn bech32(prefix: &str, data: &[u8]) -> String {
    let prefix = prefix.as_bytes();
    let values: Vec<u8> = data
        .iter()
        .map(|byte| BECH32.iter().zip(0u8..).find(|(digit, _)| *digit == byte).unwrap().1)
        .collect();
    let mut all: Vec<u8> = prefix.iter().map(|byte| byte >> 5).collect();
    all.push(0);
    all.extend(prefix.iter().map(|byte| byte & 31));
    all.extend(&values);
    all.extend([0; 6]);
    let checksum = bech32_polymod(&all) ^ 1;
    let mut text = [prefix, b"1", data].concat();
    text.extend((0..6).map(|digit| BECH32[(checksum >> (5 * (5 - digit))) as usize & 31]));
    String::from_utf8(text).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32_gives_the_check_value_of_its_catalogue() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(hex(crc32(b"123456789")), b"cbf43926");
    }

    #[test]
    fn numbers_are_padded_with_zeros() {
        assert_eq!(base62(61 * 62 + 10, 6), b"0000zA");
        assert_eq!(base36(35, 7), b"000000z");
    }

    #[test]
    fn base32_takes_the_first_five_bytes_of_the_hash() {
        // SHA-256 of the empty text starts with e3 b0 c4 42 98.
        assert_eq!(sha256_base32(b""), b"4OYMIQUY");
    }

    #[test]
    fn bech32_accepts_the_vectors_of_bip_173() {
        for valid in ["A12UEL5L", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"] {
            assert!(is_bech32(valid.as_bytes()), "{valid}");
        }
        for invalid in ["A12UEL5M", "1qzzfhee", "abcdef1bpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", ""]
        {
            assert!(!is_bech32(invalid.as_bytes()), "{invalid}");
        }
        assert!(is_bech32(bech32("age-secret-key-", b"qpzry9x8").as_bytes()));
    }
}
