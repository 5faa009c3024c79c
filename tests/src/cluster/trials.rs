//! What is tried in a cluster.

mod bad_plugins;
mod caches;
mod clouds;
mod configs;
mod fail_closed;
mod forms;
mod lookup;
mod present;
mod static_pods;

use super::Cluster;

/// One trial. It panics where something is not as expected, and returns what was seen.
pub(super) struct Trial {
    pub(super) name: &'static str,
    pub(super) run: fn(&Cluster<'_>) -> String,
}

impl Trial {
    fn new(name: &'static str, run: fn(&Cluster<'_>) -> String) -> Self {
        Self { name, run }
    }
}

/// All trials, in the order of running.
pub(super) fn trials() -> Vec<Trial> {
    let rooms = [
        forms::trials(),
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
