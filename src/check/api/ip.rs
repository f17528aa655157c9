//! IP addresses and ranges of them, as the server reads them.
//!
//! Old fields take what Go once took: leading zeros, addresses of IPv4 written as IPv6, ranges with
//! bits beyond their length. From 1.36 on a new value has to be clear, and an old one may stay
//! (`k8s.io/apimachinery/pkg/util/validation/ip.go`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::cx::Cx;
use super::field::Field;
use super::rule::Rule;

pub(super) const RULES: &[&Rule] = &[&ADDRESS, &RANGE, &UNCLEAR];

pub(super) const ADDRESS: Rule = Rule::new(
    "api/invalid-ip-address",
    "Text that is no IP address, or one of no use here",
    "The field takes an address of IPv4 or IPv6. Addresses of endpoints must be reachable from \
     other machines.",
    "write an address such as `10.9.8.7` or `2001:db8::ffff`",
    &["IsValidIPForLegacyField", "IsValidIP", "ValidateEndpointIP"],
);

pub(super) const RANGE: Rule = Rule::new(
    "api/invalid-cidr",
    "Text that is no range of IP addresses",
    "The field takes an address, `/` and the number of bits that all addresses of the range share.",
    "write a range such as `10.9.8.0/24` or `2001:db8::/64`",
    &["IsValidCIDRForLegacyField", "IsValidCIDR"],
);

const UNCLEAR: Rule = Rule::new(
    "api/unclear-ip-address",
    "IP address or range in a form that programs read differently",
    "The server takes the value and warns, because others may read it as another address, or may \
     see a change where there is none.",
    "write the address in its canonical form",
    &["GetWarningsForIP", "GetWarningsForCIDR"],
)
.warning();

/// The minor from which new values of old fields have to be clear.
const STRICT: u32 = 36;
const NO_ADDRESS: &str = "must be an IP address, such as `10.9.8.7` or `2001:db8::ffff`";
const NO_RANGE: &str = "must be a range of IP addresses, such as `10.9.8.0/24`";
const ZEROS: &str = "must not have leading zeros, which some programs read as octal";
const MAPPED: &str = "must not be an address of IPv4 written as IPv6";

/// A range: an address and how many bits all addresses share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    address: IpAddr,
    bits: u8,
}

/// Reads an address as Go once did (`ParseIPSloppy`); one of IPv4 written as IPv6 stays IPv6.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        address_v6(text).map(IpAddr::V6)
    } else {
        address_v4(text).map(IpAddr::V4)
    }
}

fn without_zeros(digits: &str) -> &str {
    let rest = digits.trim_start_matches('0');
    if rest.is_empty() && !digits.is_empty() { "0" } else { rest }
}

fn address_v4(text: &str) -> Option<Ipv4Addr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let parts: Vec<&str> = text.splitn(5, '.').map(without_zeros).collect();
    parts.join(".").parse().ok()
}

fn address_v6(text: &str) -> Option<Ipv6Addr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let part = |part| -> Option<String> {
        if str::contains(part, '.') {
            address_v4(part).map(|it| it.to_string())
        } else {
            Some(without_zeros(part).to_owned())
        }
    };
    let parts: Option<Vec<String>> = text.splitn(10, ':').map(part).collect();
    parts?.join(":").parse().ok()
}

/// Reads a range as Go once did (`ParseCIDRSloppy`).
pub(super) fn range(text: &str) -> Option<Range> {
    let (address, bits) = text.split_once('/')?;
    let address = self::address(address)?;
    if bits.is_empty() || !bits.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let bits: u8 = without_zeros(bits).parse().ok()?;
    (bits <= width(address)).then_some(Range { address, bits })
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

impl Range {
    /// Returns the first address of the range.
    fn first(self) -> IpAddr {
        match self.address {
            IpAddr::V4(it) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from(u32::from(it) & mask))
            }
            IpAddr::V6(it) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from(u128::from(it) & mask))
            }
        }
    }

    /// Says whether no address of the range has other bits set than the shared ones.
    fn is_network(self) -> bool {
        self.first() == self.address
    }

    /// Says whether an address is in the range.
    pub(super) fn contains(self, other: IpAddr) -> bool {
        width(other) == width(self.address)
            && Self { address: other, ..self }.first() == self.first()
    }

    /// Says whether a range is within this one, and smaller.
    pub(super) fn is_wider_than(self, other: Self) -> bool {
        self.bits < other.bits && self.contains(other.address)
    }

    /// Says whether the addresses are those of IPv6.
    pub(super) fn is_v6(self) -> bool {
        self.address.is_ipv6()
    }

    fn canonical(self) -> String {
        format!("{}/{}", self.first(), self.bits)
    }
}

