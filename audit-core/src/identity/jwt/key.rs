use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::aws_lc;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::identity::bearer::decode;

use super::algorithm::JwtAlgorithm;

/// A key of an issuer (RFC 7517 §4), as it stands in its set.
#[derive(Deserialize)]
pub(super) struct JsonWebKey {
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    d: Option<IgnoredAny>,
}

/// A public key, and the algorithms that it is for. A token's header chooses among these and can
/// never turn the key into one of another kind.
pub(super) struct PublicKey {
    pub(super) id: Option<String>,
    algorithms: Vec<JwtAlgorithm>,
    key: DecodingKey,
}

impl PublicKey {
    /// The key; `None` when it is of a type, or for a purpose, that is none of ours (RFC 7517 §5).
    pub(super) fn read(json: JsonWebKey) -> Result<Option<Self>, &'static str> {
        let algorithms = json.algorithms();
        if !json.is_for_signatures() || algorithms.is_empty() {
            return Ok(None);
        }
        if json.d.is_some() {
            return Err("is a private key: give the public half only");
        }
        let key = match json.kty.as_str() {
            "RSA" => json.rsa()?,
            "EC" => json.elliptic()?,
            _ => json.edwards()?,
        };
        Ok(Some(Self { id: json.kid, algorithms, key }))
    }

    pub(super) fn fits(&self, algorithm: JwtAlgorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// Whether `signature` over `signed` is by this key. The provider is named, because the
    /// library's own choice panics when another crate in the program turns on its other one.
    pub(super) fn has_signed(&self, signed: &[u8], signature: &Vec<u8>, algorithm: JwtAlgorithm) -> bool {
        let verifier = (aws_lc::DEFAULT_PROVIDER.verifier_factory)(&algorithm.in_library(), &self.key);
        verifier.is_ok_and(|verifier| verifier.verify(signed, signature).is_ok())
    }
}

impl JsonWebKey {
    /// What the key's type allows, narrowed to what the set says it is for.
    fn algorithms(&self) -> Vec<JwtAlgorithm> {
        use JwtAlgorithm::{EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        let of_type: &[JwtAlgorithm] = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => &[Rs256, Rs384, Rs512, Ps256, Ps384, Ps512],
            ("EC", Some("P-256")) => &[Es256],
            ("EC", Some("P-384")) => &[Es384],
            ("OKP", Some("Ed25519")) => &[EdDsa],
            _ => &[],
        };
        let stated = self.alg.as_deref().map(JwtAlgorithm::from_name);
        of_type.iter().copied().filter(|algorithm| stated.is_none_or(|stated| stated == Some(*algorithm))).collect()
    }

    /// `jwt-svid` is what SPIFFE bundles say.
    fn is_for_signatures(&self) -> bool {
        self.purpose.as_deref().is_none_or(|purpose| matches!(purpose, "sig" | "jwt-svid"))
            && self.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|operation| operation == "verify"))
    }

    fn rsa(&self) -> Result<DecodingKey, &'static str> {
        let modulus = number(self.n.as_deref()).ok_or("`n` is not base64url")?;
        let exponent = number(self.e.as_deref()).ok_or("`e` is not base64url")?;
        // The bounds of the library beneath.
        if !(256..=1_024).contains(&modulus.len()) {
            return Err("the RSA modulus is not of 2,048 to 8,192 bits");
        }
        if exponent.len() > 4 || exponent.last().is_none_or(|last| last % 2 == 0) || exponent == [1] {
            return Err("the RSA exponent is not an odd number of 3 to 32 bits");
        }
        Ok(DecodingKey::from_rsa_raw_components(&modulus, &exponent))
    }

    fn elliptic(&self) -> Result<DecodingKey, &'static str> {
        let width = if self.crv.as_deref() == Some("P-256") { 32 } else { 48 };
        // An uncompressed point (SEC 1 §2.3.3).
        let mut point = vec![4];
        for coordinate in [&self.x, &self.y] {
            let coordinate = coordinate.as_deref().and_then(|text| decode(text.as_bytes()));
            let coordinate = coordinate.filter(|bytes| bytes.len() == width);
            point.extend(coordinate.ok_or("`x` or `y` is not base64url of the curve's width (RFC 7518 §6.2.1)")?);
        }
        Ok(DecodingKey::from_ec_der(&point))
    }

    fn edwards(&self) -> Result<DecodingKey, &'static str> {
        let key = self.x.as_deref().and_then(|text| decode(text.as_bytes())).filter(|bytes| bytes.len() == 32);
        Ok(DecodingKey::from_ed_der(&key.ok_or("`x` is not base64url of 32 bytes (RFC 8037 §2)")?))
    }
}

/// A number without leading zeros, which some issuers send (RFC 7518 §6.3.1.1 forbids it).
fn number(text: Option<&str>) -> Option<Vec<u8>> {
    let mut bytes = decode(text?.as_bytes())?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.drain(..zeros);
    Some(bytes)
}
