//! A service that refuses every caller, with words that repeat the secret it was sent, in any
//! encoding.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::canned::Answer;
use super::received::Received;
use crate::jwt;

/// Where a request has its secret.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// A field of the form.
    Form(&'static str),
    /// A field of a JSON object.
    Json(&'static str),
    /// A header; of `Authorization` what follows the scheme.
    Header(&'static str),
    /// A whole header: agents of containers expect a bare token in `Authorization`.
    Whole(&'static str),
    /// The signature in AWS's `Authorization` header.
    Signature,
    /// The password of a Basic header.
    Password,
}

/// A refusal in a service's own form, of two texts: what it has for a code, and for a sentence.
pub type Refusal = fn(&str, &str) -> (u16, &'static str, String);

/// What a call without the secret gets, with 200: a body and a header, such as a metadata service's
/// own token and its lifetime.
pub type Preface = (&'static str, (&'static str, &'static str));

/// How a secret is written down: in those two texts.
pub type Words = Box<dyn Fn(&str) -> (String, String) + Send>;

/// The service.
#[derive(Clone)]
pub struct Echo(Arc<Shared>);

struct Shared {
    place: Place,
    refusal: Refusal,
    preface: Preface,
    words: Mutex<Words>,
    sent: Mutex<Vec<String>>,
}

impl Echo {
    /// Looks for the secret at that place and refuses in that form.
    pub fn new(place: Place, refusal: Refusal) -> Self {
        Self::with_preface(place, refusal, ("{}", ("x-preface", "none")))
    }

    /// The same for a service that must be asked for something else before.
    pub fn with_preface(place: Place, refusal: Refusal, preface: Preface) -> Self {
        let words: Words = Box::new(|secret| ("refused".to_owned(), secret.to_owned()));
        let (words, sent) = (Mutex::new(words), Mutex::default());
        Self(Arc::new(Shared { place, refusal, preface, words, sent }))
    }

    /// Writes secrets like this from now on.
    pub fn set_words(&self, words: Words) {
        *self.0.words.lock().unwrap() = words;
    }

    /// The secrets that came since the last call of this, each once.
    pub fn take_sent(&self) -> Vec<String> {
        let mut sent = std::mem::take(&mut *self.0.sent.lock().unwrap());
        sent.dedup();
        sent
    }

    /// What to serve, whatever the path.
    pub fn router(&self) -> Router {
        Router::new().fallback(answer).with_state(self.clone())
    }
}

async fn answer(State(Echo(shared)): State<Echo>, received: Received) -> Response {
    let answer = match shared.place.secret(&received) {
        None => {
            let (body, (name, value)) = shared.preface;
            Answer::new(200, "text/plain", body).with_header(name, value)
        }
        Some(secret) => {
            let (code, sentence) = (shared.words.lock().unwrap())(&secret);
            shared.sent.lock().unwrap().push(secret);
            let (status, content_type, body) = (shared.refusal)(&code, &sentence);
            Answer::new(status, content_type, body)
        }
    };
    answer.dressed(jwt::now(), Vec::new())
}

impl Place {
    fn secret(self, received: &Received) -> Option<String> {
        match self {
            Self::Form(name) => {
                let (form, _) = received.form();
                form.value(name).map(str::to_owned)
            }
            Self::Json(name) => {
                let body: Value = serde_json::from_slice(&received.body).ok()?;
                body[name].as_str().map(str::to_owned)
            }
            Self::Header("authorization") => {
                let value = received.text("authorization")?;
                Some(value.split_once(' ').map_or(value, |(_, rest)| rest).to_owned())
            }
            Self::Signature => {
                let (_, signature) = received.text("authorization")?.rsplit_once("Signature=")?;
                Some(signature.to_owned())
            }
            Self::Header(name) | Self::Whole(name) => received.text(name).map(str::to_owned),
            Self::Password => {
                let value = received.text("authorization")?.strip_prefix("Basic ")?;
                let pair = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
                pair.split_once(':').map(|(_, password)| password.to_owned())
            }
        }
    }
}
