//! Runs a program and prints what it used: CPU time and wall time in microseconds, peak memory in
//! bytes. Its exit code is the program's.
//!
//! The kernel adds to a child's peak what its parent held when it was started, so
//! `cargo xtask bench` starts programs through this small process instead of itself.

#![allow(clippy::print_stdout, reason = "its result")]

use std::env;
use std::error::Error;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use wait4::Wait4 as _;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let program = arguments.next().ok_or("usage: measured PROGRAM [ARGUMENT...]")?;
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null());

    let started = Instant::now();
    let used = command.spawn()?.wait4()?;
    let wall = started.elapsed();
    let cpu = used.rusage.utime + used.rusage.stime;
    println!("{} {} {}", cpu.as_micros(), wall.as_micros(), used.rusage.maxrss);

    let code = used.status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
