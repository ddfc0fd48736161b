use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, PoisonError, RwLock};

use sha2::{Digest, Sha256};

use crate::record::{Actor, Principal};

/// The most bytes of names in an actor that is remembered.
const NAMES_LIMIT: usize = 4 * 1_024;

/// SHA-256 of a whole token, signature included.
pub(super) type TokenDigest = [u8; 32];

pub(super) fn digest(token: &[u8]) -> TokenDigest {
    Sha256::digest(token).into()
}

/// What is known of a token whose signature was checked.
pub(super) struct KnownToken {
    pub(super) actor: Actor,
    /// The first second, since 1970, in which the token may be used.
    pub(super) from: i64,
    /// The first second in which it may not be used any more.
    pub(super) until: i64,
}

impl KnownToken {
    /// How long all names in the actor are, in bytes.
    fn names(&self) -> usize {
        let actor = &self.actor;
        let own = [&actor.id, &actor.issuer, &actor.auth, &actor.credential];
        let own: usize = own.into_iter().flatten().map(String::len).sum();
        let of = |principal: &Principal| principal.id.len() + principal.issuer.as_ref().map_or(0, String::len);
        own + actor.on_behalf_of.iter().map(of).sum::<usize>()
    }
}

/// Tokens whose signatures were checked with the keys in use, by digest. Bounded: when the recent
/// ones fill half of the room they become the older ones, and what was older is forgotten.
pub(super) struct RememberedTokens {
    limit: usize,
    generations: RwLock<Generations>,
}

#[derive(Default)]
struct Generations {
    recent: HashMap<TokenDigest, Arc<KnownToken>>,
    older: HashMap<TokenDigest, Arc<KnownToken>>,
}

impl RememberedTokens {
    /// Room for `limit` tokens; none at all for 0.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, generations: RwLock::default() }
    }

    pub(super) fn get(&self, digest: &TokenDigest) -> Option<Arc<KnownToken>> {
        if self.limit == 0 {
            return None;
        }
        let generations = self.generations.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = generations.recent.get(digest) {
            return Some(Arc::clone(known));
        }
        let known = Arc::clone(generations.older.get(digest)?);
        drop(generations);
        self.insert(*digest, Arc::clone(&known));
        Some(known)
    }

    pub(super) fn insert(&self, digest: TokenDigest, known: Arc<KnownToken>) {
        if self.limit == 0 || known.names() > NAMES_LIMIT {
            return;
        }
        let half = (self.limit / 2).max(1);
        let mut forgotten = HashMap::new();
        let mut generations = self.generations.write().unwrap_or_else(PoisonError::into_inner);
        if generations.recent.len() >= half {
            forgotten = mem::take(&mut generations.recent);
            // Room for one is no room for two halves.
            if self.limit > 1 {
                mem::swap(&mut generations.older, &mut forgotten);
            }
        }
        generations.recent.insert(digest, known);
        drop(generations);
        // Freed without the lock.
        drop(forgotten);
    }

    /// How many are remembered, twice when they are both recent and older.
    pub(super) fn len(&self) -> usize {
        let generations = self.generations.read().unwrap_or_else(PoisonError::into_inner);
        generations.recent.len() + generations.older.len()
    }
}
