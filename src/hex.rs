//! Bytes as hexadecimal digits.

/// Returns two digits for each byte, in lower case.
pub fn digits(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref();
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let mut text = String::with_capacity(2 * bytes.len());
    text.extend(nibbles.filter_map(|nibble| char::from_digit(u32::from(nibble), 16)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_has_two_digits() {
        assert_eq!(digits([0, 1, 0x10, 0xab, 0xff]), "000110abff");
        assert_eq!(digits([]), "");
    }
}
