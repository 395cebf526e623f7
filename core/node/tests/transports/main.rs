//! The broker and the client over each transport, on real sockets and with certificates made here.

mod certificates;
mod everywhere;
mod half_open;
mod harness;
mod tls;
mod unix;
mod ws;
mod ws_frames;
