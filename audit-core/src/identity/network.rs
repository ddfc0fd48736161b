use std::net::{IpAddr, Ipv6Addr};

use super::NetworkError;

/// All addresses that start with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    is_v4: bool,
    /// The address; that of an IPv4 network stands in the highest 32 bits.
    bits: u128,
    /// The bits that count.
    mask: u128,
}

impl Network {
    pub(super) fn parse(text: &str) -> Result<Self, NetworkError> {
        let malformed = || NetworkError::Malformed { text: text.to_owned() };
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(parse_length(length).ok_or_else(malformed)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| malformed())?;
        let width = width(address);
        let length = length.unwrap_or(width);
        if length > width {
            return Err(malformed());
        }
        if length == 0 {
            return Err(NetworkError::Everybody { text: text.to_owned() });
        }
        let (address, length) = canonical(address, length);
        let network = Self { is_v4: address.is_ipv4(), bits: left_aligned(address), mask: u128::MAX << (128 - length) };
        if network.bits & !network.mask != 0 {
            return Err(NetworkError::HostBits {
                text: text.to_owned(),
                network: format!("{}/{length}", network.first_address()),
            });
        }
        Ok(network)
    }

    /// Whether `address`, in canonical form, is one of these.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.is_v4 && left_aligned(address) & self.mask == self.bits
    }

    fn first_address(&self) -> IpAddr {
        let first = Ipv6Addr::from_bits(self.bits & self.mask);
        match first.octets() {
            [a, b, c, d, ..] if self.is_v4 => IpAddr::from([a, b, c, d]),
            octets => IpAddr::from(octets),
        }
    }
}

/// The IPv4 network that an IPv4-mapped one stands for.
fn canonical(address: IpAddr, length: u32) -> (IpAddr, u32) {
    match address.to_canonical() {
        IpAddr::V4(v4) if address.is_ipv6() && length > 96 => (IpAddr::V4(v4), length - 96),
        _ => (address, length),
    }
}

/// A decimal number without sign or leading zero.
fn parse_length(text: &str) -> Option<u32> {
    let is_decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let has_leading_zero = text.len() > 1 && text.starts_with('0');
    if !is_decimal || has_leading_zero {
        return None;
    }
    text.parse().ok()
}

const fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn left_aligned(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
        IpAddr::V6(v6) => v6.to_bits(),
    }
}
