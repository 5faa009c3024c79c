//! Stdin, stdout and stderr, each bounded in time: a program at the other end must not keep a
//! run from ending.

use std::io::{self, Read as _, Write as _};
use std::time::Duration;

use crate::clock::Deadline;
use crate::error::Error;
use crate::request::REQUEST_LIMIT;

/// All of stdin, bounded in size and in time.
pub(crate) fn read_request(
    mut stdin: io::StdinLock<'_>,
    deadline: Deadline,
) -> Result<Vec<u8>, Error> {
    let hint = "the kubelet writes the request and closes stdin at once; do the same";
    let mut request = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        wait(&stdin, Direction::In, deadline).map_err(|error| error.with_hint(hint))?;
        match stdin.read(&mut buffer) {
            Ok(0) => return Ok(request),
            Ok(length) => request.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(Error::request("cannot read stdin").with_source(error).with_hint(hint));
            }
        }
        // One byte over the limit is enough for the parser to refuse it.
        if request.len() > REQUEST_LIMIT {
            return Ok(request);
        }
    }
}

/// Writes the response.
pub(crate) fn print_response(response: &[u8], deadline: Deadline) -> Result<(), Error> {
    write(response, deadline).map_err(|error| {
        error.context("cannot write the response to stdout").with_hint(READ_STDOUT)
    })
}

/// Writes the output of a command for people.
pub(crate) fn write_stdout(text: &str) -> Result<(), Error> {
    write(text.as_bytes(), Deadline::after(Deadline::DEFAULT))
        .map_err(|error| error.context("cannot write to stdout"))
}

const READ_STDOUT: &str = "the program that started the plugin must read its stdout";

fn write(bytes: &[u8], deadline: Deadline) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    if was_closed(&stdout) {
        return Err(Error::unavailable("stdout is closed"));
    }
    for piece in bytes.chunks(PIECE) {
        wait(&stdout, Direction::Out, deadline)?;
        stdout
            .write_all(piece)
            .and_then(|()| stdout.flush())
            .map_err(|error| Error::unavailable(error.to_string()))?;
    }
    Ok(())
}

/// A pipe that is ready takes at least this much without blocking, in bytes (POSIX `PIPE_BUF`).
const PIECE: usize = 4096;

/// How long stderr may keep a run waiting, at most. Ending the run matters more than logs and
/// errors.
const STDERR_PATIENCE: Duration = Duration::from_millis(500);

/// Writes to stderr as much as its reader takes.
pub(crate) fn write_stderr(text: &str) {
    // Without stderr there is no way to report it.
    let _ = Stderr::default().write_all(text.as_bytes());
}

/// Stderr that never blocks for long: if its reader does not read in time, the rest
/// is dropped.
#[derive(Default)]
pub(crate) struct Stderr {
    is_stuck: bool,
}

impl io::Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_stuck {
            return Ok(bytes.len());
        }
        let mut stderr = io::stderr().lock();
        if wait(&stderr, Direction::Out, Deadline::after(STDERR_PATIENCE)).is_err() {
            self.is_stuck = true;
            return Ok(bytes.len());
        }
        stderr.write(&bytes[..bytes.len().min(PIECE)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Direction {
    In,
    Out,
}

/// Waits until `stream` can be read or written, without a thread.
#[cfg(unix)]
fn wait(
    stream: &impl std::os::fd::AsFd,
    direction: Direction,
    deadline: Deadline,
) -> Result<(), Error> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let (flags, what) = match direction {
        Direction::In => (PollFlags::IN, "stdin was not closed"),
        Direction::Out => (PollFlags::OUT, "the reader did not read"),
    };
    loop {
        let left = Timespec::try_from(deadline.remaining()).ok();
        match poll(&mut [PollFd::new(stream, flags)], left.as_ref()) {
            Ok(0) => {
                let limit = deadline.limit().as_secs_f64();
                return Err(Error::request(format!("{what} within {limit:.1} s")));
            }
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => {
                return Err(Error::request("cannot wait for stdin or stdout")
                    .with_source(io::Error::from(error)));
            }
        }
    }
}

#[cfg(not(unix))]
fn wait<S>(_: &S, _: Direction, _: Deadline) -> Result<(), Error> {
    Ok(())
}

/// Whether what is written to stdout is lost without an error.
pub fn is_stdout_closed() -> bool {
    was_closed(&io::stdout())
}

/// Whether the process was started without a stdout, or with one that cannot be written. Rust opens
/// `/dev/null` in place of the former, for reading and writing (a shell's `> /dev/null` is for
/// writing alone), and drops what is written to the latter without an error.
#[cfg(unix)]
fn was_closed(stdout: &impl std::os::fd::AsFd) -> bool {
    use rustix::fs::{OFlags, fcntl_getfl, fstat, stat};

    let Ok(flags) = fcntl_getfl(stdout) else { return true };
    let mode = flags & OFlags::RWMODE;
    let is_null = || {
        let null = stat("/dev/null").ok()?;
        let is_device = rustix::fs::FileType::from_raw_mode(null.st_mode).is_char_device();
        Some(is_device && fstat(stdout).ok()?.st_rdev == null.st_rdev)
    };
    mode == OFlags::RDONLY || mode == OFlags::RDWR && is_null().unwrap_or(false)
}

#[cfg(not(unix))]
fn was_closed<S>(_: &S) -> bool {
    false
}