fn is_mapped(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(it) if it.to_ipv4_mapped().is_some())
}

/// Says what is wrong with a new address in an old field (`IsValidIPForLegacyField`).
pub(super) fn wrong_address(minor: u32, text: &str) -> Option<&'static str> {
    let Some(address) = address(text) else { return Some(NO_ADDRESS) };
    match text.parse::<IpAddr>() {
        _ if minor < STRICT => None,
        Err(_) => Some(ZEROS),
        Ok(_) if is_mapped(address) => Some(MAPPED),
        Ok(_) => None,
    }
}

/// Says what is wrong with a new range in an old field (`IsValidCIDRForLegacyField`).
pub(super) fn wrong_range(minor: u32, text: &str) -> Option<&'static str> {
    let Some(range) = range(text) else { return Some(NO_RANGE) };
    if minor < STRICT {
        None
    } else if has_zeros(text) {
        Some(ZEROS)
    } else if is_mapped(range.address) {
        Some(MAPPED)
    } else if !range.is_network() {
        Some("must not have bits set beyond the length of its prefix")
    } else {
        None
    }
}

fn has_zeros(range: &str) -> bool {
    range.split_once('/').is_some_and(|(address, bits)| {
        address.parse::<IpAddr>().is_err() || (bits.len() > 1 && bits.starts_with('0'))
    })
}

/// Checks an address in an old field; `old` are values that may stay.
pub(super) fn check_address<'a>(cx: &mut Cx<'a>, field: Field<'a>, old: Option<Field<'_>>) -> bool {
    let text = field.text();
    if old.is_some_and(|it| it.items().any(|it| it.text() == text)) {
        return true;
    }
    match wrong_address(cx.minor, text) {
        Some(wrong) => {
            cx.invalid(&ADDRESS, field, wrong);
            false
        }
        None => true,
    }
}

/// Checks a range in an old field; `old` are values that may stay.
pub(super) fn check_range<'a>(cx: &mut Cx<'a>, field: Field<'a>, old: Option<Field<'_>>) -> bool {
    let text = field.text();
    if old.is_some_and(|it| it.items().any(|it| it.text() == text)) {
        return true;
    }
    match wrong_range(cx.minor, text) {
        Some(wrong) => {
            cx.invalid(&RANGE, field, wrong);
            false
        }
        None => true,
    }
}

/// Checks an address in a new field, which takes the canonical form only (`IsValidIP`).
pub(super) fn check_canonical_address<'a>(cx: &mut Cx<'a>, field: Field<'a>) {
    let text = field.text();
    if let Some(wrong) = wrong_address(STRICT, text) {
        cx.invalid(&ADDRESS, field, wrong);
    } else if let Some(address) = address(text).map(|it| it.to_string()).filter(|it| it != text) {
        cx.invalid(&ADDRESS, field, "must be in its canonical form");
        cx.help(format!("write `{address}`"));
    }
}

/// Checks a range in a new field, which takes the canonical form only (`IsValidCIDR`).
pub(super) fn check_canonical_range<'a>(cx: &mut Cx<'a>, field: Field<'a>) {
    let text = field.text();
    if let Some(wrong) = wrong_range(STRICT, text) {
        cx.invalid(&RANGE, field, wrong);
    } else if let Some(range) = range(text).map(Range::canonical).filter(|it| it != text) {
        cx.invalid(&RANGE, field, "must be in its canonical form");
        cx.help(format!("write `{range}`"));
    }
}

