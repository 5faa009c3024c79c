//! Calls of a judge by the test itself, from inside a runtime or not.

use std::thread;

use reqwest::RequestBuilder;
use serde_json::Value;
use tokio::runtime::Builder;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header `WWW-Authenticate`, if there was one.
    pub challenge: Option<String>,
    /// The whole body.
    pub text: String,
}

impl Answer {
    /// Sends the request.
    pub fn to(request: RequestBuilder) -> Self {
        let exchange = async {
            let response = request.send().await.unwrap();
            let status = response.status().as_u16();
            let challenge = response.headers().get("www-authenticate");
            let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
            Self { status, challenge, text: response.text().await.unwrap() }
        };
        // In a thread of its own: the caller may be inside a runtime, or not.
        thread::scope(|scope| {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            scope.spawn(move || runtime.block_on(exchange)).join().unwrap()
        })
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text))
    }

    /// Status, and `error` of an OAuth 2.0 refusal.
    pub fn refusal(&self) -> (u16, String) {
        let error = self.json()["error"].as_str().unwrap_or("no error").to_owned();
        (self.status, error)
    }

    /// The `access_token` of an answer that is good.
    pub fn access_token(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()["access_token"].as_str().expect("an access token").to_owned()
    }
}
