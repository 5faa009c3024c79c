//! What is reported about one provider in one look-up.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::cache::{CacheKeyType, Stored};
use crate::exec::{AuthConfigs, ExecFailureKind};
use crate::kubelet::LogLine;
use crate::service_account::NotCalled;

/// What one provider did in one look-up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProviderReport {
    /// Its name.
    pub name: String,
    /// Its outcome.
    pub outcome: Outcome,
    /// What the kubelet logs, with the least severe lines included.
    pub log: Vec<LogLine>,
    /// What the kubelet knows but does not say.
    pub detail: Option<String>,
    /// The beginning of what the plugin wrote to stderr.
    pub stderr: Vec<u8>,
    /// The beginning of what it wrote to stdout, if it failed and the kubelet discards that.
    pub stdout: Vec<u8>,
    /// The logins of its answer, whether they cover the image or not, and whether the kubelet
    /// uses the answer or not.
    pub auth: AuthConfigs,
    /// How long it ran; `None` when it was not run.
    pub duration: Option<Duration>,
    /// What the cache did.
    pub cache: CacheDecision,
}

impl ProviderReport {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            outcome: Outcome::NoMatch,
            log: Vec::new(),
            detail: None,
            stderr: Vec::new(),
            stdout: Vec::new(),
            auth: AuthConfigs::new(),
            duration: None,
            cache: CacheDecision::NotReached,
        }
    }

    /// The line of the kubelet's log about the failure, if there is one at the
    /// level of errors.
    pub fn error_line(&self) -> Option<&str> {
        let mut errors = self.log.iter().filter(|line| line.level == crate::LogLevel::Error);
        errors.next().map(|line| line.text.as_str())
    }
}

/// The outcome of asking a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// None of its patterns covers the image. The kubelet logs nothing at any level.
    NoMatch,
    /// A pattern covers the image, but the provider is not asked.
    NotCalled(NotCalled),
    /// The run gave no answer.
    Failed(ExecFailureKind),
    /// The answer handed the pod's token back as a password.
    EchoedToken,
    /// The answer's `cacheKeyType` is not one of the three.
    InvalidCacheKeyType(String),
    /// There is an answer, new or cached.
    Answered {
        /// The keys in its `auth`. None is "no credentials", which is kept like any
        /// answer.
        keys: usize,
        /// How many of its credentials are for the image.
        usable: usize,
    },
}

impl Outcome {
    /// An identifier for programs that never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoMatch => "no-match",
            Self::NotCalled(NotCalled::NoServiceAccount) => "no-service-account",
            Self::NotCalled(NotCalled::MissingAnnotation(_)) => "missing-annotation",
            Self::NotCalled(NotCalled::ServiceAccount(_)) => "service-account-error",
            Self::NotCalled(NotCalled::Token(_)) => "token-error",
            Self::NotCalled(NotCalled::CacheKey(_)) => "cache-key-error",
            Self::Failed(kind) => match kind {
                ExecFailureKind::NotStarted => "not-started",
                ExecFailureKind::ExitStatus(_) => "exit-status",
                ExecFailureKind::Signal(_) => "signal",
                ExecFailureKind::TimedOut => "timed-out",
                ExecFailureKind::Held => "held",
                ExecFailureKind::TooLong => "too-long",
                ExecFailureKind::NotJson => "not-json",
                ExecFailureKind::ApiVersion => "wrong-api-version",
                ExecFailureKind::Undecodable => "undecodable",
            },
            Self::EchoedToken => "echoed-token",
            Self::InvalidCacheKeyType(_) => "invalid-cache-key-type",
            Self::Answered { keys: 0, .. } => "no-credentials",
            Self::Answered { usable: 0, .. } => "no-credentials-for-image",
            Self::Answered { .. } => "credentials",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCalled(reason) => write!(f, "{}: {reason}", self.code()),
            Self::InvalidCacheKeyType(word) => write!(f, "{}: `{word}`", self.code()),
            Self::Answered { keys, usable } => {
                write!(f, "{}: {usable} of {keys} keys cover the image", self.code())
            }
            _ => f.write_str(self.code()),
        }
    }
}

/// What the cache did in a look-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheDecision {
    /// The provider was not asked, or gave nothing that could be kept.
    NotReached,
    /// A cached answer was used and the plugin was not run.
    Hit {
        /// Under which type of key it was found.
        key: CacheKeyType,
        /// Until when it is kept.
        expires: SystemTime,
    },
    /// Nothing was cached; this was done with the new answer.
    Missed(Stored),
}
