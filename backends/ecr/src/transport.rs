//! The SDK's transport: our own HTTP client, with its roots, proxies, limits and
//! redaction. The SDK retries, since it knows which of AWS's errors are transient.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use pullpass::http::header::HeaderName;
use pullpass::http::{Http, HttpConfig, Method, Plaintext, RequestBuilder, status_kind};
use pullpass::secrecy::SecretString;
use pullpass::url::{Url, form_urlencoded};
use pullpass::{Deadline, Error, ErrorKind};

use crate::endpoint::invalid_endpoint;

/// With less than this left of the run, another attempt could only hide what failed.
pub(crate) const TOO_LATE: Duration = Duration::from_millis(200);

/// Our HTTP client as the SDK sees it.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    shared: Arc<Shared>,
    /// One client per set of limits, so that trust roots are read once.
    connectors: Arc<Mutex<Vec<Connector>>>,
}

/// What all clients share.
#[derive(Debug)]
struct Shared {
    /// The client with our limits, which calls the registry's API.
    http: Http,
    registry_api: OnceLock<Url>,
    deadline: Deadline,
    /// Why the last attempt must be repeated: reported when no time is left for that.
    last: Mutex<Option<Error>>,
}

impl Transport {
    pub(crate) fn new(http: Http, deadline: Deadline) -> Self {
        let (registry_api, last) = (OnceLock::new(), Mutex::default());
        let shared = Arc::new(Shared { http, registry_api, deadline, last });
        Self { shared, connectors: Arc::default() }
    }

    /// Says where the registry's API is. The connection to it is opened while a call to another
    /// server is pending.
    pub(crate) fn set_registry_api(&self, url: Url) {
        let _ = self.shared.registry_api.set(url);
    }

    /// The SDK's pauses, which all end before the run does.
    pub(crate) fn sleep(&self) -> BoundedSleep {
        BoundedSleep(self.shared.deadline)
    }
}

impl HttpClient for Transport {
    fn http_connector(
        &self,
        limits: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let http = &self.shared.http;
        let ours = http.config();
        let connect_timeout = limits.connect_timeout().unwrap_or(ours.connect_timeout);
        let config = HttpConfig {
            connect_timeout,
            attempt_timeout: limits
                .read_timeout()
                .map_or(ours.attempt_timeout, |read| connect_timeout + read),
            ..ours.clone()
        };
        let mut connectors = self.connectors.lock().unwrap_or_else(PoisonError::into_inner);
        let known = connectors.iter().find(|known| known.http.config() == &config).cloned();
        SharedHttpConnector::new(known.unwrap_or_else(|| {
            let http = match &config == ours {
                true => http.clone(),
                false => http.with_config(config),
            };
            let connector = Connector { http, shared: Arc::clone(&self.shared) };
            connectors.push(connector.clone());
            connector
        }))
    }
}

#[derive(Clone, Debug)]
struct Connector {
    http: Http,
    shared: Arc<Shared>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { http, shared } = self.clone();
        let before = shared.last().take();
        HttpConnectorFuture::new(async move {
            if let Some(before) = before
                && shared.deadline.remaining() <= TOO_LATE
            {
                return Err(ConnectorError::user(Box::new(before)));
            }
            match shared.send(&http, request).await {
                Ok(response) if is_transient(response.status().as_u16()) => {
                    let url = response.extension::<ResponseUrl>().map_or("AWS", |by| &by.0);
                    *shared.last() = Some(Error::unavailable(format!(
                        "`{url}` answered {}, and no time was left for another attempt",
                        response.status().as_u16()
                    )));
                    Ok(response)
                }
                Ok(response) => Ok(response),
                Err(error) => {
                    let passes = error.kind() == ErrorKind::Unavailable;
                    *shared.last() = Some(error.clone());
                    Err(match passes && shared.deadline.remaining() > TOO_LATE {
                        true => ConnectorError::io(Box::new(error)),
                        false => ConnectorError::user(Box::new(error)),
                    })
                }
            }
        })
    }
}

impl Shared {
    fn last(&self) -> MutexGuard<'_, Option<Error>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self, http: &Http, request: HttpRequest) -> Result<HttpResponse, Error> {
        let url = Url::parse(request.uri()).map_err(|_| invalid_endpoint())?;
        if let Some(api) = self.registry_api.get()
            && api.origin() != url.origin()
        {
            self.http.preconnect(api);
        }
        send(http, url, request).await
    }
}

/// Whether another attempt may succeed, by the status.
fn is_transient(status: u16) -> bool {
    status_kind(status) == ErrorKind::Unavailable
}

/// The statuses that the SDK does not repeat by itself.
#[derive(Debug)]
pub(crate) struct RetryStatuses;

impl ClassifyRetry for RetryStatuses {
    fn name(&self) -> &'static str {
        "408 and 429"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response().map(|response| response.status().as_u16()) {
            Some(408) => RetryAction::transient_error(),
            Some(429) => RetryAction::throttling_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }
}

/// Ends a pause that would outlast the run a little before its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BoundedSleep(Deadline);

impl AsyncSleep for BoundedSleep {
    fn sleep(&self, pause: Duration) -> Sleep {
        let left = self.0.remaining().saturating_sub(Duration::from_millis(20));
        Sleep::new(tokio::time::sleep(pause.min(left)))
    }
}

/// The URL that answered, without its query: for messages.
#[derive(Clone, Debug)]
pub(crate) struct ResponseUrl(pub(crate) String);

async fn send(http: &Http, url: Url, request: HttpRequest) -> Result<HttpResponse, Error> {
    let method = Method::from_bytes(request.method().as_bytes()).map_err(|_| invalid_endpoint())?;
    let query = url.query().map(SecretString::from);
    let mut call = http.request(method, url).once().plaintext(Plaintext::Metadata);
    // The operator may have put a password into the URL of an agent.
    call = query.iter().fold(call, RequestBuilder::secret);
    for (name, value) in request.headers() {
        let is_secret = is_secret_header(name, value);
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid_endpoint())?;
        call = match is_secret {
            true => call.secret_header(name, &value.into()),
            false => call.header(name, value),
        };
    }
    if let Some(body) = request.body().bytes() {
        call = web_identity_token(body).iter().fold(call, RequestBuilder::secret).body(body);
    }
    let reply = call.send().await?;
    let broken = || {
        Error::protocol(format!("`{}` answered with headers that are not valid", reply.target()))
    };
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
    response.add_extension(ResponseUrl(reply.target().to_owned()));
    Ok(response)
}

/// Whether the whole value of a header is a secret. The client itself knows the secret part of
/// an AWS signature.
fn is_secret_header(name: &str, value: &str) -> bool {
    match name {
        "x-amz-security-token" | "x-aws-ec2-metadata-token" => true,
        "authorization" => !value.starts_with("AWS4-"),
        _ => false,
    }
}

/// The token in a call of `AssumeRoleWithWebIdentity`. The pod's is known to be secret, that of
/// the node's own file is not.
fn web_identity_token(body: &[u8]) -> Option<SecretString> {
    let mut fields = form_urlencoded::parse(body);
    let token = fields.find(|(name, _)| name == "WebIdentityToken");
    token.map(|(_, token)| token.into_owned().into())
}
