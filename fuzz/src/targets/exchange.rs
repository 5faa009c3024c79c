//! A plugin's one call to a token endpoint, by what core has for it: status, headers, the answer
//! or error body of RFC 6749, and the life of what was handed out.

use std::time::Duration;

use pullpass::http::header::WWW_AUTHENTICATE;
use pullpass::http::bearer_challenge;
use pullpass::oauth::TokenResponse;
use pullpass::{
    Cache, CacheKey, Context, Error, Login, Plugin, Provider, Request, Response, async_trait,
    jwt_expiry,
};
use secrecy::ExposeSecret as _;

use crate::run::Run;

static PLUGIN: Plugin = Plugin::new("exchange", |_, _| Ok(Box::new(Exchange)));

struct Exchange;

#[async_trait]
impl Provider for Exchange {
    async fn credentials(&self, request: &Request, cx: &Context) -> Result<Response, Error> {
        let endpoint = "https://sts.example/token".parse().expect("a URL");
        let call = cx.http.post(endpoint).bearer(request.require_token()?.secret());
        let reply = call.send().await?;
        let _ = reply.header(&WWW_AUTHENTICATE).and_then(bearer_challenge);
        if !reply.is_success() {
            return Err(reply.into_error("the token exchange"));
        }
        let token = TokenResponse::read(&reply, &cx.clock)?;
        let _ = jwt_expiry(token.access_token.expose_secret());
        let login = Login::new("oauth2", token.access_token)?;
        let cache = match token.expires {
            Some(end) => Cache::until(CacheKey::Registry, end, cx.clock.now()),
            None => Cache::without_expiry(CacheKey::Registry, Duration::from_secs(300)),
        };
        Ok(Response::for_registry_of(&request.image, login, cache))
    }
}

pub fn run(input: &[u8]) {
    let image = "registry.example/team/app";
    Run { plugin: &PLUGIN, args: &[], env: &[], image, annotations: Some(&[]) }.check(input);
}
