//! From a profile's exchange to steps: every type becomes the same calls, so that there is one
//! engine to secure.

mod oauth_steps;
mod vault_steps;

use std::borrow::Cow;

use crate::profile::{ClientAuth, Discovery, Exchange, Step};

/// One to three calls, the last of which answers with the password.
pub(crate) struct Steps<'a> {
    pub(crate) steps: Cow<'a, [Step]>,
    /// Asked first for the address of the step that has none.
    pub(crate) discovery: Option<&'a Discovery>,
    /// How the client itself authenticates, in the steps that say so.
    pub(crate) client: &'a ClientAuth,
}

impl<'a> Steps<'a> {
    /// The steps of `exchange`; `None` where it makes no call.
    pub(crate) fn from_exchange(exchange: &'a Exchange) -> Option<Self> {
        match exchange {
            Exchange::Passthrough | Exchange::File(_) => None,
            Exchange::OAuth(oauth) => Some(oauth_steps::build_steps(oauth)),
            Exchange::Vault(vault) => {
                Some(Self::without_client(vault_steps::build_steps(vault).into()))
            }
            Exchange::Custom(steps) => Some(Self::without_client(steps.into())),
        }
    }

    fn without_client(steps: Cow<'a, [Step]>) -> Self {
        Self { steps, discovery: None, client: &ClientAuth::None }
    }
}
