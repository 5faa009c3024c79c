//! The error for what Google answered instead of a token.

use std::fmt;

use pullpass::http::{Reply, ServerError};
use pullpass::oauth::ErrorBody;
use pullpass::{Diagnosis, Error, ErrorKind};

/// The error for `reply`, which is not a success: who was refused, Google's code and words, and
/// what to do. `diagnose` says what a code means; a status without one is not from Google.
pub(crate) fn read_error(
    reply: &Reply,
    service: &str,
    identity: impl fmt::Display,
    diagnose: impl FnOnce(&ErrorBody) -> Option<Diagnosis>,
) -> Error {
    let body = reply.error_body();
    let diagnosis = match (diagnose(&body), reply.kind()) {
        // The status says that the error is transient, whatever the code.
        (_, ErrorKind::Unavailable) => None,
        (Some(diagnosis), _) => Some(diagnosis),
        (None, _) if body.error().is_some() => Some(Diagnosis::new(
            ErrorKind::Denied,
            format!("look the code up in the documentation of {service}"),
        )),
        // Google always says why.
        (None, _) => Some(Diagnosis::new(
            ErrorKind::Protocol,
            "unexpected answer: check for a proxy, a login page or a wrong URL",
        )),
    };
    let error = reply.server_error().service(service).subject(identity).diagnosis(diagnosis);
    let error = body.error().into_iter().fold(error, ServerError::code);
    body.description().into_iter().fold(error, ServerError::words).into_error()
}
