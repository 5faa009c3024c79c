//! How servers are reached.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pullpass::http::{HttpConfig, ProxyMode};
use pullpass::{ClientCertificate, Roots};

use super::field::Span;
use super::raw::RawHttp;

/// The most attempts after the first.
const MAX_RETRIES: u32 = 10;

impl RawHttp {
    /// The settings of the HTTP client. Relative paths start at `folder`.
    ///
    /// # Errors
    /// The field of `http` that is out of range, or a key without a certificate.
    pub(super) fn compile(self, folder: &Path) -> Result<HttpConfig, String> {
        let defaults = HttpConfig::default();
        let retries = self.retries.unwrap_or(defaults.retries);
        if retries > MAX_RETRIES {
            return Err(format!("`http.retries` is at most {MAX_RETRIES}"));
        }
        let timeout = resolve_limit("timeout", self.timeout, defaults.timeout)?;
        let path = |file: PathBuf| folder.join(file);
        let client_certificate = match (self.client_cert_file, self.client_key_file) {
            (None, None) => None,
            (Some(file), key) => {
                let key = key.unwrap_or_else(|| file.clone());
                Some(ClientCertificate { certificate: path(file), key: path(key) })
            }
            (None, Some(_)) => {
                return Err("`http.clientKeyFile` needs `http.clientCertFile`".to_owned());
            }
        };
        Ok(HttpConfig {
            roots: self
                .ca_file
                .map_or(Roots::System, |file| Roots::Only { file: path(file), named_by: "caFile" }),
            client_certificate,
            proxy: self.proxy.map_or(ProxyMode::Inherit, |proxy| proxy.0),
            connect_timeout: resolve_limit(
                "connectTimeout",
                self.connect_timeout,
                defaults.connect_timeout,
            )?,
            // Without a second attempt the first may have all of the time.
            attempt_timeout: if retries == 0 { timeout } else { defaults.attempt_timeout },
            timeout,
            retries,
            ..defaults
        })
    }
}

/// A time limit of the file, or the default.
fn resolve_limit(name: &str, span: Option<Span>, default: Duration) -> Result<Duration, String> {
    match span.map(|span| span.0) {
        Some(Duration::ZERO) => Err(format!("`http.{name}` must be more than 0s")),
        Some(limit) => Ok(limit),
        None => Ok(default),
    }
}
