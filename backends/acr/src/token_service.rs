//! The services that return Entra tokens: their names in messages, and what their statuses mean.

use std::fmt;

/// A service that returns Entra tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenService {
    /// Entra itself, at this host. `audience`: what it expects in a token of a federated issuer
    /// unless the application names another, where the cloud is a known one.
    Entra { host: String, audience: Option<&'static str> },
    /// The cluster's API server, with identity bindings.
    ApiServer,
    /// The metadata service of a virtual machine.
    Imds,
    /// The agent of an Arc-enabled server.
    ArcAgent,
    /// The identity endpoint of App Service.
    AppService,
}

impl TokenService {
    /// Whether it returns tokens for the machine's own identities.
    pub(crate) fn is_of_machine(&self) -> bool {
        matches!(self, Self::Imds | Self::ArcAgent | Self::AppService)
    }
}

impl fmt::Display for TokenService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entra { host, .. } => write!(f, "Entra at `{host}`"),
            Self::ApiServer => f.write_str("the API server"),
            Self::Imds => f.write_str("IMDS"),
            Self::ArcAgent => f.write_str("the Arc agent"),
            Self::AppService => f.write_str("the App Service identity endpoint"),
        }
    }
}
