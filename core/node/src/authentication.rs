//! Who clients are: what a broker asks, and what is built in to answer it.
//!
//! In reading order: [`Authenticator`] and [`Exchange`] are what a broker asks, for anybody to implement: with a directory, a web
//! service, tokens; [`Users`] is the built-in one, on a [`UserFile`] of salted keys: User Name and Password of both versions, and
//! SCRAM-SHA-256 (RFC 7677) by AUTH. [`Scram`] is the client's side of the latter. `scram` has the mechanism itself.
//!
//! ```
//! use std::{future::ready, sync::Arc};
//!
//! use squall_node::{
//!     authentication::{Applicant, Authenticator, Checking, Exchange},
//!     broker::Server,
//! };
//! use squall_proto::{
//!     ReasonCode,
//!     broker::{Credentials, Limits},
//! };
//!
//! /// Every client has its Client Identifier for a password.
//! struct Toy;
//!
//! impl Authenticator for Toy {
//!     fn check<'a>(&'a self, credentials: &'a Credentials) -> Checking<'a> {
//!         let right = credentials.password.as_deref() == Some(credentials.client_id.as_bytes());
//!         let answer = if right { Ok(credentials.user_name.clone()) } else { Err(ReasonCode::BadUserNameOrPassword) };
//!         Box::pin(ready(answer)) // or wait for whoever knows
//!     }
//!
//!     fn begin(&self, _: Applicant) -> Option<Box<dyn Exchange>> {
//!         None // no Authentication Methods
//!     }
//! }
//!
//! let server = Server::authenticating(Limits::default(), 7, Arc::new(Toy));
//! ```

mod password;
mod scram;
mod user_file;
mod users;

use std::{future::Future, pin::Pin};

use squall_proto::{
    Binary, ReasonCode, Text,
    broker::{Credentials, Judgement},
};

pub use self::{
    scram::{Scram, Verifier, VerifierError},
    user_file::{UserFile, UserFileError, UserNameError},
    users::Users,
};

/// Judges who clients are. A broker asks it about every CONNECT before anything becomes of it, outside its lock: it may do I/O, and a
/// client waits for it for [`connect_timeout`](squall_proto::broker::Limits::connect_timeout) at most. A panic ends the broker.
///
/// Futures are dropped when their client goes. They run on the broker's own tasks: one that computes for long should yield.
pub trait Authenticator: Send + Sync + 'static {
    /// Judges a CONNECT without Authentication Method, of either version, by User Name and Password. Either may be missing: whether
    /// anonymous clients are welcome is for this to say.
    fn check<'a>(&'a self, credentials: &'a Credentials) -> Checking<'a>;

    /// Begins an exchange with a client that named an Authentication Method; `None` when there is no such method, and the client is
    /// refused with 0x8C (Bad authentication method).
    fn begin(&self, applicant: Applicant) -> Option<Box<dyn Exchange>>;
}

/// Who the client is, if anybody in particular; or the Reason Code with which it is refused.
pub type Checking<'a> = Pin<Box<dyn Future<Output = Result<Option<Text>, ReasonCode>> + Send + 'a>>;

/// What a client is to be told next.
pub type Judging<'a> = Pin<Box<dyn Future<Output = Judgement> + Send + 'a>>;

/// A client that authenticates by a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applicant {
    /// Client Identifier; empty when the client leaves it to the broker.
    pub client_id: Text,
    /// User Name of CONNECT, which a method may use or not.
    pub user_name: Option<Text>,
    /// Authentication Method.
    pub method: Text,
    /// Who it was judged to be, when it is connected and authenticates again.
    pub user: Option<Text>,
}

/// One exchange with one client, from CONNECT to CONNACK or from AUTH 0x19 to AUTH 0x00.
pub trait Exchange: Send {
    /// Judges what the client has shown: the Authentication Data of CONNECT (or of the AUTH that began it) at first, then of each
    /// answer to a [`Judgement::Challenge`]. Not called again after another judgement.
    fn step(&mut self, data: Option<Binary>) -> Judging<'_>;
}
