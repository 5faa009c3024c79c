//! Commands that a plugin has for people, besides answering the kubelet.

use std::pin::Pin;

use crate::context::Context;
use crate::error::Error;
use crate::options::{OptionSpec, Options};

/// A command of a plugin, such as `validate FILE`: the plugin's first argument is its name.
/// It does not read stdin, and what it returns is written to stdout.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Command {
    /// Its name.
    pub name: &'static str,
    /// One line on what it does.
    pub summary: &'static str,
    /// Its own options, besides those that every plugin has.
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

/// Makes a command's output from its options. It may use the network.
pub type RunCommand =
    for<'a> fn(
        &'a Options,
        &'a Context,
    ) -> Pin<Box<dyn Future<Output = Result<String, Error>> + Send + 'a>>;
