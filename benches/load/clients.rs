use std::{
    cell::Cell,
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
};

use crate::wire::{self, ACK_LEN, PUBACK, PUBLISH};

/// What publishers and subscribers of a workload know of each other, so that nobody publishes faster than is delivered.
pub(crate) struct Flow {
    pub(crate) published: Cell<u64>,
    pub(crate) delivered: Cell<u64>,
    /// Deliveries that each message makes.
    pub(crate) fan_out: u64,
    /// Messages that may be on their way.
    pub(crate) window: u64,
    pub(crate) room: Notify,
}

impl Flow {
    fn is_full(&self) -> bool {
        self.published.get() * self.fan_out >= self.delivered.get() + self.window * self.fan_out
    }
}

/// A client that is connected.
pub(crate) async fn connect(address: SocketAddr, client_id: &str) -> io::Result<TcpStream> {
    let mut stream = loop {
        match TcpStream::connect(address).await {
            Ok(stream) => break stream,
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(error) => return Err(error),
        }
    };
    stream.set_nodelay(true)?;
    stream.write_all(&wire::connect(client_id)).await?;
    stream.read_exact(&mut [0; 4]).await?;
    Ok(stream)
}

/// A client that is connected and subscribed.
pub(crate) async fn subscriber(
    address: SocketAddr,
    client_id: &str,
    filter: &str,
    qos: u8,
) -> io::Result<TcpStream> {
    let mut stream = connect(address, client_id).await?;
    stream.write_all(&wire::subscribe(filter, qos)).await?;
    stream.read_exact(&mut [0; 5]).await?;
    Ok(stream)
}

/// Counts and acknowledges what comes, for ever.
pub(crate) async fn receive(mut stream: TcpStream, flow: &Flow) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    let mut filled = 0;
    let mut acks = Vec::new();
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        filled += read;
        let mut rest = &buffer[..filled];
        let mut delivered = 0;
        while let Some(packet) = wire::take(&mut rest) {
            if packet.packet_type() != PUBLISH {
                continue;
            }
            delivered += 1;
            if packet.first & 0x06 != 0 {
                let [high, low] = packet.publish_id().expect("QoS 1 has an identifier");
                acks.extend_from_slice(&[PUBACK << 4, 2, high, low]);
            }
        }
        let left = rest.len();
        buffer.copy_within(filled - left..filled, 0);
        filled = left;
        flow.delivered.set(flow.delivered.get() + delivered);
        flow.room.notify_waiters();
        stream.write_all(&acks).await?;
        acks.clear();
    }
}

/// Publishes until `end` as fast as `flow` and, at QoS 1, the acknowledgements allow.
pub(crate) async fn publish(
    mut stream: TcpStream,
    topic: &str,
    qos: u8,
    flow: &Flow,
    end: Instant,
) -> io::Result<()> {
    let batches: Vec<Vec<u8>> = (0..BATCHES).map(|number| batch_of(topic, qos, number)).collect();
    let mut batches = batches.iter().cycle();
    let mut unacknowledged = 0;
    let mut buffer = vec![0; BUFFER];
    while Instant::now() < end {
        while flow.is_full() {
            flow.room.notified().await;
        }
        flow.published.set(flow.published.get() + BATCH as u64);
        stream
            .write_all(batches.next().expect("they come again and again"))
            .await?;
        if qos > 0 {
            unacknowledged += BATCH * ACK_LEN;
        }
        while unacknowledged > (BATCHES - 1) * BATCH * ACK_LEN {
            unacknowledged -= stream.read(&mut buffer).await?;
        }
    }
    while unacknowledged > 0 {
        unacknowledged -= stream.read(&mut buffer).await?;
    }
    Ok(())
}

/// The Packet Identifiers of each batch are its own.
fn batch_of(topic: &str, qos: u8, number: usize) -> Vec<u8> {
    (1..)
        .skip(number * BATCH)
        .take(BATCH)
        .flat_map(|packet_id| wire::publish(topic, qos, packet_id, &[b'x'; 64]))
        .collect()
}

const BUFFER: usize = 256 << 10;
/// Messages of one write.
const BATCH: usize = 100;
/// Batches of QoS 1 that a publisher leaves unacknowledged.
const BATCHES: usize = 10;
