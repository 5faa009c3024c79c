//! A registry's tokens, judged by a `docker-registry` and skopeo.

use super::*;
use crate::image::Image;
use crate::judges::docker_registry::DockerRegistry;
use crate::judges::skopeo::Skopeo;

const NULL_GUID: &str = "00000000-0000-0000-0000-000000000000";

/// A test without a runtime: the programs block.
#[test]
fn a_refresh_token_and_a_pull_token_open_a_docker_registry() {
    let fixture = Fixture::new();
    let identity = fixture.user("puller");
    let socket = Socket::bind(None);
    let realm = format!("{}/oauth2/token", socket.url());
    let certificate = fixture.azure.certificate_file();
    let Some(judge) =
        DockerRegistry::start_with_tokens(&realm, LOGIN_SERVER, Registry::ISSUER, &certificate)
    else {
        return;
    };
    let Some(skopeo) = Skopeo::find() else { return };
    let image = Image::with_text("for whoever has a role");
    judge.seed("team/app", "1", &image);
    judge.seed("team/db", "1", &image);
    let address = judge.authority().parse().unwrap();
    let registry = Registry::new(LOGIN_SERVER, &fixture.tenant).backed_by(address);
    fixture.azure.add_registry(registry.pull_from(&identity, &["team/app"]));
    let server = socket.serve(fixture.azure.registry(LOGIN_SERVER));

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let buy = |path: &str, form: &[(&str, &str)], name: &str| {
        let url = format!("{}{path}", server.url());
        let (status, body) = runtime.block_on(post(&url, form));
        assert_eq!(status, 200, "{body}");
        body[name].as_str().unwrap().to_owned()
    };
    let token = fixture.azure.access_token(&identity, REGISTRIES, 3600);
    let form =
        [("grant_type", "access_token"), ("service", LOGIN_SERVER), ("access_token", &token)];
    let refresh_token = buy("/oauth2/exchange", &form, "refresh_token");
    let form = [
        ("grant_type", "refresh_token"),
        ("service", LOGIN_SERVER),
        ("scope", "repository:team/app:pull"),
        ("refresh_token", &refresh_token),
    ];
    let pull_token = buy("/oauth2/token", &form, "access_token");

    let reference = |name: &str| format!("{}/{name}:1", server.authority());
    for password in [&refresh_token, &pull_token] {
        let pull = skopeo.pull(&reference("team/app"), Some((NULL_GUID, password)));
        assert_eq!(pull.digest, Some(image.digest()), "{}\n{}", pull.stderr, judge.log());
        let pull = skopeo.pull(&reference("team/db"), Some((NULL_GUID, password)));
        assert!(!pull.success, "it may not");
    }
    let spoilt = format!("{refresh_token}x");
    for login in [Some((NULL_GUID, spoilt.as_str())), Some((NULL_GUID, &token)), None] {
        assert!(!skopeo.pull(&reference("team/app"), login).success);
    }
}
