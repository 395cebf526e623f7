//! What the author of a broker writes to have every case as a `cargo test`; the broker is ours.

use std::{process::ExitCode, thread};

use squall_conformance::Tested;
use squall_node::{TcpAcceptor, broker::Server};
use squall_proto::broker::Settings;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let acceptor = runtime
        .block_on(TcpAcceptor::bind("127.0.0.1:0"))
        .expect("a free port");
    let address = acceptor.local_addr().expect("an address").to_string();
    thread::spawn(move || runtime.block_on(Server::new(Settings::default(), 1).serve(acceptor)));
    Tested::at(address).run()
}
