//! The programs that this project did not write, and where `cargo xtask cluster` put them.

use std::env;
use std::path::PathBuf;

/// Paths of programs.
pub(super) struct Programs {
    pub(super) etcd: PathBuf,
    pub(super) containerd: PathBuf,
    pub(super) ctr: PathBuf,
    pub(super) runc: PathBuf,
    pub(super) api_server: PathBuf,
    /// A folder for each minor.
    kubelets: PathBuf,
}

impl Programs {
    /// Those that the environment names.
    ///
    /// # Errors
    /// Which one is missing.
    pub(super) fn find() -> Result<Self, String> {
        let find = |variable: &str| {
            let file = env::var_os(variable).map(PathBuf::from).filter(|file| file.exists());
            let hint = "run this by `cargo xtask cluster`, which fetches it";
            file.ok_or_else(|| format!("`{variable}` names no file\nhint: {hint}"))
        };
        Ok(Self {
            etcd: find("PULLPASS_CLUSTER_ETCD")?,
            containerd: find("PULLPASS_CLUSTER_CONTAINERD")?,
            ctr: find("PULLPASS_CLUSTER_CTR")?,
            runc: find("PULLPASS_CLUSTER_RUNC")?,
            api_server: find("PULLPASS_CLUSTER_API_SERVER")?,
            kubelets: find("PULLPASS_CLUSTER_KUBELETS")?,
        })
    }

    /// The kubelet of that minor.
    ///
    /// # Errors
    /// If it is missing.
    pub(super) fn kubelet(&self, minor: &str) -> Result<PathBuf, String> {
        let file = self.kubelets.join(minor).join("kubelet");
        let missing = || format!("the kubelet of {minor} is not built: no `{}`", file.display());
        file.is_file().then(|| file.clone()).ok_or_else(missing)
    }
}
