//! One connection of whoever speaks packet by packet: what it says leaves in order, each part at its time, while what comes is
//! taken; two sides that both only send would wait for each other.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use squall_node::{BoxedStream, Stream};
use squall_proto::{Decoder, Packet, Version};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::oneshot,
    time::{Instant, sleep_until},
};

use crate::{
    scenario::{Pieces, Then},
    trace::{Side, WireId},
    world::network,
};

/// One connection.
pub(super) struct Line {
    read: Box<dyn AsyncRead + Send + Unpin>,
    write: Box<dyn AsyncWrite + Send + Unpin>,
    end: (WireId, Side),
    /// `None` once something came that is no packet: the checks' affair.
    decoder: Option<Decoder>,
    input: BytesMut,
    /// What is to be said later, by when and in which order.
    delayed: BTreeMap<(Instant, u64), Saying>,
    later: Later,
    said: u64,
    /// What is being said.
    out: VecDeque<Saying>,
    /// Before this nothing more is written.
    not_before: Instant,
    silent: bool,
}

/// Something to say, whole before the next.
#[derive(Debug, Default)]
pub(super) struct Saying {
    pub(super) bytes: Bytes,
    /// So much later.
    pub(super) after: Duration,
    pub(super) pieces: Option<Pieces>,
    /// What becomes of the connection when it is said.
    pub(super) then: Option<Then>,
    /// Whoever waits until it is said.
    pub(super) done: Option<oneshot::Sender<()>>,
    /// It takes its time: until it is said, or never will be, it counts.
    pub(super) counted: Option<Counted>,
}

/// How much somebody has still to say on any of its connections: a run waits for that.
#[derive(Clone, Debug, Default)]
pub(super) struct Later(Arc<AtomicUsize>);

/// One thing among what somebody has still to say.
#[derive(Debug)]
pub(super) struct Counted(Later);

/// What happens next on a connection.
pub(super) enum Next {
    /// A packet came.
    Heard(Packet),
    /// Everything before it is said: the connection ends so.
    Then(Then),
    /// The other end is gone.
    Over,
}

impl Later {
    fn count(&self) -> Counted {
        self.0.fetch_add(1, Ordering::Relaxed);
        Counted(self.clone())
    }

    /// Whether there is anything.
    pub(super) fn is_some(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Line {
    /// `end` is which connection it is and which side of it; `version` is `None` where CONNECT is still to say it.
    pub(super) fn new(
        stream: BoxedStream,
        end: (WireId, Side),
        version: Option<Version>,
        later: Later,
    ) -> Self {
        let (read, write) = stream.split();
        let decoder = match version {
            Some(version) => Decoder::with_version(version, u32::MAX),
            None => Decoder::new(u32::MAX),
        };
        Self {
            read,
            write,
            end,
            decoder: Some(decoder),
            input: BytesMut::new(),
            delayed: BTreeMap::new(),
            later,
            said: 0,
            out: VecDeque::new(),
            not_before: Instant::now(),
            silent: false,
        }
    }

    /// Whether it answers nothing any more.
    pub(super) const fn is_silent(&self) -> bool {
        self.silent
    }

    /// From now on it answers nothing, and forgets what it was to answer later.
    pub(super) fn fall_silent(&mut self) {
        self.silent = true;
        self.delayed.clear();
    }

    /// Says something, when its time has come.
    pub(super) fn say(&mut self, mut saying: Saying) {
        if !saying.after.is_zero() || saying.pieces.is_some() {
            saying.counted = Some(self.later.count());
        }
        if saying.after.is_zero() {
            self.out.push_back(saying);
        } else {
            self.said += 1;
            let at = (Instant::now() + saying.after, self.said);
            self.delayed.insert(at, saying);
        }
    }

    /// Ends the connection with an RST.
    pub(super) fn reset(self) {
        let (wire, side) = self.end;
        network::with(|network| network.reset_side(wire, side));
    }

    /// Waits for what happens next. Loses nothing when it is dropped before it is ready.
    pub(super) async fn next(&mut self) -> Next {
        loop {
            if let Some(packet) = self.decode() {
                return Next::Heard(packet);
            }
            self.promote();
            let due = self.delayed.first_key_value().map(|((at, _), _)| *at);
            let Self {
                read,
                write,
                input,
                out,
                not_before,
                ..
            } = self;
            tokio::select! {
                biased;
                said = say_some(write, out, not_before) => match said {
                    Ok(Some(then)) => return Next::Then(then),
                    Ok(None) => {}
                    Err(_) => return Next::Over,
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
                read = read.read_buf(input) => if let Ok(0) | Err(_) = read {
                    return Next::Over;
                },
            }
        }
    }

    fn decode(&mut self) -> Option<Packet> {
        let decoded = self
            .decoder
            .as_mut()
            .map(|decoder| decoder.decode(&mut self.input));
        if let Some(Ok(packet)) = decoded {
            return packet;
        }
        self.decoder = None;
        self.input.clear();
        None
    }

    /// Begins to say what is due.
    fn promote(&mut self) {
        let now = Instant::now();
        while let Some(entry) = self.delayed.first_entry()
            && entry.key().0 <= now
        {
            self.out.push_back(entry.remove());
        }
    }
}

/// Writes a part of the first that is to be said; `Some`: it was said, and this is what then becomes of the connection. Pends
/// while there is nothing to say.
async fn say_some(
    write: &mut (dyn AsyncWrite + Send + Unpin),
    out: &mut VecDeque<Saying>,
    not_before: &mut Instant,
) -> io::Result<Option<Then>> {
    let Some(saying) = out.front_mut() else {
        return std::future::pending().await;
    };
    if *not_before > Instant::now() {
        sleep_until(*not_before).await;
    }
    if saying.bytes.has_remaining() {
        let pieces = saying.pieces;
        let most = pieces.map_or(saying.bytes.len(), |pieces| pieces.bytes as usize);
        let piece = saying.bytes.slice(..most.min(saying.bytes.len()));
        let written = write.write(&piece).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        saying.bytes.advance(written);
        *not_before = Instant::now() + pieces.map_or(Duration::ZERO, |pieces| pieces.every.duration());
    }
    write.flush().await?;
    if saying.bytes.has_remaining() {
        return Ok(None);
    }
    let then = saying.then;
    if let Some(Saying { done: Some(done), .. }) = out.pop_front() {
        _ = done.send(());
    }
    Ok(then)
}
