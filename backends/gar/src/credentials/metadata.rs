//! The node's own token, from the metadata server: one request, over plain HTTP on the
//! machine's own link, and never through a proxy.
//!
//! Source: Compute Engine, "About VM metadata" and "Authenticate workloads to Google Cloud APIs
//! using service accounts".

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use pullpass::http::header::HeaderName;
use pullpass::http::{Http, HttpConfig, Plaintext, ProxyMode, Reply};
use pullpass::{Context, Diagnosis, Error, ErrorKind};
use url::Url;

use super::access_token::AccessToken;
use crate::identity::Identity;

/// The server's name and addresses. IPv6-only machines use the second.
const NAME: &str = "metadata.google.internal";
const ADDRESSES: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

/// Another server: all Google libraries read this variable.
pub(crate) const HOST_VARIABLE: &str = "GCE_METADATA_HOST";

const TOKEN: &str = "/computeMetadata/v1/instance/service-accounts/default/token";

/// A header of request and answer: other metadata services at this address do not have it.
const FLAVOR: HeaderName = HeaderName::from_static("metadata-flavor");
const GOOGLE: &str = "Google";

const ELSEWHERE: &str = "outside Google Cloud there is no metadata server: set a key with \
                         `--credentials`, or let pods pull with their own tokens \
                         (`tokenAttributes` and `--workload-identity-provider`)";

pub(super) async fn token(identity: &Identity<'_>, cx: &Context) -> Result<AccessToken, Error> {
    let (host, known) = match cx.env.text(HOST_VARIABLE)? {
        Some(host) => (host, None),
        // DNS need not know of it.
        None => (NAME, Some((NAME.to_owned(), addresses()))),
    };
    let url = server(host)?;
    let reply = http(known, cx)
        .get(url)
        .plaintext(Plaintext::Metadata)
        .header(FLAVOR, GOOGLE)
        .send()
        .await
        .map_err(|error| {
            let is_unavailable = error.kind() == ErrorKind::Unavailable;
            let error = error
                .context(format!("cannot get a token from the metadata server for {identity}"));
            match is_unavailable {
                true => error.with_hint(format!(
                    "on Google Cloud, let this node reach 169.254.169.254 (network policy, \
                     iptables, routes); {ELSEWHERE}"
                )),
                false => error,
            }
        })?;
    let is_googles = reply.header(&FLAVOR).is_some_and(|it| it.eq_ignore_ascii_case(GOOGLE));
    match reply.is_success() {
        true if is_googles => AccessToken::from_oauth(&reply, &cx.clock),
        true => Err(Error::protocol(format!(
            "`{host}` is not Google's metadata server: it answers without `Metadata-Flavor: Google`"
        ))
        .with_hint(format!("other clouds have theirs at the same address; {ELSEWHERE}"))),
        false => Err(read_error(&reply, is_googles, identity)),
    }
}

/// On the URL's port.
fn addresses() -> Vec<SocketAddr> {
    ADDRESSES.iter().map(|address| (*address, 0).into()).collect()
}

/// Only the server is called; no name service is needed.
fn http(known: Option<(String, Vec<SocketAddr>)>, cx: &Context) -> Http {
    cx.http.with_config(HttpConfig {
        proxy: ProxyMode::Direct,
        connect_timeout: Duration::from_secs(2),
        attempt_timeout: Duration::from_secs(5),
        retries: 4,
        initial_backoff: Duration::from_millis(100),
        resolve: known,
        ..HttpConfig::default()
    })
}

/// The URL of the token, at `host[:port]`.
fn server(host: &str) -> Result<Url, Error> {
    let is_authority = !host.contains(|c: char| !c.is_ascii_graphic() || "/\\?#@".contains(c));
    let url = Url::parse(&format!("http://{host}{TOKEN}"))
        .ok()
        .filter(|url| is_authority && url.path() == TOKEN)
        .ok_or_else(|| {
            Error::config(format!("`{HOST_VARIABLE}` is not `HOST[:PORT]`"))
                .with_hint("write it without scheme and path, for example `169.254.169.254`")
        })?;
    match Plaintext::Metadata.allows(&url) {
        true => Ok(url),
        false => Err(Error::config(format!("`{HOST_VARIABLE}` is not an address of this machine"))
            .with_hint(
                "it sends tokens unencrypted, so only a loopback, link-local or metadata address \
                 is allowed",
            )),
    }
}

fn read_error(reply: &Reply, is_googles: bool, identity: &Identity<'_>) -> Error {
    let diagnosis = match reply.status() {
        404 => Diagnosis::new(
            ErrorKind::Identity,
            "this machine has no service account: attach one that has \
             roles/artifactregistry.reader, with the scope cloud-platform",
        ),
        403 => Diagnosis::new(
            ErrorKind::Denied,
            "something other than the metadata server answered: check for a proxy, a firewall or \
             metadata concealment on this machine",
        ),
        _ if reply.kind() == ErrorKind::Unavailable => {
            Diagnosis::new(ErrorKind::Unavailable, reply.hint_unavailable())
        }
        _ => Diagnosis::new(
            ErrorKind::Protocol,
            "check for a proxy or firewall in front of the metadata server",
        ),
    };
    let hint = diagnosis.hint.clone();
    let error = reply
        .server_error()
        .service("the metadata server")
        .subject(identity)
        .diagnosis(diagnosis)
        .into_error();
    match is_googles {
        true => error,
        false => error
            .with_source(format!("`{}` answers without `Metadata-Flavor: Google`", reply.target()))
            .with_hint(format!(
                "if this is a machine of Google Cloud: {hint}; if not, another cloud's metadata \
                 service answered: {ELSEWHERE}"
            )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_no_url() {
        for host in ["169.254.169.254", "metadata.google.internal.", "127.0.0.1:8080", "[::1]:80"] {
            let url = server(host).unwrap();
            assert_eq!(url.path(), TOKEN, "{host}");
        }
        for host in [
            "",
            ":80",
            "http://x",
            "x/y",
            "x?y=",
            "x#y",
            "user@x",
            "x:port",
            "a b",
            "x\\y",
            "x:80:80",
            "metadata.example",
            "10.0.0.4",
        ] {
            assert!(server(host).is_err(), "{host}");
        }
    }
}
