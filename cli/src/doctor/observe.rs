//! Observes a node: its processes, units, files and mounts. Only reads.

mod configuration;
mod process;
mod surroundings;
mod unit;

use std::path::{Path, PathBuf};

use pullpass_kubelet::{FeatureGates, KubeletVersion, Target};

use crate::args::DoctorArgs;
use crate::doctor::node::{BIN_DIR_FLAG, CONFIG_FLAG, EnvFile, Node, Process, flag_values};
use crate::doctor::tree::Tree;

/// Where installers and distributions keep the kubelet's variables.
const ENV_FILES: [&str; 5] = [
    "/etc/default/kubelet",
    "/etc/sysconfig/kubelet",
    "/var/lib/kubelet/kubeadm-flags.env",
    "/etc/eks/kubelet/environment",
    "/var/lib/kubelet/extra_args",
];

/// What k3s and RKE2 use without a flag, if both exist.
const RANCHER: (&str, &str) =
    ("/var/lib/rancher/credentialprovider/config.yaml", "/var/lib/rancher/credentialprovider/bin");

/// Everything that can be observed on the node.
pub(super) fn node(args: &DoctorArgs) -> Node {
    let tree = Tree::new(&args.root);
    let mut node = Node::default();
    let mut processes = process::find(&tree, &mut node.unseen);
    if processes.is_empty() {
        let why = "no such process; what would be started is judged by its files".to_owned();
        node.unseen.push(("the running kubelet".to_owned(), why));
    } else {
        node.kubelet = Some(processes.remove(0));
        node.other_kubelets = processes.iter().map(|process| process.pid).collect();
    }
    let files = kubelet_files(&tree, node.kubelet.as_ref(), &mut node.unseen);
    see_units(&mut node, &tree);
    see_version(&mut node, &tree, args);
    let flags = flags(&node);
    let gates: FeatureGates = flag_values(&flags, "feature-gates")
        .last()
        .and_then(|gates| gates.parse().ok())
        .unwrap_or_default();
    node.target.gates = gates;
    let named = |flag: &str| {
        let value = flag_values(&flags, flag).last().copied().filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    };
    let (mut config, mut bin_dir) = (named(CONFIG_FLAG), named(BIN_DIR_FLAG));
    if config.is_none() && bin_dir.is_none() {
        let (path, dir) = RANCHER;
        if files.is_file(path) && files.is_dir(dir) {
            (config, bin_dir) = (Some(path.into()), Some(dir.into()));
        }
    }
    configuration::see(&mut node, &files, config.as_deref(), bin_dir.as_deref());
    node.misplaced_keys = named("config").and_then(|path| configuration::misplaced(&files, &path));
    surroundings::see(&mut node, &tree, &files);
    node
}

/// The file system that the kubelet sees: another one where it runs in a container.
fn kubelet_files(
    tree: &Tree,
    kubelet: Option<&Process>,
    unseen: &mut Vec<(String, String)>,
) -> Tree {
    let Some(kubelet) = kubelet else { return tree.clone() };
    let namespace = |pid: &str| tree.link(&Path::new("/proc").join(pid).join("ns/mnt")).ok();
    let own = namespace(&kubelet.pid.to_string());
    // PID 1 belongs to the node itself.
    match (own, namespace("1")) {
        (Some(own), Some(first)) if own != first => {
            let root = tree.root().join(format!("proc/{}/root", kubelet.pid));
            match root.join("proc").exists() || root.join("etc").exists() {
                true => Tree::new(root),
                false => {
                    let why = "it runs in a container; only root may look into it".to_owned();
                    unseen.push(("the kubelet's files".to_owned(), why));
                    tree.clone()
                }
            }
        }
        _ => tree.clone(),
    }
}

fn see_units(node: &mut Node, tree: &Tree) {
    let name = node.kubelet.as_ref().and_then(|kubelet| kubelet.unit.clone());
    let name = name.unwrap_or_else(|| "kubelet.service".to_owned());
    node.unit = unit::unit(tree, &name);
    if name != "kubelet.service" {
        node.foreign_drop_ins = unit::drop_ins(tree, "kubelet.service");
    }
    let mut paths: Vec<PathBuf> = ENV_FILES.iter().map(PathBuf::from).collect();
    for file in &node.unit {
        paths.extend(file.environment_files.iter().filter(|path| path.is_absolute()).cloned());
    }
    paths.dedup();
    for path in paths {
        if !node.env_files.iter().any(|file| file.path == path) {
            node.env_files.extend(unit::env_file(tree, &path));
        }
    }
}

/// The kubelet's flags: from its process, or else from its files.
fn flags(node: &Node) -> Vec<String> {
    match &node.kubelet {
        Some(kubelet) if kubelet.name == "kubelet" => kubelet.args.clone(),
        _ => {
            let lines = node.unit.iter().flat_map(|file| {
                let variables = file.environment.iter().map(|(_, value)| value);
                file.exec_start.iter().chain(variables)
            });
            let read = |file: &&EnvFile| node.unit.is_empty() || node.is_read(&file.path);
            let variables = node.env_files.iter().filter(read);
            let values = variables.flat_map(|file| file.assignments.iter().map(|(_, value)| value));
            lines.chain(values).flat_map(|line| unit::words(line)).collect()
        }
    }
}

/// From the command line, the package, or the path of the program.
fn see_version(node: &mut Node, tree: &Tree, args: &DoctorArgs) {
    if let Some(version) = args.kubelet_version {
        node.minor = Some(version.minor().into());
        node.target = Target::new(version);
        return;
    }
    let packaged = tree.read(Path::new("/var/lib/dpkg/status")).ok().and_then(|status| {
        let mut packages = status.split("\n\n");
        let package =
            packages.find(|package| package.starts_with("Package: kubelet\n"))?.to_owned();
        package.lines().find_map(|line| line.strip_prefix("Version: ").map(str::to_owned))
    });
    let pid = node.kubelet.as_ref().map(|kubelet| kubelet.pid.to_string());
    let program = pid.and_then(|pid| tree.link(&Path::new("/proc").join(pid).join("exe")).ok());
    let in_path = program.and_then(|program| {
        let parts: Vec<String> =
            program.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        parts.into_iter().find(|part| part.starts_with("v1.") || part.starts_with("1."))
    });
    node.minor = packaged.or(in_path).as_deref().and_then(minor);
    let known = node.minor.and_then(|minor| u8::try_from(minor).ok());
    match (known.and_then(KubeletVersion::new), node.minor) {
        (Some(version), _) => node.target = Target::new(version),
        (None, Some(minor)) if minor < u32::from(KubeletVersion::OLDEST.minor()) => {
            node.target = Target::new(KubeletVersion::OLDEST);
        }
        (None, Some(_)) => {}
        (None, None) => {
            let why = format!(
                "it is in no file that is read here; {} is assumed: give `--kubelet-version`",
                KubeletVersion::NEWEST
            );
            node.unseen.push(("the kubelet's version".to_owned(), why));
        }
    }
}

fn minor(version: &str) -> Option<u32> {
    version.trim_start_matches('v').split(['.', '-', '+']).nth(1)?.parse().ok()
}
