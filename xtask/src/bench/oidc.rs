//! The generic plugin.

use super::suite::Cpu::{Any, Milliseconds};
use super::suite::Until::{Exit, FirstByte};
use super::suite::{Case, Suite};

pub(super) static SUITE: Suite = Suite {
    name: "oidc",
    plugin: "oidc-credential-provider",
    floor: None,
    binary: 4.0,
    memory: 6.0,
    cases: &[
        Case { title: "passthrough", folder: "passthrough", until: Exit, cpu: Milliseconds(2.0) },
        Case { title: "tokenExchange, http", folder: "http", until: Exit, cpu: Any },
        Case { title: "tokenExchange, TLS", folder: "tls", until: Exit, cpu: Any },
        Case {
            title: "first byte, http",
            folder: "silent-http",
            until: FirstByte,
            cpu: Milliseconds(3.0),
        },
        Case {
            title: "first byte, TLS",
            folder: "silent-tls",
            until: FirstByte,
            cpu: Milliseconds(3.0),
        },
    ],
};
