//! What was observed on a node. Nothing here reads files; the faults are found in this data.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use pullpass_kubelet::lints::Lint;
use pullpass_kubelet::{CredentialProvider, Finding as KubeletFinding, Target};

/// The kubelet's flag for the configuration.
pub(super) const CONFIG_FLAG: &str = "image-credential-provider-config";
/// The kubelet's flag for the programs.
pub(super) const BIN_DIR_FLAG: &str = "image-credential-provider-bin-dir";

/// A node.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) kubelet: Option<Process>,
    /// Further processes that could be the node's kubelet.
    pub(super) other_kubelets: Vec<u32>,
    /// The minor version, if it was found; it may be older than all that Pullpass knows.
    pub(super) minor: Option<u32>,
    pub(super) target: Target,
    pub(super) os: OsRelease,
    /// The unit's file and its drop-ins, in the order in which systemd reads them.
    pub(super) unit: Vec<UnitFile>,
    /// Drop-ins of a unit `kubelet.service`, where the kubelet is part of another unit.
    pub(super) foreign_drop_ins: Vec<UnitFile>,
    /// Every file of variables that a unit reads or that an installer may have written.
    pub(super) env_files: Vec<EnvFile>,
    /// The KubeletConfiguration, and those of its keys that must be flags instead.
    pub(super) misplaced_keys: Option<(PathBuf, Vec<String>)>,
    pub(super) config: Option<Configuration>,
    pub(super) bin_dir: Option<BinDir>,
    pub(super) mounts: Vec<Mount>,
    /// Processes that have a program open for writing.
    pub(super) writers: Vec<(u32, PathBuf)>,
    /// Registries and the hosts that containerd uses instead of them.
    pub(super) mirrors: Vec<(String, String)>,
    /// The pause image and the file that names it.
    pub(super) sandbox_image: Option<(String, PathBuf)>,
    /// Proxy variables of `/etc/environment`.
    pub(super) proxies: Vec<String>,
    /// Lines of the kubelet's log, if it is a file.
    pub(super) log: Vec<(PathBuf, String)>,
    /// Refusals of SELinux.
    pub(super) denials: Vec<String>,
    pub(super) fapolicyd: Option<Fapolicyd>,
    pub(super) extensions: Vec<Extension>,
    /// Signs of platforms, such as a folder that only one has.
    pub(super) is_minikube: bool,
    /// What could not be read, and why.
    pub(super) unseen: Vec<(String, String)>,
}

/// The kubelet's process, or the one that it is a part of.
#[derive(Clone, Debug, Default)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) name: String,
    /// Without the program's name; empty if it is part of another program.
    pub(super) args: Vec<String>,
    /// `None` if it cannot be read.
    pub(super) environ: Option<Vec<(String, String)>>,
    pub(super) unit: Option<String>,
    pub(super) started: Option<SystemTime>,
}

impl Process {
    /// The values of a flag in their order; the last one is used.
    pub(super) fn flag(&self, name: &str) -> Vec<&str> {
        flag_values(&self.args, name)
    }

    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        let found = self.environ.as_ref()?.iter().find(|(known, _)| known == name)?;
        Some(&found.1)
    }
}

/// `--f=v`, `--f v`, and both with one dash, as Go's flags are.
pub(super) fn flag_values<'a>(args: &'a [String], name: &str) -> Vec<&'a str> {
    let mut values = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let Some(text) = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-')) else { continue };
        match text.split_once('=') {
            Some((flag, value)) if flag == name => values.push(value),
            None if text == name => values.extend(args.next().map(String::as_str)),
            _ => {}
        }
    }
    values
}

#[derive(Debug, Default)]
pub(super) struct OsRelease {
    pub(super) id: String,
    pub(super) version_id: String,
    pub(super) sysext_level: String,
}

/// A file of a unit.
#[derive(Debug, Default)]
pub(super) struct UnitFile {
    pub(super) path: PathBuf,
    pub(super) changed: Option<SystemTime>,
    pub(super) environment: Vec<(String, String)>,
    pub(super) environment_files: Vec<PathBuf>,
    pub(super) exec_start: Vec<String>,
}

