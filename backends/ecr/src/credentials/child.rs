//! A child process in its own process group: its output and its time are limited, and nothing that
//! it started is left after it, however it ends. This module is independent of AWS.

mod descendants;

use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use pullpass::secrecy::zeroize::Zeroizing;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// How often a child that prints nothing is checked: no descriptor shows its end.
const TICK: Duration = Duration::from_millis(5);

/// The limits on a child.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The most that it may print, in bytes.
    pub(super) stdout: usize,
    /// The longest that it may run.
    pub(super) time: Duration,
}

/// How a child ended. Its output does not print: it may be a secret.
pub(super) enum Outcome {
    /// By itself, with all that it printed.
    Exited(ExitStatus, Zeroizing<Vec<u8>>),
    /// It was killed because it printed too much.
    TooMuchOutput,
    /// It was killed because it was still running at its time limit.
    TimedOut,
}

/// Runs `command` to its end. Its stdin is empty, and what it writes to stderr is discarded.
///
/// When it has ended, its output is what it has printed so far: programs that it left in the
/// background are killed with its group, and not waited for.
///
/// # Errors
/// When it cannot be started or waited for.
pub(super) fn run(mut command: Command, limits: Limits) -> io::Result<Outcome> {
    let end = Instant::now() + limits.time;
    descendants::adopt();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    let mut child = command.spawn()?;
    let mut output = Output::new(child.stdout.take(), limits.stdout);
    let group = Group(Some(child));
    loop {
        let left = end.saturating_duration_since(Instant::now());
        output.read(left.min(TICK))?;
        if output.is_too_large() {
            return Ok(Outcome::TooMuchOutput);
        }
        if group.leader_has_ended()? {
            // What it printed is in the pipe by now.
            while output.read(Duration::ZERO)? && !output.is_too_large() {}
            return Ok(match output.is_too_large() {
                true => Outcome::TooMuchOutput,
                false => Outcome::Exited(group.end()?, output.bytes),
            });
        }
        if left.is_zero() {
            return Ok(Outcome::TimedOut);
        }
    }
}

/// A child and the process group that it leads.
struct Group(Option<Child>);

impl Group {
    /// Whether the child has ended. It is not reaped, so that no other group can get its number.
    fn leader_has_ended(&self) -> io::Result<bool> {
        let Some(child) = &self.0 else { return Ok(true) };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(Pid::from_child(child)), options)?.is_some())
    }

    /// Kills what is left of the group, and returns how the child ended.
    fn end(mut self) -> io::Result<ExitStatus> {
        match self.0.take() {
            Some(child) => kill(child),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(child) = self.0.take() {
            let _ = kill(child);
        }
    }
}

fn kill(mut child: Child) -> io::Result<ExitStatus> {
    let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
    let status = child.wait();
    descendants::kill();
    status
}

/// What the child has printed so far.
struct Output {
    /// `None` when it is at its end.
    pipe: Option<ChildStdout>,
    bytes: Zeroizing<Vec<u8>>,
    limit: usize,
}

impl Output {
    fn new(pipe: Option<ChildStdout>, limit: usize) -> Self {
        Self { pipe, bytes: Zeroizing::default(), limit }
    }

    /// Reads what is there, after waiting at most this long for it. Returns whether there was any.
    fn read(&mut self, wait: Duration) -> io::Result<bool> {
        let Some(pipe) = &mut self.pipe else {
            std::thread::sleep(wait.min(Duration::from_millis(1)));
            return Ok(false);
        };
        let wait = Timespec { tv_sec: 0, tv_nsec: wait.subsec_nanos().into() };
        match poll(&mut [PollFd::new(pipe, PollFlags::IN)], Some(&wait)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(false),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let mut buffer = Zeroizing::new([0; 16 << 10]);
        let count = pipe.read(buffer.as_mut())?;
        self.bytes.extend_from_slice(&buffer[..count]);
        if count == 0 {
            self.pipe = None;
        }
        Ok(count > 0)
    }

    fn is_too_large(&self) -> bool {
        self.bytes.len() > self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { stdout: 100_000, time: Duration::from_secs(10) };

    fn shell(script: &str, limits: Limits) -> Outcome {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        run(command, limits).unwrap()
    }

    fn output(script: &str) -> (Option<i32>, String) {
        match shell(script, LIMITS) {
            Outcome::Exited(status, bytes) => {
                (status.code(), String::from_utf8(bytes.to_vec()).unwrap())
            }
            _ => panic!("`{script}` was killed"),
        }
    }

    /// Whether a process with this number exists and is not a zombie.
    fn is_running(pid: &str) -> bool {
        let status = std::fs::File::open(format!("/proc/{pid}/status"))
            .and_then(std::io::read_to_string)
            .unwrap_or_default();
        status.contains("State:") && !status.contains("State:\tZ")
    }

    #[test]
    fn output_and_status_are_the_childs() {
        assert_eq!(output("echo a; echo b >&2; exit 3"), (Some(3), "a\n".to_owned()));
        assert_eq!(output("exec >&-; sleep 0.1; exit 4"), (Some(4), String::new()));
        assert_eq!(output("cat"), (Some(0), String::new()), "it reads nothing");
        assert_eq!(output("kill -9 $$"), (None, String::new()));
        assert_eq!(output("head -c 100000 /dev/zero").1.len(), 100_000);
    }

    #[test]
    fn a_child_that_prints_without_end_is_killed() {
        for script in ["yes", "head -c 100001 /dev/zero", "yes & sleep 60"] {
            let started = Instant::now();
            assert!(matches!(shell(script, LIMITS), Outcome::TooMuchOutput), "{script}");
            assert!(started.elapsed() < Duration::from_secs(5), "{script}");
        }
    }

    #[test]
    fn a_child_that_does_not_end_is_killed() {
        let limits = Limits { time: Duration::from_millis(200), ..LIMITS };
        for script in ["sleep 60", "yes >&2", "exec >&-; sleep 60", "trap '' TERM; sleep 60"] {
            let started = Instant::now();
            assert!(matches!(shell(script, limits), Outcome::TimedOut), "{script}");
            assert!(started.elapsed() < Duration::from_secs(5), "{script}");
        }
    }

    #[test]
    fn nothing_is_left_of_the_group() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let limits = Limits { time: Duration::from_millis(500), ..LIMITS };
        for end in ["exit 0", "exit 3", "yes & exit 0", "sleep 60", "exec yes"] {
            let script = format!("sleep 60 & echo $! > {}; {end}", file.display());
            shell(&script, limits);
            let pid = std::io::read_to_string(std::fs::File::open(&file).unwrap()).unwrap();
            // A signal takes a moment to arrive.
            let gone = (0..200).any(|_| {
                std::thread::sleep(Duration::from_millis(5));
                !is_running(pid.trim())
            });
            assert!(gone, "{end}");
        }
    }
}
