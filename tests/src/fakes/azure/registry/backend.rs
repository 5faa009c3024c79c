//! The program of a registry that has images: a `docker-registry`, which checks the tokens.

use std::net::SocketAddr;

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Request;

impl Request<'_> {
    /// Asks it, and hands its answer on as it is.
    pub(super) async fn forward(&self, address: SocketAddr) -> Response {
        let received = self.received;
        if ![Method::GET, Method::HEAD].contains(&received.method) {
            return StatusCode::METHOD_NOT_ALLOWED.into_response();
        }
        let mut headers = received.headers.clone();
        headers.remove(header::HOST);
        headers.remove(header::CONNECTION);
        let url = format!("http://{address}{}", received.uri);
        let request = self.azure.0.client.request(received.method.clone(), url).headers(headers);
        let Ok(answer) = request.send().await else {
            return StatusCode::BAD_GATEWAY.into_response();
        };
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        self.azure.log().update(self.id, |call| call.status = Some(status.as_u16()));
        headers.remove(header::TRANSFER_ENCODING);
        headers.remove(header::CONNECTION);
        // An answer to HEAD says the length of what it leaves out.
        let body = match received.method {
            Method::HEAD => Body::empty(),
            _ => Body::from(answer.bytes().await.unwrap_or_default()),
        };
        let mut response = (status, body).into_response();
        *response.headers_mut() = headers;
        response
    }
}
