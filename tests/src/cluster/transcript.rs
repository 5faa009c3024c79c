//! What a person reads while the trials run: one line per step, with the time since the start.

use std::time::Instant;

/// The lines are printed as they come.
pub struct Transcript {
    started: Instant,
}

impl Transcript {
    pub(super) fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// Begins a part.
    pub(super) fn title(&self, title: &str) {
        println!("\n=== {title}");
    }

    /// Says what has happened. A text of several lines is set in below the first.
    pub fn say(&self, what: &str, text: &str) {
        let seconds = self.started.elapsed().as_secs_f64();
        let mut lines = text.trim_end().lines();
        println!("[{seconds:8.3} s] {what:<10} {}", lines.next().unwrap_or_default());
        for line in lines {
            println!("{:24}{line}", "");
        }
    }
}
