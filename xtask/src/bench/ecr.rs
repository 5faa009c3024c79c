//! Amazon ECR.

use super::suite::Until::{Exit, FirstByte};
use super::suite::{Case, Cpu, Suite};

/// AWS's SDK is a third of it.
const SDK: Cpu = Cpu::TimesFloor(2.6);
const FIRST_BYTE: Cpu = Cpu::Milliseconds(8.0);

pub(super) static SUITE: Suite = Suite {
    name: "ecr",
    plugin: "ecr-credential-provider",
    binary: 4.0,
    memory: 6.0,
    cases: &[
        Case {
            title: "node by keys, http",
            folder: "keys-http",
            until: Exit,
            cpu: Cpu::NO_HANDSHAKE,
        },
        Case { title: "node by keys, TLS", folder: "keys-tls", until: Exit, cpu: SDK },
        Case { title: "node by IMDSv2, TLS", folder: "imds-tls", until: Exit, cpu: SDK },
        Case { title: "pod by STS, TLS", folder: "pod-tls", until: Exit, cpu: SDK },
        Case {
            title: "first byte, http",
            folder: "silent-http",
            until: FirstByte,
            cpu: FIRST_BYTE,
        },
        Case { title: "first byte, TLS", folder: "silent-tls", until: FirstByte, cpu: FIRST_BYTE },
    ],
};
