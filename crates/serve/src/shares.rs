//! A fixed amount of a resource, shared between peers.
//!
//! A peer may hold at most three times what is free:
//!
//! ```text
//! of 1,000    one peer takes 750            250 are left for the next
//!             two take 428 each             142
//!             three take 300 each           100
//! ```
//!
//! So a single peer gets most of it, and the next one always finds some, without taking anything
//! back. This is the dynamic threshold of shared buffers in switches (Choudhury and Hahne, 1998).
//! The alternative, a fixed part for each peer, leaves most of it unused with one peer, and too
//! little with many.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::peer::Peer;

/// How many times the free amount a peer may hold.
const TIMES: usize = 3;

/// The shared resource.
pub(crate) struct Shares {
    all: usize,
    taken: Mutex<Usage>,
}

#[derive(Default)]
struct Usage {
    sum: usize,
    by: HashMap<Peer, usize>,
}

impl Shares {
    pub(crate) fn new(all: usize) -> Arc<Self> {
        Arc::new(Self { all, taken: Mutex::default() })
    }

    /// Takes an amount for a peer, unless that exceeds its share.
    pub(crate) fn take(self: &Arc<Self>, peer: &Peer, count: usize) -> Option<Share> {
        let mut share = Share { shares: Arc::clone(self), peer: peer.clone(), count: 0 };
        share.add(count).then_some(share)
    }

    /// Whether more than half is in use.
    pub(crate) fn is_short(&self) -> bool {
        self.taken().sum > self.all / 2
    }

    fn taken(&self) -> MutexGuard<'_, Usage> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An amount that a peer holds, released on drop.
pub(crate) struct Share {
    shares: Arc<Shares>,
    peer: Peer,
    count: usize,
}

impl Share {
    /// Takes more, unless that exceeds the share of the peer.
    pub(crate) fn add(&mut self, count: usize) -> bool {
        let mut taken = self.shares.taken();
        let own = taken.by.get(&self.peer).copied().unwrap_or(0);
        let left = self.shares.all - taken.sum;
        if count > left || own + count > left.saturating_mul(TIMES) {
            return false;
        }
        if count > 0 {
            taken.sum += count;
            *taken.by.entry(self.peer.clone()).or_default() += count;
            self.count += count;
        }
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.count == 0 {
            return;
        }
        let mut taken = self.shares.taken();
        taken.sum -= self.count;
        if let Some(own) = taken.by.get_mut(&self.peer) {
            *own -= self.count;
            if *own == 0 {
                taken.by.remove(&self.peer);
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

    fn take_all(shares: &Arc<Shares>, number: u8) -> Vec<Share> {
        std::iter::from_fn(|| shares.take(&peer(number), 1)).collect()
    }

    #[test]
    fn the_next_peer_always_finds_some() {
        let shares = Shares::new(1000);
        let first = take_all(&shares, 1);
        assert_eq!(first.len(), 750);
        let second = take_all(&shares, 2);
        assert_eq!(second.len(), 188);
        assert!(!take_all(&shares, 3).is_empty());
        drop(first);
        assert!(shares.take(&peer(1), 600).is_some());
        drop(second);
        assert_eq!(shares.taken().sum, 0);
        assert!(shares.taken().by.is_empty());
    }

    #[test]
    fn one_place_is_enough_for_one_peer() {
        let shares = Shares::new(1);
        let share = shares.take(&peer(1), 1).unwrap();
        assert!(shares.take(&peer(2), 1).is_none());
        drop(share);
        assert!(shares.take(&peer(2), 1).is_some());
    }

    #[test]
    fn a_share_grows_until_it_is_as_large_as_it_may_be() {
        let shares = Shares::new(100);
        let mut share = shares.take(&peer(1), 0).unwrap();
        assert!(share.add(60) && !share.add(41) && share.add(10));
        assert!(shares.is_short());
        drop(share);
        assert!(!shares.is_short());
    }
}
