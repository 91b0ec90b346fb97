//! The minimum rate at which a client must send or read bytes.
//!
//! A client has a time budget. Waiting for it uses the budget, and each byte adds the time that it
//! takes at the minimum rate. So a short stall is tolerated, and a client that is too slow for long
//! is dropped, even if its bytes arrive evenly.

use std::time::Duration;

/// The remaining time budget of a client.
#[derive(Debug, Clone)]
pub(crate) struct Rate {
    /// Bytes in a second.
    least: usize,
    most: Duration,
    left: Duration,
}

impl Rate {
    /// A full budget.
    pub(crate) fn new(least: usize, spare: Duration) -> Self {
        Self { least: least.max(1), most: spare, left: spare }
    }

    /// The time to wait for the client now.
    pub(crate) fn left(&self) -> Duration {
        self.left
    }

    /// Records a wait and the bytes that followed.
    pub(crate) fn moved(&mut self, bytes: usize, waited: Duration) {
        let earned = Duration::from_secs_f64(bytes as f64 / self.least as f64);
        self.left = self.left.saturating_sub(waited).saturating_add(earned).min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_used_up_by_waiting_and_earned_by_bytes() {
        let seconds = Duration::from_secs;
        let mut rate = Rate::new(1000, seconds(10));
        rate.moved(500_000, seconds(0));
        assert_eq!(rate.left(), seconds(10), "no more than at first");
        rate.moved(2000, seconds(6));
        assert_eq!(rate.left(), seconds(6));
        rate.moved(0, seconds(9));
        assert_eq!(rate.left(), seconds(0));
    }
}
