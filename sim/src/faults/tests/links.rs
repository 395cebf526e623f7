//! Links stop, lose, and take their time.

use super::*;

#[test]
fn what_is_sent_into_a_partition_arrives_with_the_first_retransmission_after_it() {
    let ((took, touched), _) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        let fault = table.fault("partition: { between: [a, broker], for: 1s }");
        // Sent again after 200, 600 and 1400 ms: the third gets through.
        (round_trip(&mut stream).await.unwrap(), fault.await.unwrap())
    });
    assert_eq!(
        (took, touched),
        (1402, 2),
        "the segment, and the end of the handshake before it"
    );
}

#[test]
fn a_one_way_partition_lets_the_other_way_through() {
    let ((took, touched), _) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        let fault = table.fault("partition: { between: [broker, a], one_way: true, for: 1s }");
        (round_trip(&mut stream).await.unwrap(), fault.await.unwrap())
    });
    assert_eq!(
        (took, touched),
        (1402, 2),
        "the acknowledgement and the echo, sent after 1 ms"
    );
}

#[test]
fn what_is_sent_into_a_hold_arrives_when_it_ends() {
    let ((took, touched), _) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        let fault = table.fault("hold: { between: [a, broker], for: 1s }");
        (round_trip(&mut stream).await.unwrap(), fault.await.unwrap())
    });
    assert_eq!((took, touched), (1002, 2));
}

#[test]
fn connecting_into_a_partition_waits_and_who_gives_up_never_connects() {
    let (took, trace) = Table::run(async |table| {
        let fault = table.fault("partition: { between: [a, broker], for: 2500ms }");
        let gave_up = timeout(Duration::from_secs(1), table.client.clone().connect()).await;
        assert!(gave_up.is_err());
        let began = Instant::now();
        table.client.clone().connect().await.unwrap();
        fault.await.unwrap();
        began.elapsed().as_millis()
    });
    // At 1 s; again after one second and three.
    assert_eq!(took, 3002);
    let opened = trace
        .events
        .iter()
        .filter(|event| matches!(event.what, What::Opened { .. }));
    assert_eq!(opened.count(), 2);
}

#[test]
fn an_attempt_to_connect_times_out_like_that_of_a_kernel() {
    let (refused, _) = Table::run(async |table| {
        table.fault("partition: { between: [a, broker], for: 1h }");
        table.client.clone().connect().await.map(drop).unwrap_err()
    });
    assert_eq!(refused.kind(), io::ErrorKind::TimedOut);
}

#[test]
fn lost_segments_arrive_late_and_in_order() {
    let ((received, touched), _) = Table::run(async |table| {
        let (mut read, mut write) = table.client.clone().connect().await.unwrap().split();
        let fault = table.fault("loss: { between: [a, broker], percent: 50, for: 10s }");
        for n in 0..100_u8 {
            write.write_all(&[n]).await.unwrap();
            sleep(Duration::from_millis(10)).await;
        }
        let mut received = [0; 100];
        read.read_exact(&mut received).await.unwrap();
        (received, fault.await.unwrap())
    });
    assert!((0..100).eq(received));
    assert!(touched > 50, "{touched}");
}

#[test]
fn what_a_loss_has_taken_comes_with_the_first_retransmission_after_its_end() {
    let (took, _) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        table.fault("loss: { between: [a, broker], percent: 99, for: 1s }");
        round_trip(&mut stream).await.unwrap()
    });
    // Sent again after 200, 600 and 1400 ms.
    assert_eq!(took, 1402);
}

#[test]
fn another_latency_lasts_as_long_as_the_fault() {
    let ((during, after), _) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        let fault = table.fault("latency: { between: [a, broker], latency: 50ms, for: 1s }");
        let during = round_trip(&mut stream).await.unwrap();
        assert!(fault.await.unwrap() >= 2);
        (during, round_trip(&mut stream).await.unwrap())
    });
    assert_eq!((during, after), (100, 2));
}

#[test]
fn groups_reach_each_other_only_within() {
    let ((a, b, touched), _) = Table::run(async |table| {
        let mut a = table.client.clone().connect().await.unwrap();
        let mut b = table.other.clone().connect().await.unwrap();
        sleep(Duration::from_secs(1)).await;
        let fault = table.fault("partition: { groups: [[a], [b, broker]], for: 1s }");
        let b = round_trip(&mut b).await.unwrap();
        (round_trip(&mut a).await.unwrap(), b, fault.await.unwrap())
    });
    assert_eq!((a, b, touched), (1402, 2, 1));
}