/// A file of variables.
#[derive(Debug, Default)]
pub(super) struct EnvFile {
    pub(super) path: PathBuf,
    pub(super) assignments: Vec<(String, String)>,
}

/// The configuration that the flag names.
#[derive(Debug, Default)]
pub(super) struct Configuration {
    pub(super) path: PathBuf,
    pub(super) is_directory: bool,
    /// The files that are read, with the time of their last change.
    pub(super) files: Vec<(PathBuf, SystemTime)>,
    /// Entries that are neither files nor directories.
    pub(super) odd_entries: Vec<PathBuf>,
    pub(super) providers: Vec<CredentialProvider>,
    /// What the kubelet would say at its next start, and what to do.
    pub(super) refusals: Vec<(KubeletFinding, String)>,
    /// Our warnings.
    pub(super) warnings: Vec<Lint>,
    pub(super) is_v1: bool,
    /// Parts of the path that other users may write to.
    pub(super) writable: Vec<PathBuf>,
}

/// The directory of the programs.
#[derive(Debug, Default)]
pub(super) struct BinDir {
    pub(super) path: PathBuf,
    /// The path with all links followed.
    pub(super) real: PathBuf,
    pub(super) has_link_circle: bool,
    pub(super) writable: Vec<PathBuf>,
}

/// A mount as the kubelet sees it.
#[derive(Debug)]
pub(super) struct Mount {
    pub(super) point: PathBuf,
    pub(super) options: String,
}

/// The daemon that lets only known programs run.
#[derive(Debug, Default)]
pub(super) struct Fapolicyd {
    pub(super) is_permissive: bool,
    /// Directories that a rule lets run.
    pub(super) directories: Vec<PathBuf>,
    /// Programs that are trusted by name.
    pub(super) trusted: Vec<PathBuf>,
}

/// A system extension that holds programs for the bin dir.
#[derive(Debug, Default)]
pub(super) struct Extension {
    pub(super) path: PathBuf,
    pub(super) id: String,
    pub(super) version_id: String,
    pub(super) sysext_level: String,
}

impl Node {
    /// Whether systemd reads this file of variables for the kubelet's unit.
    pub(super) fn is_read(&self, path: &Path) -> bool {
        self.unit.iter().any(|file| file.environment_files.iter().any(|read| read == path))
    }

    /// The unit of the kubelet's process.
    pub(super) fn unit_name(&self) -> &str {
        let unit = self.kubelet.as_ref().and_then(|kubelet| kubelet.unit.as_deref());
        unit.unwrap_or("kubelet.service")
    }

    /// Whether a file was changed after the kubelet's start. By a second: the clocks of files and
    /// processes are not the same.
    pub(super) fn is_newer_than_kubelet(&self, changed: SystemTime) -> bool {
        let started = self.kubelet.as_ref().and_then(|kubelet| kubelet.started);
        let late = started.and_then(|started| changed.duration_since(started).ok());
        late.is_some_and(|late| late.as_secs() >= 1)
    }

    /// Whether the unit's command line uses a variable.
    pub(super) fn uses(&self, variable: &str) -> bool {
        let (plain, braced) = (format!("${variable}"), format!("${{{variable}}}"));
        self.unit.iter().flat_map(|file| &file.exec_start).any(|line| {
            line.split([' ', '\t', '"']).any(|word| word == plain || word.contains(&braced))
        })
    }

    /// The names of the providers.
    pub(super) fn provider_names(&self) -> Vec<&str> {
        let config = self.config.as_ref();
        config.map_or_else(Vec::new, |config| {
            config.providers.iter().map(|provider| provider.name.as_str()).collect()
        })
    }

    /// Where the programs are on the node.
    pub(super) fn programs(&self) -> Vec<PathBuf> {
        let Some(bin_dir) = &self.bin_dir else { return Vec::new() };
        self.provider_names().iter().map(|name| bin_dir.path.join(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_all_forms() {
        let args: Vec<String> =
            ["--a=1", "-a", "2", "--ab=3", "x", "--a=", "--a", "4"].map(str::to_owned).to_vec();
        assert_eq!(flag_values(&args, "a"), ["1", "2", "", "4"]);
    }
}
