//! HTTP/1.1 as far as the servers of the bench speak it: one call, one connection.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::Result;

pub(super) struct Client {
    root: PathBuf,
    tls: OnceLock<Arc<ClientConfig>>,
}

impl Client {
    /// A client that trusts the certificate in this file, which is read before the first TLS call.
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, tls: OnceLock::new() }
    }

    pub(super) fn get(&self, url: &str, headers: &[(&str, &str)]) -> Result<String> {
        self.call("GET", url, headers, "")
    }

    pub(super) fn post(&self, url: &str, headers: &[(&str, &str)], body: &str) -> Result<String> {
        self.call("POST", url, headers, body)
    }

    pub(super) fn post_form(&self, url: &str, body: &str) -> Result<String> {
        self.post(url, &[("content-type", "application/x-www-form-urlencoded")], body)
    }

    /// The body of a successful answer.
    pub(super) fn call(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<String> {
        let (scheme, rest) = url.split_once("://").ok_or("no URL")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = if path.is_empty() { "/" } else { path };
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {authority}\r\ncontent-length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            request.extend([name, ": ", value, "\r\n"]);
        }
        request.extend(["\r\n", body]);
        let stream = TcpStream::connect(authority)?;
        stream.set_nodelay(true)?;
        if scheme == "http" {
            return answer(stream, &request);
        }
        let host = authority.split(':').next().unwrap_or_default().to_owned();
        let tls = ClientConnection::new(self.tls()?, ServerName::try_from(host)?)?;
        answer(StreamOwned::new(tls, stream), &request)
    }

    fn tls(&self) -> Result<Arc<ClientConfig>> {
        if let Some(config) = self.tls.get() {
            return Ok(Arc::clone(config));
        }
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&fs::read(&self.root)?)?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(Arc::clone(self.tls.get_or_init(|| Arc::new(config))))
    }
}

/// A form's body.
pub(super) fn form(fields: &[(&str, &str)]) -> String {
    let mut form = String::new();
    for (name, value) in fields {
        if !form.is_empty() {
            form.push('&');
        }
        form.extend([name, "="]);
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                    form.push(char::from(byte));
                }
                _ => form.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    form
}

fn answer(mut stream: impl Read + Write, request: &str) -> Result<String> {
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer)?;
        answer.extend_from_slice(&buffer[..count]);
        let text = str::from_utf8(&answer)?;
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        let length = head.split_once("content-length: ").ok_or("no length")?.1;
        if body.len() < length.lines().next().unwrap_or_default().parse()? && count > 0 {
            continue;
        }
        return match head.split(' ').nth(1) {
            Some("200") => Ok(body.to_owned()),
            _ => Err(text.into()),
        };
    }
}
