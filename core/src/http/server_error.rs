//! One error of our own for an error answer: which server refused whom, with which status and
//! code, the server's words, and what to do.

use std::fmt::{self, Write as _};

use super::sent_secrets::{SentSecrets, WITHHELD};
use super::status::status_kind;
use crate::error::{Diagnosis, Error, ErrorKind};

/// Builds an error from an answer that is not a success.
///
/// ```text
/// error: Google's STS refused the pod `system:serviceaccount:shop:web`: HTTP 400 invalid_grant
/// caused by: `https://sts.googleapis.com/v1/token` says: the audience does not match
/// hint: check the provider's allowed audiences
/// ```
#[must_use = "it is an error only after `into_error`"]
pub struct ServerError {
    target: String,
    status: u16,
    sent: SentSecrets,
    service: Option<String>,
    subject: String,
    codes: Vec<String>,
    words: Option<String>,
    diagnosis: Option<Diagnosis>,
    unavailable_hint: Option<String>,
}

impl ServerError {
    /// For the URL `target`, which must be safe to print, and its `status`. `sent` holds what no
    /// words may repeat: [`Http::sent_secrets`](super::Http::sent_secrets).
    pub fn new(target: impl Into<String>, status: u16, sent: &SentSecrets) -> Self {
        Self {
            target: target.into(),
            status,
            sent: sent.clone(),
            service: None,
            subject: "the request".to_owned(),
            codes: Vec::new(),
            words: None,
            diagnosis: None,
            unavailable_hint: None,
        }
    }

    /// The server's usual name; without it the URL is used.
    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// Whom or what it refused, such as "the pod `...`".
    pub fn subject(mut self, subject: impl fmt::Display) -> Self {
        self.subject = subject.to_string();
        self
    }

    /// The server's error code; several are printed in sequence.
    pub fn code(mut self, code: &str) -> Self {
        if !code.trim().is_empty() {
            self.codes.push(code.to_owned());
        }
        self
    }

    /// The server's own description.
    pub fn words(mut self, words: &str) -> Self {
        self.words = Some(words.to_owned()).filter(|words| !words.trim().is_empty());
        self
    }

    /// Who must act and what to do, if the code says so; otherwise the status decides.
    pub fn diagnosis(mut self, diagnosis: impl Into<Option<Diagnosis>>) -> Self {
        self.diagnosis = diagnosis.into();
        self
    }

    /// What to do when the server has no capacity or is broken.
    pub fn unavailable_hint(mut self, hint: impl Into<String>) -> Self {
        self.unavailable_hint = Some(hint.into());
        self
    }

    /// The error.
    pub fn into_error(self) -> Error {
        let Diagnosis { kind, hint } =
            self.diagnosis.clone().unwrap_or_else(|| self.diagnosis_of_status());
        let verb = match kind {
            ErrorKind::Unavailable => "could not serve",
            _ => "refused",
        };
        let [codes, words] =
            self.sent.quote([&self.codes.join(" "), self.words.as_deref().unwrap_or_default()]);
        let target = &self.target;
        let service = self.service.unwrap_or_else(|| format!("`{target}`"));
        let mut message =
            format!("{service} {verb} {subject}: HTTP {}", self.status, subject = self.subject);
        // Where they are withheld, the words below say so once for both.
        if !codes.is_empty() && (codes != WITHHELD || words.is_empty()) {
            let _ = write!(message, " {codes}");
        }
        let error = Error::new(kind, message).with_hint(hint);
        match words.is_empty() {
            true => error,
            false => error.with_source(format!("`{target}` says: {words}")),
        }
    }

    fn diagnosis_of_status(&self) -> Diagnosis {
        let kind = status_kind(self.status);
        let hint = match (kind, &self.unavailable_hint) {
            (ErrorKind::Unavailable, Some(hint)) => hint.clone(),
            (ErrorKind::Unavailable, None) => {
                "the server is overloaded or broken; the kubelet tries the pull again later".into()
            }
            (ErrorKind::Denied, _) => {
                "check that the server knows this identity, and that the identity has access".into()
            }
            _ => "unexpected answer: check for a proxy, a login page or a wrong URL".into(),
        };
        Diagnosis { kind, hint }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16) -> ServerError {
        let sent = SentSecrets::default();
        sent.remember("hunter2-hunter2");
        ServerError::new("https://sts.example/token", status, &sent)
    }

    #[test]
    fn one_sentence_with_code_words_and_hint() {
        let refused = error(400)
            .service("the token service")
            .subject("the pod `a`")
            .code("invalid_grant")
            .words("the audience\nis wrong")
            .diagnosis(Diagnosis::new(ErrorKind::Denied, "check the audience"));
        assert_eq!(
            refused.into_error().render(),
            "error: the token service refused the pod `a`: HTTP 400 invalid_grant\n\
             caused by: `https://sts.example/token` says: the audience is wrong\n\
             hint: check the audience\n"
        );
    }

    #[test]
    fn the_status_decides_where_the_code_says_nothing() {
        for (status, kind, verb) in [
            (401, ErrorKind::Denied, "refused"),
            (503, ErrorKind::Unavailable, "could not serve"),
            (404, ErrorKind::Protocol, "refused"),
        ] {
            let error = error(status).subject("the login").into_error();
            assert_eq!(error.kind(), kind, "{status}");
            let expected = format!("`https://sts.example/token` {verb} the login: HTTP {status}");
            assert_eq!(error.to_string(), expected);
            assert!(error.hint().is_some());
        }
    }

    #[test]
    fn words_that_repeat_a_secret_take_the_code_with_them() {
        let error = error(403).code("denied hunt").words("er2-hunter2").into_error().render();
        assert!(!error.contains("hunt") && !error.contains("er2"), "{error}");
    }
}
