//! Addresses and networks, as Go's `net/netip` reads them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Row, Scratch, row};
use crate::engine::cel::cost::Cost;
use crate::engine::cel::value::{Evaluated, Failure, OpaqueValue, Value};

pub(super) const ROWS: &[Row] = &[
    row("ip(string): ip", ip).cost(Cost::Traverse).since(30),
    row("cidr#ip(): ip", ip).since(30),
    row("ip#family(): int", family).since(30),
    row("ip.isCanonical(string): bool", is_canonical).cost(Cost::TraverseTwice).since(30),
    row("ip#isUnspecified(): bool", is_unspecified).since(30),
    row("ip#isLoopback(): bool", is_loopback).since(30),
    row("ip#isLinkLocalMulticast(): bool", is_link_local_multicast).since(30),
    row("ip#isLinkLocalUnicast(): bool", is_link_local_unicast).since(30),
    row("ip#isGlobalUnicast(): bool", is_global_unicast).since(30),
    row("isIP(string): bool", is_ip).cost(Cost::Traverse).since(30),
    row("cidr(string): cidr", cidr).cost(Cost::Traverse).since(30),
    row("cidr#containsIP(string): bool", contains_ip).cost(Cost::ContainsIp(true)).since(30),
    row("cidr#containsIP(ip): bool", contains_ip).cost(Cost::ContainsIp(false)).since(30),
    row("cidr#containsCIDR(string): bool", contains_cidr).cost(Cost::ContainsCidr(true)).since(30),
    row("cidr#containsCIDR(cidr): bool", contains_cidr).cost(Cost::ContainsCidr(false)).since(30),
    row("cidr#prefixLength(): int", prefix_length).since(30),
    row("cidr#masked(): cidr", masked).since(30),
    row("isCIDR(string): bool", is_cidr).cost(Cost::Traverse).since(30),
];

/// An address and the length of its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    bits: u8,
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// Returns the bits of an address at the top of a number, and how many there are.
fn bits(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

/// Keeps the first bits.
fn prefix(bits: u128, length: u8) -> u128 {
    bits & !u128::MAX.checked_shr(u32::from(length)).unwrap_or_default()
}

impl Cidr {
    fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.rsplit_once('/')?;
        let plain = length.bytes().all(|it| it.is_ascii_digit())
            && (length.len() == 1 || !length.starts_with('0'));
        let address: IpAddr = address.parse().ok()?;
        let length: u8 = length.parse().ok().filter(|_| plain)?;
        let mapped = matches!(address, IpAddr::V6(it) if it.to_ipv4_mapped().is_some());
        (length <= bits(address).1 && !mapped).then_some(Self { address, bits: length })
    }

    fn contains(self, address: IpAddr) -> bool {
        let (own, other) = (bits(self.address), bits(address));
        own.1 == other.1 && prefix(own.0, self.bits) == prefix(other.0, self.bits)
    }

    /// Returns the size by which costs are reckoned.
    pub(in crate::engine::cel) fn size(self) -> u64 {
        u64::from(self.bits.div_ceil(8))
    }
}

/// Returns the size by which costs are reckoned.
pub(in crate::engine::cel) fn ip_size(address: IpAddr) -> u64 {
    u64::from(bits(address).1 / 8)
}

fn parse_ip(text: &str) -> Result<IpAddr, Failure> {
    let address: IpAddr = text.parse().map_err(|_| {
        Failure::new(format!("IP Address {text:?} parse error during conversion from string"))
    })?;
    match address {
        IpAddr::V6(it) if it.to_ipv4_mapped().is_some() => {
            Err(Failure::new(format!("IPv4-mapped IPv6 address {text:?} is not allowed")))
        }
        _ => Ok(address),
    }
}

fn parse_cidr(text: &str) -> Result<Cidr, Failure> {
    Cidr::parse(text).ok_or_else(|| {
        Failure::new(format!("network address parse error during conversion from string: {text:?}"))
    })
}

fn made_ip<'a>(address: IpAddr) -> Value<'a> {
    Value::Opaque(OpaqueValue::Ip(address))
}

