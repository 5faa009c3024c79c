//! From the text of a profile file, or a preset, to [`Profile`]s. Each text is parsed once.
//!
//! `file` reads the text into `raw` fields, `preset` and `merge` fill in what is left out, and
//! `compile` makes a [`Profile`] of them. There is nothing of one run here, and no network.

pub(crate) mod address;
mod client_auth;
mod compile;
mod compile_context;
mod custom;
mod example;
mod exchange_type;
pub(crate) mod field;
pub(crate) mod file;
mod http;
mod literal_secret;
mod merge;
mod oauth;
mod pattern;
pub(crate) mod preset;
mod raw;
mod response_fields;
mod step;
pub(crate) mod template;
mod variable;
mod vault;
pub(crate) mod yaml;

pub(crate) use client_auth::{ClientAuth, PrivateKey};
pub(crate) use compile::{ExpectedToken, Profile};
pub(crate) use exchange_type::Exchange;
pub(crate) use field::{Pointer, Policy};
pub(crate) use oauth::{Discovery, Endpoint, Grant, OAuth, camel_case};
pub(crate) use raw::RawEncoding as Encoding;
pub(crate) use response_fields::{Expiry, ResponseFields, Username};
pub(crate) use step::{Auth, Body, Json, Step, Target};
pub(crate) use variable::{Source, Variable};
pub(crate) use vault::Vault;
