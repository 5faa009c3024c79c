//! The generic plugin.

use super::suite::Until::{Exit, FirstByte};
use super::suite::{Case, Cpu, Suite};

/// The profile file is read by a parser of YAML, which the floor has not.
const YAML: Cpu = Cpu::TimesFloor(2.4);
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
        Case { title: "tokenExchange, http", folder: "http", until: Exit, cpu: Cpu::NO_HANDSHAKE },
        Case { title: "tokenExchange, TLS", folder: "tls", until: Exit, cpu: YAML },
        Case {
            title: "first byte, http",
            folder: "silent-http",
            until: FirstByte,
            cpu: FIRST_BYTE,
        },
        Case { title: "first byte, TLS", folder: "silent-tls", until: FirstByte, cpu: FIRST_BYTE },
    ],
};
