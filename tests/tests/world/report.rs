//! A trial that fails is a failure, and says why; what it started is gone. Shown on trials of a
//! second run of this program, inside the first one's world.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pullpass_tests::world::{Trial, World};

use crate::PLUGIN;

/// Chooses the trials that only `about` runs.
const HIDDEN: &str = "PULLPASS_HIDDEN_TRIALS";
/// How long a program that is left over would run; the number identifies it.
const SECONDS: &str = "86417";
/// How long it may take to show up.
const PATIENCE: Duration = Duration::from_secs(20);

/// Is this the second run?
pub(crate) fn hidden() -> bool {
    std::env::var_os(HIDDEN).is_some()
}

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(passes),
        Trial::of(panics),
        Trial::of(exits),
        Trial::of(leaves_a_program_behind),
        Trial::of(sees_no_proxy),
        Trial::new("row 1", |_| {}),
    ]
}

pub(crate) fn about() -> Vec<Trial> {
    vec![
        Trial::of(failures_are_reported),
        Trial::of(good_trials_pass),
        Trial::of(without_namespaces_nothing_passes),
    ]
}

fn passes(_: &World) {}

fn panics(world: &World) {
    let run = world.plugin(PLUGIN).quiet().run(b"{}");
    println!("on stdout");
    eprintln!("on stderr");
    panic!("on purpose, with code {:?}", run.code);
}

fn exits(_: &World) {
    std::process::exit(3);
}

fn leaves_a_program_behind(_: &World) {
    let program = Command::new("sleep").arg(SECONDS).stdout(Stdio::null()).spawn().unwrap();
    // Until it has its name: `spawn` returns a little before that.
    let began = Instant::now();
    while !left_behind() {
        assert!(began.elapsed() < PATIENCE, "`sleep` cannot be seen");
        thread::sleep(Duration::from_millis(1));
    }
    drop(program);
}

fn sees_no_proxy(_: &World) {
    assert_eq!(std::env::var_os("HTTPS_PROXY"), None);
}

fn failures_are_reported(_: &World) {
    let (code, output) = run(&["panics"]);
    assert_eq!(code, Some(101), "{output}");
    let words =
        ["report::panics", "error: ", "on stdout\non stderr", "on purpose, with code", "1 failed"];
    for word in words {
        assert!(output.contains(word), "`{word}` is missing: {output}");
    }
    let (code, output) = run(&["exits"]);
    assert_eq!(code, Some(101), "{output}");
    assert!(output.contains("exit status: 3"), "{output}");
}

fn good_trials_pass(_: &World) {
    let (code, output) = run(&["--skip", "panics", "--skip", "exits"]);
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("4 passed"), "{output}");
    assert!(!left_behind());
    let (code, output) = run(&["--exact", "row 1"]);
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("1 passed"), "{output}");
}

fn without_namespaces_nothing_passes(_: &World) {
    // The switch is one per user namespace, so this one's is ours.
    fs::write("/proc/sys/user/max_user_namespaces", "0").unwrap();
    let (code, output) = run(&["passes"]);
    assert_eq!(code, Some(101), "{output}");
    assert!(output.contains("sysctl -w user.max_user_namespaces="), "{output}");
}

/// Runs the hidden trials with these options; returns exit code and all output.
fn run(options: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(options)
        .env(HIDDEN, "1")
        .env("HTTPS_PROXY", "http://proxy.example")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

/// Does a program of the hidden trials still live? The machine's `/proc` lists them all.
fn left_behind() -> bool {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let mut commands = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    commands.any(|command| command == format!("sleep\0{SECONDS}\0").into_bytes())
}
