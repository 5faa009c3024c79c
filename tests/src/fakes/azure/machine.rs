//! Which managed identities a machine has, and which of them a request is about.

use super::directory::Identity;
use super::{Azure, token};

/// The life of a managed identity's token, in seconds.
const LIFETIME: i64 = 86_399;

/// Something that runs in Azure, or is connected to it, with its managed identities.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    system: Option<Identity>,
    users: Vec<Identity>,
}

impl Machine {
    /// One without identities.
    pub fn new() -> Self {
        Self::default()
    }

    /// With an identity of its own.
    pub fn system(mut self, identity: &Identity) -> Self {
        self.system = Some(identity.clone());
        self
    }

    /// With an identity that it was given; several are told apart by the request only.
    pub fn user(mut self, identity: &Identity) -> Self {
        self.users.push(identity.clone());
        self
    }

    /// The identity that a request is about.
    pub(super) fn choose(&self, selector: Option<&Selector<'_>>) -> Result<&Identity, Miss> {
        let Some(selector) = selector else {
            return match (&self.system, &self.users[..]) {
                (Some(identity), _) | (None, [identity]) => Ok(identity),
                (None, []) => Err(Miss::NoneAssigned),
                (None, _) => Err(Miss::Ambiguous),
            };
        };
        let mut all = self.users.iter().chain(&self.system);
        all.find(|identity| selector.names(identity)).ok_or(Miss::Unknown)
    }

    /// The machine's own identity.
    pub(super) fn own(&self) -> Option<&Identity> {
        self.system.as_ref()
    }
}

/// Why no identity fits.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// The machine has none.
    NoneAssigned,
    /// It has several, and the request names none.
    Ambiguous,
    /// It does not have the one that the request names.
    Unknown,
}

/// How a request names an identity.
pub(super) enum Selector<'a> {
    Client(&'a str),
    Object(&'a str),
    Resource(&'a str),
}

impl Selector<'_> {
    fn names(&self, identity: &Identity) -> bool {
        match self {
            Self::Client(id) => identity.client_id.eq_ignore_ascii_case(id),
            Self::Object(id) => identity.object_id.eq_ignore_ascii_case(id),
            Self::Resource(id) => {
                identity.resource_id.as_ref().is_some_and(|known| known.eq_ignore_ascii_case(id))
            }
        }
    }
}

/// A token for a managed identity, and its end in seconds of the Unix epoch; `None` if its cloud
/// does not know the resource.
pub(super) fn issue(azure: &Azure, identity: &Identity, resource: &str) -> Option<(String, i64)> {
    let tenant = azure.tenant(&identity.tenant)?;
    tenant.cloud.resource(resource)?;
    let token = token::access_token(azure, identity, &tenant, resource, LIFETIME);
    Some((token, azure.now() + LIFETIME))
}
