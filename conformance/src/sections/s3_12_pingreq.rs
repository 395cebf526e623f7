use squall_proto::Packet;

use crate::{Case, Context, Level::Must, Outcome};

pub(super) const CASES: &[Case] = &[Case {
    name: "pingreq_is_answered_with_pingresp",
    v3: &["MQTT-3.12.4-1"],
    v5: &["MQTT-3.12.4-1"],
    level: Must,
    needs: &[],
    run: |t| Box::pin(pingreq_is_answered_with_pingresp(t)),
}];

async fn pingreq_is_answered_with_pingresp(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client.send(Packet::Pingreq).await;
    client.expect_pingresp().await?;
    client
        .expect_none("no second PINGRESP", |packet| *packet == Packet::Pingresp)
        .await
}
