//! Google Artifact Registry, beside the same calls by reqwest on its own: the example `gar_floor`.

use super::suite::Until::Exit;
use super::suite::{Case, Cpu, Suite};

/// What the plugin adds to the calls: the protocol, the host's grammar, messages.
const TIMES_FLOOR: f64 = 1.2;
/// Where this was set the node's one call took 1 ms: of so little the same is a larger part.
const NODE: Cpu = Cpu::Both { milliseconds: 4.0, times_floor: 1.4 };
const POD: Cpu = Cpu::Both { milliseconds: 7.0, times_floor: TIMES_FLOOR };
const KEY: Cpu = Cpu::TimesFloor(TIMES_FLOOR);

/// On the node's path `SSL_CERT_FILE` names a file that is missing: a plugin that reads trust roots fails there.
pub(super) static SUITE: Suite = Suite {
    name: "gar",
    plugin: "gar-credential-provider",
    floor: Some("gar_floor"),
    binary: 4.0,
    memory: 6.0,
    cases: &[
        Case { title: "node, http, no roots", folder: "node-http", until: Exit, cpu: NODE },
        Case { title: "node by key, TLS", folder: "key-tls", until: Exit, cpu: KEY },
        Case { title: "pod by STS, TLS", folder: "pod-tls", until: Exit, cpu: POD },
        Case { title: "pod by STS and IAM, TLS", folder: "pod-iam-tls", until: Exit, cpu: POD },
    ],
};
