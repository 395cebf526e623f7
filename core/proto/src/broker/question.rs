use alloc::boxed::Box;

use super::authentication::Event;
use crate::{Binary, Connect, ReasonCode, Text};

/// What the broker asks its owner about a client. Each question is answered by one [`Input::Judged`](super::Input::Judged),
/// unless the connection is closed or lost before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// CONNECT came: who is it, and may it come in?
    Connect(Box<Credentials>),
    /// A client that is connected begins to authenticate again, by the method of its CONNECT.
    Reauthenticate {
        /// Who it was judged to be.
        user: Option<Text>,
        /// Authentication Data.
        data: Option<Binary>,
    },
    /// The client answers a challenge.
    Continue {
        /// Authentication Data.
        data: Option<Binary>,
        /// Whether the client is connected, and authenticates again.
        connected: bool,
    },
}

/// What a CONNECT says of who sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Client Identifier; empty when the client leaves it to the broker.
    pub client_id: Text,
    /// User Name.
    pub user_name: Option<Text>,
    /// Password.
    pub password: Option<Binary>,
    /// Authentication Method. Without one User Name and Password decide, and the client cannot be challenged.
    pub method: Option<Text>,
    /// Authentication Data; only beside a method.
    pub data: Option<Binary>,
}

/// What the owner answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The client may come in, or stay.
    Accept {
        /// Who it is, if it is anybody in particular.
        user: Option<Text>,
        /// Authentication Data for it. Only for a client with an Authentication Method; others would not understand it.
        data: Option<Binary>,
    },
    /// The client is to show more. Only for one with an Authentication Method.
    Challenge {
        /// Authentication Data for it.
        data: Option<Binary>,
    },
    /// The client may not come in, or stay. A code that CONNACK (or, for a client that is connected, DISCONNECT) has no place
    /// for is said as 0x87 (Not authorized).
    Refuse(ReasonCode),
}

impl Question {
    /// Whether the broker takes nothing from this connection until it is answered: the client is not connected yet. What
    /// comes meanwhile waits its turn in the network, or with the owner. Only [`Input::Lost`](super::Input::Lost) may come.
    pub const fn holds(&self) -> bool {
        match self {
            Self::Connect(_) => true,
            Self::Reauthenticate { .. } => false,
            Self::Continue { connected, .. } => !*connected,
        }
    }
}

impl Credentials {
    pub(super) fn of(connect: &Connect) -> Self {
        Self {
            client_id: connect.client_id.clone(),
            user_name: connect.user_name.clone(),
            password: connect.password.clone(),
            method: connect.properties.authentication_method(),
            data: connect.properties.authentication_data(),
        }
    }
}

impl Judgement {
    pub(super) const fn event(&self) -> Event {
        match self {
            Self::Accept { .. } => Event::Accepted,
            Self::Challenge { .. } => Event::Challenged,
            Self::Refuse(_) => Event::Refused,
        }
    }
}
