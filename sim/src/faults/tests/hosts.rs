//! What faults of hosts do to a client and an echo server.

use std::{io, time::Duration};

use squall_node::{Connector, Stream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, sleep, timeout},
};

use super::{Table, round_trip};
use crate::{
    trace::{Down, End, Side, Trace, What},
    world::network,
};

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

fn downs(trace: &Trace) -> Vec<Down> {
    let down = |what: &What| {
        if let What::HostDown { how, .. } = what {
            Some(*how)
        } else {
            None
        }
    };
    trace
        .events
        .iter()
        .filter_map(|event| down(&event.what))
        .collect()
}

fn ups(trace: &Trace) -> usize {
    let is_up = |what: &What| matches!(what, What::HostUp { .. });
    trace.events.iter().filter(|event| is_up(&event.what)).count()
}

#[test]
fn a_host_that_loses_power_says_nothing_and_answers_its_old_connections_with_rst_when_it_is_back() {
    let (touched, trace) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        round_trip(&mut stream).await.unwrap();
        let began = Instant::now();
        let fault = table.fault("crash: { host: broker, kind: power, down: 3s }");
        stream.write_all(b"????").await.unwrap();
        let broken = stream.read(&mut [0; 1]).await.unwrap_err();
        // Sent again after 200, 600, 1400 and 3000 ms, and answered a millisecond each way later.
        assert_eq!(
            (broken.kind(), began.elapsed().as_millis()),
            (io::ErrorKind::ConnectionReset, 3002)
        );
        let mut stream = table.client.clone().connect().await.unwrap();
        round_trip(&mut stream).await.unwrap();
        fault.await.unwrap()
    });
    assert_eq!(
        (touched, downs(&trace), ups(&trace)),
        (2, vec![Down::PowerLost], 1)
    );
    let closes = |what: &What| {
        matches!(
            what,
            What::Closed {
                by: Side::Broker,
                how: End::Fin,
                ..
            }
        )
    };
    assert!(
        !trace.events.iter().any(|event| closes(&event.what)),
        "it closed nothing"
    );
}

#[test]
fn who_has_nothing_to_say_does_not_learn_that_the_other_end_lost_power() {
    Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        round_trip(&mut stream).await.unwrap();
        table.fault("crash: { host: broker, kind: power, down: 1s }");
        let heard = timeout(Duration::from_secs(3600), stream.read(&mut [0; 1])).await;
        assert!(heard.is_err(), "{heard:?}");
        stream.write_all(b"?").await.unwrap();
        let broken = stream.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(broken.kind(), io::ErrorKind::ConnectionReset);
    });
}

#[test]
fn connecting_to_a_host_without_power_waits_for_it() {
    let (took, _) = Table::run(async |table| {
        table.fault("crash: { host: broker, kind: power, down: 2500ms }");
        let began = Instant::now();
        table.client.clone().connect().await.unwrap();
        began.elapsed().as_millis()
    });
    // SYN is sent again after one second and three.
    assert_eq!(took, 3002);
}

#[test]
fn what_a_host_sends_in_the_moment_it_loses_power_is_not_sent() {
    let (read, _) = Table::run(async |table| {
        let (mut read, mut write) = table.client.clone().connect().await.unwrap().split();
        write.write_all(b"????").await.unwrap();
        // The echo would be sent when this has arrived.
        sleep(Duration::from_millis(1)).await;
        table.fault("crash: { host: broker, kind: power, down: 1s }");
        timeout(Duration::from_secs(60), read.read(&mut [0; 4])).await
    });
    assert!(!matches!(read, Ok(Ok(_))), "{read:?}");
}

#[test]
fn a_process_that_is_asked_to_stop_ends_by_itself_and_starts_again() {
    let (touched, trace) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        round_trip(&mut stream).await.unwrap();
        let fault = table.fault("stop: { host: broker, down: 3s }");
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0, "an orderly end");
        let refused = table.client.clone().connect().await.map(drop).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        let touched = fault.await.unwrap();
        sleep(Duration::from_secs(1)).await;
        let mut stream = table.client.clone().connect().await.unwrap();
        round_trip(&mut stream).await.unwrap();
        touched
    });
    assert_eq!((touched, downs(&trace), ups(&trace)), (1, vec![Down::Stopped], 1));
}

