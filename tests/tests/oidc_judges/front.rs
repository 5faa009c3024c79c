//! The name and the TLS of a judge that speaks plain HTTP, which notes what passes.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use pullpass_tests::leaks::Secrets;
use pullpass_tests::plugin::PluginRun;
use pullpass_tests::server::Server;
use pullpass_tests::tls::plain_client;
use pullpass_tests::world::World;
use serde_json::Value;
use url::form_urlencoded;

/// What a judge's answers may hold that must not be printed.
const SECRET_FIELDS: [&str; 5] =
    ["access_token", "refresh_token", "id_token", "client_token", "accessor"];

/// A judge under its name; gone when dropped.
pub(crate) struct Front {
    _server: Server,
    shared: Arc<Shared>,
}

struct Shared {
    judge: SocketAddr,
    calls: Mutex<Vec<Call>>,
    loses_answers: AtomicBool,
}

/// A request, and what the judge said.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// The scheme of `Authorization`.
    pub(crate) authorization: Option<String>,
    /// Of a form, in its order.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) status: u16,
    answer: Value,
}

impl Call {
    /// The form's names, in their order.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.fields.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The one value of that name.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "`{name}` stands there twice");
        value
    }
}

impl Front {
    /// Puts `judge` at a place.
    pub(crate) fn start(world: &World, place: &str, judge: SocketAddr) -> Self {
        let loses_answers = AtomicBool::new(false);
        let shared = Arc::new(Shared { judge, calls: Mutex::default(), loses_answers });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        Self { _server: world.https(place, router), shared }
    }

    /// All calls so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap().clone()
    }

    /// What `work` came to, and its calls.
    pub(crate) fn calls_of<T>(&self, work: impl FnOnce() -> T) -> (T, Vec<Call>) {
        let before = self.calls().len();
        let done = work();
        (done, self.calls().split_off(before))
    }

    /// From now on the judge does its work, and what it says is lost on the way back.
    pub(crate) fn loses_answers(&self, loses: bool) {
        self.shared.loses_answers.store(loses, Ordering::Relaxed);
    }

    /// Nothing that the judge ever handed out shows, but for a login's password in its place.
    pub(crate) fn assert_no_leak(&self, run: &PluginRun) {
        let mut secrets = Secrets::default();
        for call in self.calls() {
            add(&mut secrets, &call.answer);
        }
        let stdout = String::from_utf8_lossy(&run.stdout);
        assert!(secrets.found_in(&run.stderr).is_empty(), "the judge's answer is in the log");
        assert!(secrets.found_in_response(&stdout).is_empty(), "the judge's answer is on stdout");
    }
}

fn add(secrets: &mut Secrets, answer: &Value) {
    for (name, value) in answer.as_object().into_iter().flatten() {
        match value {
            Value::String(text) if SECRET_FIELDS.contains(&name.as_str()) => {
                secrets.add(name, text);
            }
            value => add(secrets, value),
        }
    }
}

async fn pass(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    mut headers: HeaderMap,
    body: Bytes,
) -> Response {
    let authorization = headers
        .get(header::AUTHORIZATION)
        .map(|value| value.to_str().unwrap().split(' ').next().unwrap_or_default().to_owned());
    headers.remove(header::CONNECTION);
    headers.remove(header::CONTENT_LENGTH);
    let request = plain_client()
        .request(method.clone(), format!("http://{}{uri}", shared.judge))
        .headers(headers)
        .body(body.clone());
    let reply = request.send().await.unwrap();
    let (status, mut headers) = (reply.status(), reply.headers().clone());
    let answer = reply.bytes().await.unwrap();
    shared.calls.lock().unwrap().push(Call {
        method,
        path: uri.path().to_owned(),
        authorization,
        fields: form_urlencoded::parse(&body).into_owned().collect(),
        status: status.as_u16(),
        answer: serde_json::from_slice(&answer).unwrap_or_default(),
    });
    if shared.loses_answers.load(Ordering::Relaxed) {
        return (StatusCode::BAD_GATEWAY, "upstream went away").into_response();
    }
    for name in [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING] {
        headers.remove(name);
    }
    (status, headers, answer).into_response()
}
