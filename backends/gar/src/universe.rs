//! Google's clouds: the public one, and those that partners run under their own domains.
//!
//! Source: Google Cloud Dedicated, "Universe domain"; AIP-4117 for audiences.

use pullpass::Error;
use pullpass::text::is_dns_label;
use url::Url;

/// The public cloud's domain.
const PUBLIC: &str = "googleapis.com";

/// A Google cloud, by the domain of its APIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Universe(String);

impl Default for Universe {
    fn default() -> Self {
        Self(PUBLIC.to_owned())
    }
}

impl Universe {
    /// Reads a domain.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](pullpass::ErrorKind::Config) when it is not a domain name.
    pub(crate) fn parse(domain: &str) -> Result<Self, Error> {
        let domain = domain.to_ascii_lowercase();
        match domain.contains('.') && domain.split('.').all(is_dns_label) {
            true => Ok(Self(domain)),
            false => Err(Error::config("the universe domain is not a domain name").with_hint(
                "set `--universe-domain` to a domain such as `googleapis.com`, without scheme or \
                 service",
            )),
        }
    }

    pub(crate) fn domain(&self) -> &str {
        &self.0
    }

    /// Whether it is the public cloud.
    pub(crate) fn is_public(&self) -> bool {
        self.0 == PUBLIC
    }

    /// The Security Token Service.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](pullpass::ErrorKind::Config); a parsed domain does not cause one.
    pub(crate) fn sts(&self) -> Result<Url, Error> {
        self.url("sts", "/v1/token")
    }

    /// The URL of the IAM Service Account Credentials API, up to its version.
    ///
    /// # Errors
    /// As [`Universe::sts`].
    pub(crate) fn iam_credentials(&self) -> Result<Url, Error> {
        self.url("iamcredentials", "")
    }

    fn url(&self, service: &str, path: &str) -> Result<Url, Error> {
        Url::parse(&format!("https://{service}.{}{path}", self.0))
            .map_err(|_| Error::config(format!("`{}` is not a domain name", self.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_below_the_domain() {
        let sts = |domain: &str| Universe::parse(domain).unwrap().sts().unwrap().to_string();
        assert_eq!(sts("googleapis.com"), "https://sts.googleapis.com/v1/token");
        assert_eq!(sts("S3nsApis.fr"), "https://sts.s3nsapis.fr/v1/token");
    }

    #[test]
    fn a_domain_is_no_url() {
        for domain in [
            "",
            "com",
            "https://googleapis.com",
            "a.b/c",
            "a..b",
            "a@b.c",
            "a.b:443",
            "-a.b",
            "a-.b",
        ] {
            assert!(Universe::parse(domain).is_err(), "{domain}");
        }
    }
}
