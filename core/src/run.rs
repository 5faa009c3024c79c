//! The life of a plugin: read, answer, print, exit.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use secrecy::ExposeSecret as _;
use tracing::debug;

use crate::clock::{Clock, Deadline};
use crate::command::Command;
use crate::context::Context;
use crate::env::Env;
use crate::error::{Error, ErrorKind};
use crate::options::Options;
use crate::provider::Plugin;
use crate::request::Request;
use crate::response::Response;
use crate::stdio::{print_response, read_request, write_stderr, write_stdout};
use crate::text::one_line;
use crate::{help, log};

/// The whole process of a plugin. Its `main` is this one call:
///
/// ```no_run
/// # static PLUGIN: pullpass::Plugin =
/// #     pullpass::Plugin::new("x", |_, _| Err(pullpass::Error::config("none")));
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
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let Some(command) = args.first().and_then(|first| find_command(plugin, first)) {
        return run_command(plugin, command, args.into_iter().skip(1), env, start);
    }
    let by_hand = io::stdin().is_terminal();
    if by_hand && args.is_empty() {
        write_stderr(&help::by_hand(plugin));
        return ExitCode::from(ErrorKind::Request.exit_code());
    }
    let options = Options::parse(plugin.options, args.iter().cloned(), &env).map_err(|error| {
        unknown_command(plugin, &args)
            .or_else(|| misplaced_command(plugin, &args, &env))
            .unwrap_or(error)
    });
    if let Ok(options) = &options {
        if options.is_set("help") {
            return print(&help::help(plugin));
        }
        if options.is_set("version") {
            return print(&help::version(plugin));
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

fn find_command(plugin: &Plugin, argument: &OsStr) -> Option<&'static Command> {
    plugin.commands.iter().find(|command| argument == command.name)
}

/// The error for a first argument that is not an option, where the plugin has commands.
fn unknown_command(plugin: &Plugin, args: &[OsString]) -> Option<Error> {
    let takes_arguments = plugin.options.iter().any(|option| option.positional);
    if plugin.commands.is_empty() || takes_arguments {
        return None;
    }
    let word = args.first()?.to_str().filter(|word| !word.starts_with('-'))?;
    // A longer word may be a value in the wrong place.
    let is_short = |word: &&str| word.len() <= 20 && word.bytes().all(|c| c.is_ascii_lowercase());
    let message = match Some(word).filter(is_short) {
        Some(word) => format!("unknown command `{word}`"),
        None => "unknown command".to_owned(),
    };
    let commands: Vec<String> =
        plugin.commands.iter().map(|command| format!("`{}`", command.name)).collect();
    Some(Error::config(message).with_hint(format!(
        "the commands are {}, and are for use by hand: remove this word from the provider's `args`",
        commands.join(", ")
    )))
}

/// The error for a command after complete options: one that is the value of an option before it is
/// not meant as a command.
fn misplaced_command(plugin: &Plugin, args: &[OsString], env: &Env) -> Option<Error> {
    let (at, command) = args
        .iter()
        .enumerate()
        .find_map(|(at, argument)| Some((at, find_command(plugin, argument)?)))?;
    Options::parse(plugin.options, args[..at].iter().cloned(), env).ok()?;
    let name = command.name;
    Some(Error::config(format!("the command `{name}` is not the first argument")).with_hint(
        format!(
            "by hand, a command must come first, before its options: `{} {name} ...`; in the \
         provider's `args`, remove it",
            plugin.name
        ),
    ))
}

/// The process when a person started a command.
fn run_command(
    plugin: &Plugin,
    command: &Command,
    args: impl Iterator<Item = OsString>,
    env: Env,
    start: Instant,
) -> ExitCode {
    let execute = || {
        let options = Options::parse(command.options, args, &env).map_err(|error| {
            error.with_hint(format!("`{} {} --help` lists the options", plugin.name, command.name))
        })?;
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
        Ok(text) => print(&text),
        Err(error) => fail(&error),
    }
}

fn print(text: &str) -> ExitCode {
    match write_stdout(text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &Error) -> ExitCode {
    write_stderr(&error.render());
    ExitCode::from(error.kind().exit_code())
}

/// One call without a process around it: the request's bytes in, the response's
/// bytes out. For tests, and for programs that embed a provider.
///
/// # Errors
/// The error that [`main`] would print, with the image named.
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
    print_response(&response, deadline)
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
        // If both are wrong, the operator can correct the options.
        (Err(_), Err(error)) | (Err(error), Ok(_)) => return Err(error),
    };
    let credentials = || {
        let options = options?;
        options.timeout()?;
        let cx = Context::new(env, clock, deadline);
        note_request(&request, cx.clock.now());
        // Once for every backend.
        if let Some(account) = &request.service_account {
            cx.http.sent_secrets().remember(account.token.secret().expose_secret());
            account.token.check_alive(cx.clock.now())?;
        }
        let provider = (plugin.build)(&options, &cx)?;
        if let Some(account) = &request.service_account
            && !provider.allows_api_server_token(&request)
        {
            let has_one_audience = account.token.claims().audience.len() == 1;
            account.token.check_not_for_api_server(options.values("allow-audience")).map_err(
                |error| match plugin.audience.filter(|_| has_one_audience) {
                    Some(audience) => error.with_hint(format!(
                        "set `tokenAttributes.serviceAccountTokenAudience` to `{audience}`, or \
                         allow the audience of this token with `--allow-audience`"
                    )),
                    None => error,
                },
            )?;
        }
        let response = block_on(deadline, provider.credentials(&request, &cx))?;
        note_response(&response);
        response.to_json(request.version)
    };
    credentials().map_err(|error: Error| error.for_image(request.image.as_str()))
}

