//! Trees of nodes as platforms make them, with a `/proc` of their own.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

/// Of a node of kubeadm's packages.
pub(super) const FLAGS: &str = "--image-credential-provider-config=/etc/kubernetes/providers.yaml --image-credential-provider-bin-dir=/usr/local/bin/plugins";
pub(super) const CONFIG: &str = "etc/kubernetes/providers.yaml";

const PROGRAM: &str = "#!/bin/sh\nexit 1\n";

/// The kubelet of every tree starts so long after its files were written.
const LATER: u64 = 1000;

pub(super) struct Tree(TempDir);

impl Tree {
    fn new() -> Self {
        let tree = Self(tempfile::tempdir().expect("a folder"));
        tree.mode("", 0o755);
        tree.write("bin/sh", "");
        tree.write("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
        tree
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(super) fn root(&self) -> String {
        self.0.path().to_str().expect("UTF-8").to_owned()
    }

    /// A file of mode 0644 in folders of mode 0755, whatever the umask.
    pub(super) fn write(&self, path: &str, text: &str) {
        let full = self.path(path);
        let folder = full.parent().expect("a folder");
        fs::create_dir_all(folder).expect("folders");
        for part in folder.ancestors().take_while(|part| *part != self.0.path()) {
            fs::set_permissions(part, fs::Permissions::from_mode(0o755)).expect("a mode");
        }
        fs::write(&full, text).expect("a file");
        self.mode(path, 0o644);
    }

    pub(super) fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).expect("a mode");
    }

    pub(super) fn edit(&self, path: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.path(path)).expect("a file");
        assert!(text.contains(old), "{old}");
        self.write(path, &text.replacen(old, new, 1));
    }

    /// A change after the kubelet's start.
    pub(super) fn touch(&self, path: &str) {
        let file = fs::File::options().append(true).open(self.path(path)).expect("a file");
        file.set_modified(SystemTime::now() + Duration::from_secs(2 * LATER)).expect("a time");
    }

    /// The kubelet's command line.
    pub(super) fn args(&self, args: &[&str]) {
        let line: String = std::iter::once(&"/usr/bin/kubelet")
            .chain(args)
            .map(|arg| format!("{arg}\0"))
            .collect();
        self.write("proc/700/cmdline", &line);
    }

    fn install(&self, path: &str) {
        self.write(path, PROGRAM);
        self.mode(path, 0o755);
    }

    pub(super) fn program(&self, bytes: &[u8]) {
        fs::write(self.path("usr/local/bin/plugins/registry-login"), bytes).expect("a program");
    }

    pub(super) fn copy_program(&self, name: &str) {
        self.install(&format!("usr/local/bin/plugins/{name}"));
    }

    /// Puts the configuration into a directory.
    pub(super) fn config_directory(&self) {
        let text = fs::read_to_string(self.path(CONFIG)).expect("a file");
        self.write("etc/kubernetes/providers.d/a.yaml", &text);
        let flags = FLAGS.replace("providers.yaml", "providers.d");
        self.write("etc/default/kubelet", &format!("KUBELET_EXTRA_ARGS=\"{flags}\"\n"));
        self.args(&flags.split(' ').collect::<Vec<_>>());
    }

    pub(super) fn log(&self, text: &str) {
        self.write(
            "var/log/kubelet.log",
            &format!("E1127 plugin.go:1] \"Failed to provide credentials for image\" err=\"{text}\" provider=\"a\"\n"),
        );
    }

    fn process(&self, name: &str, cgroup: &str, parent: u32) {
        self.write("proc/700/comm", &format!("{name}\n"));
        self.write("proc/700/status", &format!("Name:\t{name}\nPPid:\t{parent}\n"));
        self.write("proc/700/cgroup", &format!("0::/system.slice/{cgroup}\n"));
        self.write("proc/700/environ", "PATH=/usr/bin\0HOME=/root\0");
        self.write("proc/700/mountinfo", "1 0 8:1 / / rw,relatime - ext4 /dev/sda rw\n");
        let rest = "S 1 ".to_owned() + &"0 ".repeat(17) + "500 0 0\n";
        self.write("proc/700/stat", &format!("700 ({name}) {rest}"));
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        self.write("proc/stat", &format!("cpu 1 2\nbtime {}\n", now.as_secs() + LATER));
        // A pod that calls its program so, and the shell of a person.
        self.write("proc/800/comm", "kubelet\n");
        self.write("proc/800/cgroup", "0::/kubepods.slice/kubepods-burstable.slice/x.scope\n");
        self.write("proc/801/comm", "bash\n");
    }
}

