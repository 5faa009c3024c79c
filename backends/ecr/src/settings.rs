//! The operator's settings, parsed once: the options and the environment variables.
//!
//! The profile files are not part of it: [`Profiles`](crate::profiles::Profiles) reads them for
//! images that are on Amazon's registries, and not before.

use pullpass::{Env, Error, Options};

use crate::environment::Environment;
use crate::hosts::Hosts;
use crate::roles::Roles;

/// The operator's settings.
pub(crate) struct Settings {
    /// The hosts besides Amazon's own.
    pub(crate) hosts: Hosts,
    /// The roles of pods and of the node.
    pub(crate) roles: Roles,
    /// Whether IPv4 endpoints are called for dual-stack registries too.
    pub(crate) ipv4_api: bool,
    /// The variables.
    pub(crate) environment: Environment,
}

impl Settings {
    /// Reads options and variables.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](pullpass::ErrorKind::Config) when one of them is not valid.
    pub(crate) fn parse(options: &Options, env: &Env) -> Result<Self, Error> {
        Ok(Self {
            hosts: Hosts::parse(options.values("host"))?,
            roles: Roles::parse(options)?,
            ipv4_api: options.is_set("ipv4-api"),
            environment: Environment::parse(env)?,
        })
    }
}
