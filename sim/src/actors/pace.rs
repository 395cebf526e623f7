use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use squall_node::Stream;
use tokio::{
    io::{AsyncRead, ReadBuf},
    time::{Sleep, sleep},
};

use crate::{
    scenario::Reads,
    world::{HostRead, HostStream, HostWrite},
};

/// A stream that is read no faster than a client's `reads` says.
pub(super) struct PacedStream {
    pub(super) stream: HostStream,
    pub(super) reads: Option<Reads>,
}

/// The half of it that reads.
pub(super) struct PacedRead {
    read: HostRead,
    reads: Option<Reads>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Stream for PacedStream {
    type Read = PacedRead;
    type Write = HostWrite;

    fn split(self) -> (PacedRead, HostWrite) {
        let (read, write) = self.stream.split();
        let read = PacedRead {
            read,
            reads: self.reads,
            pause: None,
        };
        (read, write)
    }
}

impl AsyncRead for PacedRead {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(reads) = self.reads else {
            return Pin::new(&mut self.read).poll_read(cx, into);
        };
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        let bytes = into.remaining().min(reads.bytes as usize);
        let mut some = vec![0; bytes];
        let mut buffer = ReadBuf::new(&mut some);
        ready!(Pin::new(&mut self.read).poll_read(cx, &mut buffer))?;
        into.put_slice(buffer.filled());
        self.pause = Some(Box::pin(sleep(reads.every.duration())));
        Poll::Ready(Ok(()))
    }
}
