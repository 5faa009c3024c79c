//! The program `cluster`: outside it starts itself in namespaces of its own, once per kubelet, and
//! prints the table; inside it is the cluster and its trials.

use std::any::Any;
use std::env;
use std::fs;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::programs::Programs;
use super::table::{Row, Table};
use super::traces::Traces;
use super::trials::{Trial, trials};
use super::{Cluster, kubelet, machine};
use crate::world::{self, World, namespace};

/// The first argument of a process that is to be the cluster.
const INSIDE: &str = "--inside-a-cluster";
/// Where the cluster writes its rows.
const RESULT: &str = "rows.json";

/// What the command line asks for.
#[derive(Clone)]
struct Options {
    minors: Vec<String>,
    only: Vec<String>,
    keep: bool,
    bin_dir: PathBuf,
}

impl Options {
    /// Reads `BIN_DIR [--kubelet MINOR]... [--only TEXT]... [--keep]`, which `cargo xtask cluster`
    /// writes.
    fn parse(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut args = args.peekable();
        let bin_dir: PathBuf = args.next().ok_or("the folder of the plugins is missing")?.into();
        let mut options = Self { minors: Vec::new(), only: Vec::new(), keep: false, bin_dir };
        while let Some(arg) = args.next() {
            let list = match &*arg {
                "--keep" => {
                    options.keep = true;
                    continue;
                }
                "--kubelet" => &mut options.minors,
                "--only" => &mut options.only,
                _ => return Err(format!("unknown option `{arg}`")),
            };
            list.push(args.next().ok_or_else(|| format!("`{arg}` needs a value"))?);
        }
        Ok(options)
    }

    fn wants(&self, trial: &Trial) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| trial.name.contains(&**part))
    }
}

