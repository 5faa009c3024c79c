//! `bench --check`: instruction counts, compared with committed ones. CPU time varies by a quarter
//! on a busy machine; these numbers vary by less than 2 %.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;

use xshell::cmd;

use super::instructions;
use super::measure::Program;
use super::server::Server;
use super::suite::{Suite, Until};
use crate::Result;
use crate::release::{self, Product};
use crate::workspace::{Workspace, on_path};

/// How many percent above the committed number a count may be.
const TOLERANCE: f64 = 5.0;

/// Counts the cases of these plugins, and compares or writes the numbers.
///
/// # Errors
/// When a case executes more than [`TOLERANCE`] above its committed number.
pub(super) fn run(
    workspace: &Workspace,
    target: &str,
    suites: &[&Suite],
    listener: &TcpListener,
    record: bool,
) -> Result {
    if on_path("valgrind").is_none() {
        eprintln!(
            "warning: NOT CHECKED: instructions are counted by `valgrind`, which is not on PATH"
        );
        return Ok(());
    }
    let file = workspace.root.join("xtask/src/bench/instructions").join(format!("{target}.txt"));
    let tools = describe_tools(workspace)?;
    let (made_with, mut committed) = read(&file)?;
    if made_with != tools && !record {
        eprintln!("warning: NOT CHECKED: the numbers for `{target}` were counted with other tools");
        eprintln!("  then: {made_with}\n  now:  {tools}");
        eprintln!("hint: `cargo xtask bench --record` counts and writes them");
        return Ok(());
    }
    let mut over = Vec::new();
    for suite in suites {
        let plugin = release::build(workspace, Product::plugin(suite.plugin), target)?;
        let server = Server::start(workspace, suite.name, listener)?;
        for case in suite.cases.iter().filter(|case| case.until == Until::Exit) {
            let program = server.program(case, plugin.clone())?;
            let count = lowest_of_three(&program)?;
            let name = format!("{} {}", suite.name, case.folder);
            let before = committed.insert(name.clone(), count);
            let change = before.map(|before| 100.0 * (count as f64 / before as f64 - 1.0));
            let shown = change.map(|change| format!("{change:+.1} %")).unwrap_or("new".into());
            println!("{name:<20} {count:>12} instructions, {shown}");
            if change.is_some_and(|change| change > TOLERANCE) {
                over.push(format!("{name}: {shown}"));
            }
        }
    }
    if record {
        let lines = committed.iter().map(|(name, count)| format!("{name} {count}\n"));
        return Ok(fs::write(file, format!("# {tools}\n{}", lines.collect::<String>()))?);
    }
    if over.is_empty() {
        return Ok(());
    }
    Err(format!(
        "more instructions than in `{}` (`bench --record` writes new numbers): {}",
        file.display(),
        over.join("; ")
    )
    .into())
}

/// The keys of a handshake are random, and on a busy machine a run this slow may time out.
fn lowest_of_three(program: &Program) -> Result<u64> {
    let counts: Vec<_> = (0..3).map(|_| instructions::count(program)).collect();
    let lowest = counts.iter().flatten().copied().flatten().min();
    match (lowest, counts.into_iter().find_map(Result::err)) {
        (Some(count), _) => Ok(count),
        (None, Some(error)) => Err(error),
        (None, None) => Err("no count".into()),
    }
}

/// What the counts depend on besides our code: compiler, valgrind, and the instructions that the
/// processor has beyond the common ones.
fn describe_tools(workspace: &Workspace) -> Result<String> {
    let rustc = cmd!(workspace.shell, "rustc --version").quiet().read()?;
    let valgrind = cmd!(workspace.shell, "valgrind --version").quiet().read()?;
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let has = |feature: &&str| processor.split_whitespace().any(|word| word == *feature);
    let features = ["avx2", "bmi2", "adx", "sha_ni"].into_iter().filter(has).collect::<Vec<_>>();
    Ok(format!("{rustc}, {valgrind}, {}", features.join(" ")))
}

/// What the numbers were counted with, and the numbers by plugin and case; nothing without the
/// file.
fn read(file: &Path) -> Result<(String, BTreeMap<String, u64>)> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error.into()),
    };
    let line = |line: &str| -> Result<(String, u64)> {
        let (name, count) = line.rsplit_once(' ').ok_or("a line without a number")?;
        Ok((name.to_owned(), count.parse()?))
    };
    let (head, lines) = text.split_once('\n').unwrap_or_default();
    let tools = head.trim_start_matches("# ").to_owned();
    Ok((tools, lines.lines().map(line).collect::<Result<_>>()?))
}
