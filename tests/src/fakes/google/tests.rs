//! Right and wrong calls of every service, over loopback.

mod canned;
mod iam;
mod judged;
mod metadata;
mod oauth;
mod sts;

use reqwest::RequestBuilder;
use serde_json::Value;

use super::{CLOUD_PLATFORM, Canned, GOOGLE, Google, Provider, Service};
use crate::issuer::Issuer;
use crate::server::{Server, Socket};
use crate::tls::{TestCa, plain_client};

const NUMBER: &str = "123456789012";
const NODE: &str = "node@contoso.iam.gserviceaccount.com";

/// A Google, a cluster, and a provider that trusts it.
struct Fixture {
    google: Google,
    issuer: Issuer,
    provider: Provider,
}

impl Fixture {
    fn new() -> Self {
        // A pool trusts https only.
        let ca = TestCa::new();
        let google = Google::new(ca.client());
        let issuer = Issuer::start(Some(&ca));
        let provider = Provider::new(NUMBER, "clusters", "one", issuer.url());
        let provider = google.add_provider(provider);
        Self { google, issuer, provider }
    }

    /// The last call's `error`.
    fn reason(&self) -> String {
        self.google.calls().pop().and_then(|call| call.error).unwrap_or_default()
    }
}

fn serve(router: axum::Router) -> Server {
    Socket::bind(None).serve(router)
}

/// Status, and the body as JSON, or as text if it is not JSON.
async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// The fields with one changed, or left out.
fn with(form: &[(String, String)], name: &str, value: Option<&str>) -> Vec<(String, String)> {
    let others = form.iter().filter(|(key, _)| key != name).cloned();
    others.chain(value.map(|value| (name.to_owned(), value.to_owned()))).collect()
}
