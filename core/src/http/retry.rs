//! How often a request is retried, and how long it waits before each retry.

use std::time::{Duration, Instant};

/// The first wait doubles up to this.
const LONGEST: Duration = Duration::from_secs(5);

/// Attempts and time that are left for one request.
pub(super) struct Backoff {
    retries: u32,
    first: Duration,
    done: u32,
    end: Instant,
}

impl Backoff {
    pub(super) fn new(retries: u32, first: Duration, allowance: Duration) -> Self {
        Self { retries, first, done: 0, end: Instant::now() + allowance }
    }

    /// How often the call was sent, the current attempt included.
    pub(super) fn attempts(&self) -> u32 {
        self.done + 1
    }

    pub(super) fn remaining(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// How long to wait before the next attempt; `None` when there is none, because
    /// they are used up or the wait would outlast the time that is left.
    pub(super) fn next(&mut self, retry_after: Option<Duration>) -> Option<Duration> {
        if self.done == self.retries {
            return None;
        }
        let ceiling = self.first.saturating_mul(1 << self.done.min(16)).min(LONGEST);
        self.done += 1;
        // Half fixed, half random: nodes that failed together do not return together.
        let wait =
            ceiling.mul_f64(0.5 + fastrand::f64() / 2.0).max(retry_after.unwrap_or_default());
        (wait < self.remaining()).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(200);

    #[test]
    fn waits_grow_with_jitter_and_end_with_the_retries() {
        let mut backoff = Backoff::new(3, FIRST, Duration::from_secs(60));
        for ceiling in [200, 400, 800] {
            let wait = backoff.next(None).unwrap().as_millis();
            assert!((ceiling / 2..=ceiling).contains(&wait), "{wait} of {ceiling}");
        }
        assert_eq!(backoff.next(None), None);
    }

    #[test]
    fn retry_after_is_kept_and_never_outlasts_the_time_left() {
        let mut backoff = Backoff::new(9, FIRST, Duration::from_secs(10));
        let wait = backoff.next(Some(Duration::from_secs(3))).unwrap();
        assert_eq!(wait, Duration::from_secs(3));
        assert_eq!(backoff.next(Some(Duration::from_secs(11))), None);
        assert_eq!(Backoff::new(9, FIRST, Duration::ZERO).next(None), None);
    }
}
