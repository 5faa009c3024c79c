//! What has the login in it: the last answer, or a file on the node.

use std::path::{Path, PathBuf};

use pullpass::http::Reply;
use pullpass::{Error, ErrorKind, file};
use serde_json::Value;

use super::error_response::quote_below;
use crate::profile::{Pointer, yaml};

/// What has the login in it.
pub(crate) struct Document {
    body: Value,
    origin: Origin,
}

/// Where a document is from.
enum Origin {
    Reply(Reply),
    File(PathBuf),
    PodToken,
}

impl Document {
    /// A server's answer.
    ///
    /// # Errors
    /// Protocol, when it is not JSON.
    pub(crate) fn from_reply(reply: Reply) -> Result<Self, Error> {
        Ok(Self { body: reply.json()?, origin: Origin::Reply(reply) })
    }

    /// A file on the node.
    ///
    /// # Errors
    /// Config, when it cannot be read, or is neither JSON nor YAML.
    pub(crate) fn from_file(path: &Path) -> Result<Self, Error> {
        let text = file::read_config(path).map_err(|error| {
            error.with_hint(
                "`exchange.file` in the profile names this file: check the path, and \
                 that the kubelet's user can read it",
            )
        })?;
        let body = yaml::parse(&text).map_err(|_| {
            Error::config(format!("`{}` is neither JSON nor YAML", path.display()))
                .with_hint("write {\"username\": \"...\", \"password\": \"...\"} into it")
        })?;
        Ok(Self { body, origin: Origin::File(path.to_owned()) })
    }

    /// The pod's token, which is a login by itself.
    pub(crate) fn from_pod_token() -> Self {
        Self { body: Value::Null, origin: Origin::PodToken }
    }

    /// An error about it, of the kind for who must act: `what` begins with "with" or "without".
    pub(crate) fn error(&self, what: &str) -> Error {
        let (kind, subject, hint) = self.describe();
        Error::new(kind, format!("{subject} {what}")).with_hint(hint)
    }

    /// `error`, which its login has, as an error about it.
    pub(crate) fn describe_login_error(&self, error: Error) -> Error {
        let (kind, subject, hint) = self.describe();
        let what = format!("{subject} with a login that cannot be used");
        error.with_kind(kind).context(what).with_hint(hint)
    }

    /// Who must act on an error about it, how that error begins, and what to do.
    fn describe(&self) -> (ErrorKind, String, &'static str) {
        match &self.origin {
            Origin::Reply(reply) => (
                ErrorKind::Protocol,
                format!("`{}` answered {}", reply.target(), reply.status()),
                "check `response` in the profile against what this server answers",
            ),
            Origin::File(path) => (
                ErrorKind::Config,
                format!("`{}` is a file", path.display()),
                "check the file against `response` in the profile",
            ),
            Origin::PodToken => (
                ErrorKind::Identity,
                "the pod's token came".to_owned(),
                "check `response.username` in the profile",
            ),
        }
    }

    /// The value at a JSON pointer, unless there is none, or null.
    pub(crate) fn value(&self, pointer: &Pointer) -> Option<&Value> {
        self.body.pointer(pointer.as_str()).filter(|value| !value.is_null())
    }

    /// The text at a JSON pointer, unless there is none, or it is empty.
    pub(crate) fn find_text(&self, pointer: &Pointer) -> Option<&str> {
        self.value(pointer)?.as_str().filter(|text| !text.is_empty())
    }

    /// The text at a JSON pointer.
    ///
    /// # Errors
    /// When there is none, with the server's own words where they are safe to print.
    pub(crate) fn text(&self, pointer: &Pointer) -> Result<&str, Error> {
        self.find_text(pointer).ok_or_else(|| {
            let error = self.error(&format!("without a string at `{pointer}`"));
            match &self.origin {
                Origin::Reply(reply) => quote_below(error, reply),
                Origin::File(_) | Origin::PodToken => error,
            }
        })
    }
}
