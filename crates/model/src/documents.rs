//! Many documents: a window of texts at a time, encoded side by side, longest first.
//!
//! The longest first, so that no thread begins a long text when the others are done. A window is
//! full at so many texts, or at [`MOST_BYTES`], and only one is held at a time.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use fastlane_engine::{DocumentViews, EncodeError};
use rayon::ThreadPool;

use crate::model::Model;

/// A window is full with these many bytes, or with a single text beyond.
const MOST_BYTES: usize = 8 << 20;

type Encoded = Result<DocumentViews, EncodeError>;

/// Encodes texts as they are asked for; gives them back in their order.
pub(crate) struct Documents<'a> {
    model: &'a Model,
    texts: Box<dyn Iterator<Item = String> + Send + 'a>,
    ready: VecDeque<Encoded>,
}

impl<'a> Documents<'a> {
    pub(crate) fn new(
        model: &'a Model,
        texts: Box<dyn Iterator<Item = String> + Send + 'a>,
    ) -> Self {
        Self { model, texts, ready: VecDeque::new() }
    }

    fn next_window(&mut self) -> Vec<String> {
        let (mut window, mut bytes) = (Vec::new(), 0);
        while window.len() < self.model.window().get() && bytes < MOST_BYTES {
            let Some(text) = self.texts.next() else { break };
            bytes += text.len();
            window.push(text);
        }
        window
    }
}

impl Iterator for Documents<'_> {
    type Item = Encoded;

    fn next(&mut self) -> Option<Encoded> {
        if self.ready.is_empty() {
            let window = self.next_window();
            let encode = |text: &String| self.model.encode_document(text);
            self.ready = side_by_side(self.model.pool(), &window, String::len, encode).into();
        }
        self.ready.pop_front()
    }
}

/// Works on each item, the longest first, on all threads of a pool; gives results in order.
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
            done.lock().expect("no thread panics while it holds it").push((index, result));
        }
    });
    let mut done = done.into_inner().expect("no thread panics while it holds it");
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}
