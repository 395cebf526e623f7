use std::sync::Arc;

use squall_node::{
    authentication::{UserFile, Users, Verifier},
    broker::Server,
};
use squall_proto::{
    Qos,
    broker::{Limits, Rule, Rules, Settings},
};

/// A broker of ours, for the conformance suite: each way it can be told to behave that some case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OurBroker {
    /// As it comes: it does everything, and tolerates what it may.
    Plain,
    /// It tolerates nothing that it may refuse.
    Strict,
    /// It says in CONNACK that it does not do what a server need not do.
    Restricted,
    /// It knows SCRAM-SHA-256 and one user; clients that name nobody are let in.
    Authenticating,
}

impl OurBroker {
    /// Each, the plainest first.
    pub const ALL: [Self; 4] = [Self::Plain, Self::Strict, Self::Restricted, Self::Authenticating];

    /// The broker, with nothing in it.
    pub fn server(self, seed: u64) -> Server {
        match self {
            Self::Plain => Server::new(Settings::default(), seed),
            Self::Strict => Server::new(strict(), seed),
            Self::Restricted => Server::new(restricted(), seed),
            Self::Authenticating => {
                let users = Users::new(users(), true, [7; 32]);
                Server::authenticating(Settings::default(), seed, Arc::new(users))
            }
        }
    }

    /// Name and password of somebody it knows.
    pub const fn user(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Plain | Self::Strict | Self::Restricted => None,
            Self::Authenticating => Some(USER),
        }
    }
}

const USER: (&str, &str) = ("user", "pencil");

/// Its password is hashed seldom: nobody guesses it here, and every case that authenticates would wait.
fn users() -> UserFile {
    let (name, password) = USER;
    let mut users = UserFile::default();
    let verifier = Verifier::new(password.as_bytes(), vec![7; 16], 16);
    users.set(name, verifier).expect("a name");
    users
}

fn strict() -> Settings {
    Settings {
        rules: Rules {
            receive_maximum: Rule::Strict,
            unknown_packet_id: Rule::Strict,
            wrong_acknowledgement: Rule::Strict,
            dollar_topics: Rule::Strict,
            empty_client_id: Rule::Strict,
            plain_client_id: Rule::Strict,
            payload_format: Rule::Strict,
        },
        ..Settings::default()
    }
}

fn restricted() -> Limits {
    Limits {
        maximum_qos: Qos::AtLeastOnce,
        retain_available: false,
        wildcard_subscription_available: false,
        subscription_identifier_available: false,
        shared_subscription_available: false,
        keep_alive: Some(4),
        ..Limits::default()
    }
}
