//! What a node needs besides a world: a `/proc` of its own process namespace, a host
//! name, an address that is not loopback, and the folders where programs keep their state.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::world::World;
use crate::world::namespace;

/// Further options of `unshare`: System V IPC and the host name are the node's own.
pub(super) const NAMESPACES: [&str; 3] = ["--ipc", "--uts", "--mount-proc"];
/// The node's name, which is its host name too.
pub(super) const NODE: &str = "node1";
/// The node's address: neither the API server nor the kubelet takes a loopback address for it.
pub(super) const ADDRESS: &str = "10.200.0.1";

/// Folders that programs use whatever they are told: containerd's shims, the kubelet's plugins, the
/// logs of pods, and the kubelet's links to the logs of containers.
const FOLDERS: [&str; 5] =
    ["/run/containerd", "/var/lib/kubelet", "/var/lib/cni", "/var/log/pods", "/var/log/containers"];

/// Makes a node's machine of the world.
pub(super) fn furnish(world: &World) {
    namespace::run("hostname", "hostname", &[NODE]);
    world.address_of(ADDRESS);
    for folder in FOLDERS {
        // One that an earlier folder made room for is there already, and empty.
        let parent = Path::new(folder).parent().unwrap();
        if is_own(parent) {
            fs::create_dir_all(folder).unwrap();
        } else {
            world.folder(folder);
        }
    }
}

/// Whether the folder is on a file system that this namespace made.
fn is_own(folder: &Path) -> bool {
    fs::read_to_string("/proc/self/mountinfo").unwrap().lines().any(|line| {
        let mut words = line.split(' ');
        words.nth(4).is_some_and(|place| Path::new(place) == folder)
            && line.contains(" - tmpfs tmpfs ")
    })
}

/// The memory of every program in here except this one, in bytes: proportional set sizes, so that
/// memory that programs share is counted once.
pub(super) fn memory() -> u64 {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let number = |name: &str| name.parse::<u32>().ok().filter(|number| *number != 1);
    processes
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| number(name).is_some()))
        .filter_map(|entry| fs::read_to_string(entry.path().join("smaps_rollup")).ok())
        .filter_map(|text| read_pss(&text))
        .sum()
}

/// The `Pss` of a `smaps_rollup` file, in bytes.
fn read_pss(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// A program with the machine's `PATH` and nothing else in its environment.
pub(super) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proportional_size_is_read() {
        let text = "55d0-7ffc ---p 00000000 00:00 0  [rollup]\nRss:   900 kB\nPss:     12 kB\n";
        assert_eq!(read_pss(text), Some(12 * 1024));
        assert_eq!(read_pss("Rss: 900 kB\n"), None);
    }
}
