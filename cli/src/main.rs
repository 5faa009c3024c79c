//! `pullpass`: shows what the kubelet does with a configuration of image credential providers,
//! before a kubelet reads it.

mod args;
mod check;
mod command_notes;
mod config;
mod doctor;
mod environment;
mod lookup;
mod manual;
mod match_;
mod plugin_lints;
mod plugins;
mod records;
mod report;
mod text;

use std::process::ExitCode;

use clap::Parser as _;
use pullpass::is_stdout_closed;

use crate::args::{Args, Command};
use crate::environment::Environment;
use crate::report::Report;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            if !error.use_stderr() && is_stdout_closed() {
                let help = Report::new(error.to_string(), code);
                return help.require_stdout().print(&Environment::ambient());
            }
            // It is not a failure when the reader of the help has ended.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let environment = Environment::ambient();
    let answers_by_exit_code = args.command.answers_by_exit_code();
    let done = match args.command {
        Command::Check(args) => check::run(&args, &environment),
        Command::Match(args) => match_::run(&args),
        Command::Lookup(args) => lookup::run(&args, &environment),
        Command::Config(args) => config::run(&args, &environment),
        Command::Records(args) => records::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Completions { shell } => Ok(manual::completions(shell)),
        Command::Man { name, dir: None } => manual::print_page(name.as_deref()),
        Command::Man { dir: Some(dir), .. } => manual::write_pages(&dir),
    };
    let report = done.unwrap_or_else(Report::from);
    if answers_by_exit_code {
        report.print(&environment)
    } else {
        report.require_stdout().print(&environment)
    }
}
