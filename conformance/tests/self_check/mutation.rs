//! Something wrong on the wire between a case and the broker: each mutation is one thing that a broker might get wrong.
//!
//! [`rules`] lists them (`absent` and `windows` have more), [`wire`] carries them out. [`websocket`] is about what lies below MQTT.

mod absent;
mod rules;
pub(crate) mod websocket;
mod windows;
mod wire;

use squall_proto::{Packet, PacketType};

pub(crate) use self::{
    rules::ALL,
    wire::{Memory, between},
};

/// What goes wrong, on every connection of a case.
#[derive(Clone, Copy)]
pub(crate) enum Mutation {
    /// The broker never closes a connection.
    NeverClose,
    /// It closes every connection after its first PUBLISH, SUBACK or PINGRESP.
    CloseSoon,
    /// It sends none of this type.
    Drop(PacketType),
    /// It sends one of this type a connection, and no more.
    Once(PacketType),
    /// It sends each of this type twice.
    Repeat(PacketType),
    /// Of two PUBLISH packets it sends the second first.
    Swap,
    /// It repeats nothing when a session is resumed.
    RepeatNothing,
    /// It repeats its last PUBLISH when a session is resumed, whatever became of it.
    RepeatAlways,
    /// It sends its last PUBLISH to whoever subscribes next.
    RepeatToSubscribers,
    /// It does not see packets of this type.
    Ignore(PacketType),
    /// It answers UNSUBSCRIBE and does not carry it out.
    IgnoreUnsubscribe,
    /// It sees QoS 0 PUBLISH packets as if they had not been sent.
    IgnoreQos0,
    /// What it sends is changed.
    Sent(fn(&mut Packet)),
    /// What it sees is changed.
    Seen(fn(&mut Packet)),
    /// What it sees is changed, and what it sends.
    Both(fn(&mut Packet), fn(&mut Packet)),
}
