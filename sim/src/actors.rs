//! Who takes part in a run: our broker, clients of ours, and raw peers. Each is a process on a host of its own; a crash drops all
//! that the process was and starts it anew.
//!
//! In reading order: `power` (what a crash does to a process), `broker`, `client` (its `connector` and `pace` are how it connects
//! and how fast it reads), `peer`, and `mark` (how the messages of a run are told apart).

mod broker;
mod client;
mod connector;
mod mark;
mod pace;
mod peer;
mod power;

pub(crate) use broker::broker;
pub(crate) use client::{Character, Client, ClientProcess, Owes, subscription};
pub use mark::Mark;
pub(crate) use peer::{Peer, PeerCommand, PeerProcess};
pub(crate) use power::Power;
