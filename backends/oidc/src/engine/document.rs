//! What has the login in it: the last answer, or the operator's file.

use std::path::Path;

use pullpass::http::{Reply, SentSecrets};
use pullpass::{Error, ErrorKind, file};
use serde_json::Value;

use super::error_response::ErrorBody;
use crate::profile::{Pointer, yaml};

/// What has the login in it.
pub(crate) struct Document {
    body: Value,
    /// How an error about it begins: what it is, and a verb.
    subject: String,
    /// Of an error about it: who must act.
    kind: ErrorKind,
}

impl Document {
    /// A server's answer.
    ///
    /// # Errors
    /// Protocol, when it is not JSON.
    pub(crate) fn from_reply(reply: &Reply) -> Result<Self, Error> {
        Ok(Self {
            body: reply.json()?,
            subject: format!("`{}` answered {}", reply.target(), reply.status()),
            kind: ErrorKind::Protocol,
        })
    }

    /// A file of the operator's.
    ///
    /// # Errors
    /// Config, when it cannot be read, or is neither JSON nor YAML.
    pub(crate) fn from_file(path: &Path) -> Result<Self, Error> {
        let text = file::read_text(path).map_err(|error| {
            error.with_hint("the profile's `exchange.file` names this file: who may read it?")
        })?;
        let body = yaml::parse(&text).map_err(|_| {
            Error::config(format!("`{}` is neither JSON nor YAML", path.display()))
                .with_hint("write {\"username\": \"...\", \"password\": \"...\"} into it")
        })?;
        Ok(Self { body, subject: format!("`{}` is", path.display()), kind: ErrorKind::Config })
    }

    /// The pod's token, which is a login by itself.
    pub(crate) fn from_pod_token() -> Self {
        Self {
            body: Value::Null,
            subject: "the pod's token came".to_owned(),
            kind: ErrorKind::Identity,
        }
    }

    /// An error about it: `what` follows the verb.
    pub(crate) fn error(&self, what: &str) -> Error {
        self.describe(Error::new(self.kind, format!("{} {what}", self.subject)))
    }

    /// `error`, which its login has, as an error about it.
    pub(crate) fn describe_login_error(&self, error: Error) -> Error {
        let what = format!("{} with a login that cannot be used", self.subject);
        self.describe(error.with_kind(self.kind).context(what))
    }

    fn describe(&self, error: Error) -> Error {
        error.with_hint(match self.kind {
            ErrorKind::Config => "check the file against `response` in the profile",
            ErrorKind::Identity => "check `response.username` in the profile",
            _ => "check `response` in the profile against what this server answers",
        })
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
    /// When there is none, with the server's own words where they repeat nothing of `sent`.
    pub(crate) fn text(&self, pointer: &Pointer, sent: &SentSecrets) -> Result<&str, Error> {
        self.find_text(pointer).ok_or_else(|| {
            let error = self.error(&format!("without a text at `{pointer}`"));
            ErrorBody::from_json(&self.body, sent).quote_below(error)
        })
    }
}
