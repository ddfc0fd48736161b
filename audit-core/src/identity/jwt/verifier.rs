use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use crate::identity::bearer::{Bearer, SignedToken, bearer_token, decode};
use crate::identity::claims::Claims;
use crate::identity::classify::classify;
use crate::identity::spiffe_id::SpiffeId;
use crate::identity::{Identify, Metadata};
use crate::record::Actor;

use super::builder::JwtVerifierBuilder;
use super::error::JwksError;
use super::header::Header;
use super::issuer::{JwtIssuer, TRUST_DOMAIN};
use super::key_set::KeySet;
use super::refusal::Refusal;
use super::remembered::{KnownToken, RememberedTokens, TokenDigest, digest};
use super::validity::Validity;

/// Bearer tokens (RFC 6750 §2.1) of known issuers, with their signatures checked.
///
/// A token that passes makes the actor that [`JwtClaims`](crate::identity::JwtClaims) would make of
/// it, with `verified = true`. One that an issuer's name is on and that fails makes an
/// `unauthenticated` actor whose `reason` says why, and nothing of what it claims is recorded.
/// Says nothing about requests without a bearer token, about tokens that are not signed JSON Web
/// Tokens, and about issuers that it does not know or has no keys of: put
/// [`DefaultIdentify`](crate::identity::DefaultIdentify) after it, which records their claims with
/// `verified = false`.
///
/// A clone is another handle to the same verifier: keep one for [`set_jwks`](Self::set_jwks).
/// Fetching keys is left to the host, because nothing here may wait for a network. Identifying
/// does no I/O, takes locks only for moments, and needs some tens of microseconds for a
/// signature; a token seen before costs one hash.
///
/// ```
/// # use audit_core::identity::{DefaultIdentify, Established, FirstOf, JwtIssuer, JwtVerifier};
/// # fn verifier(jwks: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = JwtVerifier::builder()
///     .issuer(JwtIssuer::new("https://kubernetes.default.svc").jwks(jwks)?.audience("payments"))
///     .build()?;
/// let identify = FirstOf::default().or(Established).or(verifier.clone()).or(DefaultIdentify);
/// // Later, whenever the issuer's keys have been fetched again:
/// verifier.set_jwks("https://kubernetes.default.svc", jwks)?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct JwtVerifier {
    shared: Arc<Shared>,
}

struct Shared {
    trust: RwLock<Arc<Trust>>,
    /// Seconds.
    leeway: i64,
    remembered: usize,
}

/// Issuers with their keys, and what was verified with these keys. Replaced as a whole, so that
/// nothing outlives the key that it was verified with.
struct Trust {
    issuers: HashMap<String, JwtIssuer>,
    remembered: RememberedTokens,
}

impl JwtVerifier {
    /// Describes a verifier.
    pub fn builder() -> JwtVerifierBuilder {
        JwtVerifierBuilder::default()
    }

    pub(super) fn new(issuers: HashMap<String, JwtIssuer>, leeway: Duration, remembered: usize) -> Self {
        let trust = Trust { issuers, remembered: RememberedTokens::new(remembered) };
        let leeway = i64::try_from(leeway.as_secs()).unwrap_or(0);
        Self { shared: Arc::new(Shared { trust: RwLock::new(Arc::new(trust)), leeway, remembered }) }
    }

    /// Replaces the keys of an issuer, for all handles and at once: a token is checked either with
    /// the keys before or with these. All tokens that were remembered are forgotten.
    /// Limits are those of [`JwtIssuer::jwks`].
    ///
    /// # Errors
    ///
    /// Those of [`JwtIssuer::jwks`], and when there is no such issuer. The keys before stay.
    pub fn set_jwks(&self, issuer: &str, json: impl AsRef<[u8]>) -> Result<(), JwksError> {
        self.set_keys(issuer, KeySet::parse(json.as_ref())?)
    }

    /// Replaces the keys of an issuer by those in a file. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// Those of [`set_jwks`](Self::set_jwks), and when the file cannot be read. The keys before stay.
    pub fn set_jwks_file(&self, issuer: &str, path: impl AsRef<Path>) -> Result<(), JwksError> {
        self.set_keys(issuer, KeySet::read(path.as_ref())?)
    }

    fn set_keys(&self, issuer: &str, keys: KeySet) -> Result<(), JwksError> {
        let mut trust = self.shared.trust.write().unwrap_or_else(PoisonError::into_inner);
        let mut issuers = trust.issuers.clone();
        let Some(known) = issuers.get_mut(issuer) else {
            return Err(JwksError::UnknownIssuer { issuer: issuer.to_owned() });
        };
        known.keys = Arc::new(keys);
        let remembered = RememberedTokens::new(self.shared.remembered);
        let before = mem::replace(&mut *trust, Arc::new(Trust { issuers, remembered }));
        drop(trust);
        // Freed without the lock.
        drop(before);
        Ok(())
    }

