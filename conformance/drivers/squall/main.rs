//! The driver of our own client, on TCP.
//!
//! ```sh
//! cargo build -p squall-conformance --example driver
//! squall conform --client -- target/debug/examples/driver
//! ```

mod authentication;
mod driver;
mod words;

use std::env;

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
    drive(version, || connector.clone(), stdin(), stdout()).await
}
