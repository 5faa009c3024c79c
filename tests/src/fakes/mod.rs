//! Servers in the place of real services. They verify what they get, refuse what the real ones
//! refuse, and remember both for a test to look at; they never panic on a client's account.

pub mod aws;
pub mod azure;
pub mod canned;
mod clock;
pub mod docker_token;
pub mod echo;
pub mod faults;
pub mod form;
pub mod google;
mod log;
pub mod oidc;
mod received;
pub mod registry;
mod rsa;
pub mod trust;
pub mod vendors;
