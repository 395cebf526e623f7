use super::{Limits, Rules};
use crate::Text;

/// All that an owner decides over a broker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// What clients are granted.
    pub limits: Limits,
    /// How strictly clients are judged, where that is the broker's to choose.
    pub rules: Rules,
    /// What clients are told.
    pub told: Told,
}

/// What a CONNACK or DISCONNECT tells clients besides [`Limits`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Response Information, for 5.0 clients that ask for it. `{client_id}` in it is the Client Identifier; a client whose
    /// identifier has a wildcard in it is then told nothing.
    pub response_information: Option<Text>,
    /// Server Reference: where a client should go that is refused because there are too many, or closed because the broker
    /// stops. It is then told 0x9C (Use another server).
    pub server_reference: Option<Text>,
    /// What the Client Identifiers begin with that the broker assigns; 16 hexadecimal digits follow.
    pub client_id_prefix: Text,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            response_information: None,
            server_reference: None,
            client_id_prefix: Text::new("squall-").expect("a legal string"),
        }
    }
}

impl From<Limits> for Settings {
    fn from(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }
}
