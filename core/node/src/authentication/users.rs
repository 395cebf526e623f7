use std::{fmt, future::ready, sync::Arc};

use parking_lot::Mutex;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use squall_proto::{ReasonCode, broker::Credentials};

use super::{
    Applicant, Authenticator, Checking, Exchange, UserFile, Verifier,
    password::Checks,
    scram::{Key, METHOD, ScramExchange, base64, hmac, sha256},
};

/// The built-in [`Authenticator`]: users and their salted keys. Each may come with User Name and Password, in both versions, or by
/// SCRAM-SHA-256 in 5.0. A name that nobody has is refused as a wrong password is, after as long a time.
pub struct Users {
    known: Arc<Known>,
    anonymous: bool,
    checks: Checks,
    nonces: Mutex<StdRng>,
}

/// The users, for as long as somebody has to do with them.
pub(super) struct Known {
    file: UserFile,
    /// Makes up the salts of those who are not there.
    secret: Key,
}

impl Users {
    /// `anonymous` also lets clients in who name nobody. `seed` is chance that nobody foresees: from the operating system in
    /// production.
    pub fn new(file: UserFile, anonymous: bool, seed: [u8; 32]) -> Self {
        Self {
            known: Arc::new(Known::new(file)),
            anonymous,
            checks: Checks::new(),
            nonces: Mutex::new(StdRng::from_seed(seed)),
        }
    }

    fn nonce(&self) -> String {
        let mut nonce = [0; 18];
        self.nonces.lock().fill_bytes(&mut nonce);
        base64(nonce)
    }
}

impl Known {
    pub(super) fn new(file: UserFile) -> Self {
        Self {
            secret: secret(&file),
            file,
        }
    }

    /// A user's; for a name that nobody has one that looks like them.
    pub(super) fn verifier(&self, name: &str) -> Verifier {
        self.file.get(name).cloned().unwrap_or_else(|| {
            let iterations = self.file.iter().map(|(_, verifier)| verifier.iterations()).next();
            Verifier::of_nobody(&self.secret, name, iterations.unwrap_or(Verifier::ITERATIONS))
        })
    }
}

/// The same as long as the users are the same, so that made-up salts do not change when the broker is started again; and known to
/// nobody who does not have the file.
fn secret(file: &UserFile) -> Key {
    file.iter().fold(sha256(b"nobody"), |secret, (_, verifier)| {
        hmac(verifier.stored_key(), &secret)
    })
}

impl Authenticator for Users {
    fn check<'a>(&'a self, credentials: &'a Credentials) -> Checking<'a> {
        let Some(user) = &credentials.user_name else {
            let welcome = self.anonymous && credentials.password.is_none();
            return Box::pin(ready(if welcome {
                Ok(None)
            } else {
                Err(ReasonCode::NotAuthorized)
            }));
        };
        Box::pin(async move {
            let verifier = self.known.verifier(user);
            let password = credentials.password.as_deref().unwrap_or_default();
            if self.checks.check(&verifier, password).await {
                Ok(Some(user.clone()))
            } else {
                Err(ReasonCode::BadUserNameOrPassword)
            }
        })
    }

    fn begin(&self, applicant: Applicant) -> Option<Box<dyn Exchange>> {
        if &*applicant.method != METHOD {
            return None;
        }
        let exchange = ScramExchange::new(Arc::clone(&self.known), applicant, self.nonce());
        Some(Box::new(exchange))
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Users")
            .field("users", &self.known.file.iter().count())
            .field("anonymous", &self.anonymous)
            .finish_non_exhaustive()
    }
}
