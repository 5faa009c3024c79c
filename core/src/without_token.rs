//! How a request without a pod's token is answered, if the operator may choose.

use crate::error::Error;
use crate::options::{OptionSpec, Options};

/// For static pods, for providers without `tokenAttributes`, and for pods without a service
/// account. It never applies to a request **with** a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutToken {
    /// The node's own identity answers.
    Node,
    /// No credentials: the image is pulled without a login.
    Anonymous,
    /// An error.
    Refuse,
}

impl WithoutToken {
    /// `--without-token HOW`; `help` names the default in brackets at its end.
    pub const fn option(help: &'static str) -> OptionSpec {
        OptionSpec::value("without-token", "HOW", help)
    }

    /// What the operator chose, if anything.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) on another word.
    pub fn read(options: &Options) -> Result<Option<Self>, Error> {
        match options.value("without-token") {
            None => Ok(None),
            Some("node") => Ok(Some(Self::Node)),
            Some("anonymous") => Ok(Some(Self::Anonymous)),
            Some("refuse") => Ok(Some(Self::Refuse)),
            Some(_) => Err(Error::config("`--without-token` has an unknown value")
                .with_hint("use `node`, `anonymous` or `refuse`")),
        }
    }
}
