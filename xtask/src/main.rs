//! The project's tasks, as `cargo xtask TASK`; one file each.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a task prints to its terminal")]
#![allow(
    clippy::disallowed_methods,
    reason = "the bans protect plugins; a task reads its own tree and environment"
)]

mod bench;
mod cluster;
mod demo;
mod dist;
mod elf;
mod flags;
mod fuzz;
mod judges;
mod lint;
mod oracle;
mod release;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use crate::flags::XtaskCmd;
use crate::workspace::Workspace;

/// What a task may fail with: a sentence for the terminal.
type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let flags = flags::Xtask::from_env_or_exit();
    match dispatch(flags.subcommand) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("caused by: {cause}");
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn dispatch(task: XtaskCmd) -> Result<ExitCode> {
    let workspace = Workspace::open()?;
    match task {
        XtaskCmd::Demo(_) => return demo::run(&workspace),
        XtaskCmd::Test(flags) => test::run(&workspace, &flags)?,
        XtaskCmd::Judges(flags) => judges::run(&workspace, &flags)?,
        XtaskCmd::Oracle(flags) => oracle::run(&workspace, &flags)?,
        XtaskCmd::Cluster(flags) => return cluster::run(&workspace, &flags),
        XtaskCmd::Fuzz(flags) => fuzz::run(&workspace, &flags)?,
        XtaskCmd::Lint(_) => lint::run(&workspace)?,
        XtaskCmd::Tidy(_) => tidy::run(&workspace)?,
        XtaskCmd::Bench(flags) => bench::run(&workspace, &flags)?,
        XtaskCmd::Load(flags) => bench::load::run(&workspace, &flags)?,
        XtaskCmd::Dist(flags) => dist::run(&workspace, &flags)?,
    }
    Ok(ExitCode::SUCCESS)
}
