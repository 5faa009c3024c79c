//! `bench`: what one call of a plugin costs a node, beside its budgets.
//!
//! Each plugin has a file that lists its cases. `bench_server`, of `pullpass-tests`, serves them
//! and says how the plugin is run. A bare program, an example of this crate, may make the same
//! calls by the vendor's SDK or an HTTP client alone: it runs in turns with the plugin.

mod acr;
mod ecr;
mod gar;
mod measure;
mod oidc;
mod server;
mod suite;
mod table;

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

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

/// Measures and prints a table per plugin.
///
/// # Errors
/// Also when something was over its budget.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Bench) -> Result {
    let suites = choose_suites(flags.plugin.as_deref())?;
    let target = choose_target(workspace)?;
    let meter = Meter {
        measured: build_example(workspace, &target, "measured", "")?,
        listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?,
        runs: flags.runs.unwrap_or(DEFAULT_RUNS).max(1),
    };
    workspace.cargo().args(["build", "-p", "pullpass-tests", "--bin", "bench_server"]).run()?;

    let mut over = Vec::new();
    for suite in suites {
        let titles = flags.what.as_deref().unwrap_or_default();
        over.extend(measure_suite(workspace, &target, &meter, suite, titles)?);
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
    titles: &str,
) -> Result<Vec<String>> {
    let plugin = release::build(workspace, Product::plugin(suite.plugin), target)?;
    let floor = suite.floor.map(|name| build_example(workspace, target, name, name)).transpose()?;
    let hello = build_example(workspace, target, "hello", "")?;
    let server = Server::start(workspace, suite.name, &meter.listener)?;

    let mut table = Table::start(suite, &format!("{target}, medians of {} runs", meter.runs));
    table.print_sizes(
        measure::file_size(&plugin)?,
        floor.as_deref().map(measure::file_size).transpose()?,
    );
    let mut bare = meter.medians(&[Program::bare(hello)], Until::Exit)?.into_iter();
    table.print_row("hello (a bare process)", bare.next());
    for case in suite.cases.iter().filter(|case| case.title.contains(titles)) {
        let binaries: Vec<PathBuf> = [&plugin].into_iter().chain(&floor).cloned().collect();
        let programs = binaries
            .into_iter()
            .map(|binary| server.program(case, binary))
            .collect::<Result<Vec<_>>>()?;
        let mut samples = meter.medians(&programs, case.until)?.into_iter();
        table.print_case(case, samples.next(), samples.next());
    }
    Ok(table.over)
}

/// An example of this crate, with the feature that it needs.
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
