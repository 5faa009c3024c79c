//! The agent of an Arc-enabled server: a caller that can read the file that it names gets a token.

use std::path::{Component, Path};

use pullpass::http::Plaintext;
use pullpass::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use pullpass::{Context, Error, file};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde::Deserialize;
use url::Url;

use super::query::{METADATA, send};
use crate::credentials::token_response::{read_error, read_token};
use crate::identity::Identity;
use crate::settings::ManagedId;
use crate::token_service::TokenService;

const AGENT: TokenService = TokenService::ArcAgent;
const CHECK_AGENT: &str = "check the agent with `systemctl status himdsd` and `azcmagent show`";
/// Where the agent puts its keys. It may name a file only here.
const KEYS: &str = "/var/opt/azcmagent/tokens";
/// The largest key, in bytes.
const KEY_LIMIT: usize = 4096;

pub(super) async fn access_token(
    url: Url,
    id: &ManagedId,
    identity: &Identity<'_>,
    cx: &Context,
) -> Result<SecretString, Error> {
    let call = || cx.http.get(url.clone()).plaintext(Plaintext::Metadata).header(METADATA, "true");
    let challenge = send(call(), &AGENT, CHECK_AGENT, identity).await?;
    match challenge.status() {
        401 => {}
        status if challenge.is_success() => {
            return Err(Error::protocol(format!("{AGENT} answered {status} without a challenge"))
                .with_hint("check the agent with `azcmagent show`"));
        }
        _ => {
            return Err(read_error(&challenge, &AGENT, identity));
        }
    }
    let realm = challenge.header(&WWW_AUTHENTICATE).and_then(key_file);
    // Messages name the file.
    let path = realm.filter(|path| !cx.http.sent_secrets().occur_in(&[path])).ok_or_else(|| {
        Error::protocol(format!("{AGENT} did not name a key file in `{KEYS}`"))
            .with_hint("check the agent with `azcmagent show`")
    })?;
    let key = Zeroizing::new(file::read_text(Path::new(path)).map_err(|error| {
        error.with_hint(
            "only root and the group `himds` can read the agent's keys: run the kubelet as root",
        )
    })?);
    if key.len() > KEY_LIMIT {
        return Err(
            Error::protocol(format!("the key of {AGENT} is too long")).with_hint(CHECK_AGENT)
        );
    }
    let authorization = Zeroizing::new(format!("Basic {}", key.trim()));
    let request = call().secret(&key.trim().into()).header(AUTHORIZATION, &authorization);
    let reply = send(request, &AGENT, CHECK_AGENT, identity).await?;
    let token = read_token(&reply, &AGENT, identity, cx)?;
    check_echo(&reply.json()?, id, identity)?;
    Ok(token)
}

/// The path in `Basic realm=PATH`, if the agent may name it.
fn key_file(challenge: &str) -> Option<&str> {
    let (scheme, rest) = challenge.split_once(' ')?;
    let realm = rest.trim().strip_prefix("realm=")?.trim_matches('"');
    let name = Path::new(realm).strip_prefix(KEYS).ok()?;
    let mut parts = name.components();
    let is_plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    (scheme.eq_ignore_ascii_case("Basic") && is_plain && realm.ends_with(".key")).then_some(realm)
}

/// What the agent says about the identity whose token it returned.
#[derive(Deserialize)]
struct Echo {
    client_id: Option<String>,
    object_id: Option<String>,
    msi_res_id: Option<String>,
    mi_res_id: Option<String>,
}

/// An agent that does not support user-assigned identities returns the machine's own instead.
fn check_echo(echo: &Echo, id: &ManagedId, identity: &Identity<'_>) -> Result<(), Error> {
    let (asked, confirmed) = match id {
        ManagedId::System => return Ok(()),
        ManagedId::Client(id) => (id, &echo.client_id),
        ManagedId::Object(id) => (id, &echo.object_id),
        ManagedId::Resource(id) if echo.msi_res_id.is_some() => (id, &echo.msi_res_id),
        ManagedId::Resource(id) => (id, &echo.mi_res_id),
    };
    match confirmed {
        Some(confirmed) if confirmed.eq_ignore_ascii_case(asked) => Ok(()),
        _ => Err(Error::protocol(format!(
            "{AGENT} did not confirm that the token is for {identity}"
        ))
        .with_hint(
            "an old agent returns the machine's own identity instead: update the \
                            agent",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_key_of_the_agents_is_read() {
        let good = "Basic realm=/var/opt/azcmagent/tokens/0f0e.key";
        assert_eq!(key_file(good), Some("/var/opt/azcmagent/tokens/0f0e.key"));
        for challenge in [
            "",
            "Basic",
            "Bearer realm=/var/opt/azcmagent/tokens/a.key",
            "Basic realm=/etc/shadow",
            "Basic realm=/etc/ssl/private/server.key",
            "Basic realm=/var/opt/azcmagent/tokens/../../../etc/a.key",
            "Basic realm=/var/opt/azcmagent/tokens/sub/a.key",
            "Basic realm=/var/opt/azcmagent/tokens/a.txt",
            "Basic realm=/var/opt/azcmagent/tokens/.key/..",
            "Basic realm=/var/opt/azcmagent/tokens",
        ] {
            assert_eq!(key_file(challenge), None, "{challenge}");
        }
    }
}
