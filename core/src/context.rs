//! Everything outside the request that a provider may use. A backend has no other
//! ambient access.

use crate::clock::{Clock, Deadline};
use crate::env::Env;
use crate::http::Http;

/// What a run may use: environment, HTTP client, clock and deadline.
#[derive(Debug)]
#[non_exhaustive]
pub struct Context {
    /// The environment variables.
    pub env: Env,
    /// The HTTP client.
    pub http: Http,
    /// The wall clock, for expiry.
    pub clock: Clock,
    /// When the whole run ends.
    pub deadline: Deadline,
}

impl Context {
    /// This environment, clock and deadline, and an HTTP client that uses them.
    pub fn new(env: Env, clock: Clock, deadline: Deadline) -> Self {
        Self { http: Http::new(&env, deadline), env, clock, deadline }
    }
}
