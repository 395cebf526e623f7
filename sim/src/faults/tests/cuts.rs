//! Connections are cut.

use super::*;

const PINGREQ: &[u8] = b"\xc0\x00";

/// How a cut at the second PINGREQ of three, all in one segment, shows: what arrives at the server, and how the client ends.
fn cut(side: &str, mode: &str) -> (usize, Option<io::ErrorKind>, Trace) {
    let (ended, trace) = Table::run(async |table| {
        table.fault(&format!(
            "cut: {{ when: {{ packet: PINGREQ, from: a, nth: 2 }}, side: {side}, mode: {mode} }}"
        ));
        let mut stream = table.client.clone().connect().await.unwrap();
        stream
            .write_all(&[CONNECT, PINGREQ, PINGREQ, PINGREQ].concat())
            .await
            .unwrap();
        let mut buffer = [0; 100];
        let ended = loop {
            match timeout(Duration::from_secs(60), stream.read(&mut buffer)).await {
                Ok(Ok(1..)) => {}
                Ok(Ok(0)) => break None,
                Ok(Err(error)) => break Some(error.kind()),
                Err(_) => break Some(io::ErrorKind::TimedOut),
            }
        };
        sleep(Duration::from_secs(1)).await;
        ended
    });
    let arrived = trace.events.iter().filter(|event| {
        matches!(
            &event.what,
            What::Arrived {
                from: Side::Client,
                packet: Packet::Pingreq,
                ..
            }
        )
    });
    (arrived.count(), ended, trace)
}

#[test]
fn a_cut_before_a_packet_destroys_it_and_what_follows() {
    let (arrived, ended, trace) = cut("before", "rst");
    assert_eq!((arrived, ended), (1, Some(io::ErrorKind::ConnectionReset)));
    let sent = trace.events.iter().filter(|event| {
        matches!(
            &event.what,
            What::Sent {
                from: Side::Client,
                packet: Packet::Pingreq,
                ..
            }
        )
    });
    assert_eq!(sent.count(), 3, "all of them left the client");
    let touched = What::FaultEnded { step: 0, touched: 1 };
    assert!(trace.events.iter().any(|event| event.what == touched));
}

#[test]
fn a_cut_after_a_packet_lets_it_through() {
    assert_eq!(cut("after", "rst").0, 2);
}

#[test]
fn the_ends_of_a_cut_connection_learn_what_the_mode_says() {
    assert_eq!(cut("after", "rst").1, Some(io::ErrorKind::ConnectionReset));
    assert_eq!(cut("after", "fin").1, None);
    assert_eq!(cut("after", "silent").1, Some(io::ErrorKind::TimedOut));
    for (mode, ends) in [("rst", 2), ("fin", 2), ("silent", 0)] {
        let (.., trace) = cut("before", mode);
        let ended = trace
            .events
            .iter()
            .filter(|event| matches!(event.what, What::Ended { .. }));
        assert_eq!(ended.count(), ends, "{mode}");
    }
}

/// What each of two connections of `a` sees of a cut of all there are, and what the cut touched.
fn cut_now(yaml: &str) -> ([Option<io::ErrorKind>; 2], u64) {
    let (output, _) = Table::run(async |table| {
        let mut first = table.client.clone().connect().await.unwrap();
        let mut second = table.client.clone().connect().await.unwrap();
        round_trip(&mut second).await.unwrap();
        let touched = table.fault(yaml).await.unwrap();
        let mut ends = [None, None];
        for (end, stream) in ends.iter_mut().zip([&mut first, &mut second]) {
            *end = match timeout(Duration::from_secs(1), round_trip(stream)).await {
                Ok(result) => result.err().map(|error| error.kind()),
                Err(_) => Some(io::ErrorKind::TimedOut),
            };
        }
        (ends, touched)
    });
    output
}

#[test]
fn a_cut_without_a_packet_ends_every_connection_between_two_hosts() {
    let reset = Some(io::ErrorKind::ConnectionReset);
    let silent = Some(io::ErrorKind::TimedOut);
    assert_eq!(
        cut_now("cut: { between: [a, broker], mode: rst }"),
        ([reset; 2], 2)
    );
    assert_eq!(
        cut_now("cut: { between: [broker, a], mode: silent }"),
        ([silent; 2], 2)
    );
    assert_eq!(
        cut_now("cut: { between: [b, broker], mode: rst }"),
        ([None; 2], 0)
    );
}

#[test]
fn a_cut_of_the_oldest_or_the_newest_leaves_the_other() {
    let silent = Some(io::ErrorKind::TimedOut);
    let of = |which: &str| {
        cut_now(&format!(
            "cut: {{ between: [a, broker], which: {which}, mode: silent }}"
        ))
    };
    assert_eq!(of("oldest"), ([silent, None], 1));
    assert_eq!(of("newest"), ([None, silent], 1));
}

#[test]
fn what_was_sent_before_a_cut_without_a_packet_arrives_before_its_end() {
    let (received, _) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        stream.write_all(b"?").await.unwrap();
        sleep(Duration::from_millis(2)).await;
        table
            .fault("cut: { between: [a, broker], mode: fin }")
            .await
            .unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.unwrap();
        received
    });
    assert_eq!(received, b"?");
}

#[test]
fn a_cut_that_repeats_counts_the_packets_anew_each_time() {
    let (arrived, trace) = Table::run(async |table| {
        let fault = table.fault("cut: { when: { packet: PINGREQ, from: a, nth: 2 }, times: 3, mode: rst }");
        let mut pings = 0;
        for _ in 0..3 {
            let mut stream = table.client.clone().connect().await.unwrap();
            round_trip_of(&mut stream, CONNECT).await.unwrap();
            while round_trip_of(&mut stream, PINGREQ).await.is_ok() {
                pings += 1;
            }
        }
        assert_eq!(fault.await.unwrap(), 1);
        pings
    });
    let began = |what: &What| matches!(what, What::FaultBegan { .. });
    let cuts = trace.events.iter().filter(|event| began(&event.what)).count();
    assert_eq!((arrived, cuts), (3, 3));
}

async fn round_trip_of(stream: &mut HostStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.read_exact(&mut vec![0; bytes.len()]).await.map(drop)
}
