//! A whole plugin: the pod's own token is its password at one registry.

use pullpass::{
    Cache, CacheKey, Context, Error, Login, Plugin, Provider, Request, Response, async_trait,
};

static PLUGIN: Plugin = Plugin::new("echo", |_options, _cx| Ok(Box::new(Echo)))
    .version(env!("CARGO_PKG_VERSION"))
    .summary("Logs in to registry.example with the pod's own service account token")
    .match_images(&["registry.example"]);

struct Echo;

#[async_trait]
impl Provider for Echo {
    async fn credentials(&self, request: &Request, _cx: &Context) -> Result<Response, Error> {
        request.image.require_on("registry.example")?;
        let token = request.require_token()?;
        let login = Login::new("token", token.secret().clone())?;
        Ok(Response::for_registry_of(&request.image, login, Cache::never(CacheKey::Registry)))
    }
}

fn main() -> std::process::ExitCode {
    pullpass::main(&PLUGIN)
}
