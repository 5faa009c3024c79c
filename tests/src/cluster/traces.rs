//! Whether anything is left on the machine: processes, mounts, folders, control groups.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that programs use whatever they are told.
const FOLDERS: [&str; 8] = [
    "/run/containerd",
    "/var/lib/kubelet",
    "/var/lib/containerd",
    "/var/lib/cni",
    "/var/lib/etcd",
    "/var/log/pods",
    "/var/log/containers",
    "/etc/cni",
];

/// The machine before a cluster: what could be taken for a trace of it.
pub(super) struct Traces {
    folders: BTreeSet<String>,
    control_groups: BTreeSet<String>,
}

impl Traces {
    /// Looks at the machine.
    pub(super) fn look() -> Self {
        let folders = FOLDERS.iter().filter(|path| Path::new(path).exists());
        Self {
            folders: folders.map(|path| (*path).to_owned()).collect(),
            control_groups: control_groups(Path::new("/sys/fs/cgroup"), 3),
        }
    }

    /// Looks again and prints what clusters with these folders for temporary files have left;
    /// whether that is nothing.
    pub(super) fn compare(&self, clusters: &[PathBuf]) -> bool {
        let now = Self::look();
        let temporary = clusters.iter().filter(|folder| folder.exists());
        let temporary: BTreeSet<String> =
            temporary.map(|folder| folder.display().to_string()).collect();
        let folders = now.folders.difference(&self.folders).cloned().collect();
        let left = [
            ("processes", processes(clusters)),
            ("mounts", mounts("self", clusters)),
            ("folders", &temporary | &folders),
            ("control groups", &now.control_groups - &self.control_groups),
        ];
        println!("\nleft on the machine:");
        for (kind, left) in &left {
            let left: Vec<&str> = left.iter().map(String::as_str).collect();
            println!(
                "  {kind:<14} {}",
                if left.is_empty() { "none".to_owned() } else { left.join(", ") }
            );
        }
        left.iter().all(|(_, left)| left.is_empty())
    }
}

/// Processes that see mounts of those clusters, as `NAME (NUMBER)`: whatever a cluster starts does.
fn processes(clusters: &[PathBuf]) -> BTreeSet<String> {
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    entries
        .filter_map(|entry| {
            let number = entry.file_name().into_string().ok()?;
            number.parse::<u32>().ok()?;
            if mounts(&number, clusters).is_empty() {
                return None;
            }
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            Some(format!("{} ({number})", name.trim()))
        })
        .collect()
}

/// Mounts of those clusters' files that a process sees.
fn mounts(process: &str, clusters: &[PathBuf]) -> BTreeSet<String> {
    // Of a bind mount the table has the path in its file system: the last part names it alone.
    let names: Vec<String> = clusters
        .iter()
        .filter_map(|folder| Some(format!("/{}/", folder.file_name()?.display())))
        .collect();
    let table = fs::read_to_string(format!("/proc/{process}/mountinfo")).unwrap_or_default();
    let meant = |line: &&str| names.iter().any(|name| line.contains(name.as_str()));
    table.lines().filter(meant).map(str::to_owned).collect()
}

/// Control groups that a kubelet or a containerd would make, some levels down.
fn control_groups(folder: &Path, levels: u32) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        let name = entry.file_name();
        if name == "k8s.io" || name.to_string_lossy().starts_with("kubepods") {
            found.insert(entry.path().display().to_string());
        } else if levels > 0 {
            found.extend(control_groups(&entry.path(), levels - 1));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::process::Stdio;
    use std::thread;
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;
    use crate::world::namespace;

    #[test]
    fn a_process_is_found_until_it_has_ended() {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("inside")).unwrap();
        let script = "mount --bind $1/inside $1/inside && echo ready && exec sleep 600";
        let mut unshare = namespace::unshare(&[]);
        unshare.args(["sh", "-c", script, "sh"]).arg(folder.path());
        let mut child = unshare.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0; 5]).unwrap();
        let clusters = [folder.path().to_owned()];
        let found = || processes(&clusters);
        assert!(mounts("self", &clusters).is_empty());
        assert!(found().iter().any(|process| process.starts_with("s")), "{:?}", found());
        child.kill().unwrap();
        child.wait().unwrap();
        // The kernel ends the others a moment after `unshare`.
        for _ in 0..100 {
            if found().is_empty() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("still there: {:?}", found());
    }
}
