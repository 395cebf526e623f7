//! The client against a peer in memory: the test plays the server, packet by packet.

mod acknowledge;
mod alias;
mod authenticate;
mod connect;
mod crash;
mod disconnect;
mod inbound;
mod keep_alive;
mod limits;
mod publish;
mod queue;
mod resume;
mod rig;
mod subscribe;
mod violations;
mod wire;
