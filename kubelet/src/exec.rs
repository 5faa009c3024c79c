//! Running a plugin as the kubelet runs it.
//!
//! Source: kubelet, `execPlugin.ExecPlugin`; Go, package `os/exec`.

mod process;
mod request;
pub(crate) mod response;

use std::ffi::OsString;
use std::fmt;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use secrecy::ExposeSecret as _;

use crate::config::CredentialProvider;
use crate::go::path::{join, path_error};
use crate::version::Target;

use self::response::Stage;

pub use self::request::{
    AuthConfig, AuthConfigs, CredentialProviderRequest, CredentialProviderResponse,
};

/// How the kubelet is imitated. The defaults are the kubelet's, if it has any.
#[derive(Clone, Debug)]
pub struct ExecOptions {
    /// After this time the plugin is killed. The kubelet's minute cannot be configured.
    pub timeout: Duration,
    /// How long to wait after the timeout for a grandchild that holds stdout or stderr
    /// open. The kubelet waits forever.
    pub grace: Duration,
    /// The kubelet's own environment, to which the configuration's `env` is added. Default: that of
    /// this process.
    pub environment: Vec<(OsString, OsString)>,
    /// How much of stdout is kept, in bytes. The kubelet keeps all of it.
    pub most_stdout: usize,
    /// How much of stderr is kept, in bytes. The kubelet keeps all of it.
    pub most_stderr: usize,
}

impl Default for ExecOptions {
    #[expect(
        clippy::disallowed_methods,
        reason = "plugins inherit the environment, as the kubelet's do"
    )]
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            grace: Duration::from_secs(5),
            environment: std::env::vars_os().collect(),
            most_stdout: 8 << 20,
            most_stderr: 64 << 10,
        }
    }
}

/// How much of the stdout of a plugin that failed is kept, in bytes.
const SHOWN_STDOUT: usize = 4 << 10;

/// The result of one run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExecRun {
    /// The answer, or why there is none.
    pub result: Result<CredentialProviderResponse, ExecFailure>,
    /// The beginning of what the plugin wrote there. The kubelet shows it only if the
    /// plugin failed.
    pub stderr: Vec<u8>,
    /// The beginning of what a failed plugin wrote to stdout. The kubelet never shows it; it
    /// may hold a password.
    pub stdout: Vec<u8>,
    /// From start to the end of the wait.
    pub duration: Duration,
}

/// Why a run gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExecFailure {
    /// In which way it failed.
    pub kind: ExecFailureKind,
    /// The kubelet's message, with stderr if the kubelet includes it.
    pub message: String,
    /// What the kubelet does not say.
    pub detail: Option<String>,
}

impl fmt::Display for ExecFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message.trim_end())
    }
}

impl std::error::Error for ExecFailure {}

/// In which way a run failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecFailureKind {
    /// The program could not be started.
    NotStarted,
    /// It ended with a status other than 0.
    ExitStatus(i32),
    /// It was killed by a signal, its own or another process's.
    Signal(i32),
    /// It was killed after the timeout.
    TimedOut,
    /// It ended, but a process that it left in the background held stdout or stderr past the
    /// timeout. The kubelet's pull hangs until that process ends, and then fails.
    Held,
    /// Its answer was longer than what is kept here, and that part has no error.
    TooLong,
    /// Its stdout was not one JSON object.
    NotJson,
    /// Its answer had another `apiVersion` than the configuration.
    ApiVersion,
    /// Its answer did not decode.
    Undecodable,
}

impl ExecFailureKind {
    /// Whether it increments the kubelet's metric
    /// `kubelet_credential_provider_plugin_errors_total`.
    pub fn is_counted(self) -> bool {
        matches!(
            self,
            Self::NotStarted | Self::ExitStatus(_) | Self::Signal(_) | Self::TimedOut | Self::Held
        )
    }
}

