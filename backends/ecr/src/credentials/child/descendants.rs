//! What a child started and left behind, also in another session or process group.
//!
//! On Linux this process adopts it, and so finds it among its own children. Elsewhere it is not
//! found. A program that embeds this backend, and has children of its own, loses those that the
//! same thread started: a profile with `credential_process` is for a process of its own.

#[cfg(target_os = "linux")]
pub(super) use self::linux::{adopt, kill};

#[cfg(not(target_os = "linux"))]
pub(super) fn adopt() {}

#[cfg(not(target_os = "linux"))]
pub(super) fn kill() {}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::io;
    use std::time::Duration;

    use rustix::process::{
        Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, waitpid,
    };

    /// How often the children are looked for: one that is killed leaves its own children behind.
    const ROUNDS: usize = 50;

    /// How long a killed process has to end before the next look.
    const PAUSE: Duration = Duration::from_millis(1);

    /// From now on, a descendant that loses its parent becomes a child of this process (prctl(2),
    /// `PR_SET_CHILD_SUBREAPER`). Where that fails, only the process group is killed.
    pub(in super::super) fn adopt() {
        let _ = set_child_subreaper(Some(getpid()));
    }

    /// Kills all children of this thread, which is the only one, and what they leave behind.
    /// What runs as another user cannot be killed by this one.
    pub(in super::super) fn kill() {
        for _ in 0..ROUNDS {
            let children = children();
            if children.is_empty() {
                return;
            }
            for child in children {
                let _ = kill_process(child, Signal::KILL);
                // Those that have ended are off the list.
                let _ = waitpid(Some(child), WaitOptions::NOHANG);
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// As the kernel lists them (proc(5)); none if it does not.
    fn children() -> Vec<Pid> {
        let list = File::open("/proc/thread-self/children").and_then(io::read_to_string);
        let list = list.unwrap_or_default();
        list.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
    }
}
