//! A write timeout for connections: without it, a client that reads slowly would hold its
//! connection and a response in memory indefinitely.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use crate::rate::Rate;

/// A stream that fails when its client reads too slowly.
pub(crate) struct WriteTimeout<S> {
    stream: S,
    rate: Rate,
    /// Since when writes are blocked, and when the time of the client is up.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<S> WriteTimeout<S> {
    pub(crate) fn new(stream: S, rate: Rate) -> Self {
        Self { stream, rate, waiting: None }
    }

    /// The result of a write, or a timeout.
    fn timed<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
        bytes: impl Fn(&T) -> usize,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(written) = written {
            let waited = self.waiting.take().map(|(since, _)| since.elapsed());
            let bytes = written.as_ref().map_or(0, bytes);
            self.rate.moved(bytes, waited.unwrap_or_default());
            return Poll::Ready(written);
        }
        let left = self.rate.left();
        let (_, end) = self.waiting.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(left))));
        ready!(end.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteTimeout<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.timed(context, written, |written| *written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.timed(context, written, |written| *written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.timed(context, flushed, |()| 0)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = Pin::new(&mut self.stream).poll_shutdown(context);
        self.timed(context, closed, |()| 0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// Writes 64 bytes at 8 a piece, of which a client takes one piece in so many milliseconds.
    async fn written(every: u64, least: usize) -> io::Result<()> {
        let (ours, mut theirs) = duplex(8);
        let reading = tokio::spawn(async move {
            let mut part = [0; 8];
            while theirs.read_exact(&mut part).await.is_ok() {
                sleep(Duration::from_millis(every)).await;
            }
        });
        let rate = Rate::new(least, Duration::from_millis(200));
        let written = WriteTimeout::new(ours, rate).write_all(&[0; 64]).await;
        reading.abort();
        written
    }

    #[tokio::test]
    async fn defect_s5_a_client_that_takes_little_for_long_is_left() {
        // 8 bytes in 50 ms are 160 in a second
        assert!(written(50, 100).await.is_ok());
        assert_eq!(written(50, 1000).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        // nothing at all
        assert_eq!(written(5000, 1).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
