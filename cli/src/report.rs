//! The result of a command: data on stdout, remarks on stderr, an exit code.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use pullpass::is_stdout_closed;
use serde_json::Value;

use crate::environment::Environment;
use crate::text::{is_deceptive, paint_labels, sanitize};

/// The end of a command.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Data.
    pub(crate) stdout: String,
    /// Remarks about the data.
    pub(crate) stderr: String,
    /// The exit code.
    pub(crate) code: u8,
}

impl Report {
    /// Data alone.
    pub(crate) fn new(stdout: String, code: u8) -> Self {
        Self { stdout, stderr: String::new(), code }
    }

    /// One JSON document.
    pub(crate) fn json(value: &Value, code: u8) -> Self {
        // A terminal may show it too. Such characters occur only inside strings.
        let mut text = String::new();
        for c in format!("{value:#}\n").chars() {
            if is_deceptive(c) && c != '\n' {
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            } else {
                text.push(c);
            }
        }
        Self::new(text, code)
    }

    /// Refuses to lose the data: a failure where stdout is closed and there is some.
    pub(crate) fn require_stdout(self) -> Self {
        if self.stdout.is_empty() || !is_stdout_closed() {
            return self;
        }
        // Rust opens this in place of a stdout that is closed, so the two look the same.
        Failure::new("stdout is closed, or is `/dev/null` for reading and writing")
            .hint("use `> /dev/null`")
            .into()
    }

    /// Writes it all. A reader that went away is not a failure: it has what it wanted.
    pub(crate) fn print(mut self, environment: &Environment) -> ExitCode {
        if environment.stdout_colour {
            self.stdout = paint_labels(&self.stdout);
        }
        if environment.stderr_colour {
            self.stderr = paint_labels(&self.stderr);
        }
        let mut stdout = io::stdout().lock();
        let data = stdout.write_all(self.stdout.as_bytes()).and_then(|()| stdout.flush());
        let remarks = io::stderr().lock().write_all(self.stderr.as_bytes());
        for written in [data, remarks] {
            match written {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    let _ = writeln!(io::stderr(), "error: cannot write the output: {error}");
                    return ExitCode::from(2);
                }
                _ => {}
            }
        }
        ExitCode::from(self.code)
    }
}

impl From<Failure> for Report {
    fn from(failure: Failure) -> Self {
        let mut stderr = format!("error: {}\n", failure.message);
        if let Some(hint) = failure.hint {
            let _ = writeln!(stderr, "hint: {hint}");
        }
        Self { stdout: String::new(), stderr, code: 2 }
    }
}

/// Fails unless `--root` is a directory: a node without files looks like a healthy one.
pub(crate) fn require_root(root: &Path) -> Result<(), Failure> {
    if root.is_dir() {
        return Ok(());
    }
    let root = sanitize(&root.to_string_lossy());
    Err(Failure::new(format!("`{root}`: there is no such directory"))
        .hint("`--root` is where the node's `/` is mounted, such as `/host` in a debug pod"))
}

/// Why a command could not do its work; exit code 2.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// What went wrong, without a full stop.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// What to do about it.
    #[must_use]
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Adds to the hint.
    #[must_use]
    pub(crate) fn or_hint(self, more: &str) -> Self {
        let hint = match self.hint {
            Some(hint) => format!("{hint}; {more}"),
            None => more.to_owned(),
        };
        Self { hint: Some(hint), ..self }
    }
}
