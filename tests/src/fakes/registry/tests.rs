//! The registry must refuse: a judge that lets everybody in proves nothing.

use super::*;
use crate::fakes::docker_token::TokenOptions;
use crate::fakes::trust::Trust;
use crate::issuer::Issuer;
use crate::jwt::{SigningKey, tampered};
use crate::tls::plain_client;

const SERVICE: &str = "registry.example";

struct World {
    issuer: Issuer,
    tokens: TokenServer,
    registry: Registry,
    image: Image,
}

fn world() -> World {
    let issuer = Issuer::start(None);
    let options = TokenOptions {
        service: SERVICE.to_owned(),
        trust: Trust::Jwt(issuer.verifier(SERVICE)),
        username: Some("jwt".to_owned()),
        repositories: vec!["team/app".to_owned()],
    };
    let tokens = TokenServer::start(options, None);
    let image = Image::with_text("hello");
    let images = [("team/app", "1", &image), ("team/secret", "1", &image)];
    let registry = Registry::start(&tokens, &images, None);
    World { issuer, tokens, registry, image }
}

impl World {
    async fn login(&self, user: &str, password: &str, repository: &str) -> Option<String> {
        let url = format!(
            "{}?service={SERVICE}&scope=repository:{repository}:pull,push",
            self.tokens.realm()
        );
        let request = plain_client().get(url).basic_auth(user, Some(password));
        let response = request.send().await.unwrap();
        if response.status() == 401 {
            return None;
        }
        Some(response.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned())
    }

    async fn fetch(&self, path: &str, token: Option<&str>) -> reqwest::Response {
        let mut request = plain_client().get(format!("{}/v2/{path}", self.registry.url()));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap()
    }
}

#[tokio::test]
async fn without_a_token_there_is_a_challenge_and_nothing_else() {
    let world = world();
    let response = world.fetch("team/app/manifests/1", None).await;
    assert_eq!(response.status(), 401);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
    let scope = "scope=\"repository:team/app:pull\"";
    assert!(challenge.contains(&world.tokens.realm()) && challenge.contains(scope));
    let stranger = SigningKey::generate().sign(&json!({"aud": SERVICE}));
    for token in [None, Some("made.up.token"), Some(stranger.as_str())] {
        assert_eq!(world.fetch("", token).await.status(), 401);
        assert_eq!(world.fetch("team/app/manifests/1", token).await.status(), 401);
    }
    assert!(world.registry.pulls().is_empty());
}

#[tokio::test]
async fn with_a_token_it_gives_what_the_digests_say_and_remembers_to_whom() {
    let world = world();
    let password = world.issuer.token(SERVICE).service_account("shop", "web").build();
    let token = world.login("jwt", &password, "team/app").await.unwrap();
    let image = &world.image;
    let manifest = world.fetch("team/app/manifests/1", Some(&token)).await;
    assert_eq!(manifest.headers()["content-type"], MANIFEST_TYPE);
    assert_eq!(manifest.bytes().await.unwrap(), image.manifest);
    for name in [format!("manifests/{}", image.digest()), format!("blobs/{}", digest(&image.layer))]
    {
        let response = world.fetch(&format!("team/app/{name}"), Some(&token)).await;
        assert_eq!(response.status(), 200, "{name}");
    }
    assert_eq!(world.fetch("team/app/manifests/2", Some(&token)).await.status(), 404);
    let pulls = world.registry.pulls();
    assert_eq!(pulls.len(), 3);
    assert!(pulls.iter().all(|pull| pull.subject == "system:serviceaccount:shop:web"));
}

#[tokio::test]
async fn a_token_opens_one_repository_until_it_is_touched() {
    let world = world();
    let password = world.issuer.token(SERVICE).build();
    let token = world.login("jwt", &password, "team/app").await.unwrap();
    let denied = world.fetch("team/secret/manifests/1", Some(&token)).await;
    assert_eq!(denied.status(), 403);
    assert_eq!(denied.json::<Value>().await.unwrap()["errors"][0]["code"], "DENIED");
    let secret = world.login("jwt", &password, "team/secret").await.unwrap();
    assert_eq!(world.fetch("team/secret/manifests/1", Some(&secret)).await.status(), 403);
    let touched = tampered(&token);
    assert_eq!(world.fetch("team/app/manifests/1", Some(&touched)).await.status(), 401);
}
