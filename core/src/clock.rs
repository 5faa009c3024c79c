//! The wall clock, and the end of the run.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// The wall clock, or a replacement for tests.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one place where it is read")]
        Self(Arc::new(SystemTime::now))
    }

    /// A clock that always shows the same time.
    pub fn fixed(now: SystemTime) -> Self {
        Self(Arc::new(move || now))
    }

    /// The time.
    pub fn now(&self) -> SystemTime {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// The end of the whole run: retries and sleeps stay inside it.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    start: Instant,
    limit: Duration,
}

impl Deadline {
    /// What a run may take unless the operator says otherwise: the kubelet kills a
    /// plugin after 60 s, and an error must be out before that.
    pub const DEFAULT: Duration = Duration::from_secs(50);

    /// `limit` after `start`.
    pub fn new(start: Instant, limit: Duration) -> Self {
        Self { start, limit }
    }

    /// `limit` from now.
    pub fn after(limit: Duration) -> Self {
        Self::new(Instant::now(), limit)
    }

    /// What the whole run may take.
    pub fn limit(self) -> Duration {
        self.limit
    }

    /// What is left, zero when it is over.
    pub fn remaining(self) -> Duration {
        self.limit.saturating_sub(self.start.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_runs_out() {
        assert_eq!(Deadline::after(Duration::ZERO).remaining(), Duration::ZERO);
        assert!(Deadline::after(Duration::from_secs(60)).remaining() > Duration::from_secs(59));
    }
}
