//! Shell completions and manual pages, made from the definition of the command line.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Args;
use crate::report::{Failure, Report};

/// A script for `shell`.
pub(crate) fn completions(shell: Shell) -> Report {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "pullpass", &mut script);
    Report::new(String::from_utf8_lossy(&script).into_owned(), 0)
}

/// The page `pullpass(1)`, or with `dir` this and one page per command as files there.
pub(crate) fn manual(dir: Option<&Path>) -> Result<Report, Failure> {
    let command = Args::command();
    let cannot = |error: std::io::Error| Failure::new(format!("cannot write the manual: {error}"));
    if let Some(dir) = dir {
        std::fs::create_dir_all(dir).map_err(cannot)?;
        clap_mangen::generate_to(command, dir).map_err(cannot)?;
        return Ok(Report::default());
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).map_err(cannot)?;
    Ok(Report::new(String::from_utf8_lossy(&page).into_owned(), 0))
}
