//! Large responses: counted against the memory limit while they are written, and held until they
//! are sent.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use fastlane::ResultError;
use hyper::body::{Frame, SizeHint};
use serde::Serialize;

use crate::error::Refusal;
use crate::peer::Peer;
use crate::shares::Share;
use crate::state::State;

/// The size of a part that is counted and sent as one.
const PART: usize = 64 << 10;

/// A JSON response that is written in parts.
pub(crate) struct Reply {
    parts: VecDeque<Bytes>,
    last: Vec<u8>,
    len: usize,
    most: usize,
    share: Share,
    /// The error that ended the response.
    refusal: Option<Refusal>,
}

impl Reply {
    /// An empty response to a peer.
    pub(crate) fn new(peer: &Peer, state: &State) -> Result<Self, Refusal> {
        let share = state.memory.take(peer, 0).ok_or_else(full)?;
        let (parts, last) = (VecDeque::new(), Vec::new());
        Ok(Self { parts, last, len: 0, most: state.limits.answer, share, refusal: None })
    }

    /// A response from a complete text.
    pub(crate) fn whole(peer: &Peer, state: &State, text: String) -> Result<Self, Refusal> {
        let mut reply = Self::new(peer, state)?;
        if text.len() > reply.most {
            return Err(too_large(reply.most));
        }
        if !reply.share.add(text.len()) {
            return Err(full());
        }
        let text = Bytes::from(text);
        let part = |start: usize| text.slice(start..text.len().min(start + PART));
        reply.parts = (0..text.len()).step_by(PART).map(part).collect();
        Ok(reply)
    }

    /// Adds text as it is, without escaping.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Refusal> {
        self.write_all(text.as_bytes()).map_err(|error| self.refused(&error))
    }

    /// Adds a value.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Refusal> {
        let written = serde_json::to_writer(&mut *self, value);
        written.map_err(|error| self.refused(&error.into()))
    }

    /// Why a search result could not be added.
    pub(crate) fn failed(&mut self, error: ResultError) -> Refusal {
        match error {
            ResultError::Search(error) => error.into(),
            ResultError::Write(error) => self.refused(&error),
            other => self.refused(&io::Error::other(other)),
        }
    }

    fn refused(&mut self, error: &io::Error) -> Refusal {
        self.refusal.take().unwrap_or_else(|| Refusal::internal(error.to_string()))
    }

    /// Counts a part against the memory limit, and starts the next.
    fn cut(&mut self) -> io::Result<()> {
        if !self.share.add(self.last.len()) {
            self.refusal = Some(full());
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let part = std::mem::replace(&mut self.last, Vec::with_capacity(PART));
        self.parts.push_back(part.into());
        Ok(())
    }
}

impl Write for Reply {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.len + bytes.len() > self.most {
            self.refusal = Some(too_large(self.most));
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let taken = bytes.len().min(PART);
        self.last.extend_from_slice(&bytes[..taken]);
        self.len += taken;
        if self.last.len() >= PART {
            self.cut()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl IntoResponse for Reply {
    fn into_response(mut self) -> Response {
        if let Err(error) = self.cut() {
            return self.refused(&error).into_response();
        }
        let kind = [(header::CONTENT_TYPE, "application/json")];
        (kind, Body::new(ResponseBody { parts: self.parts, _share: self.share })).into_response()
    }
}

/// A response being sent; its memory is released after the last part.
struct ResponseBody {
    parts: VecDeque<Bytes>,
    _share: Share,
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.parts.pop_front().map(|part| Ok(Frame::data(part))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.parts.iter().map(|part| part.len() as u64).sum())
    }
}

fn too_large(most: usize) -> Refusal {
    Refusal::too_large(format!(
        "the answer has more than {most} bytes: ask for fewer at once, or use a smaller `k`"
    ))
}

fn full() -> Refusal {
    Refusal::overloaded("bytes of this client")
}
