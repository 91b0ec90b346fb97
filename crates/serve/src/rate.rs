//! The least rate at which a client sends or takes bytes.
//!
//! A client has some seconds to spare. Waiting for it uses them up, and each byte gives some back, as
//! many as it takes at the least rate. So a short stall does no harm, and a client that is slower for
//! long is left, however evenly its bytes come.

use std::time::Duration;

/// What a client has left of its time.
#[derive(Debug, Clone)]
pub(crate) struct Rate {
    /// Bytes in a second.
    least: usize,
    most: Duration,
    left: Duration,
}

impl Rate {
    /// A client that has all of its time yet.
    pub(crate) fn new(least: usize, spare: Duration) -> Self {
        Self { least: least.max(1), most: spare, left: spare }
    }

    /// How long it may be waited for now.
    pub(crate) fn left(&self) -> Duration {
        self.left
    }

    /// It was waited for, and then some bytes came or went.
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
