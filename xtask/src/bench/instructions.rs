//! How many instructions a program executes, counted by valgrind's `callgrind`: a number that
//! hardly depends on the machine, and not at all on its load.

use std::ffi::OsString;

use super::measure::Program;
use crate::Result;
use crate::workspace::on_path;

/// The program's own instructions, without the kernel's; `None` without valgrind.
pub(super) fn count(program: &Program) -> Result<Option<u64>> {
    let Some(valgrind) = on_path("valgrind") else { return Ok(None) };
    let mut arguments: Vec<OsString> =
        vec!["--tool=callgrind".into(), "--callgrind-out-file=/dev/null".into()];
    arguments.push(program.binary.as_os_str().to_owned());
    arguments.extend(program.arguments.iter().map(OsString::from));
    let output = program.command(&valgrind, &arguments)?.output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    match parse(&log) {
        Some(count) if output.status.success() => Ok(Some(count)),
        _ => Err(format!("`{}` failed under valgrind: {}", program.name, log.trim()).into()),
    }
}

/// Reads `==1234== Collected : 4426363`.
fn parse(log: &str) -> Option<u64> {
    log.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_callgrind_prints() {
        let log = "==12== Events    : Ir\n==12== Collected : 4426363\n==12==\n";
        assert_eq!(parse(log), Some(4_426_363));
        assert_eq!(parse("==12== Command: plugin"), None);
    }
}
