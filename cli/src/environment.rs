//! The only place that reads the command's surroundings beyond the command line.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal as _};

/// The surroundings of the command.
pub(crate) struct Environment {
    /// Its variables, which plugins get instead of the kubelet's.
    pub(crate) variables: Vec<(OsString, OsString)>,
    /// Whether stdout may have colours.
    pub(crate) stdout_colour: bool,
    /// Whether stderr may have colours.
    pub(crate) stderr_colour: bool,
}

impl Environment {
    /// Those of this process.
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
