use crate::{Case, Context, Level::Must, Outcome};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "auth_without_a_method_is_refused",
        v3: &[],
        v5: &["MQTT-4.12.0-7", "MQTT-4.13.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(auth_without_a_method_is_refused(t)),
    },
    Case {
        name: "auth_with_wrong_flags_is_refused",
        v3: &[],
        v5: &["MQTT-3.15.1-1", "X5-2.1.3-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(auth_with_wrong_flags_is_refused(t)),
    },
    Case {
        name: "auth_that_lacks_its_method_is_refused",
        v3: &[],
        v5: &["X5-3.15.2.2.2-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(auth_that_lacks_its_method_is_refused(t)),
    },
    Case {
        name: "auth_with_a_method_that_connect_did_not_name_is_refused",
        v3: &[],
        v5: &["X5-3.15-1", "MQTT-4.12.0-7"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(auth_with_a_method_that_connect_did_not_name_is_refused(t)),
    },
];

async fn auth_without_a_method_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(
            "# AUTH, which means Success without properties
             f0 00",
        )
        .await;
    client
        .expect_closed("after AUTH without a method in CONNECT")
        .await?;
    Ok(())
}

async fn auth_with_wrong_flags_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client.send_hex("f1 00 # AUTH with flags 0001").await;
    client.expect_closed("after AUTH with flags 0001").await?;
    Ok(())
}

async fn auth_that_lacks_its_method_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex("f0 02 18 00 # AUTH, Continue authentication, no properties")
        .await;
    client
        .expect_closed("after AUTH without an Authentication Method")
        .await
        .map(drop)
}

async fn auth_with_a_method_that_connect_did_not_name_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(
            "f0 06 19       # AUTH, Re-authenticate, 6 bytes follow
             04 15 00 01 6d # properties: Authentication Method m",
        )
        .await;
    client
        .expect_closed("after AUTH with a method that CONNECT did not name")
        .await
        .map(drop)
}
