//! What a plugin does for a person, beside answering the kubelet.

use std::pin::Pin;

use crate::context::Context;
use crate::error::Error;
use crate::options::{OptionSpec, Options};

/// A command of a plugin's, such as `validate FILE`: its first argument is the command's name.
/// It reads no stdin, and what it returns goes to stdout.
pub struct Command {
    /// Its name.
    pub name: &'static str,
    /// One line on what it does.
    pub summary: &'static str,
    /// What its own command line can say, beside what every plugin's can.
    pub options: &'static [OptionSpec],
    /// Does it.
    pub run: RunCommand,
}

/// Makes a command's output out of what its command line says. It may use the network.
pub type RunCommand =
    for<'a> fn(
        &'a Options,
        &'a Context,
    ) -> Pin<Box<dyn Future<Output = Result<String, Error>> + Send + 'a>>;
