//! Does the login open a registry? Debian's `docker-registry` and `skopeo` judge, under the
//! registry's real name and with the trust of the system.

use pullpass_tests::fakes::aws::{Expires, Service, Token, TokenAnswer};
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::image::Image;
use pullpass_tests::judges::docker_registry::{DockerRegistry, Https};
use pullpass_tests::judges::skopeo::Skopeo;
use pullpass_tests::jwt::random_text;
use pullpass_tests::tls::TestCa;
use pullpass_tests::world::{Trial, World};

use crate::cloud::{ANNOTATION, Cloud, REGISTRY, role};
use crate::moto::{self, Judged};

const REPOSITORY: &str = "team/app";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(the_nodes_login_opens_it),
        Trial::of(the_pods_login_opens_it),
        Trial::of(a_login_of_motos_opens_it),
    ]
}

/// A registry for one login, with one image in it.
struct Opened {
    host: &'static str,
    registry: DockerRegistry,
    skopeo: Skopeo,
    _stranger: TestCa,
    image: Image,
}

impl Opened {
    /// Opens it at the address of `host`. `None` if a judge is missing and that was allowed.
    fn start(world: &World, host: &'static str, user: &str, password: &str) -> Option<Self> {
        let certificate = world.certificate(&[host]);
        let https = Https {
            address: (world.address_of(host), 443).into(),
            certificate: &certificate.certificate,
            key: &certificate.key,
        };
        let registry = DockerRegistry::start_with_password(user, password, Some(&https))?;
        let image = Image::with_text("for whoever AWS let in");
        registry.seed(REPOSITORY, "1", &image);
        // Its own configuration trusts another CA, so that the system's trust decides.
        let stranger = TestCa::new();
        let skopeo = Skopeo::find()?.trusting(&stranger.pem_file());
        Some(Self { host, registry, skopeo, _stranger: stranger, image })
    }

    fn name(&self) -> String {
        format!("{}/{REPOSITORY}", self.host)
    }

    /// Pulls with the login that the plugin gave; the key is what a runtime finds it by.
    fn pulls(&self, (key, user, password): &(String, String, String)) -> bool {
        assert_eq!(key, self.host);
        let pull = self.skopeo.pull(&format!("{}:1", self.name()), Some((user, password)));
        match pull.success {
            true => assert_eq!(pull.digest, Some(self.image.digest())),
            // For this reason and no other.
            false => assert!(pull.stderr.contains("unauthorized"), "{}", pull.stderr),
        }
        pull.success
    }

    /// The login pulls, and one that differs does not.
    fn judges(&self, login: &(String, String, String)) {
        assert!(self.pulls(login), "{}", self.registry.log());
        let (key, user, password) = login.clone();
        assert!(!self.pulls(&(key.clone(), user, format!("{password}x"))));
        assert!(!self.pulls(&(key, "aws".to_owned(), password)));
    }
}

/// The password that AWS returns from now on. A real one is longer than a registry with a
/// password file can tell from another.
fn fix_password(cloud: &Cloud<'_>) -> String {
    let password = random_text(40);
    let token = Token::Text(format!("AWS:{password}"));
    let answer = TokenAnswer { token, expires: Expires::In(43_200.0) };
    cloud.aws.set_token_answer(Service::Ecr, answer);
    password
}

fn the_nodes_login_opens_it(world: &World) {
    let cloud = Cloud::new(world);
    let password = fix_password(&cloud);
    let Some(opened) = Opened::start(world, REGISTRY, "AWS", &password) else { return };
    let plugin = cloud.plugin_as_user().secret("the password", &password);
    let login = cloud.run(plugin, &request(&opened.name())).login();
    opened.judges(&login);
}

fn the_pods_login_opens_it(world: &World) {
    let cloud = Cloud::new(world);
    let password = fix_password(&cloud);
    let Some(opened) = Opened::start(world, REGISTRY, "AWS", &password) else { return };
    let pod = cloud.pod_request(&opened.name(), &[(ANNOTATION, &role("pull"))]);
    let login = cloud.run(cloud.plugin().secret("the password", &password), &pod).login();
    opened.judges(&login);
}

/// From a signature that others judged to an image that others served.
fn a_login_of_motos_opens_it(world: &World) {
    let Some(judged) = Judged::start(world) else { return };
    let Some(opened) = Opened::start(world, moto::REGISTRY, "AWS", moto::PASSWORD) else { return };
    let key = judged.moto.user("node", &["ecr:GetAuthorizationToken"]);
    let login = judged.run(judged.plugin_with(&key), &request(&opened.name()), 0).login();
    opened.judges(&login);
}
