//! Google Artifact Registry.

use super::suite::Until::Exit;
use super::suite::{Case, Cpu, Suite};

/// On the node's path `SSL_CERT_FILE` names a file that is missing: a plugin that reads trust roots fails there.
pub(super) static SUITE: Suite = Suite {
    name: "gar",
    plugin: "gar-credential-provider",
    binary: 2.5,
    memory: 4.0,
    cases: &[
        Case {
            title: "node, http, no roots",
            folder: "node-http",
            until: Exit,
            cpu: Cpu::NO_HANDSHAKE,
        },
        Case { title: "node by key, TLS", folder: "key-tls", until: Exit, cpu: Cpu::DEFAULT },
        Case { title: "pod by STS, TLS", folder: "pod-tls", until: Exit, cpu: Cpu::DEFAULT },
        Case {
            title: "pod by STS and IAM, TLS",
            folder: "pod-iam-tls",
            until: Exit,
            cpu: Cpu::DEFAULT,
        },
    ],
};
