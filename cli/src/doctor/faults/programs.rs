//! The directory of the programs, and what keeps the kernel from running them.

use std::path::Path;

use crate::doctor::finding::{Finding, Severity};
use crate::doctor::node::{BIN_DIR_FLAG, BinDir, Node};

use Severity::{KillsKubelet, NoCredentials, Risk};

/// A user who may write there runs programs as root.
pub(super) fn bin_dir_writable(node: &Node) -> Vec<Finding> {
    let parts = node.bin_dir.iter().flat_map(|dir| &dir.writable);
    parts
        .map(|path| {
            Finding::new(
                "writable-bin-dir",
                Risk,
                format!("others than root may write to `{}`, from which the kubelet runs programs as root", path.display()),
                format!("the mode of {}", path.display()),
                format!("chmod go-w {}", path.display()),
            )
        })
        .collect()
}

/// A relative path starts at the kubelet's working directory.
pub(super) fn bin_dir_relative(node: &Node) -> Vec<Finding> {
    of_bin_dir(
        node,
        |dir| dir.path.is_relative(),
        |dir| {
            Finding::new(
                "bin-dir-relative",
                KillsKubelet,
                format!(
                    "`--{BIN_DIR_FLAG}={}` is a relative path, which depends on the unit's working directory",
                    dir.path.display()
                ),
                "the kubelet's command line",
                "write the whole path, from `/` on",
            )
        },
    )
}

/// Links that form a loop.
pub(super) fn bin_dir_link_circle(node: &Node) -> Vec<Finding> {
    of_bin_dir(
        node,
        |dir| dir.has_link_circle,
        |dir| {
            Finding::new(
                "bin-dir-link-circle",
                KillsKubelet,
                format!("the links of `{}` lead in a circle", dir.path.display()),
                dir.path.display().to_string(),
                format!(
                    "namei -l {} shows which; make a directory in its place",
                    dir.path.display()
                ),
            )
        },
    )
}

/// Nothing runs from such a mount, whatever its mode.
pub(super) fn noexec(node: &Node) -> Vec<Finding> {
    let Some(dir) = &node.bin_dir else { return Vec::new() };
    let over = node.mounts.iter().filter(|mount| dir.real.starts_with(&mount.point));
    let Some(mount) = over.max_by_key(|mount| mount.point.components().count()) else {
        return Vec::new();
    };
    if !mount.options.split(',').any(|option| option == "noexec") {
        return Vec::new();
    }
    let point = mount.point.display();
    vec![Finding::new(
        "noexec",
        KillsKubelet,
        format!(
            "`{}` is on the mount `{point}`, which has the option `noexec`",
            dir.path.display()
        ),
        "mountinfo",
        format!("mount -o remount,exec {point} (and in /etc/fstab), or use a directory elsewhere"),
    )]
}

/// A program that is open for writing cannot be run.
pub(super) fn text_file_busy(node: &Node) -> Vec<Finding> {
    let writers = node.writers.iter().map(|(pid, path)| {
        Finding::new(
            "text-file-busy",
            NoCredentials,
            format!("process {pid} has `{}` open for writing, so the kernel refuses to run it (text file busy)", path.display()),
            format!("/proc/{pid}/fd"),
            format!("let process {pid} end; replace a program by a rename: mv {0}.new {0}", path.display()),
        )
    });
    writers.collect()
}

fn of_bin_dir(
    node: &Node,
    is_wrong: impl Fn(&BinDir) -> bool,
    find: impl Fn(&BinDir) -> Finding,
) -> Vec<Finding> {
    let dir = node.bin_dir.as_ref().filter(|dir| !dir.path.as_os_str().is_empty());
    let dir = dir.filter(|dir| dir.path != Path::new("/") && is_wrong(dir));
    dir.map(find).into_iter().collect()
}
