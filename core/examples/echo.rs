//! A whole plugin: the pod's own token is its password at one registry.

use std::process::ExitCode;

use pullpass::{
    Cache, CacheKey, CacheType, Context, Error, Login, Plugin, Provider, Request, Response,
    async_trait,
};

static PLUGIN: Plugin = Plugin {
    name: "echo",
    version: env!("CARGO_PKG_VERSION"),
    summary: "Logs in to registry.example with the pod's own service account token",
    match_images: &["registry.example"],
    options: &[],
    annotations: &[],
    environment: &[],
    commands: &[],
    topics: &[],
    cache_type: CacheType::Token,
    build: |_options, _cx| Ok(Box::new(Echo)),
};

struct Echo;

#[async_trait]
impl Provider for Echo {
    async fn credentials(&self, request: &Request, _cx: &Context) -> Result<Response, Error> {
        if !request.image.is_on("registry.example") {
            return Err(
                Error::config("this registry is not ours").with_hint("narrow `matchImages`")
            );
        }
        let account = request.service_account.as_ref().ok_or_else(|| {
            Error::identity("the pod has no token")
                .with_hint("set `tokenAttributes` for this provider")
        })?;
        let login = Login::new("token", account.token.secret().clone())?;
        Ok(Response::for_registry_of(&request.image, login, Cache::never(CacheKey::Registry)))
    }
}

fn main() -> ExitCode {
    pullpass::main(&PLUGIN)
}
