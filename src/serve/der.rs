//! The end of a certificate's validity, from its DER encoding.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0] EXPLICIT`: the version.
const VERSION: u8 = 0xa0;

/// Returns `notAfter` of an X.509 certificate (RFC 5280, 4.1), in seconds since 1970.
pub(super) fn not_after(certificate: &[u8]) -> Option<i64> {
    let (content, _) = take(certificate, SEQUENCE)?;
    let (mut tbs, _) = take(content, SEQUENCE)?;
    if let Some((_, rest)) = take(tbs, VERSION) {
        tbs = rest;
    }
    let (_, tbs) = take(tbs, INTEGER)?;
    // The algorithm of the signature, the issuer.
    let (_, tbs) = take(tbs, SEQUENCE)?;
    let (_, tbs) = take(tbs, SEQUENCE)?;
    let (validity, _) = take(tbs, SEQUENCE)?;
    let (_, _, after) = element(validity)?;
    let (tag, text, _) = element(after)?;
    seconds(tag, std::str::from_utf8(text).ok()?)
}

/// Splits off an element that must have a tag.
fn take(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(bytes)?;
    (tag == wanted).then_some((content, rest))
}

/// Splits off an element: its tag, its content, what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let add = |length: usize, &digit: &u8| {
            length.checked_mul(256).and_then(|it| it.checked_add(usize::from(digit)))
        };
        (digits.iter().try_fold(0, add)?, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// Reads a time as RFC 5280 has it: with seconds, in UTC.
fn seconds(tag: u8, text: &str) -> Option<i64> {
    let text = match tag {
        // Two digits of a year: up to 49 they are of this century.
        UTC_TIME if text < "5" => format!("20{text}"),
        UTC_TIME => format!("19{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let time = DateTime::strptime("%Y%m%d%H%M%SZ", text).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(year: i32) -> Vec<u8> {
        let mut params = rcgen::CertificateParams::new(vec!["a.example.com".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 3, 4);
        let key = rcgen::KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_end_of_a_certificate_is_read() {
        // 2049 is the last year of UTCTime.
        assert_eq!(not_after(&certificate(2031)), Some(1_930_348_800));
        assert_eq!(not_after(&certificate(2051)), Some(2_561_500_800));
        assert_eq!(seconds(UTC_TIME, "991231235959Z"), Some(946_684_799));
    }

    #[test]
    fn a_broken_certificate_has_no_end() {
        let whole = certificate(2031);
        for length in 0..200 {
            assert_eq!(not_after(&whole[..length]), None, "{length}");
        }
        for bytes in [&[0x30, 0xff][..], &[0x30, 0x89, 255, 255, 255, 255, 255, 255, 255, 255, 255]]
        {
            assert_eq!(not_after(bytes), None);
        }
    }
}
