//! A worker pool with a bounded queue: one request per core runs, some wait, further ones are
//! refused.
//!
//! Waiting requests run in an order that is fair to peers: see [`queue`](crate::queue).

use std::num::NonZero;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fastlane::Stop;
use tokio::sync::oneshot;

use crate::error::{Refusal, ServeError};
use crate::peer::Peer;
use crate::queue::Queue;
use crate::shares::{Share, Shares};

/// A request that runs in steps.
struct Job {
    /// Runs the next step; breaks after the last.
    step: Box<dyn FnMut() -> ControlFlow<()> + Send>,
    /// Its place among running and waiting requests.
    _place: Share,
}

/// Threads behind a bounded queue.
pub(crate) struct WorkerPool {
    shared: Arc<Shared>,
    places: Arc<Shares>,
    /// The time limit of a request.
    time: Duration,
}

struct Shared {
    state: Mutex<PoolState>,
    wake: Condvar,
}

struct PoolState {
    queue: Queue<Job>,
    closed: bool,
}

/// Stops the work on a request when it timed out or its client has disconnected.
struct StopWithRequest(Stop);

impl Drop for StopWithRequest {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl WorkerPool {
    /// Starts the threads, and as many again for peers without a running step; `room` for waiting
    /// requests, each of which takes `time` at most.
    pub(crate) fn new(
        threads: NonZero<usize>,
        room: usize,
        time: Duration,
    ) -> Result<Self, ServeError> {
        let state = Mutex::new(PoolState { queue: Queue::new(threads.get()), closed: false });
        let shared = Arc::new(Shared { state, wake: Condvar::new() });
        let workers = Self { shared, places: Shares::new(threads.get() + room), time };
        for number in 0..threads.get() * 2 {
            let shared = Arc::clone(&workers.shared);
            let thread = std::thread::Builder::new().name(format!("search-{number}"));
            thread.spawn(move || shared.work()).map_err(ServeError::Threads)?;
        }
        Ok(workers)
    }

    /// The number of waiting requests.
    pub(crate) fn waiting(&self) -> usize {
        self.shared.state().queue.waiting()
    }

    /// Runs work on one of the threads; returns how long it waited.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        peer: &Peer,
        work: impl FnOnce(&Stop) -> T + Send + 'static,
    ) -> Result<(T, Duration), Refusal> {
        let mut work = Some(work);
        let step = move |stop: &Stop| match work.take() {
            Some(work) => ControlFlow::Break(work(stop)),
            None => ControlFlow::Continue(()),
        };
        self.run_until(peer, step).await
    }

    /// Runs work in steps, between which other requests run; a step returns whether it was the
    /// last.
    pub(crate) async fn run_steps<W: Send + 'static>(
        &self,
        peer: &Peer,
        work: W,
        mut step: impl FnMut(&mut W, &Stop) -> Result<bool, Refusal> + Send + 'static,
    ) -> Result<(W, Duration), Refusal> {
        let mut work = Some(work);
        let step = move |stop: &Stop| {
            let Some(mut now) = work.take() else { return ControlFlow::Continue(()) };
            match step(&mut now, stop) {
                Err(refusal) => ControlFlow::Break(Err(refusal)),
                Ok(true) => ControlFlow::Break(Ok(now)),
                Ok(false) => {
                    work = Some(now);
                    ControlFlow::Continue(())
                }
            }
        };
        let (ended, waited) = self.run_until(peer, step).await?;
        Ok((ended?, waited))
    }

    async fn run_until<T: Send + 'static>(
        &self,
        peer: &Peer,
        mut step: impl FnMut(&Stop) -> ControlFlow<T> + Send + 'static,
    ) -> Result<(T, Duration), Refusal> {
        let place = self.places.take(peer, 1).ok_or_else(|| Refusal::overloaded("requests"))?;
        let (give, take) = oneshot::channel();
        let (stop, began) = (Stop::after(self.time), Instant::now());
        let _stop = StopWithRequest(stop.clone());
        let (mut give, mut waited) = (Some(give), None);
        let step = move || {
            // the client is gone
            if give.as_ref().is_none_or(oneshot::Sender::is_closed) {
                return ControlFlow::Break(());
            }
            let waited = *waited.get_or_insert_with(|| began.elapsed());
            let ended = step(&stop).break_value();
            match ended.and_then(|ended| Some((give.take()?, ended))) {
                None => ControlFlow::Continue(()),
                Some((give, ended)) => {
                    let _ = give.send((ended, waited));
                    ControlFlow::Break(())
                }
            }
        };
        self.shared.state().queue.push(peer, Job { step: Box::new(step), _place: place });
        self.shared.wake.notify_one();
        take.await.map_err(|_| Refusal::internal("the thread that worked on it panicked"))
    }
}