/// The limit on the whole run. A plugin with wrong options continues to read for a moment, so that
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
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    // Waits between two attempts take no time.
    #[cfg(fuzzing)]
    runtime.start_paused(true);
    let runtime = runtime
        .enable_all()
        .build()
        .map_err(|error| Error::unavailable("cannot start the runtime").with_source(error))?;
    let result = runtime.block_on(async {
        tokio::time::timeout(deadline.remaining(), future)
            .await
            .unwrap_or_else(|_| Err(timed_out(deadline)))
    });
    // A DNS query may still hang on its thread; the process does not wait for it.
    runtime.shutdown_background();
    result
}

fn timed_out(deadline: Deadline) -> Error {
    Error::unavailable(format!("gave up after {:.1} s", deadline.limit().as_secs_f64())).with_hint(
        "see what it waited for with `--log debug`; `--timeout` sets the limit, up to 59s",
    )
}

/// A panic is a bug. Its message may hold a value, so a release build prints only its location.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::OptionSpec;

    static PLUGIN: Plugin = Plugin::new("x-plugin", |_, _| Err(Error::config("not built")))
        .options(&[OptionSpec::value("config", "FILE", ""), OptionSpec::switch("strict", "")])
        .commands(&[Command::new("probe", "", |_, _| Box::pin(async { Ok(String::new()) }))]);

    #[test]
    fn a_command_after_options_is_told_to_come_first() {
        let check = |args: &[&str]| {
            let args: Vec<OsString> = args.iter().map(OsString::from).collect();
            misplaced_command(&PLUGIN, &args, &Env::default()).map(|error| error.render())
        };
        for args in [
            &["--config", "f", "probe", "IMAGE"][..],
            &["--config=f", "probe"],
            &["--strict", "probe"],
        ] {
            let error = check(args).unwrap();
            assert!(error.starts_with("error: the command `probe` is not the first argument\n"));
            assert!(error.contains("a command must come first"), "{error}");
            assert!(error.contains("`x-plugin probe ...`"), "{error}");
        }
        // Here it is a value, and the fault is another.
        assert_eq!(check(&["--config", "probe", "--unknown"]), None);
        assert_eq!(check(&["--unknown", "probe"]), None);
    }
}
