//! Whether anything is left on the machine: processes, mounts, folders, control groups.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Programs that must not be left running.
const PROGRAMS: [&str; 8] = [
    "etcd",
    "kube-apiserver",
    "kubelet",
    "containerd",
    "containerd-shim",
    "runc",
    "docker-registry",
    "pause",
];
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

/// The machine at one moment: kinds of traces, and what there is of each.
pub(super) struct Traces([(&'static str, BTreeSet<String>); 4]);

/// Looks at the machine.
pub(super) fn look() -> Traces {
    Traces([
        ("processes", processes()),
        ("mounts", lines("/proc/self/mountinfo")),
        (
            "folders",
            FOLDERS
                .iter()
                .filter(|path| Path::new(path).exists())
                .map(|path| (*path).to_owned())
                .collect(),
        ),
        ("control groups", control_groups(Path::new("/sys/fs/cgroup"), 3)),
    ])
}

/// Looks again and prints what is left; whether that is nothing.
pub(super) fn compare(before: &Traces) -> bool {
    println!("\nleft on the machine:");
    let mut clean = true;
    for ((kind, then), (_, now)) in before.0.iter().zip(&look().0) {
        let left: Vec<&str> = now.difference(then).map(String::as_str).collect();
        match left.is_empty() {
            true => println!("  {kind:<14} none ({} before, {} after)", then.len(), now.len()),
            false => println!("  {kind:<14} {}", left.join(", ")),
        }
        clean &= left.is_empty();
    }
    clean
}

/// Processes of those programs, as `NAME (NUMBER)`.
fn processes() -> BTreeSet<String> {
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    entries
        .filter_map(|entry| {
            let name = fs::read_to_string(entry.path().join("comm")).ok()?;
            // The kernel keeps 15 bytes of a name.
            let known = |program: &&&str| name.trim() == program.get(..15).unwrap_or(program);
            let program = PROGRAMS.iter().find(known)?;
            Some(format!("{program} ({})", entry.file_name().display()))
        })
        .collect()
}

fn lines(file: &str) -> BTreeSet<String> {
    fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect()
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
