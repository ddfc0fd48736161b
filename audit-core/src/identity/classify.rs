//! From the claims of a token to the kind of caller that holds it.

use crate::record::{Actor, ActorType, Principal};

use super::claims::{Claims, Delegate};

/// The issuer of GitHub Actions on github.com; a GitHub server ends its own with the suffix below.
const GITHUB_ACTIONS: &str = "https://token.actions.githubusercontent.com";
const GITHUB_SERVER_SUFFIX: &str = "/_services/token";

/// The most principals that an actor may act for, which is what a record has room for.
const PRINCIPALS: usize = 8;

/// The actor that `claims` describe, or why there is none. Not verified: that is for whoever
/// checked the signature.
pub(super) fn classify(claims: &Claims<'_>) -> Result<Actor, &'static str> {
    let subject = Holder::of(claims);
    let mut actor = match &claims.act {
        None => {
            let mut actor = Actor::new(subject.kind);
            actor.id = subject.id.map(str::to_owned);
            actor.issuer = claims.iss.text().map(str::to_owned);
            actor
        }
        Some(delegate) => delegated(claims, &subject, delegate)?,
    };
    if let Some(starter) = claims.actor.text().filter(|_| is_github(claims)) {
        let mut principal = Principal::new(ActorType::User, starter);
        principal.issuer = claims.iss.text().map(str::to_owned);
        actor.on_behalf_of.push(principal);
    }
    let credential = (claims.jti.text()).or(claims.uti.text()).or(claims.kubernetes_secret.text());
    actor.credential = credential.map(str::to_owned);
    Ok(actor)
}

/// Who acts when the token says that somebody acts for its subject (RFC 8693 §4.1): the outermost
/// party, on behalf of those that acted before it, latest first, and of the subject at last.
fn delegated(claims: &Claims<'_>, subject: &Holder<'_>, delegate: &Delegate<'_>) -> Result<Actor, &'static str> {
    // Counted first: a name may be long, and each party gets its own copy of the issuer's.
    if delegate.chain().skip(1).count() + usize::from(subject.id.is_some()) > PRINCIPALS {
        return Err("malformed token: more than 8 parties in act");
    }
    let mut actor = Actor::new(delegate_kind(claims, delegate));
    actor.id = delegate_id(delegate).map(str::to_owned);
    actor.issuer = delegate_issuer(claims, delegate);
    for earlier in delegate.chain().skip(1) {
        // Without a name it is still a party.
        let mut principal = Principal::new(delegate_kind(claims, earlier), delegate_id(earlier).unwrap_or_default());
        principal.issuer = delegate_issuer(claims, earlier);
        actor.on_behalf_of.push(principal);
    }
    if let Some(id) = subject.id {
        let mut principal = Principal::new(subject.kind, id);
        principal.issuer = claims.iss.text().map(str::to_owned);
        actor.on_behalf_of.push(principal);
    }
    Ok(actor)
}

fn delegate_id<'a>(delegate: &'a Delegate<'_>) -> Option<&'a str> {
    delegate.sub.text().or(delegate.client_id.text())
}

fn delegate_issuer(claims: &Claims<'_>, delegate: &Delegate<'_>) -> Option<String> {
    delegate.iss.text().or(claims.iss.text()).map(str::to_owned)
}

fn delegate_kind(claims: &Claims<'_>, delegate: &Delegate<'_>) -> ActorType {
    let is_service = delegate_id(delegate)
        .is_some_and(|id| is_workload_name(id) || is_client(claims, id) || delegate.client_id.is(id));
    if is_service { ActorType::ServiceAccount } else { ActorType::Unknown }
}

/// The subject of a token.
struct Holder<'a> {
    kind: ActorType,
    id: Option<&'a str>,
}

impl<'a> Holder<'a> {
    fn of(claims: &'a Claims<'_>) -> Self {
        let id = (claims.sub.text()).or(claims.client_id.text()).or(claims.azp.text()).or(claims.appid.text());
        if let Some(name) = google_account(claims).or(keycloak_account(claims)) {
            return Self { kind: ActorType::ServiceAccount, id: Some(name) };
        }
        let kind = if is_service_account(claims) {
            ActorType::ServiceAccount
        } else if is_human(claims) {
            ActorType::User
        } else {
            ActorType::Unknown
        };
        Self { kind, id }
    }
}

fn is_service_account(claims: &Claims<'_>) -> bool {
    let Some(subject) = claims.sub.text() else {
        return entra_says(claims, "app");
    };
    is_workload_name(subject)
        || is_github(claims)
        || is_auth0_client(claims, subject)
        || entra_says(claims, "app")
        || is_entra_application(claims, subject)
        || is_okta_client(claims, subject)
        || is_cognito_client(claims, subject)
        || is_client(claims, subject) && !has_login(claims)
}

/// Signs of a login, a user directory, or a client that is not the subject.
fn is_human(claims: &Claims<'_>) -> bool {
    let has_other_client = [&claims.client_id, &claims.azp, &claims.cid, &claims.appid]
        .iter()
        .any(|client| client.text().is_some() && client.text() != claims.sub.text());
    entra_says(claims, "user")
        || has_login(claims)
        || has_other_client && claims.sub.text().is_some()
        || claims.email.text().is_some()
        || claims.preferred_username.text().is_some()
        || claims.username.text().is_some()
        || claims.uid.text().is_some()
}

/// A name that only workloads have: a Kubernetes service account, or a SPIFFE ID.
fn is_workload_name(name: &str) -> bool {
    name.starts_with("system:serviceaccount:") || name.starts_with("spiffe://")
}

/// No resource owner took part: the subject is the client itself (RFC 9068 §2.2).
fn is_client(claims: &Claims<'_>, subject: &str) -> bool {
    claims.client_id.is(subject) || claims.azp.is(subject)
}

/// Claims about a human's authentication (RFC 9068 §2.2.1).
const fn has_login(claims: &Claims<'_>) -> bool {
    claims.auth_time.is_present() || claims.acr.is_present() || claims.amr.is_present()
}

fn is_github(claims: &Claims<'_>) -> bool {
    claims.iss.text().is_some_and(|issuer| issuer == GITHUB_ACTIONS || issuer.ends_with(GITHUB_SERVER_SUFFIX))
}

fn is_auth0_client(claims: &Claims<'_>, subject: &str) -> bool {
    claims.gty.is("client-credentials") || subject.ends_with("@clients")
}

fn entra_says(claims: &Claims<'_>, kind: &str) -> bool {
    claims.idtyp.is(kind)
}

/// An application of Entra ID, or a managed identity: no scopes that a user granted.
fn is_entra_application(claims: &Claims<'_>, subject: &str) -> bool {
    claims.oid.is(subject) && !claims.scp.is_present() && (claims.roles.is_present() || claims.xms_mirid.is_present())
}

fn is_okta_client(claims: &Claims<'_>, subject: &str) -> bool {
    claims.cid.is(subject) && !claims.uid.is_present()
}

fn is_cognito_client(claims: &Claims<'_>, subject: &str) -> bool {
    claims.token_use.is("access") && !claims.username.is_present() && claims.client_id.is(subject)
}

/// The address of a Google service account, which says more than its number.
fn google_account<'a>(claims: &'a Claims<'_>) -> Option<&'a str> {
    let issuer = claims.iss.text()?;
    let is_google = matches!(issuer, "https://accounts.google.com" | "accounts.google.com");
    let address = claims.email.text().filter(|_| is_google).or_else(|| {
        // A token that the account signed itself.
        claims.sub.text().filter(|subject| *subject == issuer)
    })?;
    let (_, domain) = address.split_once('@')?;
    domain.ends_with(".gserviceaccount.com").then_some(address)
}

/// The account that Keycloak makes for a client, which says more than its random subject.
fn keycloak_account<'a>(claims: &'a Claims<'_>) -> Option<&'a str> {
    let name = claims.preferred_username.text()?;
    let client = name.strip_prefix("service-account-")?;
    let is_own = claims.azp.is(client) || claims.client_id.is(client);
    is_own.then_some(name)
}
