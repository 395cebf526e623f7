//! MQTT 3.1.1 and 5.0 without I/O: codec, topics, sessions, the broker and client state machines.

#![no_std]

extern crate alloc;

pub mod broker;
pub mod client;
pub mod exchange;

mod binary;
mod decode;
mod encode;
mod error;
mod id;
mod packet;
mod property;
mod reason_code;
mod subscription_tree;
mod text;
mod time;
mod topic;
mod version;
mod violation;

pub use binary::{Binary, BinaryTooLong};
pub use decode::Decoder;
pub use encode::{encode, encode_without_payload, encoded_len};
pub use error::{DecodeError, Position};
pub use id::{ConnId, PacketId, SubscriptionId, TopicAlias};
pub use packet::{
    Ack, Auth, Connack, Connect, Delivery, Disconnect, Packet, PacketRef, PacketType, Publish, PublishRef,
    Qos, RetainHandling, Suback, Subscribe, SubscriptionOptions, Unsuback, Unsubscribe, Will,
};
pub use property::{Properties, Property, PropertyId};
pub use reason_code::ReasonCode;
pub use subscription_tree::SubscriptionTree;
pub use text::{Text, TextError};
pub use time::Instant;
pub use topic::{TopicError, TopicFilter, TopicName};
pub use version::Version;
pub use violation::Violation;
