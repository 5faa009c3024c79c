//! Which proxy a call uses.

use std::fmt;

use reqwest::NoProxy;
use url::Url;

use super::plaintext::{is_loopback, is_metadata};
use crate::env::Env;
use crate::error::Error;

/// Loopback, and the addresses of clouds' metadata services (the last two networks are
/// theirs in IPv6): what they give is for this node alone, and no proxy can reach them for us.
const NEVER_PROXIED: &str = "localhost,127.0.0.0/8,::1,::ffff:127.0.0.0/104,\
                             169.254.0.0/16,fe80::/10,::ffff:169.254.0.0/112,\
                             metadata.google.internal,metadata.google.internal.,\
                             fd00:ec2::/32,fd20:ce::/32";

/// Whether and which proxy to use.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum ProxyMode {
    /// `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, upper case before lower case, as
    /// programs in Go read them; proxies of `http://` and `https://` alone.
    #[default]
    Inherit,
    /// No proxy, whatever the environment says.
    Direct,
    /// This one for every call.
    Through(Url),
}

impl ProxyMode {
    /// The proxy for targets of `scheme`; only its own variable is read, so that a mistake
    /// in the other does not matter.
    pub(super) fn url(&self, env: &Env, scheme: &str) -> Result<Option<Url>, Error> {
        match (self, scheme) {
            (Self::Direct, _) => Ok(None),
            (Self::Through(url), _) => Ok(Some(url.clone())),
            (Self::Inherit, "https") => from_env(env, "HTTPS_PROXY"),
            (Self::Inherit, _) => from_env(env, "HTTP_PROXY"),
        }
    }

    /// The proxy for a host, safe to print; `None` if there is certainly none.
    /// (`NO_PROXY` may still exempt the host.)
    pub(super) fn display_for(&self, env: &Env, target: &Url) -> Option<String> {
        if is_loopback(target) || is_metadata(target) {
            return None;
        }
        let proxy = self.url(env, target.scheme()).ok()??;
        let host = proxy.host_str()?;
        let port = proxy.port_or_known_default().map_or(String::new(), |port| format!(":{port}"));
        Some(format!("`{host}{port}`"))
    }

    /// Hosts that are reached without that proxy.
    pub(super) fn exempt(&self, env: &Env) -> Result<Option<NoProxy>, Error> {
        let named = match self {
            Self::Inherit => variable(env, "NO_PROXY")?.unwrap_or_default(),
            _ => "",
        };
        Ok(NoProxy::from_string(&format!("{NEVER_PROXIED},{named}")))
    }
}

/// A proxy's URL may hold its password.
impl fmt::Debug for ProxyMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inherit => "Inherit",
            Self::Direct => "Direct",
            Self::Through(_) => "Through(..)",
        })
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
        Error::config(format!("`{name}` is not a proxy URL"))
            .with_hint(format!("set `{name}` to `http://host:port`"))
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

    #[test]
    fn upper_case_wins_and_schemes_have_their_own() {
        let env = Env::from_iter([
            ("HTTPS_PROXY", "http://upper:1"),
            ("https_proxy", "http://lower:1"),
            ("http_proxy", "plain:2"),
        ]);
        let url = |scheme| ProxyMode::Inherit.url(&env, scheme).unwrap().unwrap().to_string();
        assert_eq!(url("https"), "http://upper:1/");
        assert_eq!(url("http"), "http://plain:2/");
        assert_eq!(ProxyMode::Direct.url(&env, "https").unwrap(), None);
    }

    #[test]
    fn a_mistake_in_the_other_scheme_does_not_matter() {
        let env = Env::from_iter([("HTTP_PROXY", "::::")]);
        assert_eq!(ProxyMode::Inherit.url(&env, "https").unwrap(), None);
        assert!(ProxyMode::Inherit.url(&env, "http").is_err());
    }

    #[test]
    fn debug_shows_no_proxy_password() {
        let mode = ProxyMode::Through(Url::parse("http://me:hunter2@proxy.example").unwrap());
        assert_eq!(format!("{mode:?}"), "Through(..)");
    }

    /// With the matcher that reqwest uses for the list.
    #[test]
    fn metadata_and_loopback_never_go_through_a_proxy() {
        use hyper_util::client::proxy::matcher::Matcher;

        let matcher = Matcher::builder().all("http://proxy.example").no(NEVER_PROXIED).build();
        for (host, proxied) in [
            ("169.254.169.254", false),
            ("169.254.170.2", false),
            ("127.0.0.9", false),
            ("localhost", false),
            ("[::1]", false),
            ("[fe80::1]", false),
            ("[fd00:ec2::254]", false),
            ("[fd20:ce::254]", false),
            ("[::ffff:169.254.169.254]", false),
            ("metadata.google.internal", false),
            ("metadata.google.internal.", false),
            ("169.253.169.254", true),
            ("[fd00::254]", true),
            ("metadata.google.internal.example", true),
            ("localhost.example", true),
        ] {
            for scheme in ["http", "https"] {
                let target = format!("{scheme}://{host}/").parse().unwrap();
                assert_eq!(matcher.intercept(&target).is_some(), proxied, "{host}");
                let url = Url::parse(&format!("{scheme}://{host}/")).unwrap();
                assert_eq!(!(is_loopback(&url) || is_metadata(&url)), proxied, "{host}");
            }
        }
    }
}
