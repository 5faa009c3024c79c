//! Vault: what it keeps for a pod opens Debian's registry, for Debian's client.

use pullpass_tests::image::Image;
use pullpass_tests::judges::docker_registry::{DockerRegistry, Https};
use pullpass_tests::judges::skopeo::Skopeo;
use pullpass_tests::judges::vault::{self, Vault};
use pullpass_tests::jwt::tampered;
use pullpass_tests::world::{Trial, World};

use crate::fixture::{
    CONFIG, DENIED, Fixture, IDENTITY, PROTOCOL, Pull, REGISTRY, REPOSITORY, TRUST_HINT,
};
use crate::front::Front;

const VAULT: &str = "vault.example:8200";
const ADDRESS: &str = "https://vault.example:8200";
const AUDIENCE: &str = "vault.example";
pub(crate) const USER: &str = "robot";
pub(crate) const PASSWORD: &str = "what only the registry and the vault know";

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::of(what_vault_keeps_for_a_pod_pulls), Trial::of(its_errors_are_read)]
}

/// Vault with that password for the registry, under its name.
pub(crate) fn start(fixture: &Fixture<'_>, password: &str) -> Option<(Vault, Front)> {
    let vault = Vault::start(&fixture.cluster(AUDIENCE), USER, password)?;
    let front = Front::start(fixture.world, VAULT, vault.address());
    Some((vault, front))
}

/// Debian's registry under its name, with an image, for [`USER`] and [`PASSWORD`].
pub(crate) fn registry(world: &World, image: &Image) -> Option<DockerRegistry> {
    let (host, port) = REGISTRY.split_once(':').unwrap();
    let files = world.certificate(&[host]);
    let https = Https {
        address: (world.address_of(host), port.parse().unwrap()).into(),
        certificate: &files.certificate,
        key: &files.key,
    };
    let registry = DockerRegistry::start_with_password(USER, PASSWORD, Some(&https))?;
    registry.seed(REPOSITORY, "1", image);
    Some(registry)
}

pub(crate) fn preset<'g>(fixture: &'g Fixture<'_>, name: &str, role: &str, path: &str) -> Pull<'g> {
    let set = [
        ("address", ADDRESS),
        ("role", role),
        ("path", path),
        ("registry", REGISTRY),
        ("audience", AUDIENCE),
    ];
    fixture.preset(name, AUDIENCE, &set)
}

fn what_vault_keeps_for_a_pod_pulls(world: &World) {
    let fixture = Fixture::new(world);
    let Some((vault, front)) = start(&fixture, PASSWORD) else { return };
    let image = Image::with_text("for whoever Vault lets in");
    let (Some(registry), Some(skopeo)) = (registry(world, &image), Skopeo::find()) else { return };
    let skopeo = skopeo.trusting(&world.ca().pem_file());
    let reference = format!("{REGISTRY}/{REPOSITORY}:1");
    for (name, path) in [("vault-kv", vault::SECRET), ("vault-kv1", vault::SECRET_V1)] {
        let pull = preset(&fixture, name, vault::ROLE, path);
        let (runs, calls) = front.calls_of(|| [pull.run(true), pull.run(false)]);
        for run in runs {
            front.assert_no_leak(&run);
            let login = pull.login_of(&run);
            assert_eq!(login.username, USER);
            // Vault's login ends; what is read by it does not say when it does.
            assert_eq!(login.cached.as_secs(), 0);
            let pulled = skopeo.pull(&reference, Some((&login.username, &login.password)));
            assert_eq!(
                pulled.digest,
                Some(image.digest()),
                "{}\n{}",
                pulled.stderr,
                registry.log()
            );
        }
        let paths: Vec<&str> = calls.iter().map(|call| call.path.as_str()).collect();
        let (login, read) = (format!("/v1/auth/{}/login", vault::MOUNT), format!("/v1/{path}"));
        assert_eq!(paths, [&login, &read, &login, &read], "{}", vault.log());
    }
    assert!(!skopeo.pull(&reference, Some((USER, "wrong"))).success);
    assert!(!skopeo.pull(&reference, None).success);
}

fn its_errors_are_read(world: &World) {
    let fixture = Fixture::new(world);
    let Some((vault, front)) = start(&fixture, PASSWORD) else { return };
    let kv = |role: &str, path: &str| preset(&fixture, "vault-kv", role, path);
    let good = kv(vault::ROLE, vault::SECRET);
    let login = "`https://vault.example:8200/v1/auth/jwt/login` refused the token exchange";
    let ((), calls) = front.calls_of(|| {
        let says = [login, "HTTP 400", "says: role \"other\" could not be found"];
        kv("other", vault::SECRET).fails(DENIED, &says);
        let says = [login, "HTTP 400", "says: error validating token", TRUST_HINT];
        let token = || fixture.issuer.token(AUDIENCE);
        for token in [tampered(&token().build()), token().signed_by_stranger().build()] {
            good.clone().with_token(&token).fails(DENIED, &says);
        }
        good.clone().by_a_stranger().fails(DENIED, &[login, "says: error validating token"]);
    });
    assert_eq!(calls.len(), 8, "{}", vault.log());
    assert!(calls.iter().all(|call| call.status == 400 && call.path.ends_with("/login")));
    // The audience of the role is not the one that the profile has.
    let set = [
        ("address", ADDRESS),
        ("role", vault::ROLE),
        ("path", vault::SECRET),
        ("registry", REGISTRY),
        ("audience", "other.example"),
    ];
    let says = [login, "says: error validating token: invalid audience (aud) claim"];
    fixture.preset("vault-kv", "other.example", &set).fails(DENIED, &says);
    let other = fixture.issuer.token("other.example").build();
    good.with_token(&other).is_not_sent(IDENTITY, &["audience `other.example`"]);

    // What the role's policy does not cover, whether it is there or not.
    for path in ["secret/data/other", "secret/registry", "elsewhere/data/registry"] {
        let says = [&format!("`{ADDRESS}/v1/{path}` refused"), "HTTP 403", "permission denied"];
        kv(vault::ROLE, path).fails(DENIED, &says);
    }
    // One version's preset with the other version's secret.
    let wrong = [
        preset(&fixture, "vault-kv1", vault::ROLE, vault::SECRET),
        kv(vault::ROLE, vault::SECRET_V1),
    ];
    for pull in wrong {
        let pull = pull.keeping("the registry's password", PASSWORD);
        pull.fails(
            PROTOCOL,
            &["answered 200 without a string at `/data/", "hint: check `response`"],
        );
    }
    let nowhere = [
        ("address", ADDRESS),
        ("mount", "nowhere"),
        ("role", vault::ROLE),
        ("path", vault::SECRET),
        ("registry", REGISTRY),
        ("audience", AUDIENCE),
    ];
    let says = ["`https://vault.example:8200/v1/auth/nowhere/login` refused", "HTTP 403"];
    fixture.preset("vault-kv", AUDIENCE, &nowhere).fails(DENIED, &says);
    let incomplete = fixture.preset("vault-kv", AUDIENCE, &nowhere[..2]);
    let before = front.calls().len();
    assert_eq!(incomplete.run(false).code, Some(CONFIG));
    assert_eq!(front.calls().len(), before);
    // None of what Vault gave on the way shows.
    front.assert_no_leak(&kv(vault::ROLE, "secret/data/other").run(true));
}
