use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The claims that tell who holds a token (RFC 7519 §4, RFC 9068 §2.2, and those of well-known
/// issuers). A claim of an unexpected type counts as absent; a claim that stands twice makes the
/// token malformed (RFC 7519 §4), because another reader may take the other one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Claims<'a> {
    #[serde(borrow)]
    pub(super) sub: Claim<'a>,
    #[serde(borrow)]
    pub(super) iss: Claim<'a>,
    #[serde(borrow)]
    pub(super) jti: Claim<'a>,
    /// Entra ID's name for `jti`.
    #[serde(borrow)]
    pub(super) uti: Claim<'a>,
    #[serde(borrow)]
    pub(super) client_id: Claim<'a>,
    #[serde(borrow)]
    pub(super) azp: Claim<'a>,
    /// Okta's name for `client_id`.
    #[serde(borrow)]
    pub(super) cid: Claim<'a>,
    /// Entra ID's name for `azp` in version 1 tokens.
    #[serde(borrow)]
    pub(super) appid: Claim<'a>,
    #[serde(borrow)]
    pub(super) oid: Claim<'a>,
    #[serde(borrow)]
    pub(super) idtyp: Claim<'a>,
    #[serde(borrow)]
    pub(super) xms_mirid: Claim<'a>,
    /// Okta's name of a human.
    #[serde(borrow)]
    pub(super) uid: Claim<'a>,
    /// Auth0's grant type.
    #[serde(borrow)]
    pub(super) gty: Claim<'a>,
    #[serde(borrow)]
    pub(super) email: Claim<'a>,
    #[serde(borrow)]
    pub(super) preferred_username: Claim<'a>,
    /// Cognito's name of a human.
    #[serde(borrow)]
    pub(super) username: Claim<'a>,
    #[serde(borrow)]
    pub(super) token_use: Claim<'a>,
    #[serde(borrow)]
    pub(super) scp: Claim<'a>,
    #[serde(borrow)]
    pub(super) roles: Claim<'a>,
    #[serde(borrow)]
    pub(super) auth_time: Claim<'a>,
    #[serde(borrow)]
    pub(super) acr: Claim<'a>,
    #[serde(borrow)]
    pub(super) amr: Claim<'a>,
    /// GitHub Actions: who started the run.
    #[serde(borrow)]
    pub(super) actor: Claim<'a>,
    /// The name of the secret that a legacy Kubernetes token is kept in.
    #[serde(borrow, rename = "kubernetes.io/serviceaccount/secret.name")]
    pub(super) kubernetes_secret: Claim<'a>,
    /// Who acts for `sub` (RFC 8693 §4.1).
    #[serde(borrow, deserialize_with = "object_or_null")]
    pub(super) act: Option<Box<Delegate<'a>>>,
}

impl<'a> Claims<'a> {
    /// The claims in `json`, if that is a JSON object in which each of them stands once.
    pub(super) fn parse(json: &'a [u8]) -> Option<Self> {
        // A sequence would be taken for the claims in the order of their declaration.
        let is_object = json.trim_ascii_start().first() == Some(&b'{');
        is_object.then(|| serde_json::from_slice(json).ok())?
    }
}

/// The value of a claim, as far as it matters.
#[derive(Debug, Default)]
pub(super) enum Claim<'a> {
    #[default]
    Absent,
    Text(Cow<'a, str>),
    /// Present, and neither a text nor `null`.
    Other,
}

impl Claim<'_> {
    /// The text, if it is one and not empty.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// Whether the text is this one.
    pub(super) fn is(&self, text: &str) -> bool {
        self.text() == Some(text)
    }

    /// Whether the claim says anything.
    pub(super) const fn is_present(&self) -> bool {
        !matches!(self, Self::Absent)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Claim<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ClaimVisitor)
    }
}

struct ClaimVisitor;

impl<'de> Visitor<'de> for ClaimVisitor {
    type Value = Claim<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Claim::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Claim::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Claim::Absent)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Claim::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Claim::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Claim::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Claim::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Claim::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Claim::Other)
    }
}

/// The claim `act`: who acts, and inside of it who acted before (RFC 8693 §4.1).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Delegate<'a> {
    #[serde(borrow)]
    pub(super) sub: Claim<'a>,
    #[serde(borrow)]
    pub(super) iss: Claim<'a>,
    #[serde(borrow)]
    pub(super) client_id: Claim<'a>,
    #[serde(borrow, deserialize_with = "object_or_null")]
    pub(super) act: Option<Box<Delegate<'a>>>,
}

impl<'a> Delegate<'a> {
    /// This party, and those that acted before it, latest first.
    pub(super) fn chain(&self) -> impl Iterator<Item = &Delegate<'a>> {
        std::iter::successors(Some(self), |delegate| delegate.act.as_deref())
    }
}

/// Takes an object or `null` for the claim `act`, and nothing else. How deep objects nest is
/// bounded by `serde_json`: 128.
fn object_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<Delegate<'de>>>, D::Error> {
    deserializer.deserialize_any(DelegateVisitor)
}

struct DelegateVisitor;

impl<'de> Visitor<'de> for DelegateVisitor {
    type Value = Option<Box<Delegate<'de>>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        let delegate = Delegate::deserialize(MapAccessDeserializer::new(members))?;
        Ok(Some(Box::new(delegate)))
    }
}
