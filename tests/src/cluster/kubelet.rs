//! A kubelet of some minor, with a configuration of credential providers.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::api::{HOST, ISSUER};
use super::machine::{ADDRESS, NODE, command};
use super::program::Program;
use super::runtime;
use crate::world::World;

/// What the kubelets of a cluster have in common.
pub(super) struct Node {
    program: PathBuf,
    folder: PathBuf,
    settings: Value,
}

impl Node {
    /// Writes the files that a kubelet reads.
    pub(super) fn new(world: &World, program: PathBuf, folder: &Path) -> Self {
        let folder = folder.join("kubelet");
        fs::create_dir_all(&folder).unwrap();
        let (certificate, key) =
            world.ca().client_certificate(&format!("system:node:{NODE}"), "system:nodes");
        write_kubeconfig(world, &folder.join("kubeconfig"), &certificate, &key);
        let server = world.certificate(&[NODE, ADDRESS]);
        let settings = json!({
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": ADDRESS,
            "authentication": {
                "anonymous": {"enabled": false},
                "webhook": {"enabled": true},
                "x509": {"clientCAFile": world.ca().pem_file()},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": server.certificate,
            "tlsPrivateKeyFile": server.key,
            "containerRuntimeEndpoint": runtime::ENDPOINT,
            // Cgroups are the machine's, and a user namespace may not change them.
            "cgroupDriver": "cgroupfs",
            "failCgroupV1": false,
            "cgroupsPerQOS": false,
            "enforceNodeAllocatable": [],
            "featureGates": {"KubeletInUserNamespace": true},
            "failSwapOn": false,
            "makeIPTablesUtilChains": false,
            "resolvConf": "",
            // A full disk is not what is tried here.
            "imageGCHighThresholdPercent": 100,
            "evictionHard": {"nodefs.available": "1%", "imagefs.available": "1%"},
            "podLogsDir": "/var/log/pods",
            // Many pods at once, and pods that are checked often.
            "serializeImagePulls": false,
            "maxParallelImagePulls": 20,
            "registryPullQPS": 0,
            "eventRecordQPS": 0,
            "syncFrequency": "10s",
            "kubeAPIQPS": 200,
            "kubeAPIBurst": 400,
        });
        Self { program, folder, settings }
    }

    /// Starts a kubelet, which has not yet read anything.
    pub(super) fn start(&self, options: &KubeletOptions) -> Kubelet {
        let mut settings = self.settings.clone();
        let changes = options.settings.as_object().into_iter().flatten();
        for (name, value) in changes {
            settings[name] = value.clone();
        }
        let config = self.folder.join("config.json");
        fs::write(&config, settings.to_string()).unwrap();
        let mut kubelet = command(&self.program);
        kubelet.arg("--config").arg(config);
        kubelet.arg("--kubeconfig").arg(self.folder.join("kubeconfig"));
        kubelet.arg("--root-dir").arg(self.root_dir());
        kubelet.arg("--cert-dir").arg(self.folder.join("certificates"));
        kubelet.args(["--hostname-override", NODE, "--node-ip", ADDRESS, "--v", "5"]);
        kubelet.arg("--image-credential-provider-config").arg(&options.providers);
        kubelet.arg("--image-credential-provider-bin-dir").arg(&options.bin_dir);
        Kubelet { program: Program::start("kubelet", kubelet, &self.folder) }
    }

    /// The kubelet's `--root-dir`.
    pub(super) fn root_dir(&self) -> PathBuf {
        self.folder.join("root")
    }

    /// Removes what an earlier kubelet wrote down of the images that it pulled.
    pub(super) fn forget_pulled_images(&self) {
        let records = self.root_dir().join("image_manager");
        if records.exists() {
            fs::remove_dir_all(records).unwrap();
        }
    }
}

/// What a kubelet is started with.
pub struct KubeletOptions {
    /// The configuration of credential providers: a file, or a folder of files.
    pub providers: PathBuf,
    /// The folder of the plugins.
    pub bin_dir: PathBuf,
    /// Fields of the `KubeletConfiguration` that differ from the cluster's.
    pub settings: Value,
}

/// A running kubelet.
pub struct Kubelet {
    program: Program,
}

impl Kubelet {
    /// Waits until its node is registered: it takes pods from then on.
    pub(super) fn wait_until_ready(&mut self) {
        self.program
            .wait_until("the node was ready", |log| log.contains("Successfully registered node"));
    }

    /// Waits for the end of a kubelet that does not start, and returns its exit code.
    pub(super) fn wait_for_end(&mut self) -> Option<i32> {
        self.program.wait_for_end()
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        self.program.log()
    }
}

/// Writes a client's configuration, its certificate inside.
pub(super) fn write_kubeconfig(world: &World, file: &Path, certificate: &str, key: &str) {
    let write = |extension: &str, text: &str| {
        let file = file.with_extension(extension);
        fs::write(&file, text).unwrap();
        file
    };
    let user = json!({
        "client-certificate": write("certificate.pem", certificate),
        "client-key": write("key.pem", key),
    });
    let cluster = json!({"server": ISSUER, "certificate-authority": world.ca().pem_file()});
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": HOST, "cluster": cluster}],
        "users": [{"name": "user", "user": user}],
        "contexts": [{"name": HOST, "context": {"cluster": HOST, "user": "user"}}],
        "current-context": HOST,
    });
    fs::write(file, config.to_string()).unwrap();
}
