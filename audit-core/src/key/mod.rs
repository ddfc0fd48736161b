//! Keys that sign checkpoints, and keys that check them.
//!
//! * [`Key`] signs: a name, and an Ed25519 private key that it holds itself or that some
//!   [`Signer`] holds for it (a hardware module, a key service).
//! * [`VerifierKey`] checks: one line of text that may be published.
//!
//! Both are written as C2SP signed-note keys. A key is bound to its name: the key id is derived
//! from the two. The private half can serve many logs, each under its own name: see
//! [`Key::with_name`] and [`VerifierKey::for_origin`].

mod error;
mod file;
mod name;
mod signing;
mod verifier;

pub use error::{KeyError, SignError};
pub use name::NAME_LIMIT;
pub(crate) use name::fault_in_name;
pub use signing::{Key, Signer};
pub use verifier::VerifierKey;
