//! The async client over streams in memory, in virtual time: against a peer that the test plays, and against our broker.

mod acknowledge;
mod authentication;
mod broker;
mod events;
mod lifetime;
mod peer;
mod publish;
mod reconnect;
mod request;
mod store;
