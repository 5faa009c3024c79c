//! Stdin, stdout and stderr: a program at the other end cannot keep a run from ending, and a
//! response that was not written is not a success.

use std::io::{self, PipeWriter, Read as _, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::Rule;
use crate::ground::Ground;

pub(super) fn rules() -> Vec<Rule> {
    vec![
        Rule::of(a_stdin_that_is_never_closed_ends_with_the_timeout),
        Rule::of(a_stdin_that_is_never_closed_does_not_hide_a_wrong_option),
        Rule::of(a_closed_stdin_is_an_empty_one),
        Rule::of(a_stderr_that_is_not_read_does_not_keep_a_run),
        Rule::of(a_stderr_that_is_not_read_does_not_keep_a_failure),
        Rule::of(a_closed_stderr_costs_no_login),
        Rule::of(a_closed_stdout_is_no_success),
        Rule::of(a_stdout_whose_reader_is_gone_is_no_success),
        Rule::of(a_stdout_that_is_not_read_is_no_success_and_ends_with_the_timeout),
    ]
}

/// How much later than its limit a run may end: to report, on a machine that is busy.
const SLACK: Duration = Duration::from_secs(2);

fn a_stdin_that_is_never_closed_ends_with_the_timeout(ground: &Ground<'_>) {
    let request = ground.request().to_string();
    for written in ["", &request[..request.len() / 2], &request] {
        let mut command = ground.plugin.clone().quiet().arg("--timeout=1s").command();
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(written.as_bytes()).unwrap();
        let status = ends(&mut child, Duration::from_secs(1));
        assert_eq!(status.code(), Some(6));
        assert!(stderr(&mut child).contains("stdin was not closed within 1.0 s"));
        drop(stdin);
    }
}

fn a_stdin_that_is_never_closed_does_not_hide_a_wrong_option(ground: &Ground<'_>) {
    let mut command = ground.plugin.clone().quiet().arg("--frobnicate").command();
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let stdin = child.stdin.take().unwrap();
    let status = ends(&mut child, Duration::from_secs(1));
    assert_eq!(status.code(), Some(2));
    assert!(stderr(&mut child).contains("unknown option `--frobnicate`"));
    drop(stdin);
}

fn a_closed_stdin_is_an_empty_one(ground: &Ground<'_>) {
    let mut child = redirected(ground, "<&-", &[]).stderr(Stdio::piped()).spawn().unwrap();
    assert_eq!(ends(&mut child, Duration::ZERO).code(), Some(6));
    assert!(stderr(&mut child).contains("stdin is empty"));
}

fn a_stderr_that_is_not_read_does_not_keep_a_run(ground: &Ground<'_>) {
    let mut command = ground.plugin.clone().arg("--timeout=3s").arg("--log=trace").command();
    let (_reader, full) = full_pipe();
    command.stderr(full).stdout(Stdio::piped());
    let mut child = start(&mut command, &ground.request().to_string());
    let mut stdout = child.stdout.take().unwrap();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).unwrap();
        text
    });
    let status = ends(&mut child, Duration::from_secs(3));
    assert_eq!(status.code(), Some(0), "logs are worth less than the login");
    assert!(reader.join().unwrap().contains("\"auth\":{\""));
}

fn a_stderr_that_is_not_read_does_not_keep_a_failure(ground: &Ground<'_>) {
    let mut command = ground.plugin.clone().arg("--timeout=3s").arg("--frobnicate").command();
    let (_reader, full) = full_pipe();
    command.stderr(full).stdout(Stdio::null());
    let mut child = start(&mut command, &ground.request().to_string());
    assert_eq!(ends(&mut child, Duration::from_secs(3)).code(), Some(2));
}

fn a_closed_stderr_costs_no_login(ground: &Ground<'_>) {
    let mut command = redirected(ground, "2>&-", &["--log=trace"]);
    let mut child = start(command.stdout(Stdio::null()), &ground.request().to_string());
    assert_eq!(ends(&mut child, Duration::from_secs(5)).code(), Some(0));
}

fn a_closed_stdout_is_no_success(ground: &Ground<'_>) {
    let mut command = redirected(ground, ">&-", &[]);
    let mut child = start(command.stderr(Stdio::piped()), &ground.request().to_string());
    let status = ends(&mut child, Duration::from_secs(5));
    assert!(status.code().is_some_and(|code| code != 0), "{status}");
    let stderr = stderr(&mut child);
    assert!(stderr.contains("cannot write the response to stdout"), "{stderr}");
    for option in ["--help", "--version"] {
        let mut child = redirected(ground, ">&-", &[option]).spawn().unwrap();
        let status = ends(&mut child, Duration::from_secs(5));
        assert!(status.code().is_some_and(|code| code != 0), "{option}: {status}");
    }
}

fn a_stdout_whose_reader_is_gone_is_no_success(ground: &Ground<'_>) {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut command = ground.plugin.clone().quiet().command();
    command.stdout(writer).stderr(Stdio::piped());
    let mut child = start(&mut command, &ground.request().to_string());
    let status = ends(&mut child, Duration::from_secs(5));
    // By its own choice, not by a signal: the kubelet's log gets its reason.
    assert!(status.code().is_some_and(|code| code != 0), "{status}");
    let stderr = stderr(&mut child);
    assert!(stderr.contains("cannot write the response to stdout"), "{stderr}");
}

fn a_stdout_that_is_not_read_is_no_success_and_ends_with_the_timeout(ground: &Ground<'_>) {
    let (_reader, full) = full_pipe();
    let mut command = ground.plugin.clone().quiet().arg("--timeout=2s").command();
    command.stdout(full).stderr(Stdio::piped());
    let mut child = start(&mut command, &ground.request().to_string());
    let status = ends(&mut child, Duration::from_secs(2));
    assert!(status.code().is_some_and(|code| code != 0), "{status}");
    let stderr = stderr(&mut child);
    assert!(stderr.contains("cannot write the response to stdout"), "{stderr}");
}

/// The plugin as a shell starts it with this redirection, which `Command` cannot express.
fn redirected(ground: &Ground<'_>, redirection: &str, args: &[&str]) -> Command {
    let plugin = ground.plugin.clone().quiet().command();
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(format!("exec \"$@\" {redirection}")).arg("sh");
    shell.arg(plugin.get_program()).args(plugin.get_args()).args(args);
    shell.env_clear().current_dir("/");
    shell.envs(plugin.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell
}

fn start(command: &mut Command, request: &str) -> Child {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // A plugin may exit without reading.
    let _ = child.stdin.take().unwrap().write_all(request.as_bytes());
    child
}

/// Waits for the end, which must come within the limit and the slack.
fn ends(child: &mut Child, limit: Duration) -> ExitStatus {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if started.elapsed() > limit + SLACK {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it had not ended after {:?}", started.elapsed());
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn stderr(child: &mut Child) -> String {
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    text
}

/// A pipe that takes not one byte more, for as long as the reader is held.
fn full_pipe() -> (io::PipeReader, PipeWriter) {
    let (reader, writer) = io::pipe().unwrap();
    let mut filler = writer.try_clone().unwrap();
    // It blocks once the pipe is full, and ends with the process of the trial.
    thread::spawn(move || filler.write_all(&[b'.'; 4 << 20]));
    thread::sleep(Duration::from_millis(300));
    (reader, writer)
}
