//! Everything that is not on the command line: the one place that reads it.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal as _};

/// What surrounds the command.
pub(crate) struct World {
    /// Its environment, which plugins get as they get the kubelet's.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// Whether stdout may have colours.
    pub(crate) colour: bool,
}

impl World {
    /// The process's own.
    #[expect(clippy::disallowed_methods, reason = "the one place where the environment comes from")]
    pub(crate) fn ambient() -> Self {
        let environment: Vec<(OsString, OsString)> = std::env::vars_os().collect();
        let value = |name: &str| {
            let found = environment.iter().find(|(known, _)| known == OsStr::new(name));
            found.map(|(_, value)| value.as_os_str()).filter(|value| !value.is_empty())
        };
        let colour = io::stdout().is_terminal()
            && value("NO_COLOR").is_none()
            && value("TERM") != Some(OsStr::new("dumb"));
        Self { environment, colour }
    }
}
