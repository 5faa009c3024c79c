//! Which process is the node's kubelet.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::doctor::node::Process;
use crate::doctor::tree::Tree;

/// Programs that contain a kubelet.
const EMBEDDING: [&str; 6] = ["k3s", "k3s-server", "k3s-agent", "kubelite", "microshift", "k0s"];

/// The clock ticks of `/proc/PID/stat`, per second, on every architecture of Linux.
const TICKS: u64 = 100;

/// The processes that may be the node's kubelet, the most likely first.
pub(super) fn find(tree: &Tree, unseen: &mut Vec<(String, String)>) -> Vec<Process> {
    let proc = Path::new("/proc");
    let mut found: Vec<(u32, Process)> = Vec::new();
    let pids = tree.names(proc).into_iter().filter_map(|name| name.parse::<u32>().ok());
    for pid in pids {
        let folder = proc.join(pid.to_string());
        let read = |name: &str| tree.read(&folder.join(name));
        let Ok(comm) = read("comm") else { continue };
        let comm = comm.trim_end();
        let is_embedding = EMBEDDING.contains(&comm);
        if comm != "kubelet" && !is_embedding {
            continue;
        }
        let cgroup = read("cgroup").unwrap_or_default();
        // A pod's program may have this name too.
        if cgroup.contains("kubepods") {
            continue;
        }
        let environ = read("environ");
        if let Err(error) = &environ {
            unseen.push((format!("the environment of process {pid}"), error.to_string()));
        }
        let args = if is_embedding { String::new() } else { read("cmdline").unwrap_or_default() };
        let process = Process {
            pid,
            name: comm.to_owned(),
            args: args.split_terminator('\0').skip(1).map(str::to_owned).collect(),
            environ: environ.ok().map(|text| variables(&text)),
            unit: unit(&cgroup),
            started: started(tree, &folder),
        };
        let parent = read("status").ok().and_then(|status| parent(&status)).unwrap_or(0);
        // A child of PID 1 first, a program with a kubelet within last.
        let rank = if is_embedding { 2 } else { u32::from(parent != 1) };
        found.push((rank, process));
    }
    found.sort_by_key(|(rank, process)| (*rank, process.pid));
    // k3s runs as several processes with one name; a separate kubelet does not.
    let is_same_kind =
        |process: &Process, first: &str| (process.name == "kubelet") == (first == "kubelet");
    let first = found.first().map(|(_, process)| process.name.clone()).unwrap_or_default();
    found.into_iter().map(|(_, process)| process).filter(|it| is_same_kind(it, &first)).collect()
}

fn variables(environ: &str) -> Vec<(String, String)> {
    let pairs = environ.split('\0').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn parent(status: &str) -> Option<u32> {
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

/// The unit that the process's control group is named after.
fn unit(cgroup: &str) -> Option<String> {
    let parts = cgroup.lines().filter_map(|line| line.rsplit(':').next());
    let mut units =
        parts.flat_map(|path| path.split('/')).filter(|part| part.ends_with(".service"));
    units.next_back().map(str::to_owned)
}

/// When the process of this folder of `/proc` was started; `None` if that is not a time.
fn started(tree: &Tree, folder: &Path) -> Option<SystemTime> {
    let boot = tree.read(&PathBuf::from("/proc/stat")).ok()?;
    let boot: u64 =
        boot.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    let stat = tree.read(&folder.join("stat")).ok()?;
    // The name in parentheses may contain blanks; the start time is the 20th field after it.
    let ticks: u64 = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()?;
    let since_boot = Duration::from_millis(ticks.checked_mul(1000 / TICKS)?);
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(boot))?.checked_add(since_boot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_read_or_left_out() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(root.path().join("proc/7")).expect("folders");
        let tree = Tree::new(root.path());
        let start = |boot: u64, ticks: u64| {
            let write = |path, text: String| std::fs::write(root.path().join(path), text);
            write("proc/stat", format!("cpu 1\nbtime {boot}\n")).expect("a file");
            let stat = format!("7 (a b) S 1 {}{ticks} 0\n", "0 ".repeat(17));
            write("proc/7/stat", stat).expect("a file");
            started(&tree, Path::new("/proc/7"))
        };
        let expected = SystemTime::UNIX_EPOCH + Duration::from_millis(1_002_500);
        assert_eq!(start(1000, 250), Some(expected));
        assert_eq!(start(1000, u64::MAX), None);
        assert_eq!(start(u64::MAX, 1), None);
    }
}
