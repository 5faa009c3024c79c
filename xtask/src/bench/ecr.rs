//! Amazon ECR, beside AWS's SDK on its own: the example `ecr_floor`.

use super::suite::Cpu::{Milliseconds, TimesFloor};
use super::suite::Until::{Exit, FirstByte};
use super::suite::{Case, Suite};

/// What the plugin adds to the SDK: the protocol, the host's grammar, messages.
const CPU: super::suite::Cpu = TimesFloor(1.5);

pub(super) static SUITE: Suite = Suite {
    name: "ecr",
    plugin: "ecr-credential-provider",
    floor: Some("ecr_floor"),
    binary: 5.5,
    memory: 12.0,
    cases: &[
        Case { title: "node by keys, http", folder: "keys-http", until: Exit, cpu: CPU },
        Case { title: "node by keys, TLS", folder: "keys-tls", until: Exit, cpu: CPU },
        Case { title: "node by IMDSv2, TLS", folder: "imds-tls", until: Exit, cpu: CPU },
        Case { title: "pod by STS, TLS", folder: "pod-tls", until: Exit, cpu: CPU },
        Case {
            title: "first byte, http",
            folder: "silent-http",
            until: FirstByte,
            cpu: Milliseconds(8.0),
        },
        Case {
            title: "first byte, TLS",
            folder: "silent-tls",
            until: FirstByte,
            cpu: Milliseconds(8.0),
        },
    ],
};
