//! Everything that is not on the command line: the one place that reads it.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal as _};

/// What surrounds the command.
pub(crate) struct Environment {
    /// Its variables, which plugins get as they get the kubelet's.
    pub(crate) variables: Vec<(OsString, OsString)>,
    /// Whether stdout may have colours.
    pub(crate) stdout_colour: bool,
    /// Whether stderr may have colours.
    pub(crate) stderr_colour: bool,
}

impl Environment {
    /// The process's own.
    #[expect(clippy::disallowed_methods, reason = "the one place where the environment comes from")]
    pub(crate) fn ambient() -> Self {
        let variables: Vec<(OsString, OsString)> = std::env::vars_os().collect();
        let value = |name: &str| {
            let found = variables.iter().find(|(known, _)| known == OsStr::new(name));
            found.map(|(_, value)| value.as_os_str()).filter(|value| !value.is_empty())
        };
        let is_wanted = value("NO_COLOR").is_none() && value("TERM") != Some(OsStr::new("dumb"));
        Self {
            stdout_colour: is_wanted && io::stdout().is_terminal(),
            stderr_colour: is_wanted && io::stderr().is_terminal(),
            variables,
        }
    }
}