impl Drop for WorkerPool {
    fn drop(&mut self) {
        self.shared.state().closed = true;
        self.shared.wake.notify_all();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs steps until the pool is closed.
    fn work(&self) {
        while let Some((peer, mut job)) = self.next() {
            // a panic in one request must not end the service: its client gets an error
            let step = catch_unwind(AssertUnwindSafe(|| (job.step)()));
            let more = step.is_ok_and(|step| step.is_continue()).then_some(job);
            let mut state = self.state();
            state.queue.end(&peer);
            if let Some(job) = more {
                state.queue.push(&peer, job);
            }
        }
    }

    /// Waits for the next job; none when the pool is closed.
    fn next(&self) -> Option<(Peer, Job)> {
        let mut state = self.state();
        loop {
            if state.closed {
                return None;
            }
            if let Some(next) = state.queue.next() {
                // the end of a step may allow two jobs to run
                if state.queue.has_next() {
                    self.wake.notify_one();
                }
                return Some(next);
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_millis(100);

    fn peer(number: u8) -> Peer {
        Peer::at([10, 0, 0, number].into())
    }

    fn pool(room: usize) -> WorkerPool {
        WorkerPool::new(NonZero::<usize>::MIN, room, Duration::from_secs(60)).unwrap()
    }

    /// Works until it is stopped.
    fn wait(stop: &Stop) {
        while !stop.is_due() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[tokio::test]
    async fn defect_s1_work_ends_when_nothing_waits_for_it() {
        let (workers, one) = (pool(8), peer(1));
        // between steps
        let steps = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&steps);
        let endless = workers.run_steps(&one, (), move |(), _| {
            count.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(1));
            Ok(false)
        });
        assert!(timeout(SOON, endless).await.is_err());
        // within a step, on the one thread
        let within = workers.run(&one, |stop| {
            while !stop.is_due() {
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        assert!(timeout(SOON, within).await.is_err());
        let done = steps.load(Ordering::Relaxed);
        assert!(done > 0);
        let next = timeout(Duration::from_secs(10), workers.run(&one, |_| ())).await;
        assert!(next.is_ok_and(|next| next.is_ok()), "the thread is free again");
        assert_eq!(steps.load(Ordering::Relaxed), done);
    }

    #[tokio::test]
    async fn defect_s1_one_query_waits_for_one_step_of_many() {
        let workers = Arc::new(pool(8));
        let (began, begun) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let batch = {
            let workers = Arc::clone(&workers);
            tokio::spawn(async move {
                let step = move |left: &mut usize, _: &Stop| {
                    let _ = began.send(());
                    // each step takes until it is ended
                    let _ = ended.recv();
                    *left -= 1;
                    Ok(*left == 0)
                };
                workers.run_steps(&peer(1), 3, step).await.map(|(left, _)| left)
            })
        };
        let one = {
            let (workers, begun) =
                (Arc::clone(&workers), tokio::task::spawn_blocking(move || begun.recv()));
            begun.await.unwrap().unwrap();
            tokio::spawn(async move { workers.run(&peer(1), |_| ()).await.map(|_| ()) })
        };
        while workers.waiting() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        end.send(()).unwrap();
        assert!(timeout(Duration::from_secs(10), one).await.unwrap().unwrap().is_ok());
        assert!(!batch.is_finished(), "two steps are left");
        end.send(()).unwrap();
        end.send(()).unwrap();
        assert_eq!(batch.await.unwrap().ok(), Some(0));
    }

    #[tokio::test]
    async fn defect_s1_a_long_step_does_not_hold_up_another_peer() {
        let workers = Arc::new(pool(8));
        let long = {
            let workers = Arc::clone(&workers);
            tokio::spawn(async move { workers.run(&peer(1), wait).await.map(|_| ()) })
        };
        tokio::time::sleep(SOON).await;
        let (second, ten) = (peer(2), Duration::from_secs(10));
        assert!(timeout(ten, workers.run(&second, |_| ())).await.is_ok_and(|it| it.is_ok()));
        long.abort();
    }

    #[tokio::test]
    async fn a_client_does_not_take_all_places_and_a_panic_ends_one_request() {
        let workers = Arc::new(pool(7));
        let all: Vec<_> = (0..20)
            .map(|_| {
                let workers = Arc::clone(&workers);
                tokio::spawn(async move { workers.run(&peer(1), wait).await.map(|_| ()) })
            })
            .collect();
        tokio::time::sleep(SOON).await;
        let refused = all.iter().filter(|one| one.is_finished()).count();
        assert_eq!(refused, 14, "of 8 places one client has 6");
        assert!(workers.run(&peer(2), |_| ()).await.is_ok());
        all.iter().for_each(tokio::task::JoinHandle::abort);
        let panicked = workers.run(&peer(2), |_| panic!("on purpose")).await;
        assert_eq!(panicked.map(|_| ()).unwrap_err().code, "internal");
        assert!(workers.run(&peer(2), |_| ()).await.is_ok());
    }
}
