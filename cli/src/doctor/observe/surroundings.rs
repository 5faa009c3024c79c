//! What else on the node affects plugins: mounts, containerd, security modules, logs.

use std::path::{Path, PathBuf};

use crate::doctor::node::{Extension, Fapolicyd, Mount, Node, OsRelease};
use crate::doctor::tree::Tree;

/// The kubelet's log, if it is a file.
const LOGS: [&str; 4] =
    ["/var/log/kubelet.log", "/var/log/syslog", "/var/log/messages", "/var/log/k3s.log"];
/// In bytes, of the end of a log.
const LOG_PART: u64 = 256 << 10;

/// The first line of a kubelet's log.
const LOG_START: &str = "\"Kubelet version\"";

/// What a kubelet logs about a plugin, before and from 1.35.
const LOG_MARKS: [&str; 4] = [
    "Failed getting credential from external registry credential provider",
    "Failed to provide credentials for image",
    "Failed to register CRI auth plugins",
    "credential provider plugin",
];

pub(super) fn see(node: &mut Node, tree: &Tree, files: &Tree) {
    node.os = os_release(tree);
    node.is_minikube = tree.is_dir("/var/lib/minikube");
    node.mounts = mounts(node, tree);
    node.writers = writers(node, tree, files);
    node.mirrors = mirrors(tree);
    node.sandbox_image = sandbox_image(tree);
    let environment = tree.read(Path::new("/etc/environment")).unwrap_or_default();
    node.proxies = environment
        .lines()
        .filter_map(|line| line.trim().split_once('='))
        .map(|(name, _)| name.trim_start_matches("export ").to_owned())
        .filter(|name| name.eq_ignore_ascii_case("https_proxy"))
        .collect();
    for path in LOGS {
        let text = tree.read_end(Path::new(path), LOG_PART).unwrap_or_default();
        // What was logged before the last start may be fixed by now.
        let text = text.rsplit_once(LOG_START).map_or(text.as_str(), |(_, text)| text);
        let lines = text.lines().filter(|line| LOG_MARKS.iter().any(|mark| line.contains(mark)));
        node.log.extend(lines.map(|line| (PathBuf::from(path), line.to_owned())));
    }
    let audit = tree.read_end(Path::new("/var/log/audit/audit.log"), LOG_PART).unwrap_or_default();
    let denials = audit.lines().filter(|line| line.contains("avc:") && line.contains("denied"));
    node.denials = denials.map(str::to_owned).collect();
    node.fapolicyd = fapolicyd(tree);
    node.extensions = extensions(node, tree, files);
}

fn os_release(tree: &Tree) -> OsRelease {
    let read = |path| tree.read(Path::new(path));
    let text = read("/etc/os-release").or_else(|_| read("/usr/lib/os-release")).unwrap_or_default();
    OsRelease {
        id: release_field(&text, "ID"),
        version_id: release_field(&text, "VERSION_ID"),
        sysext_level: release_field(&text, "SYSEXT_LEVEL"),
    }
}

fn release_field(text: &str, name: &str) -> String {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let mut values = pairs.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim());
    let value = values.next_back();
    value.unwrap_or_default().trim_matches(['"', '\'']).to_owned()
}

fn mounts(node: &Node, tree: &Tree) -> Vec<Mount> {
    let own = node.kubelet.as_ref().map(|kubelet| format!("/proc/{}/mountinfo", kubelet.pid));
    let text = own.and_then(|path| tree.read(Path::new(&path)).ok());
    let text = text.or_else(|| tree.read(Path::new("/proc/1/mountinfo")).ok()).unwrap_or_default();
    let mount = |line: &str| {
        let mut fields = line.split(' ').skip(4);
        let point = fields.next()?.replace("\\040", " ");
        Some(Mount { point: point.into(), options: fields.next()?.to_owned() })
    };
    text.lines().filter_map(mount).collect()
}

/// The kernel does not run a program that a process has open for writing.
fn writers(node: &Node, tree: &Tree, files: &Tree) -> Vec<(u32, PathBuf)> {
    // `/proc` names files without links.
    let real = |program: &PathBuf| files.resolve(program).map(|real| files.shown(&real)).ok();
    let programs: Vec<PathBuf> = node.programs().iter().filter_map(real).collect();
    let mut found = Vec::new();
    if programs.is_empty() {
        return found;
    }
    for pid in tree.names(Path::new("/proc")).iter().filter_map(|name| name.parse::<u32>().ok()) {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        for fd in tree.names(&folder.join("fd")) {
            let Ok(path) = tree.link(&folder.join("fd").join(&fd)) else { continue };
            if !programs.contains(&path) {
                continue;
            }
            let info = tree.read(&folder.join("fdinfo").join(&fd)).unwrap_or_default();
            let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
            let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
            // O_WRONLY or O_RDWR.
            if flags.is_some_and(|flags| flags & 3 != 0) {
                found.push((pid, path));
            }
        }
    }
    found
}

