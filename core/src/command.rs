//! What a plugin does for a person, beside answering the kubelet.

use std::pin::Pin;

use crate::context::Context;
use crate::error::Error;
use crate::options::{OptionSpec, Options};

/// A command of a plugin's, such as `validate FILE`: its first argument is the command's name.
/// It reads no stdin, and what it returns goes to stdout.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Command {
    /// Its name.
    pub name: &'static str,
    /// One line on what it does.
    pub summary: &'static str,
    /// What its own command line can say, beside what every plugin's can.
    pub options: &'static [OptionSpec],
    /// Runs it.
    pub run: RunCommand,
}

impl Command {
    /// A command without options of its own.
    pub const fn new(name: &'static str, summary: &'static str, run: RunCommand) -> Self {
        Self { name, summary, options: &[], run }
    }

    /// Sets [`options`](Self::options).
    #[must_use]
    pub const fn options(self, options: &'static [OptionSpec]) -> Self {
        Self { options, ..self }
    }
}

/// Makes a command's output out of what its command line says. It may use the network.
pub type RunCommand =
    for<'a> fn(
        &'a Options,
        &'a Context,
    ) -> Pin<Box<dyn Future<Output = Result<String, Error>> + Send + 'a>>;