/// Asks `provider` as a kubelet of `target` with this bin dir would.
pub fn run(
    provider: &CredentialProvider,
    bin_dir: &Path,
    request: &CredentialProviderRequest,
    target: &Target,
    options: &ExecOptions,
) -> ExecRun {
    let path = join(bin_dir, &provider.name);
    let api_version = provider.api_version.value;
    let input = request.encode(api_version);
    let command = process::Command {
        path: &path,
        args: provider.args.iter().map(|arg| arg.expose_secret()).collect(),
        environment: environment(provider, options),
        input: input.expose_secret().as_bytes(),
    };
    let ended = process::run(&command, options);
    let exec_failure = |kind, why: &str, detail| ExecFailure {
        kind,
        message: format!(
            "error execing credential provider plugin {} for image {}: {why}: {}",
            provider.name.value,
            request.image,
            String::from_utf8_lossy(&ended.stderr)
        ),
        detail,
    };
    let answer = |stdout: &[u8], whole: bool| {
        response::read(stdout, api_version, target).map_err(|fault| match fault.stage {
            Stage::Json if fault.at_end && !whole => ExecFailure {
                kind: ExecFailureKind::TooLong,
                message: fault.message,
                detail: Some(format!(
                    "stdout is longer than the limit of {} bytes",
                    options.most_stdout
                )),
            },
            Stage::Json => ExecFailure {
                kind: ExecFailureKind::NotJson,
                message: fault.message,
                detail: fault.detail,
            },
            Stage::ApiVersion => ExecFailure {
                kind: ExecFailureKind::ApiVersion,
                message: fault.message,
                detail: fault.detail,
            },
            Stage::Decode => ExecFailure {
                kind: ExecFailureKind::Undecodable,
                message: fault.message,
                detail: fault.detail,
            },
        })
    };
    let deadline = "context deadline exceeded";
    let result = match &ended.end {
        process::End::NotStarted(error) => Err(exec_failure(
            ExecFailureKind::NotStarted,
            &path_error("fork/exec", &path, error),
            None,
        )),
        process::End::TimedOut => Err(exec_failure(ExecFailureKind::TimedOut, deadline, None)),
        process::End::Held { killed } => {
            let who = if *killed { "the plugin was killed" } else { "the plugin had ended" };
            let detail = format!(
                "{who}, but a process that it had started kept stdout or stderr open; the kubelet \
                 waits for that process before the pull goes on"
            );
            Err(exec_failure(ExecFailureKind::Held, deadline, Some(detail)))
        }
        process::End::Exited(status) if status.success() => {
            answer(&ended.stdout, ended.stdout_is_whole)
        }
        process::End::Exited(status) => {
            let (kind, why) = describe(*status);
            Err(exec_failure(kind, &why, None))
        }
    };
    let stdout = match &result {
        Err(failure) if failure.kind.is_counted() => {
            ended.stdout[..ended.stdout.len().min(SHOWN_STDOUT)].to_vec()
        }
        _ => Vec::new(),
    };
    ExecRun { result, stderr: ended.stderr, stdout, duration: ended.duration }
}

/// The kubelet's environment, then the configuration's; the last value of a name is used.
fn environment(provider: &CredentialProvider, options: &ExecOptions) -> Vec<(OsString, OsString)> {
    let mut union: Vec<(OsString, OsString)> = Vec::new();
    let configured = provider.env.iter().map(|variable| {
        // The kubelet joins name and value before it looks for the `=`.
        let joined = format!("{}={}", variable.name.value, variable.value.expose_secret());
        let (name, value) = joined.split_once('=').unwrap_or_default();
        (OsString::from(name), OsString::from(value))
    });
    for (name, value) in options.environment.iter().cloned().chain(configured) {
        union.retain(|(known, _)| *known != name);
        union.push((name, value));
    }
    union
}

/// How Go prints the way a process ended.
fn describe(status: ExitStatus) -> (ExecFailureKind, String) {
    match status.signal() {
        Some(signal) => {
            let dumped = if status.core_dumped() { " (core dumped)" } else { "" };
            (ExecFailureKind::Signal(signal), format!("signal: {}{dumped}", signal_name(signal)))
        }
        None => {
            let code = status.code().unwrap_or_default();
            (ExecFailureKind::ExitStatus(code), format!("exit status {code}"))
        }
    }
}

/// Go's names of signals on Linux; the others are shown by number.
fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "hangup",
        2 => "interrupt",
        3 => "quit",
        4 => "illegal instruction",
        5 => "trace/breakpoint trap",
        6 => "aborted",
        7 => "bus error",
        8 => "floating point exception",
        9 => "killed",
        10 => "user defined signal 1",
        11 => "segmentation fault",
        12 => "user defined signal 2",
        13 => "broken pipe",
        14 => "alarm clock",
        15 => "terminated",
        _ => return format!("signal {signal}"),
    };
    name.to_owned()
}
