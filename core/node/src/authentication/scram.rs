//! SCRAM-SHA-256 (RFC 5802, RFC 7677): the keys, and the messages that `client` and `server` exchange.
//!
//! The server keeps a [`Verifier`] a user. It shows whether a client knows the password, and does not let its holder be that client.

mod client;
mod message;
mod server;
mod verifier;

pub(super) use self::server::ScramExchange;
pub use self::{
    client::Scram,
    verifier::{Verifier, VerifierError},
};

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// The Authentication Method.
pub(super) const METHOD: &str = "SCRAM-SHA-256";

/// What SHA-256 makes of anything.
pub(super) type Key = [u8; 32];

pub(super) fn hmac(key: &[u8], text: &[u8]) -> Key {
    keyed(key).chain_update(text).finalize().into_bytes().into()
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of every length")
}

pub(super) fn sha256(bytes: &[u8]) -> Key {
    Sha256::digest(bytes).into()
}

fn xor(left: Key, right: &Key) -> Key {
    let mut both = left;
    for (byte, other) in both.iter_mut().zip(right) {
        *byte ^= other;
    }
    both
}

/// A name or password in the form in which it is compared (SASLprep). What that form forbids is taken as it is: it must be said in
/// the same way each time.
pub(super) fn prepared(text: &str) -> String {
    stringprep::saslprep(text).map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}

pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64.encode(bytes.as_ref())
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.as_bytes()).ok()
}
