/// The longest SPIFFE ID, and the longest trust domain name, in bytes (SPIFFE-ID §2.3).
const ID_LIMIT: usize = 2_048;
const TRUST_DOMAIN_LIMIT: usize = 255;

/// The name of a workload (SPIFFE-ID §2): `spiffe://`, a trust domain, and a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct SpiffeId<'a> {
    trust_domain: &'a str,
}

impl<'a> SpiffeId<'a> {
    /// Reads the ID of a workload: one that has a path. The scheme may be in any case (RFC 3986 §3.1),
    /// but nobody writes it so, and two spellings of one name would be two names: lower case only.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if text.len() > ID_LIMIT {
            return None;
        }
        let (trust_domain, path) = text.strip_prefix("spiffe://")?.split_once('/')?;
        let is_id = Self::is_trust_domain(trust_domain) && path.split('/').all(is_segment);
        is_id.then_some(Self { trust_domain })
    }

    /// Whether `name` can be that of a trust domain (SPIFFE-ID §2.1). User and port have no place
    /// in it.
    pub(super) fn is_trust_domain(name: &str) -> bool {
        let is_name = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
        !name.is_empty() && name.len() <= TRUST_DOMAIN_LIMIT && name.bytes().all(is_name)
    }

    pub(super) const fn trust_domain(self) -> &'a str {
        self.trust_domain
    }
}

/// No empty segments, no dot segments, no percent-encoding, query or fragment (SPIFFE-ID §2.2).
fn is_segment(segment: &str) -> bool {
    let is_path = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !matches!(segment, "" | "." | "..") && segment.bytes().all(is_path)
}
