//! Hosts fail.

use super::*;

#[test]
fn a_crash_resets_connections_and_refuses_new_ones_until_the_restart() {
    let (touched, trace) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        round_trip(&mut stream).await.unwrap();
        let fault = table.fault("crash: { host: broker, down: 3s }");
        let broken = stream.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(broken.kind(), io::ErrorKind::ConnectionReset);
        let refused = table.client.clone().connect().await.map(drop).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        let touched = fault.await.unwrap();
        sleep(Duration::from_secs(1)).await;
        let mut stream = table.client.clone().connect().await.unwrap();
        round_trip(&mut stream).await.unwrap();
        touched
    });
    assert_eq!(touched, 2);
    let reset_by_broker = |what: &What| {
        matches!(
            what,
            What::Closed {
                by: Side::Broker,
                how: End::Reset,
                ..
            }
        )
    };
    assert!(trace.events.iter().any(|event| reset_by_broker(&event.what)));
}