/// kubeadm's Debian packages, with a provider of our own.
pub(super) fn kubeadm() -> Tree {
    let tree = Tree::new();
    tree.process("kubelet", "kubelet.service", 1);
    tree.args(&FLAGS.split(' ').collect::<Vec<_>>());
    tree.write("var/lib/dpkg/status", "Package: kubeadm\nVersion: 1.30.0-1.1\n\nPackage: kubelet\nStatus: install ok installed\nVersion: 1.34.2-1.1\n");
    tree.write(
        "usr/lib/systemd/system/kubelet.service",
        "[Service]\nExecStart=/usr/bin/kubelet\nRestart=always\n",
    );
    tree.write(
        "usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf",
        "# Note\n[Service]\nEnvironment=\"KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml\"\n\
         EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env\nEnvironmentFile=-/etc/default/kubelet\n\
         ExecStart=\nExecStart=/usr/bin/kubelet $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS\n",
    );
    tree.write(
        "var/lib/kubelet/kubeadm-flags.env",
        "KUBELET_KUBEADM_ARGS=\"--pod-infra-container-image=registry.k8s.io/pause:3.10\"\n",
    );
    tree.write("etc/default/kubelet", &format!("KUBELET_EXTRA_ARGS=\"{FLAGS}\"\n"));
    tree.write(
        "var/lib/kubelet/config.yaml",
        "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\n",
    );
    tree.edit(
        "proc/700/cmdline",
        "/usr/bin/kubelet\0",
        "/usr/bin/kubelet\0--config=/var/lib/kubelet/config.yaml\0",
    );
    tree.write(CONFIG, "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n- name: registry-login\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n  matchImages:\n  - \"registry.example\"\n  defaultCacheDuration: 10m\n");
    tree.install("usr/local/bin/plugins/registry-login");
    tree
}

/// nodeadm's files on AL2023.
pub(super) fn eks() -> Tree {
    let flags = "--image-credential-provider-config=/etc/eks/image-credential-provider/config.json --image-credential-provider-bin-dir=/etc/eks/image-credential-provider";
    let tree = Tree::new();
    tree.process("kubelet", "kubelet.service", 1);
    tree.args(&flags.split(' ').collect::<Vec<_>>());
    tree.write("etc/os-release", "ID=amzn\nVERSION_ID=\"2023\"\n");
    tree.write("etc/systemd/system/kubelet.service", "[Service]\nEnvironmentFile=/etc/eks/kubelet/environment\nExecStart=/usr/bin/kubelet $NODEADM_KUBELET_ARGS\n");
    tree.write("etc/eks/kubelet/environment", &format!("NODEADM_KUBELET_ARGS=\"{flags}\"\n"));
    tree.write(
        "etc/eks/image-credential-provider/config.json",
        include_str!("../../../../kubelet/tests/edit/hands/eks.json"),
    );
    tree.install("etc/eks/image-credential-provider/ecr-credential-provider");
    tree
}