fn ip<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [Value::String(text)] => parse_ip(text.as_str()).map(made_ip),
        [Value::Opaque(OpaqueValue::Cidr(cidr))] => Ok(made_ip(cidr.address)),
        _ => Err(Failure::no_overload()),
    }
}

fn is_ip<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let [Value::String(text)] = args else { return Err(Failure::no_overload()) };
    Ok(Value::Bool(parse_ip(text.as_str()).is_ok()))
}

fn is_canonical<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let [Value::String(text)] = args else { return Err(Failure::no_overload()) };
    Ok(Value::Bool(parse_ip(text.as_str())?.to_string() == text.as_str()))
}

fn cidr<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let [Value::String(text)] = args else { return Err(Failure::no_overload()) };
    Ok(Value::Opaque(OpaqueValue::Cidr(parse_cidr(text.as_str())?)))
}

fn is_cidr<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let [Value::String(text)] = args else { return Err(Failure::no_overload()) };
    Ok(Value::Bool(Cidr::parse(text.as_str()).is_some()))
}

fn of_ip<'a>(args: &[Value<'a>], test: fn(IpAddr) -> bool) -> Evaluated<'a> {
    match args {
        [Value::Opaque(OpaqueValue::Ip(address))] => Ok(Value::Bool(test(*address))),
        _ => Err(Failure::no_overload()),
    }
}

fn family<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [Value::Opaque(OpaqueValue::Ip(address))] => {
            Ok(Value::Int(if address.is_ipv4() { 4 } else { 6 }))
        }
        _ => Err(Failure::no_overload()),
    }
}

fn is_unspecified<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    of_ip(args, |it| it.is_unspecified())
}

fn is_loopback<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    of_ip(args, |it| it.is_loopback())
}

fn link_local_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => it.is_link_local(),
        IpAddr::V6(it) => it.is_unicast_link_local(),
    }
}

fn is_link_local_unicast<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    of_ip(args, link_local_unicast)
}

fn is_link_local_multicast<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    of_ip(args, |it| match it {
        IpAddr::V4(it) => matches!(it.octets(), [224, 0, 0, _]),
        IpAddr::V6(it) => it.segments().first().is_some_and(|first| first & 0xff0f == 0xff02),
    })
}

fn is_global_unicast<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    of_ip(args, |it| {
        it != IpAddr::V4(Ipv4Addr::BROADCAST)
            && it != IpAddr::V6(Ipv6Addr::UNSPECIFIED)
            && !it.is_unspecified()
            && !it.is_loopback()
            && !it.is_multicast()
            && !link_local_unicast(it)
    })
}

fn contains_ip<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let (cidr, address) = match args {
        [Value::Opaque(OpaqueValue::Cidr(cidr)), Value::Opaque(OpaqueValue::Ip(ip))] => (cidr, *ip),
        [Value::Opaque(OpaqueValue::Cidr(cidr)), Value::String(text)] => {
            (cidr, parse_ip(text.as_str())?)
        }
        _ => return Err(Failure::no_overload()),
    };
    Ok(Value::Bool(cidr.contains(address)))
}

fn contains_cidr<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let (cidr, other) = match args {
        [Value::Opaque(OpaqueValue::Cidr(cidr)), Value::Opaque(OpaqueValue::Cidr(other))] => {
            (cidr, *other)
        }
        [Value::Opaque(OpaqueValue::Cidr(cidr)), Value::String(text)] => {
            (cidr, parse_cidr(text.as_str())?)
        }
        _ => return Err(Failure::no_overload()),
    };
    Ok(Value::Bool(cidr.bits <= other.bits && cidr.contains(other.address)))
}

fn prefix_length<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [Value::Opaque(OpaqueValue::Cidr(cidr))] => Ok(Value::Int(i64::from(cidr.bits))),
        _ => Err(Failure::no_overload()),
    }
}

fn masked<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let [Value::Opaque(OpaqueValue::Cidr(cidr))] = args else {
        return Err(Failure::no_overload());
    };
    let kept = prefix(bits(cidr.address).0, cidr.bits);
    let address = match cidr.address {
        IpAddr::V4(_) => {
            IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(kept >> 96).unwrap_or_default()))
        }
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(kept)),
    };
    Ok(Value::Opaque(OpaqueValue::Cidr(Cidr { address, bits: cidr.bits })))
}
