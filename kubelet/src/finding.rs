//! The kubelet's errors about what it is started with.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::go::quote::{quote, quote_value};
use crate::source::{Location, Source, hide};

/// One error with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The kind of error.
    pub code: FindingCode,
    /// The kubelet's message. If it quotes a value that may be secret, `...` replaces
    /// that value.
    pub message: String,
    /// Where it is, when it is in a file.
    pub location: Option<Location>,
    /// The file that it is about, if the kubelet's message does not name it.
    pub path: Option<PathBuf>,
}

impl Finding {
    pub(crate) fn new(code: FindingCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), location: None, path: None }
    }

    pub(crate) fn located(self, location: Location) -> Self {
        Self { location: Some(location), ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(location) = &self.location {
            write!(f, "{location}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// Why the kubelet would refuse to start. Holds no value that may be secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StartupError {
    /// The kubelet's whole message, without the `Failed to register CRI auth plugins`
    /// before it. If it quotes a value that may be secret, `...` replaces that value.
    pub message: String,
    /// The errors in the message, one by one.
    pub findings: Vec<Finding>,
    /// Errors that the kubelet would report only after those are fixed.
    pub further: Vec<Finding>,
    /// Whether `message` is exactly the kubelet's. It is not if a value is left out,
    /// if the kubelet prints a list in random order, or if a limit is ours.
    pub verbatim: bool,
    /// The files that were read.
    pub sources: Vec<Arc<Source>>,
}

impl StartupError {
    /// An error that is one finding.
    pub(crate) fn of_one(finding: Finding) -> Self {
        Self {
            message: finding.message.clone(),
            findings: vec![finding],
            further: Vec::new(),
            verbatim: true,
            sources: Vec::new(),
        }
    }

    /// Without texts that have the form of a secret: keys and patterns may hold one too.
    pub(crate) fn without_secrets(mut self) -> Self {
        let mut hide = |text: &mut String| {
            if let Cow::Owned(hidden) = hide(text) {
                *text = hidden;
                self.verbatim = false;
            }
        };
        hide(&mut self.message);
        for finding in self.findings.iter_mut().chain(&mut self.further) {
            hide(&mut finding.message);
        }
        self
    }

    /// The line of the kubelet's log, without time and place.
    pub fn log_line(&self) -> String {
        let (message, error) = match self.findings.first() {
            Some(finding) if finding.code == FindingCode::FeatureGate => (
                "command failed",
                format!(
                    "failed to set feature gates from initial flags-based config: {}",
                    self.message
                ),
            ),
            _ => ("Failed to register CRI auth plugins", self.message.clone()),
        };
        format!("{} err={}", quote(message), quote_value(&error))
    }

    /// An error without a place.
    pub(crate) fn plain(code: FindingCode, message: impl Into<String>) -> Self {
        Self::of_one(Finding::new(code, message))
    }
}

impl std::error::Error for StartupError {}

impl fmt::Display for StartupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// The kind of error that a [`Finding`] is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum FindingCode {
            $($(#[$doc])* $name,)*
        }

        impl FindingCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// An identifier for programs that never changes.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

codes! {
    /// The command line names a feature gate that this kubelet does not know or does not let
    /// be changed.
    FeatureGate = "feature-gate",
    /// The bin dir is missing or cannot be examined.
    BinDir = "bin-dir",
    /// The configuration's path, or a file of it, cannot be read.
    Unreadable = "unreadable",
    /// The configuration's directory holds no configuration files.
    NoFiles = "no-files",
    /// Neither JSON nor YAML, or beyond a limit.
    Syntax = "syntax",
    /// `kind` or `apiVersion` is missing or is not that of a configuration.
    WrongDocument = "wrong-document",
    /// A field has a value of the wrong type.
    WrongType = "wrong-type",
    /// A field that this kubelet does not know.
    UnknownField = "unknown-field",
    /// A field that kubelets know, but not this one or not in this API version.
    LaterField = "later-field",
    /// A field occurs twice.
    DuplicateField = "duplicate-field",
    /// There are no providers.
    NoProviders = "no-providers",
    /// A provider's name is not valid.
    ProviderName = "provider-name",
    /// Two providers share a name.
    DuplicateProvider = "duplicate-provider",
    /// `apiVersion` of a provider is missing.
    NoExecApiVersion = "no-exec-api-version",
    /// `apiVersion` of a provider is not one of exec plugins.
    ExecApiVersion = "exec-api-version",
    /// `matchImages` is empty.
    NoMatchImages = "no-match-images",
    /// A pattern of `matchImages` is not a URL.
    MatchImage = "match-image",
    /// `defaultCacheDuration` is missing.
    NoCacheDuration = "no-cache-duration",
    /// `defaultCacheDuration` is negative.
    NegativeCacheDuration = "negative-cache-duration",
    /// `tokenAttributes` needs a feature gate that is off.
    TokensDisabled = "tokens-disabled",
    /// `tokenAttributes` needs the exec API `v1`.
    TokensNeedV1 = "tokens-need-v1",
    /// `serviceAccountTokenAudience` is missing.
    NoAudience = "no-audience",
    /// `requireServiceAccount` is missing.
    NoRequireServiceAccount = "no-require-service-account",
    /// Annotations are required, and a service account is not.
    AnnotationsWithoutAccount = "annotations-without-account",
    /// A key of an annotation is not valid, occurs twice, or is in both lists.
    AnnotationKey = "annotation-key",
    /// `cacheType` is missing.
    NoCacheType = "no-cache-type",
    /// `cacheType` is neither of the two.
    CacheType = "cache-type",
    /// A provider's program is missing.
    ProgramMissing = "program-missing",
    /// A provider's program is a broken link.
    ProgramDangling = "program-dangling",
    /// A provider's program is a directory.
    ProgramDirectory = "program-directory",
    /// A provider's program may not be executed.
    ProgramNotExecutable = "program-not-executable",
    /// Examining a provider's program fails in another way.
    ProgramUnreadable = "program-unreadable",
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
