//! Where requests get a thread: as many work as there are cores, a few wait, the others are told
//! to come back.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::error::{Refusal, ServeError};

type Task = Box<dyn FnOnce() + Send>;

/// Threads behind a queue with little room.
pub(crate) struct Desk {
    give: SyncSender<Task>,
    waiting: Arc<AtomicUsize>,
}

impl Desk {
    pub(crate) fn new(threads: NonZero<usize>, room: usize) -> Result<Self, ServeError> {
        let (give, take) = sync_channel::<Task>(room);
        let take = Arc::new(Mutex::new(take));
        for number in 0..threads.get() {
            let take = Arc::clone(&take);
            let thread = std::thread::Builder::new().name(format!("search-{number}"));
            thread.spawn(move || work(&take)).map_err(ServeError::Threads)?;
        }
        Ok(Self { give, waiting: Arc::default() })
    }

    /// Counts the requests that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Does work on one of the threads; tells how long it waited.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(T, Duration), Refusal> {
        let (give, take) = oneshot::channel();
        let (waiting, began) = (Arc::clone(&self.waiting), Instant::now());
        let task = Box::new(move || {
            waiting.fetch_sub(1, Ordering::Relaxed);
            // nobody waits any more: the work would be for nothing
            if !give.is_closed() {
                let waited = began.elapsed();
                let _ = give.send((work(), waited));
            }
        });
        self.waiting.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = self.give.try_send(task) {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(match error {
                TrySendError::Full(_) => Refusal::overloaded("requests"),
                TrySendError::Disconnected(_) => Refusal::internal("no thread works any more"),
            });
        }
        take.await.map_err(|_| Refusal::internal("the thread that worked on it panicked"))
    }
}

fn work(take: &Mutex<Receiver<Task>>) {
    loop {
        let task = match take.lock() {
            Ok(take) => take.recv(),
            Err(_) => return,
        };
        let Ok(task) = task else { return };
        // one request that panics shall not end the service: its client is told
        let _ = catch_unwind(AssertUnwindSafe(task));
    }
}
