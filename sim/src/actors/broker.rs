use rand::RngExt;
use squall_node::broker::Server;
use squall_proto::broker::Limits;

use super::Power;
use crate::world::{Host, generator};

/// Where the broker listens.
const PORT: u16 = 1883;

/// Our broker, on its host. It keeps what it knows in memory: after a crash it knows nothing.
pub(crate) async fn broker(host: Host, limits: Limits, seed: u64, mut power: Power) {
    let mut chance = generator(seed, "broker");
    loop {
        power.on().await;
        let acceptor = host
            .listen(PORT)
            .await
            .expect("nobody else listens on the broker's host");
        let server = Server::new(limits.clone(), chance.random());
        power.run(server.serve(acceptor)).await;
    }
}
