//! `bench`: what one call of a plugin costs a node, compared with its budgets.
//!
//! Each plugin has a file that lists its cases. `bench_server`, of `pullpass-tests`, serves them
//! and says how the plugin is run. Two programs run in turns with the plugin: the floor, an example
//! of this crate that makes the same calls and does nothing else, and with `--peers` the cloud's
//! own plugin.

mod acr;
mod check;
mod ecr;
mod gar;
mod instructions;
pub(crate) mod load;
mod measure;
mod oidc;
mod peers;
mod server;
mod suite;
mod table;

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use xshell::cmd;

use self::measure::{Meter, Program};
use self::server::Server;
use self::suite::{Suite, Until};
use self::table::Table;
use crate::release::{self, Product};
use crate::workspace::Workspace;
use crate::{Result, flags};

const SUITES: [&Suite; 4] = [&acr::SUITE, &ecr::SUITE, &gar::SUITE, &oidc::SUITE];
const DEFAULT_RUNS: usize = 31;

/// Measures and prints a table per plugin; with `--check`, counts instructions instead.
///
/// # Errors
/// Also when something was over its budget.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Bench) -> Result {
    let suites = choose_suites(flags.plugin.as_deref())?;
    let target = choose_target(workspace)?;
    workspace.cargo().args(["build", "-p", "pullpass-tests", "--bin", "bench_server"]).run()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    if flags.check || flags.record {
        return check::run(workspace, &target, &suites, &listener, flags.record);
    }
    let meter = Meter {
        measured: build_example(workspace, &target, "measured", "")?,
        listener,
        runs: flags.runs.unwrap_or(DEFAULT_RUNS).max(1),
    };
    let mut over = Vec::new();
    for suite in suites {
        let titles = flags.what.as_deref().unwrap_or_default();
        let peer = if flags.peers { peers::build(workspace, suite)? } else { None };
        over.extend(measure_suite(workspace, &target, &meter, suite, peer.as_deref(), titles)?);
    }
    if over.is_empty() {
        return Ok(());
    }
    Err(format!("over budget: {}", over.join("; ")).into())
}

/// The suite of that name; all without one.
fn choose_suites(plugin: Option<&str>) -> Result<Vec<&'static Suite>> {
    let Some(plugin) = plugin else { return Ok(SUITES.to_vec()) };
    let suite = SUITES.into_iter().find(|suite| [suite.name, suite.plugin].contains(&plugin));
    suite.map(|suite| vec![suite]).ok_or_else(|| {
        let known = SUITES.map(|suite| format!("`{}`", suite.name)).join(", ");
        format!("no plugin `{plugin}` to measure; there are {known}").into()
    })
}

/// One plugin's table, of the cases whose titles contain `titles`. Returns what was over budget.
fn measure_suite(
    workspace: &Workspace,
    target: &str,
    meter: &Meter,
    suite: &Suite,
    peer: Option<&Path>,
    titles: &str,
) -> Result<Vec<String>> {
    let plugin = release::build(workspace, Product::plugin(suite.plugin), target)?;
    let floor = build_example(workspace, target, "floor", "floor")?;
    let hello = build_example(workspace, target, "hello", "")?;
    let server = Server::start(workspace, suite.name, &meter.listener)?;

    let mut table = Table::start(suite, &format!("{target}, medians of {} runs", meter.runs));
    table.print_sizes(measure::file_size(&plugin)?, peer.map(measure::file_size).transpose()?);
    let mut bare = meter.medians(&[Program::bare(hello)], Until::Exit)?.into_iter();
    table.print_row("hello (a bare process)", bare.next());
    for case in suite.cases.iter().filter(|case| case.title.contains(titles)) {
        let mut programs = vec![server.program(case, plugin.clone())?];
        let mut instructions = None;
        if case.until == Until::Exit {
            instructions = instructions::count(&programs[0])?;
            programs.push(server.floor(case, suite.name, floor.clone())?);
            programs.extend(peer.map(|peer| server.program(case, peer.to_owned())).transpose()?);
        }
        let mut samples = meter.medians(&programs, case.until)?.into_iter();
        table.print_case(case, samples.next(), instructions, samples.next(), samples.next());
    }
    Ok(table.over)
}

/// An example of this crate, built with the feature that it needs.
fn build_example(
    workspace: &Workspace,
    target: &str,
    name: &str,
    feature: &str,
) -> Result<PathBuf> {
    release::build(workspace, Product::Example { package: "xtask", name, feature }, target)
}

/// The static target if its standard library is installed, as in a release; else the host's.
fn choose_target(workspace: &Workspace) -> Result<String> {
    let musl = release::host_musl();
    if release::has_target(workspace, &musl)? {
        return Ok(musl);
    }
    let host = cmd!(workspace.shell, "rustc --print host-tuple").quiet().read()?;
    eprintln!("warning: `{musl}` is not installed, so this measures `{host}`");
    Ok(host)
}
