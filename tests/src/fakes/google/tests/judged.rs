//! Tokens, judged by a `docker-registry` and skopeo.

use super::*;
use crate::fakes::docker_token::{TokenOptions, TokenServer};
use crate::fakes::google::USER;
use crate::image::Image;
use crate::judges::docker_registry::DockerRegistry;
use crate::judges::skopeo::Skopeo;

/// A test without a runtime: the programs block.
#[test]
fn a_readers_token_opens_a_docker_registry() {
    let google = Google::new(plain_client());
    google.add_reader("principal://reader");
    let tokens = TokenServer::start(
        TokenOptions {
            service: "us-docker.pkg.dev".to_owned(),
            trust: google.trust(),
            username: Some(USER.to_owned()),
            repositories: vec!["contoso/team/app".to_owned()],
        },
        None,
    );
    let Some(registry) = DockerRegistry::start(&tokens) else { return };
    let Some(skopeo) = Skopeo::find() else { return };
    let image = Image::with_text("for whoever is a reader");
    registry.seed("contoso/team/app", "1", &image);
    let reference = format!("{}/contoso/team/app:1", registry.authority());
    let mint = |who: &str, scope: &str, seconds: i64| google.mint(who, &[scope], seconds);
    let read_only = "https://www.googleapis.com/auth/devstorage.read_only";
    let good = mint("principal://reader", CLOUD_PLATFORM, 600);
    let narrow = mint("principal://reader", read_only, 600);
    for token in [&good, &narrow] {
        let pull = skopeo.pull(&reference, Some((USER, token)));
        assert_eq!(pull.digest, Some(image.digest()), "{}\n{}", pull.stderr, registry.log());
    }
    let over = mint("principal://reader", CLOUD_PLATFORM, -1);
    let useless = mint("principal://reader", "https://www.googleapis.com/auth/iam", 600);
    let other = mint("principal://somebody", CLOUD_PLATFORM, 600);
    let spoilt = format!("{good}x");
    for (user, token) in
        [(USER, &over), (USER, &useless), (USER, &other), (USER, &spoilt), ("_json_key", &good)]
    {
        let pull = skopeo.pull(&reference, Some((user, token)));
        assert!(!pull.success && pull.stderr.contains("unauthorized"), "{}", pull.stderr);
    }
}