    fn trust(&self) -> Arc<Trust> {
        Arc::clone(&self.shared.trust.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Identify for JwtVerifier {
    fn identify(&self, metadata: &dyn Metadata) -> Option<Actor> {
        let token = match bearer_token(metadata)? {
            Ok(token) => token,
            Err(actor) => return Some(actor),
        };
        let judged = match Bearer::of(token) {
            Bearer::Signed(parts) => self.trust().judge(token, parts, self.shared.leeway),
            Bearer::TooLong => Err(Refusal::TooLong),
            Bearer::Encrypted | Bearer::Opaque => Ok(None),
        };
        judged.unwrap_or_else(|refusal| Some(Actor::unauthenticated().auth("jwt").reason(refusal.reason())))
    }
}

impl Trust {
    /// Who holds the token; `None` when it is of an issuer that has no keys here.
    fn judge(&self, token: &[u8], parts: SignedToken<'_>, leeway: i64) -> Result<Option<Actor>, Refusal> {
        let now = seconds_since_1970();
        let digest = digest(token);
        if let Some(known) = self.remembered.get(&digest)
            && (known.from..known.until).contains(&now)
        {
            return Ok(Some(known.actor.clone()));
        }
        let json = decode(parts.payload).ok_or(Refusal::MalformedPayload)?;
        let claims = Claims::parse(&json).ok_or(Refusal::MALFORMED_CLAIMS)?;
        let Some(issuer) = self.issuer_of(&claims) else {
            return Ok(None);
        };
        issuer.check_signature(parts)?;
        let known = issuer.believe(&json, &claims, now, leeway)?;
        let actor = known.actor.clone();
        self.remember(digest, known);
        Ok(Some(actor))
    }

    /// The issuer whose keys count. A SPIFFE ID belongs to its trust domain, whoever issued the
    /// token, if that domain is known here.
    fn issuer_of(&self, claims: &Claims<'_>) -> Option<&JwtIssuer> {
        let domain = claims.sub.text().and_then(SpiffeId::parse).map(|id| id.trust_domain().to_owned());
        let by_domain = domain.and_then(|domain| self.issuers.get(&format!("{TRUST_DOMAIN}{domain}")));
        let issuer = by_domain.or_else(|| self.issuers.get(claims.iss.text()?))?;
        (!issuer.keys.is_empty()).then_some(issuer)
    }

    fn remember(&self, digest: TokenDigest, known: KnownToken) {
        self.remembered.insert(digest, Arc::new(known));
    }
}

impl JwtIssuer {
    fn check_signature(&self, token: SignedToken<'_>) -> Result<(), Refusal> {
        let header = decode(token.header).ok_or(Refusal::MalformedHeader)?;
        let header = Header::parse(&header)?;
        if !self.algorithms.contains(&header.algorithm) {
            return Err(Refusal::AlgorithmNotAllowed);
        }
        let signature = decode(token.signature).ok_or(Refusal::MalformedSignature)?;
        self.keys.check(header.key_id.as_deref(), header.algorithm, token.signed, &signature)
    }

    /// Whom a token of this issuer names, if it is for this service and for now.
    fn believe(&self, json: &[u8], claims: &Claims<'_>, now: i64, leeway: i64) -> Result<KnownToken, Refusal> {
        let validity: Validity<'_> = serde_json::from_slice(json).map_err(|_| Refusal::MALFORMED_CLAIMS)?;
        let is_legacy = self.legacy_kubernetes && claims.kubernetes_secret.text().is_some();
        let until = match validity.exp {
            Some(exp) if now >= exp.0.saturating_add(leeway) => return Err(Refusal::Expired),
            Some(exp) => exp.0,
            None if is_legacy => i64::MAX,
            None => return Err(Refusal::NoExpiry),
        };
        let from = validity.nbf.map_or(i64::MIN, |nbf| nbf.0.saturating_sub(leeway));
        if now < from {
            return Err(Refusal::NotYetValid);
        }
        self.check_audience(&validity, is_legacy)?;
        if !self.may_name(claims.sub.text()) {
            return Err(Refusal::SpiffeId);
        }
        let actor = classify(claims).map_err(Refusal::MalformedClaims)?;
        let mut actor = actor.auth("jwt").verified();
        // Whoever signed the token vouches for the caller, whatever issuer it names. On whose behalf
        // the caller acts is the signer's word.
        actor.issuer = Some(self.name.clone());
        Ok(KnownToken { actor, from, until })
    }

    fn check_audience(&self, validity: &Validity<'_>, is_legacy: bool) -> Result<(), Refusal> {
        let names = &validity.aud.0;
        if self.any_audience || names.is_empty() && is_legacy {
            return Ok(());
        }
        if names.is_empty() {
            return Err(Refusal::NoAudience);
        }
        let is_ours = |name: &str| self.audiences.iter().any(|audience| audience == name);
        if names.iter().any(|name| is_ours(name)) { Ok(()) } else { Err(Refusal::Audience) }
    }
}

/// Negative before that.
fn seconds_since_1970() -> i64 {
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(duration) => seconds(duration),
        Err(before) => seconds(before.duration()).saturating_neg(),
    }
}

impl fmt::Debug for JwtVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trust = self.trust();
        f.debug_struct("JwtVerifier")
            .field("issuers", &trust.issuers.values())
            .field("leeway", &self.shared.leeway)
            .field("remembered", &trust.remembered.len())
            .finish()
    }
}
