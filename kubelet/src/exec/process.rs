//! A child process with piped streams: one thread, bounded memory, and a limit on
//! every wait.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{self, Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::exec::ExecOptions;

/// No descriptor shows that the child has ended, so that is checked this often.
const TICK: Duration = Duration::from_millis(5);

pub(super) struct Command<'a> {
    pub(super) path: &'a Path,
    pub(super) args: Vec<&'a str>,
    pub(super) environment: Vec<(OsString, OsString)>,
    pub(super) input: &'a [u8],
}

pub(super) struct Ended {
    pub(super) end: End,
    pub(super) stdout: Vec<u8>,
    pub(super) stdout_is_whole: bool,
    pub(super) stderr: Vec<u8>,
    pub(super) duration: Duration,
}

pub(super) enum End {
    NotStarted(io::Error),
    Exited(ExitStatus),
    TimedOut,
    /// Someone other than the child kept stdout or stderr open until we gave up.
    Held {
        /// Whether the child itself was killed at the deadline.
        killed: bool,
    },
}

pub(super) fn run(command: &Command<'_>, options: &ExecOptions) -> Ended {
    let start = Instant::now();
    let mut stdout = Capture::new(options.most_stdout);
    let mut stderr = Capture::new(options.most_stderr);
    let spawned = process::Command::new(command.path)
        .args(&command.args)
        .env_clear()
        .envs(command.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let end = match spawned {
        Ok(child) => {
            let deadline = start + options.timeout;
            let wait = Wait { deadline, last: deadline + options.grace };
            attend(child, command.input, &mut stdout, &mut stderr, &wait)
        }
        Err(error) => End::NotStarted(error),
    };
    Ended {
        end,
        stdout_is_whole: !stdout.overflowed,
        stdout: stdout.kept,
        stderr: stderr.kept,
        duration: start.elapsed(),
    }
}

struct Wait {
    deadline: Instant,
    last: Instant,
}

/// Feeds and drains the child until it has ended and its streams are closed.
fn attend(
    mut child: Child,
    mut input: &[u8],
    stdout: &mut Capture,
    stderr: &mut Capture,
    wait: &Wait,
) -> End {
    let mut stdin = child.stdin.take().map(OwnedFd::from).and_then(unblocked);
    stdout.pipe = child.stdout.take().map(OwnedFd::from).and_then(unblocked);
    stderr.pipe = child.stderr.take().map(OwnedFd::from).and_then(unblocked);
    let mut status = None;
    // Whether the child was still there at the deadline; unknown before it.
    let mut outlived = None;
    loop {
        feed(&mut stdin, &mut input);
        stdout.drain();
        stderr.drain();
        if status.is_none() {
            status = child.try_wait().ok().flatten();
        }
        let now = Instant::now();
        if let Some(status) = status {
            // A child that has ended reads no more; only what it left open matters.
            stdin = None;
            if stdout.pipe.is_none() && stderr.pipe.is_none() {
                // Go checks the clock when everything has ended, whatever the status was.
                return if now >= wait.deadline { End::TimedOut } else { End::Exited(status) };
            }
        }
        if now >= wait.deadline && outlived.is_none() {
            outlived = Some(status.is_none());
            if status.is_none() {
                let _ = child.kill();
            }
        }
        if now >= wait.last {
            return match status {
                Some(_) => End::Held { killed: outlived.unwrap_or_default() },
                None => End::TimedOut,
            };
        }
        let next = if outlived.is_some() { wait.last } else { wait.deadline };
        sleep(&stdin, stdout, stderr, next.saturating_duration_since(now).min(TICK));
    }
}

/// Waits until a stream is ready, or for `limit`.
fn sleep(stdin: &Option<OwnedFd>, stdout: &Capture, stderr: &Capture, limit: Duration) {
    let reading = [&stdout.pipe, &stderr.pipe];
    let mut streams: Vec<PollFd<'_>> = reading
        .into_iter()
        .flatten()
        .map(|pipe| PollFd::new(pipe, PollFlags::IN))
        .chain(stdin.iter().map(|pipe| PollFd::new(pipe, PollFlags::OUT)))
        .collect();
    let limit = Timespec {
        tv_sec: limit.as_secs().try_into().unwrap_or(0),
        tv_nsec: limit.subsec_nanos().into(),
    };
    if streams.is_empty() || poll(&mut streams, Some(&limit)).is_err() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Writes what the child reads. A child that does not read is not an error:
/// Go ignores the broken pipe as well.
fn feed(stdin: &mut Option<OwnedFd>, input: &mut &[u8]) {
    let Some(pipe) = stdin.take() else { return };
    let mut file = std::fs::File::from(pipe);
    loop {
        if input.is_empty() {
            return;
        }
        match file.write(input) {
            Ok(written) => *input = &input[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                *stdin = Some(file.into());
                return;
            }
            Err(_) => return,
        }
    }
}

/// The beginning of a stream; the rest is read and discarded.
struct Capture {
    pipe: Option<OwnedFd>,
    kept: Vec<u8>,
    most: usize,
    overflowed: bool,
}

impl Capture {
    fn new(most: usize) -> Self {
        Self { pipe: None, kept: Vec::new(), most, overflowed: false }
    }

    /// Reads what is there, a little at a time, so that much output on one
    /// stream does not delay the check of the clock.
    fn drain(&mut self) {
        let Some(pipe) = self.pipe.take() else { return };
        let mut file = std::fs::File::from(pipe);
        let mut buffer = [0; 64 << 10];
        for _ in 0..16 {
            match file.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => {
                    let room = self.most - self.kept.len();
                    self.overflowed |= count > room;
                    self.kept.extend(&buffer[..count.min(room)]);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return,
            }
        }
        self.pipe = Some(file.into());
    }
}

/// `None` when the descriptor cannot be set up, and then it is closed.
fn unblocked(pipe: OwnedFd) -> Option<OwnedFd> {
    rustix::io::ioctl_fionbio(pipe.as_fd(), true).ok()?;
    Some(pipe)
}
