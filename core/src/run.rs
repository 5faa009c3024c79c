//! The life of a plugin: read, answer, print, exit.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use tracing::debug;

use crate::clock::{Clock, Deadline};
use crate::command::Command;
use crate::context::Context;
use crate::env::Env;
use crate::error::{Error, ErrorKind};
use crate::options::Options;
use crate::provider::Plugin;
use crate::request::{REQUEST_LIMIT, Request};
use crate::response::Response;
use crate::text::one_line;
use crate::{help, log};

/// The whole process of a plugin. Its `main` is this one call:
///
/// ```no_run
/// # static PLUGIN: pullpass::Plugin = pullpass::Plugin {
/// #     name: "x", version: "0", summary: "", match_images: &[], options: &[], annotations: &[], environment: &[],
/// #     commands: &[],
/// #     topics: &[],
/// #     cache_type: pullpass::CacheType::Token,
/// #     build: |_, _| Err(pullpass::Error::config("none")),
/// # };
/// fn main() -> std::process::ExitCode {
///     pullpass::main(&PLUGIN)
/// }
/// ```
///
/// Stdout gets one response or nothing, stderr one error or nothing (and logs, when
/// asked for). The exit code is 0 or [`ErrorKind::exit_code`].
pub fn main(plugin: &'static Plugin) -> ExitCode {
    let start = Instant::now();
    report_panics();
    let env = Env::process();
    let mut args = std::env::args_os().skip(1).peekable();
    let named = args.peek().and_then(|first| first.to_str());
    if let Some(command) = plugin.commands.iter().find(|command| Some(command.name) == named) {
        return run_command(plugin, command, args.skip(1), env, start);
    }
    let by_hand = io::stdin().is_terminal();
    if by_hand && args.peek().is_none() {
        write_stderr(&help::by_hand(plugin));
        return ExitCode::from(ErrorKind::Request.exit_code());
    }
    let options = Options::parse(plugin.options, args, &env);
    if let Ok(options) = &options {
        if options.is_set("help") {
            return write_stdout(&help::help(plugin));
        }
        if options.is_set("version") {
            return write_stdout(&help::version(plugin));
        }
    }
    let result = match options {
        Ok(_) if by_hand => {
            write_stderr(&help::by_hand(plugin));
            return ExitCode::from(ErrorKind::Request.exit_code());
        }
        Err(error) if by_hand => Err(error),
        options => answer_stdin(plugin, options, env, start),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// The process where a person asked for something.
fn run_command(
    plugin: &Plugin,
    command: &Command,
    args: impl Iterator<Item = OsString>,
    env: Env,
    start: Instant,
) -> ExitCode {
    let execute = || {
        let options = Options::parse(command.options, args, &env)?;
        if options.is_set("help") {
            return Ok(help::command(plugin, command));
        }
        if options.is_set("version") {
            return Ok(help::version(plugin));
        }
        log::start(&options)?;
        let deadline = Deadline::new(start, options.timeout()?);
        let cx = Context::new(env, Clock::system(), deadline);
        block_on(deadline, (command.run)(&options, &cx))
    };
    match execute() {
        Ok(text) => write_stdout(&text),
        Err(error) => fail(&error),
    }
}

fn fail(error: &Error) -> ExitCode {
    write_stderr(&error.render());
    ExitCode::from(error.kind().exit_code())
}

/// One call without a process around it: the request's bytes in, the response's
/// bytes out. For tests, and for whoever embeds a provider.
///
/// # Errors
/// Whatever [`main`] would print, with the image named.
pub fn run(
    plugin: &'static Plugin,
    args: impl IntoIterator<Item = OsString>,
    env: Env,
    clock: Clock,
    stdin: &[u8],
) -> Result<Vec<u8>, Error> {
    let options = Options::parse(plugin.options, args, &env);
    let deadline = Deadline::after(limit(&options));
    answer(plugin, options, env, clock, deadline, stdin)
}

fn answer_stdin(
    plugin: &'static Plugin,
    options: Result<Options, Error>,
    env: Env,
    start: Instant,
) -> Result<(), Error> {
    let deadline = Deadline::new(start, limit(&options));
    let stdin = match (read_request(io::stdin().lock(), deadline), &options) {
        (Ok(stdin), _) => stdin,
        (Err(_), Err(_)) => Vec::new(),
        (Err(error), Ok(_)) => return Err(error),
    };
    let options = options.and_then(|options| log::start(&options).map(|()| options));
    let response = answer(plugin, options, env, Clock::system(), deadline, &stdin)?;
    print(&response, deadline)
}

fn answer(
    plugin: &'static Plugin,
    options: Result<Options, Error>,
    env: Env,
    clock: Clock,
    deadline: Deadline,
    stdin: &[u8],
) -> Result<Vec<u8>, Error> {
    let (request, options) = match (Request::parse(stdin), options) {
        (Ok(request), options) => (request, options),
        // With neither, the options are what somebody can mend.
        (Err(_), Err(error)) | (Err(error), Ok(_)) => return Err(error),
    };
    let credentials = || {
        let options = options?;
        options.timeout()?;
        let cx = Context::new(env, clock, deadline);
        note_request(&request, cx.clock.now());
        // Once for every backend.
        if let Some(account) = &request.service_account {
            account.token.check_alive(cx.clock.now())?;
        }
        let provider = (plugin.build)(&options, &cx)?;
        let response = block_on(deadline, provider.credentials(&request, &cx))?;
        note_response(&response);
        response.to_json(request.version)
    };
    credentials().map_err(|error: Error| error.for_image(request.image.as_str()))
}

/// The limit on the whole run. A plugin with wrong options reads on for a moment, so that
/// the error can name the image.
fn limit(options: &Result<Options, Error>) -> Duration {
    match options {
        Ok(options) => options.timeout().unwrap_or(Deadline::DEFAULT),
        Err(_) => Duration::from_secs(1),
    }
}

fn note_request(request: &Request, now: SystemTime) {
    match &request.service_account {
        None => debug!("request for `{}`, without a service account", request.image),
        Some(account) => {
            let claims = account.token.claims();
            debug!(
                subject = one_line(&claims.subject),
                issuer = one_line(&claims.issuer),
                audience = one_line(&claims.audience.join(", ")),
                seconds_left = claims.expires.duration_since(now).unwrap_or_default().as_secs(),
                annotations = ?account.annotations.keys().collect::<Vec<_>>(),
                "request for `{}`", request.image
            );
        }
    }
}

fn note_response(response: &Response) {
    let cache = response.cache();
    debug!(
        keys = ?response.auth().keys().collect::<Vec<_>>(),
        cache_key = cache.key().as_str(),
        cache_seconds = cache.duration().as_secs(),
        "response"
    );
}

/// Drives `future` on this thread, until the deadline at most.
fn block_on<T>(
    deadline: Deadline,
    future: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::unavailable("cannot start the runtime").with_source(error))?;
    let result = runtime.block_on(async {
        tokio::time::timeout(deadline.remaining(), future)
            .await
            .unwrap_or_else(|_| Err(timed_out(deadline)))
    });
    // A look-up in DNS may still hang on its thread; nobody waits for it.
    runtime.shutdown_background();
    result
}

fn timed_out(deadline: Deadline) -> Error {
    Error::unavailable(format!("gave up after {:.1} s", deadline.limit().as_secs_f64())).with_hint(
        "see what it waited for with `--log debug`; `--timeout` sets the limit, up to 59s",
    )
}

/// All of stdin, bounded in size and in time.
fn read_request(mut stdin: io::StdinLock<'_>, deadline: Deadline) -> Result<Vec<u8>, Error> {
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

/// Writes the response, bounded in time: a reader that went away must not keep us.
fn print(response: &[u8], deadline: Deadline) -> Result<(), Error> {
    let hint = "whoever started the plugin must read its stdout";
    let cannot = |error| {
        Error::unavailable("cannot write the response to stdout").with_source(error).with_hint(hint)
    };
    let mut stdout = io::stdout().lock();
    // A pipe that is ready takes at least this much without blocking (POSIX PIPE_BUF).
    for piece in response.chunks(4096) {
        wait(&stdout, Direction::Out, deadline).map_err(|error| error.with_hint(hint))?;
        stdout.write_all(piece).and_then(|()| stdout.flush()).map_err(cannot)?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Direction {
    In,
    Out,
}

/// Until `stream` can be read or written, without a thread.
#[cfg(unix)]
fn wait(
    stream: &impl std::os::fd::AsFd,
    direction: Direction,
    deadline: Deadline,
) -> Result<(), Error> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let (flags, late) = match direction {
        Direction::In => (PollFlags::IN, "stdin was not closed"),
        Direction::Out => (PollFlags::OUT, "nobody read stdout"),
    };
    let left = Timespec::try_from(deadline.remaining()).ok();
    match poll(&mut [PollFd::new(stream, flags)], left.as_ref()) {
        Ok(0) => {
            Err(Error::request(format!("{late} within {:.1} s", deadline.limit().as_secs_f64())))
        }
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => {
            Err(Error::request("cannot wait for stdin or stdout")
                .with_source(io::Error::from(error)))
        }
    }
}

#[cfg(not(unix))]
fn wait<S>(_: &S, _: Direction, _: Deadline) -> Result<(), Error> {
    Ok(())
}

fn write_stdout(text: &str) -> ExitCode {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&Error::unavailable("cannot write to stdout").with_source(error)),
    }
}

fn write_stderr(text: &str) {
    // With stderr gone there is nobody left to tell.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// A panic is a bug. Its message may hold a value, so a release prints only its place.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = match cfg!(debug_assertions) {
            true => panic.payload_as_str().map(|text| format!(": {text}")).unwrap_or_default(),
            false => String::new(),
        };
        write_stderr(&format!(
            "error: internal error at {place}{message}\nhint: please report this, with the command line and without the token\n"
        ));
    }));
}