#[test]
fn a_process_that_is_restarted_is_there_again_at_once() {
    let (touched, trace) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        round_trip(&mut stream).await.unwrap();
        let fault = table.fault("restart: { host: broker, state: lost }");
        let broken = stream.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(broken.kind(), io::ErrorKind::ConnectionReset);
        // Its socket listens as soon as the tasks of the last process are gone.
        sleep(Duration::from_millis(1)).await;
        let mut stream = table.client.clone().connect().await.unwrap();
        round_trip(&mut stream).await.unwrap();
        fault.await.unwrap()
    });
    assert_eq!((touched, downs(&trace), ups(&trace)), (2, vec![Down::Crashed], 1));
}

#[test]
fn a_paused_host_acknowledges_and_answers_when_it_goes_on() {
    let ((took, touched), trace) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        round_trip(&mut stream).await.unwrap();
        let fault = table.fault("pause: { host: broker, for: 5s }");
        // Its kernel takes a connection too.
        let mut second = table.client.clone().connect().await.unwrap();
        // A millisecond after the pause began, or two if the connection waits for its handshake.
        let took = round_trip(&mut stream).await.unwrap();
        round_trip(&mut second).await.unwrap();
        (took, fault.await.unwrap())
    });
    assert!((4998..=5000).contains(&took), "{took}: at the end of the pause");
    assert!(touched > 0);
    let closed = |what: &What| matches!(what, What::Closed { by: Side::Broker, .. });
    assert!(!trace.events.iter().any(|event| closed(&event.what)));
}

#[test]
fn a_pause_without_an_end_lasts_until_it_is_resumed() {
    let ((took, paused, resumed), trace) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        round_trip(&mut stream).await.unwrap();
        let pause = table.fault("pause: { host: broker }");
        let began = Instant::now();
        stream.write_all(b"????").await.unwrap();
        sleep(Duration::from_secs(7)).await;
        let resume = table.fault("resume: { host: broker }");
        stream.read_exact(&mut [0; 4]).await.unwrap();
        (
            began.elapsed().as_millis(),
            pause.await.unwrap(),
            resume.await.unwrap(),
        )
    });
    assert_eq!((took, resumed), (7001, 1));
    assert!(paused > 0);
    let goes_on = |what: &What| matches!(what, What::HostResumed { .. });
    assert_eq!(
        trace.events.iter().filter(|event| goes_on(&event.what)).count(),
        1
    );
}

#[test]
fn a_paused_process_can_crash_and_the_next_one_is_not_paused() {
    Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        round_trip(&mut stream).await.unwrap();
        table.fault("pause: { host: broker, for: 1h }");
        sleep(Duration::from_secs(1)).await;
        table.fault("crash: { host: broker, down: 1s }").await.unwrap();
        sleep(Duration::from_secs(1)).await;
        let mut stream = table.client.clone().connect().await.unwrap();
        assert_eq!(round_trip(&mut stream).await.unwrap(), 2);
    });
}

#[test]
fn a_host_that_reads_slowly_takes_so_many_bytes_at_a_time() {
    let ((took, after, touched), _) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        let fault = table.fault("slow_read: { host: broker, bytes: 1, for: 10s }");
        let took = round_trip(&mut stream).await.unwrap();
        let touched = fault.await.unwrap();
        sleep(Duration::from_secs(2)).await;
        (took, round_trip(&mut stream).await.unwrap(), touched)
    });
    assert_eq!((took, after, touched), (3002, 2, 4));
}

#[test]
fn a_clock_that_is_stepped_jumps_and_goes_on_and_virtual_time_does_not() {
    Table::run(async |table| {
        let shows = || network::with(|network| network.wall_clock(0)).as_secs();
        let (before, began) = (shows(), Instant::now());
        table
            .fault("clock_step: { host: broker, by: -1h }")
            .await
            .unwrap();
        assert_eq!(shows(), before - 3600);
        sleep(Duration::from_secs(10)).await;
        table.fault("clock_step: { host: broker, by: 2h }").await.unwrap();
        assert_eq!(shows(), before + 3610);
        assert_eq!(began.elapsed(), Duration::from_secs(10));
        assert_eq!(
            network::with(|network| network.wall_clock(1)).as_secs(),
            before + 10
        );
    });
}
