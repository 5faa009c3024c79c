//! A program that runs in the background with its output in a file, and is gone when dropped.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything in a cluster may take: a kubelet waits a minute for a plugin that hangs.
pub(super) const PATIENCE: Duration = Duration::from_secs(150);
/// How often a condition is checked.
const PAUSE: Duration = Duration::from_millis(50);

/// A running program.
pub(super) struct Program {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts it; what it prints goes to `NAME.log` in that folder, replacing what an earlier one
    /// printed.
    pub(super) fn start(name: &str, mut command: Command, folder: &Path) -> Self {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start `{name}`: {error}"));
        Self { name: name.to_owned(), child, log }
    }

    /// Waits until something is so.
    ///
    /// # Panics
    /// If the program ends first, or it takes too long; with the end of its log.
    pub(super) fn wait_until(&mut self, what: &str, mut is_so: impl FnMut(&str) -> bool) {
        let started = Instant::now();
        loop {
            let ended = self.child.try_wait().unwrap();
            if is_so(&self.log()) {
                return;
            }
            if let Some(status) = ended {
                panic!("`{}` ended before {what}: {status}\n{}", self.name, self.log_end());
            }
            let late = started.elapsed() > PATIENCE;
            assert!(!late, "`{}`: no {what} in time\n{}", self.name, self.log_end());
            thread::sleep(PAUSE);
        }
    }

    /// What it has printed so far.
    pub(super) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    fn log_end(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// The exit code of a program that is to end by itself.
    pub(super) fn wait_for_end(&mut self) -> Option<i32> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            thread::sleep(PAUSE);
        }
        panic!("`{}` did not end\n{}", self.name, self.log_end());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks again and again until there is something to see.
///
/// # Panics
/// If it takes too long; `state` says then how things were.
pub(super) fn wait_for<T>(
    what: &str,
    mut look: impl FnMut() -> Option<T>,
    state: impl Fn() -> String,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "no {what} in time\n{}", state());
        thread::sleep(PAUSE);
    }
}
