//! The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), of its own: our node's cannot test its own blind spots.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::User;

/// The Authentication Method.
pub(crate) const METHOD: &str = "SCRAM-SHA-256";

/// What answers a challenge, and what the server then has to show.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) client_final: String,
    pub(crate) server_final: String,
}

type Key = [u8; 32];

/// A server may ask for more, and then the exchange is not done: it would take seconds.
const ITERATIONS_MAX: u32 = 1_000_000;

impl User {
    /// The first message of an exchange.
    pub(crate) fn first(&self, nonce: &str) -> String {
        format!("n,,{}", self.first_bare(nonce))
    }

    /// The answer to the server's first message; `None` for what is none, or does not go on from the nonce.
    pub(crate) fn answer(&self, nonce: &str, server_first: &str) -> Option<Answer> {
        let mut attributes = server_first.split(',');
        let server_nonce = attributes.next()?.strip_prefix("r=")?;
        let salt = BASE64
            .decode(attributes.next()?.strip_prefix("s=")?.as_bytes())
            .ok()?;
        let iterations: u32 = attributes.next()?.strip_prefix("i=")?.parse().ok()?;
        if !server_nonce.starts_with(nonce) || !(1..=ITERATIONS_MAX).contains(&iterations) {
            return None;
        }
        let without_proof = format!("c={},r={server_nonce}", BASE64.encode(b"n,,"));
        let auth_message = format!("{},{server_first},{without_proof}", self.first_bare(nonce));
        let salted = salted(self.password.as_bytes(), &salt, iterations);
        let client_key = mac(&salted, &[b"Client Key"]);
        let signature = mac(&Sha256::digest(client_key), &[auth_message.as_bytes()]);
        let shown = mac(&mac(&salted, &[b"Server Key"]), &[auth_message.as_bytes()]);
        Some(Answer {
            client_final: format!(
                "{without_proof},p={}",
                BASE64.encode(&xor(client_key, &signature))
            ),
            server_final: format!("v={}", BASE64.encode(&shown)),
        })
    }

    fn first_bare(&self, nonce: &str) -> String {
        let name = self.name.replace('=', "=3D").replace(',', "=2C");
        format!("n={name},r={nonce}")
    }
}

/// Hi() of RFC 5802, which is PBKDF2 for one block.
fn salted(password: &[u8], salt: &[u8], iterations: u32) -> Key {
    let mut last = mac(password, &[salt, &1_u32.to_be_bytes()]);
    let mut sum = last;
    for _ in 1..iterations {
        last = mac(password, &[&last]);
        sum = xor(sum, &last);
    }
    sum
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Key {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

fn xor(mut left: Key, right: &Key) -> Key {
    left.iter_mut()
        .zip(right)
        .for_each(|(byte, other)| *byte ^= other);
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7677, section 3.
    #[test]
    fn the_exchange_of_rfc_7677_comes_out_as_written_there() {
        let user = User {
            name: "user".into(),
            password: "pencil".into(),
        };
        let nonce = "rOprNGfwEbeRWgbNEkqO";
        assert_eq!(user.first(nonce), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let answer = user.answer(
            nonce,
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        );
        let written = Answer {
            client_final: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                           p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
                .into(),
            server_final: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=".into(),
        };
        assert_eq!(answer, Some(written));
    }
}
