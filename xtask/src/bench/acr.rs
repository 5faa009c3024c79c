//! Azure Container Registry, beside the same calls by reqwest on its own: the example `acr_floor`.

use super::suite::Cpu::TimesFloor;
use super::suite::Until::Exit;
use super::suite::{Case, Suite};

/// What the plugin adds to the calls: the protocol, the host's grammar, messages, and for pods
/// Azure's crate. Where this was set the node's calls took 11 ms.
const CPU: super::suite::Cpu = TimesFloor(1.2);

/// The node asks as on App Service: the address of a virtual machine's metadata service is fixed,
/// and both answer one request over plain HTTP.
pub(super) static SUITE: Suite = Suite {
    name: "acr",
    plugin: "acr-credential-provider",
    floor: Some("acr_floor"),
    binary: 4.5,
    memory: 8.0,
    cases: &[
        Case { title: "node, TLS", folder: "node-tls", until: Exit, cpu: CPU },
        Case { title: "pod by Entra, TLS", folder: "pod-tls", until: Exit, cpu: CPU },
    ],
};
