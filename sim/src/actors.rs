//! Who takes part in a run: our broker or a scripted one, clients of ours, and raw peers. Each is a process on a host of its own; a crash drops all
//! that the process was and starts it anew.
//!
//! In reading order: `power` (what faults do to a process), `administrator` (what one does to clients), `broker`, `client` (its
//! `connector` is how it connects), `peer` and `scripted_broker` (their `line` is a connection, their `script` what they answer, `usual`
//! what they answer where it says nothing), `gateway` (where the broker is a process of the machine), and `mark` (how the messages of a run are told apart).

mod administrator;
mod broker;
mod client;
mod connector;
mod gateway;
mod line;
mod mark;
mod peer;
mod power;
mod script;
mod scripted_broker;
mod usual;

pub(crate) use administrator::Administrator;
pub(crate) use broker::{Broker, stored};
pub(crate) use client::{Character, Client, ClientProcess, Owes, subscription};
pub(crate) use gateway::{Broke, Gateway};
pub use mark::Mark;
pub(crate) use peer::{Peer, PeerCommand, PeerProcess};
pub(crate) use power::{Condition, Power};
pub(crate) use scripted_broker::ScriptedBroker;
