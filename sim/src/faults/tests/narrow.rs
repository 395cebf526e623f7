//! Links are narrow, and segments are cut and gathered.

use super::*;

/// How long it takes until each of two clients, which send at once, has its thousand bytes back.
fn both(yaml: &str) -> ([u128; 2], u64) {
    let (output, _) = Table::run(async |table| {
        let mut streams = [
            table.client.clone().connect().await.unwrap(),
            table.other.clone().connect().await.unwrap(),
        ];
        let fault = table.fault(yaml);
        let began = Instant::now();
        for stream in &mut streams {
            stream.write_all(&[0; 1000]).await.unwrap();
        }
        let mut took = [0; 2];
        for (took, stream) in took.iter_mut().zip(&mut streams) {
            stream.read_exact(&mut [0; 1000]).await.unwrap();
            *took = began.elapsed().as_millis();
        }
        (took, fault.await.unwrap())
    });
    output
}

#[test]
fn a_narrow_link_lets_so_many_bytes_a_second_through_each_way() {
    let (took, touched) = both("bandwidth: { between: [a, broker], bytes_per_second: 1000, for: 9s }");
    assert_eq!((took[0], touched), (2002, 2));
    let (took, touched) =
        both("bandwidth: { between: [a, broker], one_way: true, bytes_per_second: 1000, for: 9s }");
    assert_eq!((took[0], touched), (1002, 1));
}

#[test]
fn the_end_of_the_fault_lets_the_queue_of_a_narrow_link_through() {
    let (took, _) = both("bandwidth: { between: [a, broker], bytes_per_second: 100, for: 3s }");
    assert_eq!(took[0], 3002);
}

#[test]
fn the_connections_of_a_narrow_link_share_it() {
    let ((first, second), _) = Table::run(async |table| {
        let mut first = table.client.clone().connect().await.unwrap();
        let mut second = table.client.clone().connect().await.unwrap();
        table.fault("bandwidth: { between: [a, broker], one_way: true, bytes_per_second: 1000, for: 9s }");
        let began = Instant::now();
        first.write_all(&[0; 1000]).await.unwrap();
        second.write_all(&[0; 1000]).await.unwrap();
        first.read_exact(&mut [0; 1000]).await.unwrap();
        let first = began.elapsed().as_millis();
        second.read_exact(&mut [0; 1000]).await.unwrap();
        (first, began.elapsed().as_millis())
    });
    assert_eq!((first, second), (1002, 2002));
}

#[test]
fn a_sender_is_slowed_down_by_a_narrow_link() {
    let (written, _) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        table.fault("bandwidth: { between: [a, broker], bytes_per_second: 1000, for: 1h }");
        let mut written = 0;
        while let Ok(Ok(now)) = timeout(Duration::from_secs(1), stream.write(&[0; 1000])).await {
            written += now;
        }
        written
    });
    assert!((50_000..200_000).contains(&written), "{written}");
}

/// The lengths of what a client reads at a time, of ten bytes that are echoed at once.
fn reads(yaml: &str) -> (Vec<usize>, u64) {
    let (output, _) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        let fault = table.fault(yaml);
        stream.write_all(&[0; 10]).await.unwrap();
        let mut reads = Vec::new();
        while reads.iter().sum::<usize>() < 10 {
            reads.push(stream.read(&mut [0; 100]).await.unwrap());
        }
        (reads, fault.await.unwrap())
    });
    output
}

#[test]
fn data_are_cut_into_segments_that_are_read_one_by_one() {
    assert_eq!(
        reads("segment: { between: [broker, a], one_way: true, bytes: 1, for: 1s }"),
        (vec![1; 10], 9)
    );
    assert_eq!(
        reads("segment: { between: [broker, a], one_way: true, bytes: 4, for: 1s }"),
        (vec![4, 4, 2], 2)
    );
    let (drawn, _) = reads("segment: { between: [broker, a], one_way: true, bytes: 1..3, for: 1s }");
    assert!(drawn.iter().all(|bytes| (1..=3).contains(bytes)), "{drawn:?}");
    assert!(drawn.windows(2).any(|two| two[0] != two[1]), "{drawn:?}");
}

#[test]
fn what_is_cut_into_segments_and_the_end_behind_it_arrive_whole() {
    let (received, _) = Table::run(async |table| {
        let (mut read, mut write) = table.client.clone().connect().await.unwrap().split();
        table.fault("segment: { between: [a, broker], bytes: 1..7, for: 1h }");
        let sent: Vec<u8> = (0..=255).cycle().take(5000).collect();
        write.write_all(&sent).await.unwrap();
        drop(write);
        let mut received = Vec::new();
        read.read_to_end(&mut received).await.unwrap();
        (received == sent, received.len())
    });
    assert_eq!(received, (true, 5000));
}

#[test]
fn small_segments_of_a_span_of_time_arrive_as_one() {
    let ((read, took, touched), _) = Table::run(async |table| {
        let (mut read, mut write) = table.client.clone().connect().await.unwrap().split();
        let fault = table.fault("coalesce: { between: [broker, a], one_way: true, within: 100ms, for: 1s }");
        let began = Instant::now();
        for _ in 0..3 {
            write.write_all(b"?").await.unwrap();
            sleep(Duration::from_millis(10)).await;
        }
        let first = read.read(&mut [0; 100]).await.unwrap();
        (first, began.elapsed().as_millis(), fault.await.unwrap())
    });
    assert_eq!((read, took), (3, 102), "gathered from when the first is echoed");
    assert!(touched >= 2, "{touched}");
}

#[test]
fn faults_of_one_link_add_up() {
    let ((received, touched), _) = Table::run(async |table| {
        let (mut read, mut write) = table.client.clone().connect().await.unwrap().split();
        let faults = [
            "bandwidth: { between: [a, broker], bytes_per_second: 500, for: 20s }",
            "coalesce: { between: [a, broker], within: 5ms..80ms, for: 20s }",
            "latency: { between: [a, broker], latency: 1ms..9ms, spikes: { every: 1s, latency: 2s }, for: 20s }",
            "loss: { between: [a, broker], percent: 20, for: 20s }",
            "segment: { between: [a, broker], bytes: 1..3, for: 20s }",
            "partition: { between: [a, broker], for: 2s }",
            "hold: { between: [a, broker], for: 3s }",
        ];
        let faults = faults.map(|yaml| table.fault(yaml));
        for n in 0..100_u8 {
            write.write_all(&[n; 10]).await.unwrap();
            sleep(Duration::from_millis(70)).await;
        }
        let mut received = [0; 1000];
        read.read_exact(&mut received).await.unwrap();
        let mut touched = Vec::new();
        for fault in faults {
            touched.push(fault.await.unwrap());
        }
        (received, touched)
    });
    assert!((0..100).flat_map(|n| [n; 10]).eq(received));
    assert!(touched.iter().all(|touched| *touched > 0), "{touched:?}");
}
