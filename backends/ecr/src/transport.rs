//! The SDK's way to the network: our own HTTP client, with its roots, proxies, limits and
//! redaction. Retries are the SDK's, which knows which of AWS's errors pass.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use pullpass::http::header::HeaderName;
use pullpass::http::{Http, Method, Settings};
use pullpass::{Deadline, Error, ErrorKind};
use url::Url;

use crate::endpoint::unusable;

/// With less than this left of the run, another attempt could only hide what failed.
pub(crate) const TOO_LATE: Duration = Duration::from_millis(200);

/// Our HTTP client as the SDK sees it.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    http: Http,
    deadline: Deadline,
    /// One client per set of limits, so that trust roots are read once.
    connectors: Arc<Mutex<Vec<Connector>>>,
}

impl Transport {
    pub(crate) fn new(http: Http, deadline: Deadline) -> Self {
        Self { http, deadline, connectors: Arc::default() }
    }
}

impl HttpClient for Transport {
    fn http_connector(
        &self,
        limits: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let ours = self.http.settings();
        let connect_timeout = limits.connect_timeout().unwrap_or(ours.connect_timeout);
        let settings = Settings {
            connect_timeout,
            attempt_timeout: limits
                .read_timeout()
                .map_or(ours.attempt_timeout, |read| connect_timeout + read),
            ..ours.clone()
        };
        let mut connectors = self.connectors.lock().unwrap_or_else(PoisonError::into_inner);
        let known = connectors.iter().find(|known| known.http.settings() == &settings).cloned();
        SharedHttpConnector::new(known.unwrap_or_else(|| {
            let connector =
                Connector { http: self.http.with_settings(settings), deadline: self.deadline };
            connectors.push(connector.clone());
            connector
        }))
    }
}

#[derive(Clone, Debug)]
struct Connector {
    http: Http,
    deadline: Deadline,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { http, deadline } = self.clone();
        HttpConnectorFuture::new(async move {
            send(&http, request).await.map_err(|error| {
                let passes = error.kind() == ErrorKind::Unavailable;
                let error = Box::new(error);
                match passes && deadline.remaining() > TOO_LATE {
                    true => ConnectorError::io(error),
                    false => ConnectorError::user(error),
                }
            })
        })
    }
}

/// Which URL answered, without its query: for messages.
#[derive(Clone, Debug)]
pub(crate) struct AnsweredBy(pub(crate) String);

async fn send(http: &Http, request: HttpRequest) -> Result<HttpResponse, Error> {
    let url = Url::parse(request.uri()).map_err(|_| unusable())?;
    let method = Method::from_bytes(request.method().as_bytes()).map_err(|_| unusable())?;
    // Plain HTTP is for metadata services and for addresses that the operator named.
    let mut call = http.request(method, url).plain_http().once();
    for (name, value) in request.headers() {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable())?;
        call = call.header(name, value);
    }
    if let Some(body) = request.body().bytes() {
        call = call.body(body);
    }
    let reply = call.send().await?;
    let broken = || Error::protocol(format!("`{}` answered with odd headers", reply.target()));
    let status = reply.status().try_into().map_err(|_| broken())?;
    let mut response = HttpResponse::new(status, SdkBody::from(reply.body().to_vec()));
    for (name, value) in reply.headers() {
        if let Ok(value) = value.to_str() {
            response
                .headers_mut()
                .try_append(name.as_str().to_owned(), value.to_owned())
                .map_err(|_| broken())?;
        }
    }
    response.add_extension(AnsweredBy(reply.target().to_owned()));
    Ok(response)
}
