/// Who is asking, in the words of the CloudEvents `authtype` attribute
/// (CloudEvents auth context extension 1.0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ActorType {
    /// A workload that acts for no human.
    ServiceAccount,
    /// A human.
    User,
    /// An end user of the application, known to the application only.
    AppUser,
    /// The holder of an API key.
    ApiKey,
    /// The platform itself.
    System,
    /// Nobody: no credential, or one that was refused.
    Unauthenticated,
    /// A credential was there, and does not say what kind of caller holds it.
    Unknown,
}

impl ActorType {
    /// Every type, in the order of declaration.
    pub const ALL: [Self; 7] = [
        Self::ServiceAccount,
        Self::User,
        Self::AppUser,
        Self::ApiKey,
        Self::System,
        Self::Unauthenticated,
        Self::Unknown,
    ];

    /// The word that stands in a record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServiceAccount => "service_account",
            Self::User => "user",
            Self::AppUser => "app_user",
            Self::ApiKey => "api_key",
            Self::System => "system",
            Self::Unauthenticated => "unauthenticated",
            Self::Unknown => "unknown",
        }
    }

    /// The type that `word` names, if any.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A principal on whose behalf an [`Actor`] acts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Principal {
    /// What kind of principal.
    pub kind: ActorType,
    /// Its name within `issuer`.
    pub id: String,
    /// Who says so.
    pub issuer: Option<String>,
}

impl Principal {
    /// A principal with no issuer.
    #[must_use]
    pub fn new(kind: ActorType, id: impl Into<String>) -> Self {
        Self { kind, id: id.into(), issuer: None }
    }

    /// Names who vouches for the principal.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }
}

/// The caller of an activity.
///
/// Holds names, never secrets: `credential` is a key id, a `jti` or a certificate fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Actor {
    /// What kind of caller.
    pub kind: ActorType,
    /// The caller's name within `issuer`.
    pub id: Option<String>,
    /// Who vouches for the name.
    pub issuer: Option<String>,
    /// How the caller showed who it is: `jwt`, `mtls`, `api_key`, `sigv4`, …
    pub auth: Option<String>,
    /// Which credential was used, never the credential itself.
    pub credential: Option<String>,
    /// Whether this process, or the host's own authentication in it, checked the credential.
    pub verified: bool,
    /// For whom the caller acts, nearest first.
    pub on_behalf_of: Vec<Principal>,
    /// Why a credential that was presented is not believed, e.g. `expired`.
    pub reason: Option<String>,
}

impl Actor {
    /// An actor of the given kind without a name.
    #[must_use]
    pub const fn new(kind: ActorType) -> Self {
        Self {
            kind,
            id: None,
            issuer: None,
            auth: None,
            credential: None,
            verified: false,
            on_behalf_of: Vec::new(),
            reason: None,
        }
    }

    /// A service account by name. Not verified until [`verified`](Self::verified) says so.
    #[must_use]
    pub fn service_account(id: impl Into<String>) -> Self {
        Self::new(ActorType::ServiceAccount).id(id)
    }

    /// A human by name. Not verified until [`verified`](Self::verified) says so.
    #[must_use]
    pub fn user(id: impl Into<String>) -> Self {
        Self::new(ActorType::User).id(id)
    }

    /// Nobody: no credential was presented.
    #[must_use]
    pub const fn unauthenticated() -> Self {
        Self::new(ActorType::Unauthenticated)
    }

    /// A caller that could not be classified.
    #[must_use]
    pub const fn unknown() -> Self {
        Self::new(ActorType::Unknown)
    }

    /// Sets the name.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets who vouches for the name.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Sets how the caller authenticated.
    #[must_use]
    pub fn auth(mut self, auth: impl Into<String>) -> Self {
        self.auth = Some(auth.into());
        self
    }

    /// Sets which credential was used: an identifier, never a secret.
    #[must_use]
    pub fn credential(mut self, credential: impl Into<String>) -> Self {
        self.credential = Some(credential.into());
        self
    }

    /// Says that this process checked the credential. Only then can a policy rule match the actor.
    #[must_use]
    pub const fn verified(mut self) -> Self {
        self.verified = true;
        self
    }

    /// Adds a principal for whom the caller acts.
    #[must_use]
    pub fn on_behalf_of(mut self, principal: Principal) -> Self {
        self.on_behalf_of.push(principal);
        self
    }

    /// Says why a presented credential is not believed.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}
