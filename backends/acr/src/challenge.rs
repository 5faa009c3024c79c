//! The registry's challenge, only to explain an error: no address in it is called.
//!
//! Source: RFC 9110 §11.6.1; distribution registry, "Token authentication specification".

use pullpass::Context;
use pullpass::http::bearer_challenge;
use pullpass::http::header::WWW_AUTHENTICATE;
use url::Url;

use crate::registry::LoginServer;

/// What is wrong with the challenge of `server`; `None` when it is that of an ACR registry.
pub(crate) async fn find_fault(server: &LoginServer, cx: &Context) -> Option<String> {
    let url = Url::parse(&format!("https://{}/v2/", server.authority())).ok()?;
    // It carries no token, and a redirect is not followed.
    let reply = match cx.http.get(url).once().send().await {
        Ok(reply) => reply,
        Err(error) => return Some(format!("`/v2/`: {error}")),
    };
    if reply.status() != 401 {
        return Some(format!("`/v2/` answers {}, not 401 with a challenge", reply.status()));
    }
    let Some(challenge) = reply.header(&WWW_AUTHENTICATE) else {
        return Some("`/v2/` answers 401 without a challenge".to_owned());
    };
    let Some(parameters) = bearer_challenge(challenge) else {
        return Some("the challenge is not of the scheme Bearer".to_owned());
    };
    let realm = parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case("realm"));
    let Some(realm) = realm.and_then(|(_, value)| Url::parse(value).ok()) else {
        return Some("the challenge has no realm".to_owned());
    };
    let own = Url::parse(&format!("https://{}", server.authority())).ok()?;
    match realm.origin() == own.origin() {
        true => None,
        false => {
            let [host] = reply.quote([realm.host_str().unwrap_or_default()]);
            Some(format!("the challenge points to `{host}`, which is not the registry"))
        }
    }
}
