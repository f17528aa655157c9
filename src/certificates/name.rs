//! Names that a certificate may hold.

use std::fmt;
use std::str::FromStr;

/// A DNS label as RFC 1123 has it: the name of a Service or of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label(String);

/// Why a text is no label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write at most 63 lower-case letters, digits and `-`, with none of the last at an end")]
pub struct InvalidLabel;

/// A DNS name: labels with dots between them, the first of which may be `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsName(String);

/// Why a text is no DNS name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write a DNS name in lower case, e.g. `gate.example.com`")]
pub struct InvalidDnsName;

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Label {
    type Err = InvalidLabel;

    fn from_str(text: &str) -> Result<Self, InvalidLabel> {
        if is_label(text) { Ok(Self(text.to_owned())) } else { Err(InvalidLabel) }
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DnsName {
    type Err = InvalidDnsName;

    fn from_str(text: &str) -> Result<Self, InvalidDnsName> {
        let named = text.strip_prefix("*.").unwrap_or(text);
        // The last label of a name is never a number: that would be an address.
        let last = named.rsplit('.').next().unwrap_or_default();
        let numeric = last.bytes().all(|byte| byte.is_ascii_digit());
        if text.len() <= 253 && !numeric && named.split('.').all(is_label) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidDnsName)
        }
    }
}

fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| plain(byte) || *byte == b'-')
        && bytes.first().is_some_and(plain)
        && bytes.last().is_some_and(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_those_of_rfc_1123() {
        for good in ["a", "7", "tide-waiter", &"x".repeat(63)] {
            assert_eq!(good.parse(), Ok(Label(good.to_owned())));
        }
        for bad in ["", "-a", "a-", "A", "a.b", "a_b", "ä", &"x".repeat(64)] {
            assert_eq!(bad.parse::<Label>(), Err(InvalidLabel), "{bad}");
        }
    }

    #[test]
    fn names_are_labels_with_dots() {
        let long = ["x".repeat(63).as_str(); 4].join(".");
        for good in ["a", "gate.example.com", "*.example.com", "1.a"] {
            assert_eq!(good.parse(), Ok(DnsName(good.to_owned())));
        }
        for bad in ["", ".", "a.", "a..b", "*", "*.", "a.*.b", "10.0.0.1", "::1", &long] {
            assert_eq!(bad.parse::<DnsName>(), Err(InvalidDnsName), "{bad}");
        }
    }
}