/// `certs.d/REGISTRY/hosts.toml`: each registry with the other hosts that are used for it.
fn mirrors(tree: &Tree) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let base = Path::new("/etc/containerd/certs.d");
    for registry in tree.names(base) {
        let text = tree.read(&base.join(&registry).join("hosts.toml")).unwrap_or_default();
        let hosts = text.lines().filter_map(|line| line.trim().strip_prefix("[host."));
        for host in hosts {
            let host = host.trim_matches(['"', '\'', ']']);
            let host = host.split_once("://").map_or(host, |(_, rest)| rest);
            let host = host.split('/').next().unwrap_or_default();
            if host != registry {
                found.push((registry.clone(), host.to_owned()));
            }
        }
    }
    found
}

fn sandbox_image(tree: &Tree) -> Option<(String, PathBuf)> {
    let path = PathBuf::from("/etc/containerd/config.toml");
    let text = tree.read(&path).ok()?;
    let image = text.lines().find_map(|line| {
        let (key, value) = line.trim().split_once('=')?;
        matches!(key.trim(), "sandbox_image" | "sandbox").then(|| value.trim())
    })?;
    Some((image.trim_matches(['"', '\'']).to_owned(), path))
}

fn fapolicyd(tree: &Tree) -> Option<Fapolicyd> {
    let is_enabled =
        tree.link(Path::new("/etc/systemd/system/multi-user.target.wants/fapolicyd.service"));
    is_enabled.ok()?;
    let config = tree.read(Path::new("/etc/fapolicyd/fapolicyd.conf")).unwrap_or_default();
    let is_permissive =
        config.lines().any(|line| line.replace(' ', "").starts_with("permissive=1"));
    let mut rules = tree.read(Path::new("/etc/fapolicyd/compiled.rules")).unwrap_or_default();
    let (rules_dir, trust_dir) =
        (Path::new("/etc/fapolicyd/rules.d"), Path::new("/etc/fapolicyd/trust.d"));
    for name in tree.names(rules_dir) {
        rules.push_str(&tree.read(&rules_dir.join(name)).unwrap_or_default());
    }
    let mut trust = tree.read(Path::new("/etc/fapolicyd/fapolicyd.trust")).unwrap_or_default();
    for name in tree.names(trust_dir) {
        trust.push_str(&tree.read(&trust_dir.join(name)).unwrap_or_default());
    }
    let allows = rules.lines().filter(|line| line.trim_start().starts_with("allow"));
    let words = allows.flat_map(str::split_whitespace);
    let directories = words.filter_map(|word| word.strip_prefix("dir=")).map(PathBuf::from);
    let trusted = trust.lines().filter_map(|line| line.split(' ').next()).map(PathBuf::from);
    Some(Fapolicyd {
        is_permissive,
        directories: directories.collect(),
        trusted: trusted.collect(),
    })
}

/// Extensions that are directories and hold one of the providers' programs. An image would have to
/// be mounted.
fn extensions(node: &Node, tree: &Tree, files: &Tree) -> Vec<Extension> {
    let mut found = Vec::new();
    for base in ["/etc/extensions", "/run/extensions", "/var/lib/extensions"].map(Path::new) {
        for name in tree.names(base) {
            let path = base.join(&name);
            let holds = |program: &PathBuf| {
                let target = files.link(program).unwrap_or_else(|_| program.clone());
                tree.metadata(&path.join(target.strip_prefix("/").unwrap_or(&target))).is_ok()
            };
            if !node.programs().iter().any(holds) {
                continue;
            }
            let release =
                path.join(format!("usr/lib/extension-release.d/extension-release.{name}"));
            let text = tree.read(&release).unwrap_or_default();
            found.push(Extension {
                path,
                id: release_field(&text, "ID"),
                version_id: release_field(&text, "VERSION_ID"),
                sysext_level: release_field(&text, "SYSEXT_LEVEL"),
            });
        }
    }
    found
}
