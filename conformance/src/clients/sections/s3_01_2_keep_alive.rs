use std::time::Duration;

use squall_proto::{Packet, Property};
use tokio::time::Instant;

use crate::{
    Outcome,
    clients::{
        case::{Case, MUST, SHOULD},
        stage::{Server, connect},
    },
    stop::check,
};

/// What it may take to arrive here.
const SLACK: Duration = Duration::from_millis(250);

pub(super) const CASES: &[Case] = &[
    Case {
        name: "a_silent_client_sends_pingreq_before_the_server_may_give_it_up",
        v3: &["MQTT-3.1.2-23"],
        v5: &["MQTT-3.1.2-20"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let connect = connect().with("keep_alive", 4);
                let mut server = t.connected_by(&connect, &[]).await?;
                pings_within(&mut server, Duration::from_secs(6)).await?;
                // The second is as much owed as the first.
                pings_within(&mut server, Duration::from_secs(6)).await
            })
        },
    },
    // That the interval between packets does not exceed Keep Alive is the client's responsibility, in a sentence without MUST.
    Case {
        name: "a_client_is_not_silent_for_longer_than_keep_alive",
        v3: &["MQTT-3.1.2-23"],
        v5: &["MQTT-3.1.2-20"],
        levels: SHOULD,
        run: |mut t| {
            Box::pin(async move {
                let connect = connect().with("keep_alive", 4);
                let mut server = t.connected_by(&connect, &[]).await?;
                pings_within(&mut server, Duration::from_secs(4) + SLACK).await
            })
        },
    },
    Case {
        name: "server_keep_alive_takes_the_place_of_the_clients_own",
        v3: &[],
        v5: &["MQTT-3.1.2-21", "MQTT-3.2.2-21"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let named = [Property::ServerKeepAlive(4)];
                let mut server = t.connected_by(&connect(), &named).await?;
                pings_within(&mut server, Duration::from_secs(6)).await
            })
        },
    },
];

/// A PINGREQ must come in time; it is answered.
async fn pings_within(server: &mut Server, within: Duration) -> Outcome {
    let patience = server.patience;
    server.patience = within + patience;
    let since = Instant::now();
    let expected = format!("PINGREQ within {within:?}");
    let came = server
        .expect(&expected, |packet| (*packet == Packet::Pingreq).then_some(()))
        .await;
    server.patience = patience;
    came?;
    let took = since.elapsed();
    check(took <= within, &expected, || format!("PINGREQ after {took:?}"))?;
    server.send(Packet::Pingresp).await;
    Ok(())
}
