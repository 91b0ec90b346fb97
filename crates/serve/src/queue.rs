//! A fair queue of jobs that wait for a thread.
//!
//! A job has steps, such as one query of many. Peers take turns, and so do the jobs of one peer:
//! after each step a job goes to the end of its peer's queue. So a single query waits for at most
//! one step on each thread, even if others have sent many queries at once.
//!
//! A step may be long. So a peer without a running step gets a thread even when one thread per core
//! is busy: the operating system then shares the cores.

use std::collections::{HashMap, VecDeque};

use crate::peer::Peer;

/// The jobs of all peers, and the running steps of each peer.
pub(crate) struct Queue<J> {
    /// How many steps run at a time, apart from the first step of each peer.
    threads: usize,
    /// The peers with waiting jobs; the first one is next.
    turns: VecDeque<Peer>,
    jobs: HashMap<Peer, VecDeque<J>>,
    running: HashMap<Peer, usize>,
    busy: usize,
    waiting: usize,
}

impl<J> Queue<J> {
    pub(crate) fn new(threads: usize) -> Self {
        let (turns, jobs, running) = (VecDeque::new(), HashMap::new(), HashMap::new());
        Self { threads, turns, jobs, running, busy: 0, waiting: 0 }
    }

    /// The number of waiting jobs.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Appends a job to the queue of its peer.
    pub(crate) fn push(&mut self, peer: &Peer, job: J) {
        let jobs = self.jobs.entry(peer.clone()).or_default();
        if jobs.is_empty() {
            self.turns.push_back(peer.clone());
        }
        jobs.push_back(job);
        self.waiting += 1;
    }

    /// Whether a job may run now.
    pub(crate) fn has_next(&self) -> bool {
        self.turn().is_some()
    }

    /// The place in `turns` of the peer whose turn it is.
    fn turn(&self) -> Option<usize> {
        let free = self.busy < self.threads;
        self.turns.iter().position(|peer| free || !self.running.contains_key(peer))
    }

    /// Takes the next job; one of its steps runs until [`end`](Self::end).
    pub(crate) fn next(&mut self) -> Option<(Peer, J)> {
        let place = self.turn()?;
        let peer = self.turns.remove(place)?;
        let jobs = self.jobs.get_mut(&peer)?;
        let job = jobs.pop_front()?;
        match jobs.is_empty() {
            true => drop(self.jobs.remove(&peer)),
            false => self.turns.push_back(peer.clone()),
        }
        *self.running.entry(peer.clone()).or_default() += 1;
        self.busy += 1;
        self.waiting -= 1;
        Some((peer, job))
    }

    /// A step of a peer has ended.
    pub(crate) fn end(&mut self, peer: &Peer) {
        self.busy -= 1;
        if let Some(running) = self.running.get_mut(peer) {
            *running -= 1;
            if *running == 0 {
                self.running.remove(peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u8) -> Peer {
        Peer::at([10, 0, 0, number].into())
    }

    /// Takes the next job, ends its step, and puts it back.
    fn turn(queue: &mut Queue<&'static str>) -> &'static str {
        let (peer, job) = queue.next().unwrap();
        queue.end(&peer);
        queue.push(&peer, job);
        job
    }

    #[test]
    fn peers_take_turns_and_so_do_the_jobs_of_one() {
        let mut queue = Queue::new(1);
        for job in ["a1", "a2", "a3"] {
            queue.push(&peer(1), job);
        }
        queue.push(&peer(2), "b1");
        assert_eq!(queue.waiting(), 4);
        let order: Vec<_> = (0..6).map(|_| turn(&mut queue)).collect();
        assert_eq!(order, ["a1", "b1", "a2", "b1", "a3", "b1"]);
    }

    #[test]
    fn a_peer_of_which_nothing_runs_gets_a_thread() {
        let mut queue = Queue::new(2);
        for job in ["a1", "a2", "a3"] {
            queue.push(&peer(1), job);
        }
        assert_eq!(queue.next().map(|it| it.1), Some("a1"));
        assert_eq!(queue.next().map(|it| it.1), Some("a2"));
        assert_eq!(queue.next(), None, "both threads are busy");
        queue.push(&peer(2), "b1");
        queue.push(&peer(2), "b2");
        assert_eq!(queue.next().map(|it| it.1), Some("b1"));
        assert_eq!(queue.next(), None, "one of the second peer runs");
        queue.end(&peer(1));
        assert_eq!(queue.next(), None, "two steps run");
        queue.end(&peer(2));
        assert_eq!(queue.next().map(|it| it.1), Some("a3"));
        assert_eq!(queue.next().map(|it| it.1), Some("b2"));
        assert_eq!(queue.waiting(), 0);
    }
}
