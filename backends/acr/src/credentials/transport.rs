//! The transport of Azure's crate: our own HTTP client, with its roots, proxies, limits,
//! retries and redaction.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use azure_core::http::headers::{HeaderName as AzureName, Headers};
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request, StatusCode};
use pullpass::http::header::HeaderName;
use pullpass::http::{Http, Method, Reply};
use pullpass::{Context, Error};

/// Our HTTP client as Azure's crate sees it.
#[derive(Clone)]
pub(super) struct HttpTransport {
    http: Http,
    last: Arc<Mutex<Option<Arc<Reply>>>>,
}

impl HttpTransport {
    pub(super) fn new(cx: &Context) -> Self {
        Self { http: cx.http.clone(), last: Arc::default() }
    }

    /// The last answer.
    pub(super) fn last(&self) -> Option<Arc<Reply>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn send(&self, request: &Request) -> Result<AsyncRawResponse, Error> {
        let unusable = || Error::config("the request to Entra cannot be expressed in HTTP");
        let method =
            Method::from_bytes(request.method().as_str().as_bytes()).map_err(|_| unusable())?;
        let mut call = self.http.request(method, request.url().clone());
        for (name, value) in request.headers().iter() {
            let name = HeaderName::from_bytes(name.as_str().as_bytes()).map_err(|_| unusable())?;
            call = call.header(name, value.as_str());
        }
        call = match request.body() {
            Body::Bytes(bytes) => call.body(bytes.to_vec()),
            Body::SeekableStream(_) => return Err(unusable()),
        };
        let reply = call.send().await?;
        let mut headers = Headers::new();
        for (name, value) in reply.headers() {
            if let Ok(value) = value.to_str() {
                headers.insert(AzureName::from(name.as_str().to_owned()), value.to_owned());
            }
        }
        let response = AsyncRawResponse::from_bytes(
            StatusCode::from(reply.status()),
            headers,
            reply.body().to_vec(),
        );
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(reply));
        Ok(response)
    }
}

#[pullpass::async_trait]
impl HttpClient for HttpTransport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        self.send(request)
            .await
            .map_err(|error| azure_core::Error::new(azure_core::error::ErrorKind::Other, error))
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpTransport")
    }
}
