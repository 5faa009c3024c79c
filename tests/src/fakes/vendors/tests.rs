//! Every dialect takes the right request and refuses the wrong ones: a fake that lets everything
//! pass proves nothing.

mod canned;
mod clients;
mod forms;
mod json;
mod lifetimes;
mod oauth;
mod vault;

use reqwest::RequestBuilder;
use serde_json::Value;

use super::{Dialect, Settings, Vendor};
use crate::issuer::Issuer;
use crate::jwt;
use crate::tls::plain_client;

const AUDIENCE: &str = "exchange.example";

/// A vendor that believes a cluster.
struct Fixture {
    issuer: Issuer,
    vendor: Vendor,
}

impl Fixture {
    fn new(dialect: Dialect) -> Self {
        Self::with(dialect, |_| {})
    }

    fn with(dialect: Dialect, change: impl FnOnce(&mut Settings<'_>)) -> Self {
        let issuer = Issuer::start(None);
        let mut settings = Settings::new(dialect, &issuer, AUDIENCE);
        change(&mut settings);
        let vendor = Vendor::start(settings, None);
        Self { issuer, vendor }
    }

    fn token(&self) -> String {
        self.issuer.token(self.vendor.audience()).build()
    }

    fn post(&self) -> RequestBuilder {
        plain_client().post(self.vendor.endpoint())
    }

    /// Sends the right request and then the same with every kind of spoilt token, which must be
    /// answered with one of these statuses, in the vendor's shape. Hands back the first answer.
    async fn judge(
        &self,
        request: impl Fn(&str) -> RequestBuilder,
        refused: &[u16],
        shape: impl Fn(&Value) -> bool,
    ) -> Value {
        let before = self.vendor.passwords().len();
        let good = self.token();
        let (status, right) = answer(request(&good)).await;
        assert!([200, 201].contains(&status), "{status} {right} {:?}", self.vendor.last_call());
        let call = self.vendor.last_call();
        assert_eq!(call.status, Some(status));
        assert_eq!(call.violations, Vec::<String>::new());
        assert_eq!(call.subject.as_deref(), Some("system:serviceaccount:demo:web"));
        let (_, again) = answer(request(&self.token())).await;
        let passwords = self.vendor.passwords();
        assert_eq!(passwords.len(), before + 2);
        assert!(right.to_string().contains(&passwords[before].value));
        assert!(again.to_string().contains(&passwords[before + 1].value));
        assert_ne!(passwords[before].value, passwords[before + 1].value);

        let here = self.vendor.audience();
        let spoilt = [
            jwt::tampered(&good),
            self.issuer.token("other.example").build(),
            self.issuer.token(here).expired().build(),
            self.issuer.token(here).not_before(300).build(),
            self.issuer.token(here).signed_by_stranger().build(),
            self.issuer.token(here).forged().build(),
            self.issuer.token(here).issued_by("https://evil.example").build(),
            self.issuer.token(here).service_account("kube-system", "admin").build(),
            Issuer::start(None).token(here).build(),
            "no-token".to_owned(),
        ];
        for (number, token) in spoilt.iter().enumerate() {
            let (status, body) = answer(request(token)).await;
            assert!(refused.contains(&status), "token {number}: {status} {body}");
            assert!(shape(&body), "token {number}: {body}");
            assert!(self.vendor.last_call().error.is_some());
            assert!(!body.to_string().contains(token.as_str()), "it repeats the token");
        }
        assert_eq!(self.vendor.passwords().len(), before + 2, "a password for a spoilt token");
        let log = format!("{:?}", self.vendor.calls());
        assert!(!log.contains(&good), "the log holds the token");
        assert!(passwords.iter().all(|password| !log.contains(&password.value)));
        right
    }

    /// A request that must be refused with that status.
    async fn refuses(&self, request: RequestBuilder, status: u16) -> Value {
        let before = self.vendor.passwords().len();
        let (got, body) = answer(request).await;
        assert_eq!(got, status, "{body} {:?}", self.vendor.last_call());
        assert_eq!(self.vendor.passwords().len(), before);
        body
    }
}

/// Status, and the body as JSON, or as text if it is not JSON.
async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

type Fields = Vec<(String, String)>;

fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The fields with one changed, or left out.
fn with(form: &Fields, name: &str, value: Option<&str>) -> Fields {
    let others = form.iter().filter(|(key, _)| key != name).cloned();
    others.chain(value.map(|value| (name.to_owned(), value.to_owned()))).collect()
}

/// The object with one member changed, or left out.
fn changed(body: &Value, name: &str, value: Option<Value>) -> Value {
    let mut body = body.clone();
    let members = body.as_object_mut().unwrap();
    match value {
        Some(value) => members.insert(name.to_owned(), value),
        None => members.remove(name),
    };
    body
}

/// `{error, ...}` of RFC 6749 with that code.
fn oauth_error(body: &Value, code: &str) -> bool {
    body["error"] == code
}

/// The `exp - iat` of a JWT.
fn lifetime_of(token: &Value) -> i64 {
    let (_, claims) = jwt::parts(token.as_str().unwrap()).unwrap();
    claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap()
}
