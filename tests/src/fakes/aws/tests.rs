//! Right and wrong calls of every service, over loopback. Requests are signed by the SDK's signer,
//! not by our own code.

mod containers;
mod ecr;
mod imds;
mod sts;
mod web_identity;

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials as Identity;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use reqwest::Response;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::*;
use crate::server::{Server, Socket};
use crate::tls::plain_client;

pub(super) const ACCOUNT: &str = "123456789012";

pub(super) fn user(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:user/{name}")
}

pub(super) fn role(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

/// A server, and which of its names is called.
pub(super) struct Api {
    server: Server,
    host: Option<String>,
    region: String,
    service: &'static str,
}

impl Api {
    /// The endpoint under its own name.
    pub(super) fn named(aws: &Aws, host: &str) -> Self {
        let endpoint = Endpoint::parse(host).unwrap();
        let (region, service) = (endpoint.region.clone(), endpoint.service.signing_name());
        let server = Socket::bind(None).serve(aws.router());
        Self { server, host: Some(host.to_owned()), region, service }
    }

    /// The endpoint under the address of a loopback server.
    pub(super) fn at(aws: &Aws, service: Service, region: &str) -> Self {
        let endpoint = Endpoint::new(service, region);
        let server = Socket::bind(None).serve(aws.router_at(endpoint));
        let (region, service) = (region.to_owned(), service.signing_name());
        Self { server, host: None, region, service }
    }

    /// A POST, to be signed or not.
    pub(super) fn post(&self, headers: &[(&str, &str)], body: &str) -> Post<'_> {
        let mut headers: Vec<(String, String)> =
            headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        headers.extend(self.host.clone().map(|host| ("host".to_owned(), host)));
        let (region, service) = (self.region.clone(), self.service);
        let body = body.to_owned();
        Post { api: self, headers, body, region, service, offset: 0, arrives_at: None }
    }

    /// `GetAuthorizationToken` of ECR or ECR Public with this body.
    pub(super) fn token_call(&self, body: &str) -> Post<'_> {
        let target = match self.service {
            "ecr" => "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
            _ => "SpencerFrontendService.GetAuthorizationToken",
        };
        let json = ("content-type", "application/x-amz-json-1.1");
        self.post(&[json, ("x-amz-target", target)], body)
    }

    /// A form.
    pub(super) fn form(&self, fields: &[(&str, &str)]) -> Post<'_> {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(fields).finish();
        self.post(&[("content-type", "application/x-www-form-urlencoded")], &body)
    }
}

/// Builds a request.
pub(super) struct Post<'a> {
    api: &'a Api,
    headers: Vec<(String, String)>,
    body: String,
    region: String,
    service: &'static str,
    offset: i64,
    arrives_at: Option<&'static str>,
}

impl Post<'_> {
    /// Signed for another region.
    pub(super) fn region(mut self, region: &str) -> Self {
        self.region = region.to_owned();
        self
    }

    /// Signed for another service.
    pub(super) fn service(mut self, service: &'static str) -> Self {
        self.service = service;
        self
    }

    /// By a clock that is so many seconds ahead.
    pub(super) fn offset(mut self, seconds: i64) -> Self {
        self.offset = seconds;
        self
    }

    /// Sent to another name than it is signed for.
    pub(super) fn arrives_at(mut self, host: &'static str) -> Self {
        self.arrives_at = Some(host);
        self
    }

    /// Signs and sends it.
    pub(super) async fn signed(mut self, keys: &Credentials) -> Answer {
        let identity = Identity::new(
            &keys.access_key_id,
            &keys.secret_access_key,
            keys.session_token.clone(),
            None,
            "test",
        )
        .into();
        let shift = Duration::from_secs(self.offset.unsigned_abs());
        let now = SystemTime::now();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service)
            .time(if self.offset < 0 { now - shift } else { now + shift })
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let url = format!("{}/", self.api.server.url());
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let body = SignableBody::Bytes(self.body.as_bytes());
        let request = SignableRequest::new("POST", &url, headers, body).unwrap();
        let (instructions, _) = sign(request, &params).unwrap().into_parts();
        for (name, value) in instructions.headers() {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
        self.unsigned().await
    }

    /// Sends it as it is.
    pub(super) async fn unsigned(self) -> Answer {
        let mut request = plain_client().post(format!("{}/", self.api.server.url()));
        for (name, value) in &self.headers {
            let redirected = self.arrives_at.filter(|_| name == "host");
            request = request.header(name, redirected.unwrap_or(value));
        }
        Answer::read(request.body(self.body).send().await.unwrap()).await
    }
}

/// An answer, read to its end.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    pub(super) async fn read(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, body: response.text().await.unwrap() }
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(super) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/x-amz-json-1.1");
        serde_json::from_str(&self.body).unwrap()
    }

    /// Status and code of a JSON error.
    pub(super) fn error(&self) -> (u16, String) {
        let code = self.json()["__type"].as_str().unwrap_or_default().to_owned();
        (self.status, code)
    }

    /// Status, code and message of an XML error.
    pub(super) fn xml_error(&self) -> (u16, &str, &str) {
        assert_eq!(self.header("content-type"), "text/xml");
        (self.status, self.element("Code"), self.element("Message"))
    }

    /// The text of the first element of that name.
    pub(super) fn element(&self, name: &str) -> &str {
        let start = format!("<{name}>");
        let (_, rest) = self.body.split_once(&start).unwrap_or_else(|| {
            panic!("no `{name}` in {}", self.body);
        });
        rest.split('<').next().unwrap()
    }
}
