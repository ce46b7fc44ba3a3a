//! A connection's socket and the bodies sent over it, which together know when a response was handed over.
//!
//! A body says that it was taken for sending; the next write of its connection carries it and counts it. The
//! count goes up just before the write, so that no client can hold an answer that is not counted yet.

use std::convert::Infallible;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::counts::{Counts, Epoch};

/// The responses of one connection that are encoded and not yet written.
#[derive(Debug)]
pub(crate) struct Outbox {
    counts: Arc<Counts>,
    taken: Mutex<Vec<(Epoch, u16)>>,
    /// Whether the simulated service was asked something, not only the server itself.
    clients: AtomicBool,
}

impl Outbox {
    pub(crate) fn new(counts: Arc<Counts>) -> Arc<Self> {
        Arc::new(Self {
            counts,
            taken: Mutex::new(Vec::new()),
            clients: AtomicBool::new(false),
        })
    }

    /// Notes that a client uses this connection; true the first time.
    pub(crate) fn becomes_clients(&self) -> bool {
        !self.clients.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn is_clients(&self) -> bool {
        self.clients.load(Ordering::Relaxed)
    }

    fn taken(&self, epoch: Epoch, status: u16) {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).push((epoch, status));
    }

    /// Runs a write with everything taken counted, and takes the count back when nothing was written.
    fn write(&self, write: impl FnOnce() -> Poll<std::io::Result<usize>>) -> Poll<std::io::Result<usize>> {
        let taken = std::mem::take(&mut *self.taken.lock().unwrap_or_else(PoisonError::into_inner));
        for (epoch, status) in &taken {
            self.counts.answered(*epoch, *status);
        }
        let written = write();
        if !matches!(written, Poll::Ready(Ok(1..))) {
            for (epoch, status) in &taken {
                self.counts.not_answered(*epoch, *status);
            }
            self.taken.lock().unwrap_or_else(PoisonError::into_inner).extend(taken);
        }
        written
    }
}

/// A response's body in one piece; counted unless it has no outbox.
#[derive(Debug)]
pub(crate) struct Reply {
    bytes: Option<Bytes>,
    counted: Option<(Arc<Outbox>, Epoch, u16)>,
}

impl Reply {
    pub(crate) const fn new(bytes: Bytes, counted: Option<(Arc<Outbox>, Epoch, u16)>) -> Self {
        Self {
            bytes: Some(bytes),
            counted,
        }
    }

    fn taken(&mut self) {
        if let Some((outbox, epoch, status)) = self.counted.take() {
            outbox.taken(epoch, status);
        }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.taken();
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.bytes.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
    }
}

/// An answer to HEAD is sent without its body being asked for, only dropped.
impl Drop for Reply {
    fn drop(&mut self) {
        self.taken();
    }
}

#[derive(Debug)]
pub(crate) struct Socket {
    stream: TokioIo<TcpStream>,
    outbox: Arc<Outbox>,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, outbox: Arc<Outbox>) -> Self {
        Self {
            stream: TokioIo::new(stream),
            outbox,
        }
    }
}

impl Read for Socket {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: ReadBufCursor<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl Write for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        let Self { stream, outbox } = &mut *self;
        outbox.write(|| Pin::new(stream).poll_write(context, bytes))
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, pieces: &[IoSlice<'_>]) -> Poll<std::io::Result<usize>> {
        let Self { stream, outbox } = &mut *self;
        outbox.write(|| Pin::new(stream).poll_write_vectored(context, pieces))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
