//! The driver of our own client, on TCP.
//!
//! ```sh
//! cargo build -p squall-conformance --example driver
//! squall conform --client -- target/debug/examples/driver
//! ```

mod authentication;
mod driver;
mod words;

use std::{env, io};

use squall_node::client::{TcpConnector, Version};
use tokio::io::{stdin, stdout};

use self::driver::{Wrong, drive};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Wrong> {
    let version = match env::var("SQUALL_MQTT")?.as_str() {
        "3.1.1" => Version::V3_1_1,
        _ => Version::V5,
    };
    let connector: TcpConnector = env::var("SQUALL_ADDRESS")?.parse()?;
    match drive(version, || connector.clone(), stdin(), stdout()).await {
        // Nobody listens any more: the case is over.
        Err(wrong) if is_broken_pipe(&wrong) => Ok(()),
        ended => ended,
    }
}

fn is_broken_pipe(wrong: &Wrong) -> bool {
    let error = wrong.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
