use squall_proto::{Packet, Property};

use crate::{
    Case, Context,
    Level::Must,
    Outcome,
    packets::text,
    stop::{SetUp as _, check},
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "clean_session_is_not_present",
        v3: &["MQTT-3.2.2-1"],
        v5: &["MQTT-3.2.2-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(clean_session_is_not_present(t)),
    },
    Case {
        name: "session_that_does_not_exist_is_not_present",
        v3: &["MQTT-3.2.2-3"],
        v5: &["MQTT-3.2.2-3", "MQTT-3.1.2-6"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(session_that_does_not_exist_is_not_present(t)),
    },
    Case {
        name: "session_that_exists_is_present",
        v3: &["MQTT-3.2.2-2"],
        v5: &["MQTT-3.2.2-3", "MQTT-3.1.2-5"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(session_that_exists_is_present(t)),
    },
    Case {
        name: "refused_connect_ends_the_connection",
        v3: &[],
        v5: &["MQTT-3.2.2-7", "MQTT-3.2.2-6"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(refused_connect_ends_the_connection(t)),
    },
    Case {
        name: "no_authentication_without_a_method",
        v3: &[],
        v5: &["MQTT-4.12.0-6"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(no_authentication_without_a_method(t)),
    },
];

async fn clean_session_is_not_present(t: Context) -> Outcome {
    let (first, _) = t.resume("client").await?;
    first.disconnect().await?;
    let (_client, connack) = t.connect_with("client", |_| ()).await?;
    check(!connack.session_present, "Session Present 0", || {
        "Session Present 1".into()
    })
}

async fn session_that_does_not_exist_is_not_present(t: Context) -> Outcome {
    let (_client, connack) = t.resume("client").await?;
    check(!connack.session_present, "Session Present 0", || {
        "Session Present 1".into()
    })
}

async fn session_that_exists_is_present(t: Context) -> Outcome {
    let (first, _) = t.resume("client").await?;
    first.disconnect().await?;
    let (_client, connack) = t.resume("client").await?;
    check(connack.session_present, "Session Present 1", || {
        "Session Present 0".into()
    })
}

async fn refused_connect_ends_the_connection(t: Context) -> Outcome {
    let mut client = t.open("client").await?;
    let connect = t.connect_packet("client", |connect| {
        t.make_persistent(connect);
        connect
            .properties
            .push(Property::AuthenticationMethod(text("squall-unheard-of")));
    });
    client.send(Packet::Connect(Box::new(connect))).await;
    if let Ok(connack) = client.expect_connack().await {
        check(connack.reason_code.is_error(), "an error in CONNACK", || {
            connack.reason_code.name().into()
        })
        .set_up()?;
        check(
            !connack.session_present,
            "Session Present 0 beside an error",
            || "Session Present 1".into(),
        )?;
    }
    client.expect_closed("after it was refused").await.map(drop)
}

async fn no_authentication_without_a_method(t: Context) -> Outcome {
    let (_client, connack) = t.connect_with("client", |_| ()).await?;
    check(
        connack.properties.authentication_method().is_none(),
        "no Authentication Method",
        || format!("{connack:?}"),
    )
}
