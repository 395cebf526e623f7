use std::{fmt, str::FromStr};

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::{Key, METHOD, base64, from_base64, hmac, keyed, prepared, sha256, xor};

/// What a server knows of a password: its text is `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, the last three in
/// Base64, as PostgreSQL writes it.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    iterations: u32,
    salt: Vec<u8>,
    stored_key: Key,
    server_key: Key,
}

/// Why a text is no [`Verifier`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifierError {
    /// Another mechanism, or none.
    #[error("expected SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>")]
    Form,
    /// No iteration count.
    #[error("expected an iteration count from 1 to {max}", max = Verifier::ITERATIONS_MAX)]
    Iterations,
    /// The salt is no Base64, or empty.
    #[error("expected a salt in Base64")]
    Salt,
    /// A key is no 32 bytes in Base64.
    #[error("expected keys of 32 bytes in Base64")]
    Key,
}

/// A password on its way to its salted form, some iterations at a time: many thousand in one go would keep a thread from its other
/// connections.
pub(crate) struct Salting {
    mac: Hmac<Sha256>,
    last: Key,
    sum: Key,
    left: u32,
}

impl Verifier {
    /// As many as make a guess cost some milliseconds, and a thousand clients that come back at once some seconds.
    pub const ITERATIONS: u32 = 15_000;
    /// More would take seconds.
    pub const ITERATIONS_MAX: u32 = 10_000_000;

    /// Of a password. `salt` is chance, 16 bytes or more; `iterations` is at least 1.
    pub fn new(password: &[u8], salt: Vec<u8>, iterations: u32) -> Self {
        let salted = Salting::new(password, &salt, iterations).finish();
        let (client_key, server_key) = keys(&salted);
        Self {
            iterations,
            salt,
            stored_key: sha256(&client_key),
            server_key,
        }
    }

    /// One that no password matches; otherwise it looks like those of the same iterations, and the same each time for a name.
    pub(in crate::authentication) fn of_nobody(secret: &Key, name: &str, iterations: u32) -> Self {
        let part = |purpose: &str| hmac(secret, format!("{purpose},{name}").as_bytes());
        let mut salt = part("salt").to_vec();
        salt.truncate(SALT_LEN);
        Self {
            iterations,
            salt,
            stored_key: part("stored key"),
            server_key: part("server key"),
        }
    }

    /// How many times a password is hashed.
    pub const fn iterations(&self) -> u32 {
        self.iterations
    }

    pub(super) fn salt(&self) -> &[u8] {
        &self.salt
    }

    pub(in crate::authentication) const fn stored_key(&self) -> &Key {
        &self.stored_key
    }

    /// Begins to salt a password as this one was.
    pub(in crate::authentication) fn salting(&self, password: &[u8]) -> Salting {
        Salting::new(password, &self.salt, self.iterations)
    }

    /// Whether a salted password is this one's.
    pub(in crate::authentication) fn matches(&self, salted: &Key) -> bool {
        let (client_key, _) = keys(salted);
        sha256(&client_key).ct_eq(&self.stored_key).into()
    }

    /// Whether a client's proof shows that it knows the password, in the exchange `auth_message`.
    pub(super) fn proves(&self, proof: &Key, auth_message: &str) -> bool {
        let client_key = xor(hmac(&self.stored_key, auth_message.as_bytes()), proof);
        sha256(&client_key).ct_eq(&self.stored_key).into()
    }

    /// What shows the client that the server knows of it.
    pub(super) fn signature(&self, auth_message: &str) -> Key {
        hmac(&self.server_key, auth_message.as_bytes())
    }
}

/// Client Key and Server Key.
pub(super) fn keys(salted: &Key) -> (Key, Key) {
    (hmac(salted, b"Client Key"), hmac(salted, b"Server Key"))
}

impl Salting {
    pub(super) fn new(password: &[u8], salt: &[u8], iterations: u32) -> Self {
        let prepared = std::str::from_utf8(password).map(prepared);
        let mac = keyed(prepared.as_ref().map_or(password, |password| password.as_bytes()));
        let first = mac.clone().chain_update(salt).chain_update([0, 0, 0, 1]);
        let first: Key = first.finalize().into_bytes().into();
        Self {
            mac,
            last: first,
            sum: first,
            left: iterations.saturating_sub(1),
        }
    }

    /// Goes on for so many iterations; the salted password when that was all.
    pub(in crate::authentication) fn advance(&mut self, iterations: u32) -> Option<Key> {
        let now = iterations.min(self.left);
        for _ in 0..now {
            self.last = self
                .mac
                .clone()
                .chain_update(self.last)
                .finalize()
                .into_bytes()
                .into();
            self.sum = xor(self.sum, &self.last);
        }
        self.left -= now;
        (self.left == 0).then_some(self.sum)
    }

    pub(super) fn finish(mut self) -> Key {
        self.advance(u32::MAX);
        self.sum
    }
}

impl FromStr for Verifier {
    type Err = VerifierError;

    fn from_str(text: &str) -> Result<Self, VerifierError> {
        let mut parts = text.split('$');
        let (Some(METHOD), Some(salting), Some(keys), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(VerifierError::Form);
        };
        let (iterations, salt) = salting.split_once(':').ok_or(VerifierError::Form)?;
        let (stored_key, server_key) = keys.split_once(':').ok_or(VerifierError::Form)?;
        let iterations = iterations
            .parse()
            .ok()
            .filter(|it| (1..=Self::ITERATIONS_MAX).contains(it));
        let salt = from_base64(salt).filter(|salt| !salt.is_empty());
        Ok(Self {
            iterations: iterations.ok_or(VerifierError::Iterations)?,
            salt: salt.ok_or(VerifierError::Salt)?,
            stored_key: key(stored_key)?,
            server_key: key(server_key)?,
        })
    }
}

fn key(text: &str) -> Result<Key, VerifierError> {
    let bytes = from_base64(text).ok_or(VerifierError::Key)?;
    bytes.try_into().map_err(|_| VerifierError::Key)
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [salt, stored_key, server_key] = [&*self.salt, &self.stored_key, &self.server_key].map(base64);
        write!(f, "{METHOD}${}:{salt}${stored_key}:{server_key}", self.iterations)
    }
}

impl fmt::Debug for Verifier {
    /// Without what somebody could guess the password by.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

/// Bytes of a salt.
const SALT_LEN: usize = 16;
