//! A test target of trials: outside it is a libtest harness that starts itself once per trial,
//! inside a namespace it is the one trial.

use std::any::type_name;
use std::collections::HashSet;
use std::env;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::thread;

use libtest_mimic::{Arguments, Failed};
use tempfile::TempDir;

use super::{World, namespace};
use crate::plugin;

/// The first argument of a process that is to be the trial named by the second.
const INSIDE: &str = "--inside-a-world";
/// Rust's own exit code for a panic in `main`.
const PANICKED: u8 = 101;
/// Where a trial finds the plugins: it cannot build them.
const BINARIES: &str = "PULLPASS_BIN_DIR";

/// What a trial keeps of the environment besides `PATH`; a name that ends in `_` means all that
/// begin with it. The machine's own proxies, trust and cloud settings are not kept.
const KEPT: [&str; 5] = ["HOME", "LD_LIBRARY_PATH", "PULLPASS_", "RUST_", "LLVM_"];

/// One test.
pub struct Trial {
    name: String,
    run: Box<dyn Fn(&World) + Send>,
}

impl Trial {
    /// A test under that name, for rows of a table.
    pub fn new(name: impl Into<String>, run: impl Fn(&World) + Send + 'static) -> Self {
        Self { name: name.into(), run: Box::new(run) }
    }

    /// A function as a test under its own name, with its modules as libtest does it.
    pub fn of<Function: Fn(&World) + Send + 'static>(run: Function) -> Self {
        let path = type_name::<Function>();
        Self::new(path.split_once("::").map_or(path, |(_crate, name)| name), run)
    }
}

/// Runs the trials that the command line asks for, with libtest's options: a filter, `--exact`,
/// `--skip`, `--list`, `--test-threads`, `--nocapture` and others. `plugins` are the plugins that
/// the trials start; they are built before, if need be.
///
/// The trials must be the same at every call: it is called once more for each.
///
/// # Panics
/// If two trials have the same name.
pub fn main(plugins: &'static [&'static str], trials: Vec<Trial>) -> ExitCode {
    let mut args = env::args().skip(1);
    if args.next().as_deref() == Some(INSIDE) {
        return inside(&args.next().expect("a trial's name"), plugins, trials);
    }
    let mut names = HashSet::new();
    for trial in &trials {
        // The first would run twice, the second never.
        assert!(names.insert(&trial.name), "two trials are called `{}`", trial.name);
    }
    let mut arguments = Arguments::from_args();
    // They wait more than they work: for limits to pass, and for pauses between attempts.
    let threads = thread::available_parallelism().map_or(2, |cores| 2 * cores.get());
    arguments.test_threads.get_or_insert(threads);
    let capture = !arguments.nocapture;
    let trials = trials.into_iter().map(|trial| {
        let name = trial.name.clone();
        libtest_mimic::Trial::test(name, move || outside(&trial.name, plugins, capture))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// Starts the trial and waits for it.
fn outside(name: &str, plugins: &[&str], capture: bool) -> Result<(), Failed> {
    let (mut command, _folder) = prepare_inside(&[])?;
    command.args([INSIDE, name]);
    if let Some(folder) = binaries(plugins) {
        command.env(BINARIES, folder);
    }
    let mut output = tempfile::tempfile().unwrap();
    if capture {
        // One file for both, so that lines stay in their order.
        command.stdout(output.try_clone().unwrap()).stderr(output.try_clone().unwrap());
    }
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // Held until it ends: see `end_with_parent`.
    let _alive = child.stdin.take();
    let status = child.wait().unwrap();
    verdict(status, &mut output)
}

/// This program again as the first process of namespaces of its own, its arguments still to come.
/// `more` are further options of `unshare`. The folder is the one for its temporary files: whatever
/// way it ends, they go when the folder is dropped.
///
/// # Errors
/// If this machine has no namespaces for us.
pub(crate) fn prepare_inside(more: &[&str]) -> Result<(Command, TempDir), String> {
    namespace::allowed()?;
    let mut command = namespace::unshare(more);
    command.arg(env::current_exe().unwrap());
    command.env_clear().env("PATH", namespace::path());
    command.envs(env::vars_os().filter(|(name, _)| name.to_str().is_some_and(kept)));
    let folder = TempDir::new().unwrap();
    command.env("TMPDIR", folder.path());
    Ok((command, folder))
}

fn kept(name: &str) -> bool {
    KEPT.iter().any(|kept| *kept == name || kept.ends_with('_') && name.starts_with(kept))
}

/// The folder of these plugins; building them is done once.
fn binaries(plugins: &[&str]) -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> =
        plugins.iter().map(|name| plugin::binary(name).parent().unwrap().to_owned()).collect();
    folders.dedup();
    assert!(folders.len() <= 1, "plugins in several folders: {folders:?}");
    folders.pop().map(|folder| folder.canonicalize().unwrap())
}

fn verdict(status: ExitStatus, output: &mut File) -> Result<(), Failed> {
    if status.success() {
        return Ok(());
    }
    let mut bytes = Vec::new();
    output.rewind().unwrap();
    output.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    // A panic has said it all.
    if status.code() == Some(PANICKED.into()) {
        return Err(text.into());
    }
    Err(format!("{text}the trial ended with {status}").into())
}

/// Is the trial.
fn inside(name: &str, plugins: &'static [&'static str], trials: Vec<Trial>) -> ExitCode {
    namespace::assert_inside();
    end_with_parent();
    let trial = trials.into_iter().find(|trial| trial.name == name);
    let trial = trial.unwrap_or_else(|| panic!("no trial is called `{name}`"));
    let work = move || (trial.run)(&World::enter(plugins));
    // In a thread of that name, which is what a panic prints.
    match thread::Builder::new().name(name.to_owned()).spawn(work).unwrap().join() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(PANICKED),
    }
}

/// The first process of a namespace survives an interrupt of the terminal, and the death of who
/// started it. Its standard input is a pipe from the harness: when that closes, it is time to go.
pub(crate) fn end_with_parent() {
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(PANICKED.into());
    });
}
