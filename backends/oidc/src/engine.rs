//! From steps to the document that has the login: the one way in which a token or secret leaves
//! this process.

mod client_authentication;
mod discovery;
pub(crate) mod document;
mod error_response;
mod run;
pub(crate) mod step_url;
pub(crate) mod values;

pub(crate) use document::Document;
pub(crate) use error_response::Failure;
pub(crate) use run::run_steps;
pub(crate) use values::Values;