/// What AgentBaker writes, with a link to the program.
pub(super) fn aks() -> Tree {
    let flags = "--image-credential-provider-config=/var/lib/kubelet/credential-provider-config.yaml --image-credential-provider-bin-dir=/var/lib/kubelet/credential-provider";
    let tree = Tree::new();
    tree.process("kubelet", "kubelet.service", 1);
    tree.args(&flags.split(' ').collect::<Vec<_>>());
    tree.write("etc/systemd/system/kubelet.service", "[Service]\nEnvironmentFile=/etc/default/kubelet\nExecStart=/opt/bin/kubelet \\\n  --v=2 $KUBELET_FLAGS\n");
    tree.write("etc/default/kubelet", &format!("KUBELET_FLAGS={flags}\n"));
    tree.write(
        "var/lib/kubelet/credential-provider-config.yaml",
        include_str!("../../../../kubelet/tests/edit/hands/aks.yaml"),
    );
    tree.write("etc/kubernetes/azure.json", "{}");
    tree.install("usr/bin/azure-acr-credential-provider");
    fs::create_dir_all(tree.path("var/lib/kubelet/credential-provider")).expect("folders");
    tree.mode("var/lib/kubelet/credential-provider", 0o755);
    symlink(
        "/usr/bin/azure-acr-credential-provider",
        tree.path("var/lib/kubelet/credential-provider/acr-credential-provider"),
    )
    .expect("a link");
    tree
}

/// A node of GKE on Container-Optimized OS.
pub(super) fn gke() -> Tree {
    let flags = "--image-credential-provider-config=/etc/srv/kubernetes/cri_auth_config.yaml --image-credential-provider-bin-dir=/home/kubernetes/bin";
    let tree = Tree::new();
    tree.process("kubelet", "kubelet.service", 1);
    tree.args(&flags.split(' ').collect::<Vec<_>>());
    tree.write("etc/os-release", "ID=cos\nVERSION_ID=121\n");
    tree.write("etc/systemd/system/kubelet.service", "[Service]\nEnvironmentFile=/etc/default/kubelet\nExecStart=/home/kubernetes/bin/kubelet $KUBELET_OPTS\n");
    tree.write("etc/default/kubelet", &format!("KUBELET_OPTS=\"{flags}\"\n"));
    tree.write(
        "etc/srv/kubernetes/cri_auth_config.yaml",
        include_str!("../../../../kubelet/tests/edit/hands/gke.yaml"),
    );
    tree.install("home/kubernetes/bin/auth-provider-gcp");
    tree.write("proc/700/mountinfo", "1 0 8:1 / / ro - ext4 a rw\n2 1 8:2 / /home rw,noexec - ext4 b rw\n3 2 8:2 / /home/kubernetes/bin rw,relatime - ext4 b rw\n");
    tree
}

/// k3s, of which the kubelet is a part.
pub(super) fn k3s() -> Tree {
    let tree = Tree::new();
    tree.process("k3s-agent", "k3s-agent.service", 1);
    tree.write(
        "etc/systemd/system/k3s-agent.service",
        "[Service]\nEnvironmentFile=-/etc/default/%N\nExecStart=/usr/local/bin/k3s \\\n    agent\n",
    );
    tree.write(
        "var/lib/rancher/credentialprovider/config.yaml",
        include_str!("../../../../kubelet/tests/edit/hands/k3s.yaml"),
    );
    tree.install("var/lib/rancher/credentialprovider/bin/ecr-credential-provider");
    tree
}

/// RKE2, whose kubelet is a child of its own program.
pub(super) fn rke2() -> Tree {
    let flags = "--image-credential-provider-config=/var/lib/rancher/credentialprovider/config.yaml --image-credential-provider-bin-dir=/var/lib/rancher/credentialprovider/bin";
    let tree = k3s();
    tree.process("kubelet", "rke2-agent.service", 650);
    tree.args(&flags.split(' ').collect::<Vec<_>>());
    tree
}

/// A small program for this machine or another, with a loader or without.
pub(super) fn elf(machine: Option<u8>, loader: Option<&str>) -> Vec<u8> {
    let mut elf = fs::read("/proc/self/exe").expect("this program");
    if let Some(machine) = machine {
        elf[18] = machine;
    }
    if let Some(loader) = loader {
        let own = b"/lib64/ld-linux-x86-64.so.2\0";
        let arm = b"/lib/ld-linux-aarch64.so.1\0";
        for known in [&own[..], &arm[..]] {
            if let Some(at) = elf.windows(known.len()).position(|text| text == known) {
                elf[at..at + loader.len()].copy_from_slice(loader.as_bytes());
                elf[at + loader.len()] = 0;
            }
        }
    }
    elf
}
