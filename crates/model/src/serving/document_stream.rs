//! Encodes a stream of documents in parallel, and returns the results in order.
//!
//! A new text is read only when a result is requested, so that few texts are in flight when the
//! caller stops early.

use std::collections::VecDeque;
use std::iter::Fuse;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use fastlane_engine::{DocumentViews, EncodeError};
use rayon::ThreadPool;

use crate::serving::in_flight::InFlight;
use crate::serving::pipeline::Pipeline;

/// No text is read while the texts in flight have this many bytes.
const MOST_BYTES: usize = 8 << 20;

type Encoded = Result<DocumentViews, EncodeError>;
type Texts<'a> = Box<dyn Iterator<Item = String> + Send + 'a>;

/// Encodes texts on request, and returns the results in order.
pub(crate) struct DocumentStream<'a> {
    pipeline: &'a Arc<Pipeline>,
    pool: &'a ThreadPool,
    in_flight: &'a InFlight,
    window: NonZero<usize>,
    texts: Fuse<Texts<'a>>,
    /// The texts in flight: the channel for the views of each, and its size in bytes.
    in_work: VecDeque<(Receiver<Encoded>, usize)>,
}

impl<'a> DocumentStream<'a> {
    /// Creates a stream with at most `window` texts in flight.
    pub(crate) fn new(
        pipeline: &'a Arc<Pipeline>,
        (pool, in_flight): (&'a ThreadPool, &'a InFlight),
        window: NonZero<usize>,
        texts: Texts<'a>,
    ) -> Self {
        Self { pipeline, pool, in_flight, window, texts: texts.fuse(), in_work: VecDeque::new() }
    }

    fn has_room(&self) -> bool {
        let bytes: usize = self.in_work.iter().map(|(_, bytes)| bytes).sum();
        self.in_work.len() < self.window.get() && bytes < MOST_BYTES
    }

    fn put_to_work(&mut self, text: String) {
        let (give, take) = sync_channel(1);
        self.in_work.push_back((take, text.len()));
        let (pipeline, guard) = (Arc::clone(self.pipeline), self.in_flight.begin());
        self.pool.spawn_fifo(move || {
            // a panic here would end the whole program
            let views = catch_unwind(AssertUnwindSafe(|| pipeline.encode_document(&text)));
            let views = views.unwrap_or_else(|_| Err(panicked(&text)));
            // so that a query that arrives after the last document counts as alone
            drop(guard);
            // fails when the stream was dropped
            let _ = give.send(views);
        });
    }
}

fn panicked(text: &str) -> EncodeError {
    let start = text.chars().take(40).collect();
    EncodeError { start, source: "the encoder panicked: a bug of ours".into() }
}

impl Iterator for DocumentStream<'_> {
    type Item = Encoded;

    fn next(&mut self) -> Option<Encoded> {
        while self.has_room() {
            let Some(text) = self.texts.next() else { break };
            self.put_to_work(text);
        }
        let (views, _) = self.in_work.pop_front()?;
        Some(views.recv().unwrap_or_else(|_| Err(panicked(""))))
    }
}

/// Processes items on all threads of a pool, the longest first; returns the results in order.
pub(crate) fn side_by_side<T: Sync, R: Send>(
    pool: &ThreadPool,
    items: &[T],
    length: impl Fn(&T) -> usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(length(&items[index])));
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    pool.broadcast(|_| {
        while let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let result = work(&items[index]);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}
