//! Namespaces by util-linux' `unshare`, and the other tools that furnish one.

use std::fs;
use std::io::ErrorKind;
use std::process::{self, Command};
use std::sync::OnceLock;

/// What decides whether an ordinary user may have a namespace, with the value that forbids it.
const SWITCHES: [(&str, &str); 3] = [
    ("user.max_user_namespaces", "0"),
    ("kernel.unprivileged_userns_clone", "0"),
    ("kernel.apparmor_restrict_unprivileged_userns", "1"),
];

/// A command that will run its further arguments as the first process of new namespaces. When that
/// process ends, the kernel ends all others in there; when `unshare` ends, that process too.
/// `more` are further options of `unshare`.
pub(crate) fn unshare(more: &[&str]) -> Command {
    let mut command = tool("unshare");
    command.args(["--user", "--map-root-user", "--net", "--mount", "--pid", "--fork"]);
    command.arg("--kill-child").args(more).arg("--");
    command
}

/// Whether this machine lets us have a namespace; tried once.
///
/// # Errors
/// What is in the way, and what to do about it.
pub(crate) fn allowed() -> Result<(), String> {
    static ALLOWED: OnceLock<Result<(), String>> = OnceLock::new();
    ALLOWED.get_or_init(try_out).clone()
}

fn try_out() -> Result<(), String> {
    // A mount too: some systems give a user namespace without rights in it.
    let output = unshare(&[]).args(["mount", "-t", "tmpfs", "tmpfs", "/tmp"]).output();
    let reason = match output {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err("`unshare` is missing: install util-linux".to_owned());
        }
        Err(error) => error.to_string(),
    };
    let value =
        |switch: &str| fs::read_to_string(format!("/proc/sys/{}", switch.replace('.', "/")));
    let switched = |(switch, _): &&(&str, &str)| value(switch);
    let off: Vec<&str> = SWITCHES
        .iter()
        .filter(|entry| switched(entry).is_ok_and(|value| value.trim() == entry.1))
        .map(|(switch, _)| *switch)
        .collect();
    Err(format!("no private namespace on this machine: {reason}\n{}", hint(&off)))
}

/// What to allow.
fn hint(off: &[&str]) -> String {
    if off.is_empty() {
        return "hint: allow user namespaces; in a container, run it with \
                `--security-opt seccomp=unconfined --security-opt apparmor=unconfined \
                --cap-add SYS_ADMIN`"
            .to_owned();
    }
    let commands: Vec<String> = off
        .iter()
        .map(|switch| match *switch {
            "user.max_user_namespaces" => format!("`sysctl -w {switch}=10000`"),
            "kernel.unprivileged_userns_clone" => format!("`sysctl -w {switch}=1`"),
            _ => format!("`sysctl -w {switch}=0`"),
        })
        .collect();
    format!("hint: allow user namespaces: {}", commands.join(", "))
}

/// Makes sure that this process is the first of such a namespace: the next steps mount over the
/// system's own files.
pub(crate) fn assert_inside() {
    let mapped = fs::read_to_string("/proc/self/uid_map").unwrap();
    let whole = mapped.split_whitespace().eq(["0", "0", "4294967295"]);
    assert!(process::id() == 1 && !whole, "only for a process in a namespace of its own");
}

/// Mounts something, for this namespace only.
pub(crate) fn mount(args: &[&str]) {
    run("mount", "util-linux", args);
}

/// Runs a tool to its end.
pub(crate) fn run(name: &str, package: &str, args: &[&str]) {
    let output = tool(name).args(args).output().unwrap_or_else(|error| {
        let hint = match error.kind() {
            ErrorKind::NotFound => format!(": install {package}"),
            _ => String::new(),
        };
        panic!("cannot start `{name}`: {error}{hint}");
    });
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`{name} {}` failed: {}", args.join(" "), stderr.trim());
}

fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env("PATH", path());
    command
}

/// `PATH`, with the folders for administrators that an ordinary user's may lack.
pub(crate) fn path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{path}:/usr/sbin:/usr/bin:/sbin:/bin")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_names_the_switch_that_is_off() {
        let hint = hint(&["kernel.apparmor_restrict_unprivileged_userns"]);
        assert_eq!(
            hint,
            "hint: allow user namespaces: \
             `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`"
        );
    }

    #[test]
    #[should_panic(expected = "a namespace of its own")]
    fn a_process_outside_is_not_furnished() {
        assert_inside();
    }
}
