use std::{io, time::Duration};

use bytes::BytesMut;
use squall_proto::{
    Decoder,
    client::{Input, Why},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    sync::mpsc,
};

use super::{
    Event,
    inbox::{Asked, Inbox},
    machine::{Machine, Out},
};
use crate::Stream;

/// Bytes asked of the stream at a time.
const READ: usize = 16 << 10;
/// Unsent bytes with which nothing more is read or asked that could add to them.
const UNSENT_MAX: usize = 1 << 20;
/// How long the last bytes of a connection may take, and the server's close after them.
const FAREWELL: Duration = Duration::from_secs(2);

/// What happens next on a connection.
enum Step {
    Room,
    Wrote(io::Result<()>),
    Deadline,
    Read(io::Result<usize>),
    Asked(Asked),
}

/// Moves bytes between a stream and the state machine until either ends the connection, or the records cannot be kept; says whether the
/// client is to end.
pub(super) async fn serve(
    stream: impl Stream,
    machine: &mut Machine,
    inbox: &mut Inbox,
    events: &mpsc::Sender<Event>,
    packet_size_max: u32,
) -> bool {
    let (mut read, mut write) = stream.split();
    let mut decoder = Decoder::with_version(machine.version(), packet_size_max);
    let mut input = BytesMut::new();
    let mut stopped = false;
    machine.opened();
    while machine.out.close.is_none() {
        if machine.commit().await.is_err() {
            return true;
        }
        tell(&mut machine.out, events);
        machine.flushed(inbox);
        match step(&mut read, &mut write, &mut input, machine, inbox, events).await {
            Step::Room | Step::Wrote(Ok(())) => {}
            Step::Deadline => {
                let reading = machine.out.events.is_empty();
                machine.handle(Input::Tick { reading });
            }
            Step::Read(Ok(1..)) => receive(&mut decoder, &mut input, machine),
            Step::Read(Ok(0)) => machine.lost(None),
            Step::Read(Err(error)) | Step::Wrote(Err(error)) => machine.lost(Some(error)),
            Step::Asked(asked) => {
                stopped |= matches!(asked, Asked::Stop(_));
                ask(asked, machine, inbox);
            }
        }
    }
    if machine.commit().await.is_err() {
        return true;
    }
    if says_farewell(machine.out.close.as_ref()) {
        // Whatever goes wrong now, the connection is at its end.
        let _ = tokio::time::timeout(FAREWELL, farewell(&mut read, &mut write, &mut machine.out.bytes)).await;
    }
    machine.lost(None);
    stopped
}

async fn step(
    read: &mut (impl AsyncRead + Unpin),
    write: &mut (impl AsyncWrite + Unpin),
    input: &mut BytesMut,
    machine: &mut Machine,
    inbox: &mut Inbox,
    events: &mpsc::Sender<Event>,
) -> Step {
    let deadline = machine.clock().sleep_until(machine.next_deadline());
    let (messages, requests) = (machine.takes_messages(), machine.takes_requests());
    let Out {
        bytes,
        unflushed,
        events: untold,
        ..
    } = &mut machine.out;
    let room_to_send = bytes.len() < UNSENT_MAX;
    tokio::select! {
        biased;
        _ = events.reserve(), if !untold.is_empty() => Step::Room,
        result = write_out(write, bytes, unflushed), if *unflushed => Step::Wrote(result),
        () = deadline => Step::Deadline,
        result = read_some(read, input), if untold.is_empty() && room_to_send => Step::Read(result),
        asked = inbox.next(requests && room_to_send, messages && room_to_send) => Step::Asked(asked),
    }
}

/// Loses nothing when it is dropped before it is ready: what was written is gone from `bytes`.
async fn write_out(
    write: &mut (impl AsyncWrite + Unpin),
    bytes: &mut BytesMut,
    unflushed: &mut bool,
) -> io::Result<()> {
    write.write_all_buf(bytes).await?;
    write.flush().await?;
    *unflushed = false;
    Ok(())
}

async fn read_some(read: &mut (impl AsyncRead + Unpin), input: &mut BytesMut) -> io::Result<usize> {
    input.reserve(READ);
    read.read_buf(input).await
}

/// Every packet of a batch.
fn receive(decoder: &mut Decoder, input: &mut BytesMut, machine: &mut Machine) {
    while machine.out.close.is_none() {
        match decoder.decode(input) {
            Ok(Some(packet)) => machine.handle(Input::Received(packet)),
            Ok(None) => return,
            Err(error) => machine.handle(Input::Malformed(error)),
        }
    }
}

/// What was asked, as far as there is room for it; or to stop, after everything that was asked before.
fn ask(asked: Asked, machine: &mut Machine, inbox: &mut Inbox) {
    if matches!(asked, Asked::Stop(_)) {
        for earlier in inbox.close() {
            machine.ask(earlier);
        }
    }
    machine.ask(asked);
    while machine.out.close.is_none() && machine.out.bytes.len() < UNSENT_MAX {
        match inbox.try_next(machine.takes_requests(), machine.takes_messages()) {
            Some(asked) => machine.ask(asked),
            None => return,
        }
    }
}

/// Tells the application as much as it has room for; all of it, if nobody listens any more.
pub(super) fn tell(out: &mut Out, events: &mpsc::Sender<Event>) {
    while !out.events.is_empty() {
        match events.try_reserve() {
            Ok(room) => {
                if let Some(event) = out.events.pop_front() {
                    room.send(event);
                }
            }
            Err(mpsc::error::TrySendError::Full(())) => return,
            Err(mpsc::error::TrySendError::Closed(())) => out.events.clear(),
        }
    }
}

/// Whether there may be something left to send to a server that may be there.
const fn says_farewell(why: Option<&Why>) -> bool {
    match why {
        Some(
            Why::Requested
            | Why::Refused(_)
            | Why::Server(_)
            | Why::Violated(_)
            | Why::Malformed(_)
            | Why::AnswerTooLarge
            | Why::Distrusted,
        ) => true,
        Some(Why::ConnackTimeout | Why::PingrespTimeout | Why::Lost) | None => false,
    }
}

/// Sends what is left and waits for the server's close: a socket that is closed while unread bytes wait in it is reset, and the
/// reset may overtake DISCONNECT.
async fn farewell(
    read: &mut (impl AsyncRead + Unpin),
    write: &mut (impl AsyncWrite + Unpin),
    bytes: &mut BytesMut,
) -> io::Result<()> {
    write.write_all_buf(bytes).await?;
    write.shutdown().await?;
    let mut unwanted = BytesMut::new();
    while read_some(read, &mut unwanted).await? > 0 {
        unwanted.clear();
    }
    Ok(())
}
