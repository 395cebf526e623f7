//! The client byte by byte: the test plays the server with hex written by hand, and reads what the client says as hex.

mod connack;
mod connect;
mod malformed;
mod packets;
mod problem_information;
mod rig;
mod session;
