//! One error type for every failure: a kind that says who must act, one line on
//! what failed, the causes below it, and what to do.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::text::one_line;

/// A failure that ends the run.
///
/// `Display` prints what failed and nothing else; [`Error::render`] prints the
/// whole of it for stderr. Neither prints anything that looks like a token.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    image: Option<String>,
    hint: Option<String>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// Who must act on a failure. Each kind has its own exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operator: an option, a file or an environment variable is wrong.
    Config,
    /// The person who grants access: the identity is known, but the registry's side refuses it.
    Denied,
    /// The pod's owner, or the operator's `tokenAttributes`: there is no usable identity.
    Identity,
    /// The server's vendor, or a wrong URL: an unexpected answer.
    Protocol,
    /// The caller: stdin did not hold a valid request.
    Request,
    /// The network, or no one: a server was not reached or was overloaded, also after retries.
    Unavailable,
}

/// Who must act on a failure, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// Who must act.
    pub kind: ErrorKind,
    /// What to do, in one line without a full stop.
    pub hint: String,
}

impl Diagnosis {
    /// Who must act, and what to do.
    pub fn new(kind: ErrorKind, hint: impl Into<String>) -> Self {
        Self { kind, hint: hint.into() }
    }
}

impl Error {
    /// A failure of `kind`: `message` says what failed, in one line, without a full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), image: None, hint: None, source: None }
    }

    /// [`ErrorKind::Config`].
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// [`ErrorKind::Denied`].
    pub fn denied(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Denied, message)
    }

    /// [`ErrorKind::Identity`].
    pub fn identity(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Identity, message)
    }

    /// [`ErrorKind::Protocol`].
    pub fn protocol(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Protocol, message)
    }

    /// [`ErrorKind::Request`].
    pub fn request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Request, message)
    }

    /// [`ErrorKind::Unavailable`].
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, message)
    }

    /// Adds what the reader should do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, where there is no hint yet.
    #[must_use]
    pub fn or_with_hint(mut self, hint: &str) -> Self {
        self.hint.get_or_insert_with(|| hint.to_owned());
        self
    }

    /// Adds the failure below this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into().into());
        self
    }

    /// Makes it a failure of another kind: for a check in core whose input came from
    /// elsewhere, such as a [`Login`](crate::Login) out of an operator's file.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// Adds to the end of the message.
    #[must_use]
    pub(crate) fn append(mut self, text: &str) -> Self {
        self.message.push_str(text);
        self
    }

    /// Names the image that the run was for.
    #[must_use]
    pub fn for_image(mut self, image: impl Into<String>) -> Self {
        self.image = Some(image.into());
        self
    }

    /// Puts `message` above this failure: same kind, same hint.
    #[must_use]
    pub fn context(mut self, message: impl Into<String>) -> Self {
        let (kind, hint, image) = (self.kind, self.hint.take(), self.image.take());
        Self { kind, message: message.into(), image, hint, source: Some(Arc::new(self)) }
    }

    /// The first error of this type in a chain of causes. It comes from our HTTP client inside
    /// a foreign library, and says more than the library's own error.
    pub fn find_in<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        causes(error).find_map(|error| error.downcast_ref())
    }

    /// What failed, without its causes.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What the reader should do about it, if there is a hint.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The image that the run was for, where it is known.
    pub fn image(&self) -> Option<&str> {
        self.image.as_deref()
    }

    /// Who must act.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The text for stderr: one `error:` line, a `caused by:` line per cause, and
    /// a `hint:` line, each short, printable, and ended by a newline.
    pub fn render(&self) -> String {
        let mut text = match &self.image {
            Some(image) => {
                format!("error: no credentials for `{}`: {self}\n", one_line(image))
            }
            None => format!("error: {self}\n"),
        };
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(&format!("caused by: {}\n", one_line(&error.to_string())));
            cause = error.source();
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("hint: {}\n", one_line(hint)));
        }
        text
    }
}

/// An error and the causes below it. `io::Error` hides the error inside it, so that one is
/// taken out.
pub fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| {
        let error = *error;
        let inner = error.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
        match inner {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.message))
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl ErrorKind {
    /// Every kind, in the order of its exit code.
    pub const ALL: [Self; 6] = [
        Self::Config,
        Self::Denied,
        Self::Identity,
        Self::Protocol,
        Self::Request,
        Self::Unavailable,
    ];

    /// The process's exit code, 2 to 7. (0 is success; 1 and 101 are never used on
    /// purpose, so that a crash is not mistaken for an answer.)
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Config => 2,
            Self::Denied => 3,
            Self::Identity => 4,
            Self::Protocol => 5,
            Self::Request => 6,
            Self::Unavailable => 7,
        }
    }

    /// One line for `--help` and the documentation.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Config => "an option, a file or an environment variable is wrong",
            Self::Denied => {
                "the registry, or the server that issues its logins, refused the \
                 identity"
            }
            Self::Identity => "no usable identity: the pod's token, its claims or its annotations",
            Self::Protocol => {
                "unexpected answer from a server: check for a proxy, a login page or a wrong URL"
            }
            Self::Request => "the request on stdin is not valid",
            Self::Unavailable => {
                "a server could not be reached or was overloaded; retries did \
                 not help"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_error_causes_and_hint_on_one_line_each() {
        let error = Error::config("no route to\nhost")
            .with_hint("check the\tnetwork")
            .with_source(std::io::Error::other("disk on fire"))
            .context("cannot read `file`")
            .for_image("reg.example/app");
        assert_eq!(
            error.render(),
            "error: no credentials for `reg.example/app`: cannot read `file`\n\
             caused by: no route to host\n\
             caused by: disk on fire\n\
             hint: check the network\n"
        );
    }

    #[test]
    fn it_is_found_below_what_a_library_made_of_it() {
        let ours = Error::unavailable("no route").with_hint("check the network");
        let foreign = std::io::Error::other(std::io::Error::other(ours));
        let found = Error::find_in(&foreign).unwrap().clone().context("not asked");
        assert_eq!(
            found.render(),
            "error: not asked\ncaused by: no route\nhint: check the network\n"
        );
        assert!(Error::find_in(&std::io::Error::other("foreign")).is_none());
    }

    #[test]
    fn exit_codes_are_two_to_seven_once_each() {
        let codes: Vec<u8> = ErrorKind::ALL.iter().map(|kind| kind.exit_code()).collect();
        assert_eq!(codes, [2, 3, 4, 5, 6, 7]);
    }
}
