//! What is wrong with a node.

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// An identifier for programs that never changes.
    pub(super) id: &'static str,
    pub(super) severity: Severity,
    /// What is wrong. Holds no value that may be secret.
    pub(super) message: String,
    /// The evidence.
    pub(super) read: String,
    /// What fixes it, usually a command.
    pub(super) fix: String,
}

/// What a fault leads to, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// The kubelet does not start with this: now, or at its next start.
    KillsKubelet,
    /// Pulls continue without the credentials.
    NoCredentials,
    /// It works now, but may fail later.
    Risk,
}

impl Severity {
    /// The identifier for programs.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::KillsKubelet => "kills-kubelet",
            Self::NoCredentials => "no-credentials",
            Self::Risk => "risk",
        }
    }

    /// The label for people.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::KillsKubelet => "kills the kubelet:",
            Self::NoCredentials => "no credentials:",
            Self::Risk => "risk:",
        }
    }
}

impl Finding {
    pub(super) fn new(
        id: &'static str,
        severity: Severity,
        message: impl Into<String>,
        read: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { id, severity, message: message.into(), read: read.into(), fix: fix.into() }
    }
}
