//! What is tried in a cluster.

mod bad_plugins;
mod caches;
mod clouds;
mod configs;
mod fail_closed;
mod lookup;
mod oidc;
mod present;
mod static_pods;

use super::{Cluster, REGISTRY};

/// One trial. It panics where something is not as expected, and returns what was seen.
pub(super) struct Trial {
    pub(super) name: &'static str,
    pub(super) run: fn(&Cluster<'_>) -> String,
    /// The first minor whose kubelet has what is tried.
    since: u32,
}

impl Trial {
    fn new(name: &'static str, run: fn(&Cluster<'_>) -> String) -> Self {
        Self { name, run, since: 0 }
    }

    /// Only with kubelets of that minor and later: 35 for 1.35.
    fn since(self, since: u32) -> Self {
        Self { since, ..self }
    }

    /// Whether it is for kubelets of that minor.
    pub(super) fn is_for(&self, minor: &str) -> bool {
        number(minor) >= self.since
    }
}

/// 37 for `1.37`.
fn number(minor: &str) -> u32 {
    let number = minor.strip_prefix("1.").and_then(|number| number.parse().ok());
    number.unwrap_or_else(|| panic!("`{minor}` is not a minor of Kubernetes"))
}

/// The registries of all trials.
pub(super) fn registries() -> Vec<&'static str> {
    [&clouds::REGISTRIES[..], &[REGISTRY, configs::OTHER]].concat()
}

/// All trials, in the order of running.
pub(super) fn trials() -> Vec<Trial> {
    let rooms = [
        oidc::trials(),
        clouds::trials(),
        fail_closed::trials(),
        bad_plugins::trials(),
        configs::trials(),
        caches::trials(),
        present::trials(),
        static_pods::trials(),
    ];
    rooms.into_iter().flatten().collect()
}
