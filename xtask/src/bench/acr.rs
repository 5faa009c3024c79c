//! Azure Container Registry.

use super::suite::Until::Exit;
use super::suite::{Case, Cpu, Suite};

/// The node uses the service of App Service: the address of a virtual machine's metadata service is
/// fixed, and both answer one request over plain HTTP.
pub(super) static SUITE: Suite = Suite {
    name: "acr",
    plugin: "acr-credential-provider",
    binary: 3.2,
    memory: 5.0,
    cases: &[
        Case { title: "node, TLS", folder: "node-tls", until: Exit, cpu: Cpu::DEFAULT },
        Case { title: "pod by Entra, TLS", folder: "pod-tls", until: Exit, cpu: Cpu::DEFAULT },
    ],
};
