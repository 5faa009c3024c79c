//! `credential_process` of a profile: a program that prints AWS credentials. We run it ourselves,
//! since the SDK limits neither its output nor its time, and leaves it running.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Process credential provider".

use std::process::{Command, ExitStatus};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future;
use pullpass::secrecy::{ExposeSecret as _, SecretString};
use pullpass::serde_json::Value;
use pullpass::{Deadline, Error, rfc3339};
use tracing::debug;

use super::child::{self, Limits, Outcome};

/// The most that a program may print, in bytes.
const OUTPUT_LIMIT: usize = 1024 * 1024;

/// The time that must be left of the run when the program is killed: to print the error.
const RESERVE: Duration = Duration::from_millis(100);

const HINT: &str = "run it by hand as the kubelet's user, with this provider's `env`; its output \
     is not shown here because it may hold a secret";

/// The program of one profile, as a source of credentials for the SDK.
#[derive(Debug)]
pub(super) struct Program {
    /// A shell command; it may hold a password.
    command: SecretString,
    deadline: Deadline,
}

impl Program {
    pub(super) fn new(command: SecretString, deadline: Deadline) -> Self {
        Self { command, deadline }
    }

    /// Runs the program. The thread waits for it: there is nothing else to do in this run.
    fn run(&self) -> Result<Credentials, Error> {
        debug!("running the program of `credential_process`");
        #[cfg(fuzzing)]
        if true {
            // Never a path from the input.
            let output = pullpass::fuzzing::next_answer().unwrap_or_default().body;
            return parse(&output).map_err(Error::identity);
        }
        let left = self.deadline.remaining();
        let limits =
            Limits { stdout: OUTPUT_LIMIT, time: left.saturating_sub(RESERVE.min(left / 10)) };
        let mut shell = Command::new("sh");
        shell.args(["-c", self.command.expose_secret()]);
        let outcome = child::run(shell, limits).map_err(|error| {
            Error::identity("cannot run the program of `credential_process`")
                .with_source(error)
                .with_hint(HINT)
        })?;
        let failed = |what: String| {
            Error::identity(format!("the program of `credential_process` {what}")).with_hint(HINT)
        };
        match outcome {
            Outcome::Exited(status, output) if status.success() => {
                parse(&output).map_err(|why| failed(format!("printed no credentials: {why}")))
            }
            Outcome::Exited(status, _) => Err(failed(describe(status))),
            Outcome::TooMuchOutput => {
                Err(failed(format!("printed more than {OUTPUT_LIMIT} bytes")))
            }
            Outcome::TimedOut => Err(Error::unavailable(format!(
                "the program of `credential_process` was still running after {:.1} s",
                limits.time.as_secs_f64()
            ))
            .with_hint(HINT)),
        }
    }
}

impl ProvideCredentials for Program {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(self.run().map_err(CredentialsError::provider_error))
    }
}

fn describe(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exited with {code}"),
        None => "was killed by a signal".to_owned(),
    }
}

/// The credentials within a program's output; keys in any case, as the SDK reads them. An error
/// repeats nothing of the output.
fn parse(output: &[u8]) -> Result<Credentials, &'static str> {
    let Ok(Value::Object(fields)) = pullpass::serde_json::from_slice(output) else {
        return Err("its output is not a JSON object");
    };
    let field = |name: &str| {
        let mut fields = fields.iter();
        fields.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    let text = |name: &str| field(name).and_then(Value::as_str).map(str::to_owned);
    if field("Version").and_then(Value::as_i64) != Some(1) {
        return Err("`Version` is not 1");
    }
    let key = text("AccessKeyId").ok_or("`AccessKeyId` is missing")?;
    let secret = text("SecretAccessKey").ok_or("`SecretAccessKey` is missing")?;
    let expires = match text("Expiration") {
        None => None,
        Some(time) => Some(rfc3339(&time).ok_or("`Expiration` is not an RFC 3339 time")?),
    };
    Ok(Credentials::new(key, secret, text("SessionToken"), expires, "credential_process"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_read_as_the_sdk_reads_them() {
        let whole = br#"{"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"s","SessionToken":"t",
            "Expiration":"2030-01-01T00:00:00Z","AccountId":"111122223333"}"#;
        let credentials = parse(whole).unwrap();
        assert_eq!(credentials.access_key_id(), "AKIA");
        assert_eq!(credentials.secret_access_key(), "s");
        assert_eq!(credentials.session_token(), Some("t"));
        assert!(credentials.expiry().is_some());
        let lower = br#"{"version":1,"accesskeyid":"AKIA","secretaccesskey":"s"}"#;
        assert_eq!(parse(lower).unwrap().session_token(), None);
    }

    #[test]
    fn other_output_is_refused_and_not_repeated() {
        for (output, why) in [
            ("", "its output is not a JSON object"),
            ("nothing", "its output is not a JSON object"),
            ("[]", "its output is not a JSON object"),
            (r#"{"AccessKeyId":"AKIA","SecretAccessKey":"s"}"#, "`Version` is not 1"),
            (r#"{"Version":2,"AccessKeyId":"AKIA","SecretAccessKey":"s"}"#, "`Version` is not 1"),
            (r#"{"Version":1,"SecretAccessKey":"s"}"#, "`AccessKeyId` is missing"),
            (r#"{"Version":1,"AccessKeyId":"AKIA"}"#, "`SecretAccessKey` is missing"),
            (
                r#"{"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"s","Expiration":"soon"}"#,
                "`Expiration` is not an RFC 3339 time",
            ),
        ] {
            assert_eq!(parse(output.as_bytes()).unwrap_err(), why, "{output}");
        }
    }
}
