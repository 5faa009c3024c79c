//! Amazon ECR.

use super::suite::Until::{Exit, FirstByte};
use super::suite::{Case, Cpu, Suite};

const FIRST_BYTE: Cpu = Cpu::Milliseconds(8.0);

pub(super) static SUITE: Suite = Suite {
    name: "ecr",
    plugin: "ecr-credential-provider",
    binary: 5.5,
    memory: 12.0,
    cases: &[
        Case { title: "node by keys, http", folder: "keys-http", until: Exit, cpu: Cpu::DEFAULT },
        Case { title: "node by keys, TLS", folder: "keys-tls", until: Exit, cpu: Cpu::DEFAULT },
        Case { title: "node by IMDSv2, TLS", folder: "imds-tls", until: Exit, cpu: Cpu::DEFAULT },
        Case { title: "pod by STS, TLS", folder: "pod-tls", until: Exit, cpu: Cpu::DEFAULT },
        Case {
            title: "first byte, http",
            folder: "silent-http",
            until: FirstByte,
            cpu: FIRST_BYTE,
        },
        Case { title: "first byte, TLS", folder: "silent-tls", until: FirstByte, cpu: FIRST_BYTE },
    ],
};
