//! `load`: each plugin many times at once, as on a node on which all pods start together.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::measure::{Program, Sample};
use super::server::Server;
use super::suite::{Case, Suite, Until};
use super::{build_example, choose_suites, choose_target};
use crate::release::{self, Product};
use crate::workspace::Workspace;
use crate::{Result, flags};

/// Runs of each plugin, and how many of them at once.
const RUNS: usize = 1000;
const AT_ONCE: usize = 64;
/// Processes that start together and whose memory is added up.
const TOGETHER: usize = 50;

/// Runs the plugins over TLS on loopback, and prints a line for each.
///
/// # Errors
/// Also when a run failed.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Load) -> Result {
    let target = choose_target(workspace)?;
    workspace.cargo().args(["build", "-p", "pullpass-tests", "--bin", "bench_server"]).run()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let measured = build_example(workspace, &target, "measured", "")?;
    let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!("{RUNS} runs, {AT_ONCE} at once, {target}, {processors} processors");
    println!(
        "{:<10}{:<26}{:>7}{:>8}{:>8}{:>8}{:>8}{:>8}{:>10}",
        "plugin", "case", "failed", "runs/s", "p50 ms", "p90", "p99", "most", "50: MB"
    );
    let mut failed = Vec::new();
    for suite in choose_suites(flags.plugin.as_deref())? {
        let plugin = release::build(workspace, Product::plugin(suite.plugin), &target)?;
        let server = Server::start(workspace, suite.name, &listener)?;
        for case in cases(suite) {
            let program = server.program(case, plugin.clone())?;
            let load = Load { program, measured: measured.clone() };
            failed.extend(load.measure(suite, case)?);
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("runs failed:\n{}", failed.join("\n")).into()),
    }
}

/// Those that make a call over TLS.
fn cases(suite: &Suite) -> impl Iterator<Item = &Case> {
    suite.cases.iter().filter(|case| case.until == Until::Exit && case.title.contains("TLS"))
}

struct Load {
    program: Program,
    /// The path of the example of that name, which starts and measures the program.
    measured: PathBuf,
}

impl Load {
    /// Prints the line; returns what failed.
    fn measure(&self, suite: &Suite, case: &Case) -> Result<Vec<String>> {
        let started = Instant::now();
        let (samples, failed) = self.run_all(RUNS, AT_ONCE);
        let took = started.elapsed();
        let mut walls: Vec<Duration> = samples.iter().filter_map(|sample| sample.wall).collect();
        walls.sort();
        let (together, failed_together) = self.run_all(TOGETHER, TOGETHER);
        let memory: u64 = together.iter().filter_map(|sample| sample.memory).sum();
        let at = |share| percentile(&walls, share).as_secs_f64() * 1000.0;
        println!(
            "{:<10}{:<26}{:>7}{:>8.0}{:>8.1}{:>8.1}{:>8.1}{:>8.1}{:>10.0}",
            suite.name,
            case.title,
            failed.len() + failed_together.len(),
            RUNS as f64 / took.as_secs_f64(),
            at(0.5),
            at(0.9),
            at(0.99),
            at(1.0),
            memory as f64 / 1e6,
        );
        let failed = failed.into_iter().chain(failed_together);
        Ok(failed.take(3).map(|error| format!("{}, {}: {error}", suite.name, case.title)).collect())
    }

    /// Runs the plugin this many times, in this many threads that start together. Returns how long
    /// each run took, and the errors.
    fn run_all(&self, runs: usize, threads: usize) -> (Vec<Sample>, Vec<String>) {
        let (samples, failed) = (Mutex::default(), Mutex::default());
        let (next, start) = (AtomicUsize::new(0), Barrier::new(threads));
        let work = || {
            start.wait();
            while next.fetch_add(1, Ordering::Relaxed) < runs {
                match self.program.run(&self.measured) {
                    Ok(sample) => push(&samples, sample),
                    Err(error) => push(&failed, error.to_string()),
                }
            }
        };
        thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
        let take = |error: PoisonError<Vec<Sample>>| error.into_inner();
        let samples = samples.into_inner().unwrap_or_else(take);
        (samples, failed.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

fn push<T>(list: &Mutex<Vec<T>>, item: T) {
    list.lock().unwrap_or_else(PoisonError::into_inner).push(item);
}

/// The value that this share of the sorted values does not exceed; zero if there is none.
fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let count = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(count.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        for (share, expected) in [(0.5, 100), (0.99, 198), (1.0, 200), (0.0, 1)] {
            assert_eq!(percentile(&values, share), Duration::from_millis(expected));
        }
        assert_eq!(percentile(&[], 0.5), Duration::ZERO);
    }

    #[test]
    fn every_suite_has_a_case_over_tls() {
        for suite in super::super::SUITES {
            assert!(cases(suite).next().is_some(), "{}", suite.name);
        }
    }
}
