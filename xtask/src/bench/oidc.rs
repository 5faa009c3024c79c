//! The generic plugin.

use super::suite::Until::{Exit, FirstByte};
use super::suite::{Case, Cpu, Suite};

const FIRST_BYTE: Cpu = Cpu::Milliseconds(3.0);

pub(super) static SUITE: Suite = Suite {
    name: "oidc",
    plugin: "oidc-credential-provider",
    binary: 4.0,
    memory: 6.0,
    cases: &[
        Case {
            title: "passthrough",
            folder: "passthrough",
            until: Exit,
            cpu: Cpu::Milliseconds(2.0),
        },
        Case { title: "tokenExchange, http", folder: "http", until: Exit, cpu: Cpu::DEFAULT },
        Case { title: "tokenExchange, TLS", folder: "tls", until: Exit, cpu: Cpu::DEFAULT },
        Case {
            title: "first byte, http",
            folder: "silent-http",
            until: FirstByte,
            cpu: FIRST_BYTE,
        },
        Case { title: "first byte, TLS", folder: "silent-tls", until: FirstByte, cpu: FIRST_BYTE },
    ],
};