/// Checks that an address can be that of an endpoint (`ValidateEndpointIP`).
pub(super) fn check_endpoint<'a>(cx: &mut Cx<'a>, field: Field<'a>) {
    let Some(address) = address(field.text()) else {
        cx.invalid(&ADDRESS, field, NO_ADDRESS);
        return;
    };
    let problem = match address.to_canonical() {
        it if it.is_unspecified() => "must not be the unspecified address",
        it if it.is_loopback() => "must not be a loopback address",
        IpAddr::V4(it) if it.is_link_local() => "must not be a link-local address",
        IpAddr::V6(it) if it.is_unicast_link_local() => "must not be a link-local address",
        IpAddr::V4(it) if matches!(it.octets(), [224, 0, 0, _]) => {
            "must not be a link-local multicast address"
        }
        IpAddr::V6(it) if it.segments().first().is_some_and(|it| it & 0xff0f == 0xff02) => {
            "must not be a link-local multicast address"
        }
        _ => return,
    };
    cx.invalid(&ADDRESS, field, problem);
}

/// Warns of an address that the server takes and that is not clear (`GetWarningsForIP`).
pub(super) fn warn_address<'a>(cx: &mut Cx<'a>, field: Field<'a>) {
    let text = field.text();
    let Some(address) = address(text) else { return };
    let clear = match text.parse::<IpAddr>() {
        Ok(it) if is_mapped(address) => it.is_ipv4(),
        Ok(it) => it.is_ipv4() || it.to_string() == text,
        Err(_) => false,
    };
    if !clear {
        cx.invalid(&UNCLEAR, field, "is not in its canonical form");
        cx.help(format!("write `{}`", address.to_canonical()));
    }
}

/// Warns of a range that the server takes and that is not clear (`GetWarningsForCIDR`).
pub(super) fn warn_range<'a>(cx: &mut Cx<'a>, field: Field<'a>) {
    let text = field.text();
    let Some(range) = range(text) else { return };
    if !range.is_network() {
        cx.invalid(&UNCLEAR, field, "has bits set beyond the length of its prefix");
    } else if has_zeros(text)
        || is_mapped(range.address)
        || (range.is_v6() && range.canonical() != text)
    {
        cx.invalid(&UNCLEAR, field, "is not in its canonical form");
    } else {
        return;
    }
    cx.help(format!("write `{}`", range.canonical()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_once_took_leading_zeros() {
        let four = |a, b, c, d| Some(IpAddr::V4(Ipv4Addr::new(a, b, c, d)));
        assert_eq!(address("10.0.0.1"), four(10, 0, 0, 1));
        assert_eq!(address("010.000.0.0001"), four(10, 0, 0, 1));
        for bad in ["", "10.0.0", "10.0.0.256", "10.0.0.1.1", "a", "1.2.3.-4", "1.2.3.", "+1.2.3.4"]
        {
            assert_eq!(address(bad), None, "{bad}");
        }
        assert_eq!(address("::1"), "::1".parse().ok());
        assert_eq!(address("2001:00db8::00001"), "2001:db8::1".parse().ok());
        assert_eq!(address("::ffff:010.0.0.1"), "::ffff:10.0.0.1".parse().ok());
        for bad in [":", ":::", "1:2:3:4:5:6:7:8:9", "fe80::1%eth0", "1::2::3"] {
            assert_eq!(address(bad), None, "{bad}");
        }
    }

    #[test]
    fn old_fields_became_strict() {
        for text in ["010.0.0.1", "::ffff:10.0.0.1"] {
            assert_eq!(wrong_address(35, text), None, "{text}");
            assert!(wrong_address(36, text).is_some(), "{text}");
        }
        assert_eq!(wrong_address(36, "FE80::0001"), None);
        for text in ["10.0.0.1/08", "10.0.0.1/8", "::ffff:10.0.0.0/104"] {
            assert_eq!(wrong_range(35, text), None, "{text}");
            assert!(wrong_range(36, text).is_some(), "{text}");
        }
        assert_eq!(wrong_range(36, "10.0.0.0/8"), None);
        assert_eq!(wrong_range(36, "0.0.0.0/0"), None);
        for text in ["10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/+8", "/8"] {
            assert!(wrong_range(30, text).is_some(), "{text}");
        }
    }

    #[test]
    fn ranges_hold_ranges() {
        let range = |text| range(text).unwrap();
        assert!(range("10.0.0.0/8").is_wider_than(range("10.1.0.0/16")));
        assert!(!range("10.0.0.0/8").is_wider_than(range("10.0.0.0/8")));
        assert!(!range("10.0.0.0/8").is_wider_than(range("11.0.0.0/16")));
        assert!(range("0.0.0.0/0").is_wider_than(range("10.0.0.0/8")));
        assert!(!range("::/0").is_wider_than(range("10.0.0.0/8")));
    }
}
