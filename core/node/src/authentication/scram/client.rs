use std::{fmt, future::ready, ops::RangeInclusive, str, sync::Arc};

use bytes::Bytes;
use parking_lot::Mutex;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use squall_proto::{Binary, Text, client::Distrust};
use subtle::ConstantTimeEq as _;

use super::{
    Key, METHOD, base64, hmac,
    message::{self, ServerFirst},
    sha256,
    verifier::{Salting, keys},
    xor,
};
use crate::client::{Authentication, Beginning, Exchange};

/// The client's side of SCRAM-SHA-256: it shows that it knows a password without saying it, and the server has to show that it knows
/// of it too.
pub struct Scram {
    user: String,
    password: Vec<u8>,
    iterations: RangeInclusive<u32>,
    nonces: Mutex<StdRng>,
    salted: Arc<Mutex<Option<Salted>>>,
}

/// What was computed last, which the next connection most likely needs again.
struct Salted {
    salt: Vec<u8>,
    iterations: u32,
    password: Key,
}

impl Scram {
    /// `seed` is chance that nobody foresees: from the operating system in production.
    pub fn new(user: impl Into<String>, password: impl Into<Vec<u8>>, seed: [u8; 32]) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
            iterations: Self::ITERATIONS,
            nonces: Mutex::new(StdRng::from_seed(seed)),
            salted: Arc::default(),
        }
    }

    /// How many times a server may have the password hashed: fewer would make what the client shows easy to guess from, more would
    /// stop it for seconds.
    pub const ITERATIONS: RangeInclusive<u32> = 4_096..=1_000_000;

    /// With other bounds than [`Scram::ITERATIONS`].
    #[must_use]
    pub fn with_iterations(mut self, iterations: RangeInclusive<u32>) -> Self {
        self.iterations = iterations;
        self
    }

    fn exchange(&self) -> ScramExchange {
        let mut nonce = [0; 18];
        self.nonces.lock().fill_bytes(&mut nonce);
        let nonce = base64(nonce);
        ScramExchange {
            first_bare: message::client_first_bare(&self.user, &nonce),
            nonce,
            password: self.password.clone(),
            iterations: self.iterations.clone(),
            salted: Arc::clone(&self.salted),
            signature: None,
        }
    }
}

impl Authentication for Scram {
    fn method(&self) -> Text {
        Text::new(METHOD).expect("an ASCII name is a legal string")
    }

    fn begin(&self) -> Beginning<'_> {
        let exchange: Box<dyn Exchange> = Box::new(self.exchange());
        Box::pin(ready(Ok(exchange)))
    }
}

struct ScramExchange {
    first_bare: String,
    nonce: String,
    password: Vec<u8>,
    iterations: RangeInclusive<u32>,
    salted: Arc<Mutex<Option<Salted>>>,
    /// What the server has to show, once it has been answered.
    signature: Option<Key>,
}

impl ScramExchange {
    fn salt(&self, first: &ServerFirst<'_>) -> Key {
        let mut salted = self.salted.lock();
        if let Some(last) = &*salted
            && last.salt == first.salt
            && last.iterations == first.iterations
        {
            return last.password;
        }
        let password = Salting::new(&self.password, &first.salt, first.iterations).finish();
        *salted = Some(Salted {
            salt: first.salt.clone(),
            iterations: first.iterations,
            password,
        });
        password
    }

    fn last(&mut self, text: &str) -> Option<String> {
        let first = ServerFirst::parse(text)?;
        let fresh = first
            .nonce
            .strip_prefix(&*self.nonce)
            .is_some_and(|server| !server.is_empty());
        // Once answered, the server has shown all it may ask.
        if !fresh || !self.iterations.contains(&first.iterations) || self.signature.is_some() {
            return None;
        }
        let (client_key, server_key) = keys(&self.salt(&first));
        let without_proof = message::client_final_without_proof(first.nonce);
        let auth_message = message::auth_message(&self.first_bare, text, &without_proof);
        let stored_key = sha256(&client_key);
        let proof = xor(hmac(&stored_key, auth_message.as_bytes()), &client_key);
        self.signature = Some(hmac(&server_key, auth_message.as_bytes()));
        Some(message::client_final(&without_proof, &proof))
    }
}

