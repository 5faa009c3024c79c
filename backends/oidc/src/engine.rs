//! Runs the steps of an exchange.

pub(crate) mod error_response;
pub(crate) mod run;
pub(crate) mod values;
