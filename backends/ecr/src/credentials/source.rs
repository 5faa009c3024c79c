//! The sources of the node's credentials.

use std::fmt;

/// A source of the node's credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Keys in environment variables.
    Environment,
    /// The profile in the config and credentials files.
    Profile,
    /// A token in a file, for a role.
    WebIdentity,
    /// An agent on the node, such as that of EKS Pod Identity or ECS.
    Container,
    /// The instance metadata service.
    Imds,
}

impl Source {
    /// What to check where the source is set up and fails.
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::Environment => {
                "check `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and \
                 `AWS_SESSION_TOKEN`"
            }
            Self::Profile => {
                "check `AWS_PROFILE` and `AWS_CONFIG_FILE`; without them the kubelet's `HOME` \
                 decides which files are read, and under systemd it may have none"
            }
            Self::WebIdentity => {
                "check `AWS_ROLE_ARN`, the token file, and the role's trust policy"
            }
            Self::Container => {
                "check `AWS_CONTAINER_CREDENTIALS_FULL_URI` and its token, and the agent"
            }
            Self::Imds => {
                "check the instance's role and metadata options: IMDSv2 on, and a hop limit of 2 \
                 where the kubelet runs in a container"
            }
        }
    }
}

/// For messages.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "environment variables",
            Self::Profile => "the profile",
            Self::WebIdentity => "`AWS_WEB_IDENTITY_TOKEN_FILE`",
            Self::Container => "the container credentials endpoint",
            Self::Imds => "the instance metadata service",
        })
    }
}