impl Exchange for ScramExchange {
    fn first(&mut self) -> Result<Option<Binary>, Distrust> {
        binary(message::client_first(&self.first_bare))
    }

    fn answer(&mut self, challenge: Option<Binary>) -> Result<Option<Binary>, Distrust> {
        let challenge = challenge.ok_or(Distrust)?;
        let text = str::from_utf8(&challenge).map_err(|_| Distrust)?;
        binary(self.last(text).ok_or(Distrust)?)
    }

    fn finish(&mut self, data: Option<Binary>) -> Result<(), Distrust> {
        let data = data.ok_or(Distrust)?;
        let text = str::from_utf8(&data).map_err(|_| Distrust)?;
        let shown = message::signature(text).ok_or(Distrust)?;
        let expected = self.signature.ok_or(Distrust)?;
        if bool::from(shown.ct_eq(&expected)) {
            Ok(())
        } else {
            Err(Distrust)
        }
    }
}

fn binary(text: String) -> Result<Option<Binary>, Distrust> {
    Binary::new(Bytes::from(text)).map(Some).map_err(|_| Distrust)
}

impl fmt::Debug for Scram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scram")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ScramExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramExchange").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exchange of RFC 7677, section 3.
    fn exchange() -> ScramExchange {
        let nonce = "rOprNGfwEbeRWgbNEkqO";
        ScramExchange {
            nonce: nonce.to_owned(),
            first_bare: message::client_first_bare("user", nonce),
            ..Scram::new("user", "pencil", [0; 32]).exchange()
        }
    }

    const SERVER_FIRST: &str =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    const CLIENT_FINAL: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                                p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    const SERVER_FINAL: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    fn data(text: &str) -> Option<Binary> {
        binary(text.to_owned()).expect("not too long")
    }

    #[test]
    fn the_exchange_of_rfc_7677_comes_out_as_written_there() {
        let mut exchange = exchange();
        assert_eq!(exchange.first(), Ok(data("n,,n=user,r=rOprNGfwEbeRWgbNEkqO")));
        assert_eq!(exchange.answer(data(SERVER_FIRST)), Ok(data(CLIENT_FINAL)));
        assert_eq!(exchange.finish(data(SERVER_FINAL)), Ok(()));
    }

    #[test]
    fn a_server_that_does_not_know_the_password_is_found_out() {
        for last in [
            Some("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5="),
            Some("v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
            Some("v="),
            Some("e=invalid-proof"),
            None,
        ] {
            let mut exchange = exchange();
            exchange.answer(data(SERVER_FIRST)).expect("a right challenge");
            assert_eq!(exchange.finish(last.and_then(data)), Err(Distrust), "{last:?}");
        }
    }

    #[test]
    fn a_server_that_challenges_nobody_is_not_believed() {
        assert_eq!(exchange().finish(data(SERVER_FINAL)), Err(Distrust));
    }

    #[test]
    fn a_challenge_must_go_on_from_the_clients_nonce_and_hash_often_enough() {
        for challenge in [
            "r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1000001",
            "",
        ] {
            assert_eq!(exchange().answer(data(challenge)), Err(Distrust), "{challenge}");
        }
        let mut twice = exchange();
        twice.answer(data(SERVER_FIRST)).expect("a right challenge");
        assert_eq!(twice.answer(data(SERVER_FIRST)), Err(Distrust));
    }

    #[test]
    fn no_two_exchanges_begin_alike() {
        let scram = Scram::new("user", "pencil", [7; 32]);
        assert_ne!(scram.exchange().first(), scram.exchange().first());
    }
}