#[test]
fn a_one_way_partition_of_groups_stops_what_goes_from_each_to_those_after_it() {
    let (touched, _) = Table::run(async |table| {
        let mut a = table.client.clone().connect().await.unwrap();
        sleep(Duration::from_secs(1)).await;
        let fault = table.fault("partition: { groups: [[broker], [a]], one_way: true, for: 1s }");
        round_trip(&mut a).await.unwrap();
        fault.await.unwrap()
    });
    assert_eq!(touched, 2, "the acknowledgement and the echo");
}

/// What a blackhole leaves of a connection on which something was under way: whether what was sent then and later is echoed, and what
/// was touched.
fn blackhole(yaml: &str) -> (bool, u64, Trace) {
    let ((echoed, touched), trace) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        table.fault("latency: { between: [a, broker], latency: 50ms, for: 1m }");
        stream.write_all(CONNECT).await.unwrap();
        sleep(Duration::from_millis(10)).await;
        let touched = table.fault(yaml).await.unwrap();
        stream.write_all(b"????").await.unwrap();
        let echo = timeout(Duration::from_secs(3600), stream.read_exact(&mut [0; 4])).await;
        (echo.is_ok(), touched)
    });
    (echoed, touched, trace)
}

#[test]
fn connections_in_a_blackhole_stay_half_open_for_good() {
    let (echoed, touched, trace) = blackhole("blackhole: { between: [a, broker], for: 1s }");
    assert!(!echoed);
    assert_eq!(
        touched, 4,
        "a connection each way, and the end of the handshake and a segment under way"
    );
    let ended = |what: &What| matches!(what, What::Arrived { .. } | What::Ended { .. });
    assert!(!trace.events.iter().any(|event| ended(&event.what)));
}

#[test]
fn a_one_way_blackhole_swallows_answers_alone() {
    let (echoed, _, trace) = blackhole("blackhole: { between: [broker, a], one_way: true, for: 1s }");
    assert!(!echoed);
    let arrived = |what: &What| {
        matches!(
            what,
            What::Arrived {
                from: Side::Client,
                ..
            }
        )
    };
    assert!(trace.events.iter().any(|event| arrived(&event.what)));
}

#[test]
fn connecting_into_a_blackhole_waits_for_its_end() {
    let (took, _) = Table::run(async |table| {
        table.fault("blackhole: { between: [a, broker], for: 2500ms }");
        let began = Instant::now();
        let mut stream = table.client.clone().connect().await.unwrap();
        let took = began.elapsed().as_millis();
        round_trip(&mut stream).await.unwrap();
        took
    });
    assert_eq!(took, 3002, "SYN is sent again after one second and three");
}

#[test]
fn a_handshake_that_a_blackhole_interrupts_is_finished_after_it() {
    for under_way in [500, 1500] {
        let (took, _) = Table::run(async |table| {
            let client = table.client.clone();
            let connecting = tokio::spawn(async move { { client }.connect().await.map(|_| Instant::now()) });
            let began = Instant::now();
            sleep(Duration::from_micros(under_way)).await;
            table
                .fault("blackhole: { between: [a, broker], for: 100ms }")
                .await
                .unwrap();
            connecting.await.unwrap().unwrap() - began
        });
        assert!((1000..1100).contains(&took.as_millis()), "{took:?}");
    }
}

#[test]
fn a_spike_makes_one_segment_slow_and_what_follows_it_wait() {
    let (took, _) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        let spikes = "spikes: { every: 5s, latency: 1s }";
        table.fault(&format!(
            "latency: {{ between: [a, broker], one_way: true, {spikes}, for: 1h }}"
        ));
        let mut took = Vec::new();
        for _ in 0..11 {
            took.push(round_trip(&mut stream).await.unwrap());
            sleep(Duration::from_secs(1)).await;
        }
        took
    });
    assert_eq!(took.iter().filter(|took| **took == 1001).count(), 2, "{took:?}");
    assert_eq!(took.iter().filter(|took| **took == 2).count(), 9, "{took:?}");
}
