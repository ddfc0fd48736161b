use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::record::Source;

use super::Metadata;
use super::network::Network;

/// Networks whose `X-Forwarded-For` is believed. None by default.
///
/// Every proxy appends the address it was called from, so only the end of the list is the work of
/// one's own proxies: it is read from the right, and only as long as each address is a trusted one.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies {
    networks: Vec<Network>,
}

/// A network that cannot be trusted as written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworkError {
    /// Not an address, nor an address and a prefix length.
    Malformed {
        /// What was given.
        text: String,
    },
    /// The address has bits beyond the prefix.
    HostBits {
        /// What was given.
        text: String,
        /// The network it lies in.
        network: String,
    },
    /// A prefix of length 0.
    Everybody {
        /// What was given.
        text: String,
    },
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { text } => write!(
                f,
                "`{}` is no network: write an address as in 10.1.2.3, or a prefix as in \
                 10.0.0.0/8 or fd00::/8",
                text.escape_debug()
            ),
            Self::HostBits { text, network } => write!(
                f,
                "`{text}` is an address and not a network: write {network}, or leave the prefix \
                 length out"
            ),
            Self::Everybody { text } => write!(
                f,
                "`{text}` trusts everybody, so that anybody could write any source address: name \
                 the networks of the proxies"
            ),
        }
    }
}

impl std::error::Error for NetworkError {}

impl TrustedProxies {
    /// Trusts proxies in these networks, each written as in `10.0.0.0/8`, `fd00::/8`, `10.1.2.3`.
    ///
    /// # Errors
    ///
    /// When one of them is not a network, or is everything.
    pub fn new<N>(networks: N) -> Result<Self, NetworkError>
    where
        N: IntoIterator<Item: AsRef<str>>,
    {
        let networks = networks.into_iter().map(|text| Network::parse(text.as_ref()));
        Ok(Self { networks: networks.collect::<Result<_, _>>()? })
    }

    /// Where the call came from: the peer, or what trusted proxies say of it. The port is known
    /// only where the peer is the caller. `None` when the connection has no address.
    ///
    /// Takes time in proportion to the length of the header lines; allocates nothing.
    #[must_use]
    pub fn source(&self, metadata: &dyn Metadata) -> Option<Source> {
        let peer = metadata.peer()?;
        let address = peer.ip().to_canonical();
        if !self.trusts(address) {
            return Some(Source::from(SocketAddr::new(address, peer.port())));
        }
        let mut claim = None;
        metadata.each_header("x-forwarded-for", &mut |line| {
            for element in line.split(|byte| *byte == b',') {
                claim = self.extend(claim, parse_element(element));
            }
        });
        Some(claim.map_or_else(|| Source::from(SocketAddr::new(address, peer.port())), Source::new))
    }

    /// Who called, when those who appended what comes after `element` are trusted: reading from the
    /// right stops at the first address that is not, and before the first that is none.
    fn extend(&self, before: Option<IpAddr>, element: Option<IpAddr>) -> Option<IpAddr> {
        let address = element?;
        match before {
            Some(caller) if self.trusts(address) => Some(caller),
            _ => Some(address),
        }
    }

    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }
}

/// The address in one element of the list, with or without a port.
fn parse_element(element: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(element.trim_ascii()).ok()?;
    let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = (text.parse::<IpAddr>().ok())
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .or_else(|| bracketed?.parse().ok().map(IpAddr::V6))?;
    Some(address.to_canonical())
}