/// Does what the command line asks for.
pub fn main() -> ExitCode {
    let mut args = env::args().skip(1).peekable();
    let inside = args.next_if(|arg| arg == INSIDE).is_some();
    let outcome = Options::parse(args).and_then(|options| match inside {
        true => be_the_cluster(&options),
        false => run_all(&options),
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the trials with every kubelet; whether all went as expected.
fn run_all(options: &Options) -> Result<bool, String> {
    if !trials().iter().any(|trial| options.wants(trial)) {
        let names: Vec<&str> = trials().iter().map(|trial| trial.name).collect();
        return Err(format!(
            "no trial has such a name\nhint: there are:\n  {}",
            names.join("\n  ")
        ));
    }
    if !options.bin_dir.join("pullpass").is_file() {
        return Err(format!("`{}` has no `pullpass`", options.bin_dir.display()));
    }
    let before = Traces::look();
    let mut folders = Vec::new();
    let mut table = Table::default();
    for minor in &options.minors {
        table.extend(run_one(options, minor, &mut folders)?);
    }
    table.print();
    Ok(before.compare(&folders) & table.is_good())
}

/// Starts the cluster of one kubelet and waits for its end. Adds its folder for temporary files.
fn run_one(options: &Options, minor: &str, folders: &mut Vec<PathBuf>) -> Result<Vec<Row>, String> {
    let (mut command, folder) = world::prepare_inside(&machine::NAMESPACES)?;
    folders.push(folder.path().to_owned());
    let bin_dir = fs::canonicalize(&options.bin_dir).map_err(|error| error.to_string())?;
    command.arg(INSIDE).arg(bin_dir).args(["--kubelet", minor]);
    command.args(options.only.iter().flat_map(|part| ["--only", part]));
    if options.keep {
        command.arg("--keep");
        let terminal = ["TERM", "SHELL"].map(|name| (name, env::var_os(name).unwrap_or_default()));
        command.envs(terminal);
    } else {
        // Held open until it ends: see `end_with_parent`.
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().map_err(|error| format!("cannot start `unshare`: {error}"))?;
    let _alive = child.stdin.take();
    let status = child.wait().map_err(|error| error.to_string())?;
    let rows = fs::read(folder.path().join(RESULT)).ok();
    rows.and_then(|rows| serde_json::from_slice(&rows).ok())
        .ok_or_else(|| format!("the cluster with the kubelet of {minor} ended early: {status}"))
}

/// Is the cluster, and runs the trials in it.
fn be_the_cluster(options: &Options) -> Result<bool, String> {
    namespace::assert_inside();
    if !options.keep {
        world::end_with_parent();
    }
    let minor = options.minors.first().ok_or("no kubelet is chosen")?;
    let programs = Programs::find()?;
    println!("\n##### Kubernetes {minor}");
    let (world, watch) = (World::enter(&[]), MemoryWatch::start());
    let cluster = Cluster::start(&world, &programs, minor, &options.bin_dir);
    // The transcript has the text of a panic; what is left to say is where it was.
    panic::set_hook(Box::new(|panic| eprintln!("panicked at {}", panic.location().unwrap())));
    let mut rows = Vec::new();
    let wanted = |trial: &Trial| options.wants(trial) && trial.is_for(minor);
    for trial in trials().into_iter().filter(wanted) {
        rows.push(run_trial(&cluster, &trial));
    }
    let peak = watch.stop();
    println!("\nmost memory of all programs at once: {} MB", peak / 1_000_000);
    let file = env::temp_dir().join(RESULT);
    fs::write(file, serde_json::to_vec(&rows).unwrap()).map_err(|error| error.to_string())?;
    if options.keep {
        open_shell(&world);
    }
    Ok(rows.iter().all(Row::is_good))
}

fn run_trial(cluster: &Cluster<'_>, trial: &Trial) -> Row {
    // Before and not after, so that a person who keeps the cluster finds the last trial's pods.
    cluster.clean_up();
    cluster.transcript.title(&format!("{} (kubelet {})", trial.name, cluster.minor));
    let started = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let seen = (trial.run)(cluster);
        cluster.transcript.say("seen", &seen);
        seen
    }));
    let outcome = outcome.map_err(|panic| panic_text(&*panic));
    if let Err(error) = &outcome {
        cluster.transcript.say("WRONG", error);
    }
    let seconds = started.elapsed().as_secs_f64();
    Row { name: trial.name.to_owned(), minor: cluster.minor.clone(), outcome, seconds }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked").to_owned()
}

/// Hands the terminal over to a person, with a client's configuration for the cluster.
fn open_shell(world: &World) {
    let file = env::temp_dir().join("kubeconfig");
    let (certificate, key) = world.ca().client_certificate("admin", "system:masters");
    kubelet::write_kubeconfig(world, &file, &certificate, &key);
    println!("\nThe cluster is yours until this shell ends; KUBECONFIG={}", file.display());
    println!(
        "Without kubectl: curl --cert {0}.certificate.pem --key {0}.key.pem https://{1}/api/v1/pods",
        file.display(),
        super::api::HOST
    );
    let shell = env::var_os("SHELL").filter(|shell| !shell.is_empty());
    let shell = shell.unwrap_or_else(|| "/bin/sh".into());
    let _ = Command::new(shell).env("KUBECONFIG", &file).current_dir(Path::new("/")).status();
}

/// The most memory that everything in here has had at once.
struct MemoryWatch {
    stop: Arc<AtomicBool>,
    peak: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl MemoryWatch {
    fn start() -> Self {
        let (stop, peak) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (stopped, highest) = (Arc::clone(&stop), Arc::clone(&peak));
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                highest.fetch_max(machine::memory(), Ordering::Relaxed);
                thread::sleep(Duration::from_millis(500));
            }
        });
        Self { stop, peak, thread }
    }

    fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        self.peak.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Options, String> {
        Options::parse(args.iter().map(|arg| (*arg).to_owned()))
    }

    #[test]
    fn options_come_after_the_folder_of_the_plugins() {
        let options = parse(&["bin", "--kubelet", "1.37", "--keep", "--kubelet", "1.34"]).unwrap();
        assert_eq!((options.minors, options.keep), (vec!["1.37".into(), "1.34".into()], true));
        assert_eq!(options.bin_dir, Path::new("bin"));
        for wrong in [&[][..], &["bin", "--only"], &["bin", "--all"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn only_trials_whose_names_hold_a_part_are_wanted() {
        let options = parse(&["bin", "--only", "static", "--only", "cache"]).unwrap();
        let wanted: Vec<&str> = trials()
            .into_iter()
            .filter(|trial| options.wants(trial))
            .map(|trial| trial.name)
            .collect();
        assert!(wanted.contains(&"cache: expiry") && !wanted.contains(&"image volume"));
    }
}
