//! Which proxy a call goes through.

use std::net::IpAddr;

use reqwest::{NoProxy, Proxy};
use url::{Host, Url};

use crate::context::Env;
use crate::error::Error;

/// Whether and which proxy to use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProxyMode {
    /// `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, upper case before lower case, as
    /// programs in Go read them.
    #[default]
    Inherit,
    /// None, whatever the environment says.
    Direct,
    /// This one for every call.
    Through(Url),
}

impl ProxyMode {
    /// The proxy for a client; `None` when no call can need one.
    pub(super) fn resolve(&self, env: &Env) -> Result<Option<Proxy>, Error> {
        let choice = self.choice(env)?;
        if choice.http.is_none() && choice.https.is_none() {
            return Ok(None);
        }
        let no_proxy = match self {
            Self::Inherit => variable(env, "NO_PROXY")?.and_then(NoProxy::from_string),
            _ => None,
        };
        Ok(Some(Proxy::custom(move |url| choice.for_url(url)).no_proxy(no_proxy)))
    }

    /// Whether a call to an `http://` URL may need TLS, to the proxy.
    pub(super) fn is_secure(&self, env: &Env) -> Result<bool, Error> {
        Ok(self.choice(env)?.http.is_some_and(|proxy| proxy.scheme() == "https"))
    }

    fn choice(&self, env: &Env) -> Result<Choice, Error> {
        Ok(match self {
            Self::Direct => Choice::default(),
            Self::Through(url) => Choice { http: Some(url.clone()), https: Some(url.clone()) },
            Self::Inherit => {
                Choice { http: from_env(env, "HTTP_PROXY")?, https: from_env(env, "HTTPS_PROXY")? }
            }
        })
    }
}

/// A proxy per scheme of the target.
#[derive(Clone, Default)]
struct Choice {
    http: Option<Url>,
    https: Option<Url>,
}

impl Choice {
    fn for_url(&self, url: &Url) -> Option<Url> {
        if is_local(url) {
            return None;
        }
        match url.scheme() {
            "https" => self.https.clone(),
            _ => self.http.clone(),
        }
    }
}

/// Loopback, and where clouds keep their metadata services: what they hand out is
/// for this node alone, and no proxy can reach them for us.
fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => is_local_ip(ip.into()),
        Some(Host::Ipv6(ip)) => is_local_ip(ip.into()),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost"
                || name.ends_with(".localhost")
                || name == "metadata.google.internal"
        }
        None => false,
    }
}

fn is_local_ip(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => is_local_ip(ip.into()),
            // fd00:ec2::/32 and fd20:ce::/32: metadata over IPv6, in unique local space.
            None => {
                ip.is_loopback()
                    || ip.is_unicast_link_local()
                    || matches!(ip.segments()[..2], [0xfd00, 0xec2] | [0xfd20, 0xce])
            }
        },
    }
}

/// An upper-case name, else the same in lower case.
fn variable<'a>(env: &'a Env, name: &str) -> Result<Option<&'a str>, Error> {
    match env.text(name)? {
        Some(value) => Ok(Some(value)),
        None => env.text(&name.to_ascii_lowercase()),
    }
}

fn from_env(env: &Env, name: &str) -> Result<Option<Url>, Error> {
    let Some(text) = variable(env, name)? else { return Ok(None) };
    // The value is never repeated: it may hold the proxy's password.
    let invalid = || {
        Error::config(format!("`{name}` is no proxy URL"))
            .hint(format!("set `{name}` to `http://host:port`"))
    };
    let url = match text.contains("://") {
        true => Url::parse(text),
        false => Url::parse(&format!("http://{text}")),
    }
    .map_err(|_| invalid())?;
    match (url.scheme(), url.host()) {
        ("http" | "https", Some(_)) => Ok(Some(url)),
        _ => Err(invalid()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(env: &[(&str, &str)], url: &str) -> Option<String> {
        let env = Env::from_iter(env.iter().copied());
        let choice = ProxyMode::Inherit.choice(&env).unwrap();
        choice.for_url(&Url::parse(url).unwrap()).map(|proxy| proxy.to_string())
    }

    #[test]
    fn upper_case_wins_and_schemes_have_their_own() {
        let env = [
            ("HTTPS_PROXY", "http://upper:1"),
            ("https_proxy", "http://lower:1"),
            ("http_proxy", "plain:2"),
        ];
        assert_eq!(chosen(&env, "https://a.example/").as_deref(), Some("http://upper:1/"));
        assert_eq!(chosen(&env, "http://a.example/").as_deref(), Some("http://plain:2/"));
    }

    #[test]
    fn metadata_and_loopback_never_go_through_a_proxy() {
        let env = [("HTTP_PROXY", "http://p:1"), ("HTTPS_PROXY", "http://p:1")];
        for url in [
            "http://169.254.169.254/latest",
            "http://169.254.170.2/",
            "http://127.0.0.1:8080/",
            "https://localhost/",
            "http://[::1]/",
            "http://[fe80::1]/",
            "http://[fd00:ec2::254]/",
            "http://[fd20:ce::254]/",
            "http://[::ffff:169.254.169.254]/",
            "http://metadata.google.internal/",
            "http://metadata.google.internal./",
        ] {
            assert_eq!(chosen(&env, url), None, "{url}");
        }
        for url in ["http://169.253.1.1/", "http://metadata.example/", "https://[fd00::1]/"] {
            assert!(chosen(&env, url).is_some(), "{url}");
        }
    }

    #[test]
    fn a_bad_proxy_is_an_error_that_hides_its_password() {
        for value in ["socks5://u:hunter2@h:1", "http://u:hunter2@", "u:hunter2@h:port"] {
            let env = Env::from_iter([("HTTPS_PROXY", value)]);
            let error = ProxyMode::Inherit.choice(&env).err().unwrap().render();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
