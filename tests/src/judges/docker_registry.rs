//! The `docker-registry` of Debian (the Distribution project, 2.8), with tokens or with a password:
//! an independent implementation of who may log in.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fakes::docker_token::TokenServer;
use crate::image::{Image, digest};
use crate::judges::judge;
use crate::judges::server::JudgeServer;

/// The lowest cost of bcrypt: the registry only lives for a test, so the hash need not be strong.
const BCRYPT_COST: u32 = 4;

/// A running registry with its own storage; gone when dropped.
pub struct DockerRegistry {
    server: JudgeServer,
    authority: String,
}

/// Where a registry speaks TLS itself.
pub struct Https<'a> {
    /// What it binds; port 0 is any that is free.
    pub address: SocketAddr,
    /// Its certificate, a PEM file.
    pub certificate: &'a Path,
    /// The key of the certificate, a PEM file.
    pub key: &'a Path,
}

impl DockerRegistry {
    /// Starts it over plain HTTP, believing only what `token_server` signs. `None` if the judge is
    /// missing and that was allowed.
    pub fn start(token_server: &TokenServer) -> Option<Self> {
        Self::start_with_tokens(
            &token_server.realm(),
            token_server.service(),
            token_server.issuer(),
            &token_server.certificate_file(),
        )
    }

    /// As [`DockerRegistry::start`], for a token server at `realm` whose certificate is a PEM file.
    pub fn start_with_tokens(
        realm: &str,
        service: &str,
        issuer: &str,
        certificate: &Path,
    ) -> Option<Self> {
        let auth = json!({"token": {
            "realm": realm,
            "service": service,
            "issuer": issuer,
            "rootcertbundle": certificate,
        }});
        Self::start_with(TempDir::new().unwrap(), &auth, None)
    }

    /// Starts it with one user, who may pull and push everything by this password (Basic
    /// authentication, as Amazon ECR has it). `None` if the judge is missing and that was allowed.
    ///
    /// # Panics
    /// If the password is longer than the 72 bytes that bcrypt looks at: the registry would take
    /// any other that starts alike.
    pub fn start_with_password(
        user: &str,
        password: &str,
        https: Option<&Https<'_>>,
    ) -> Option<Self> {
        let hash = bcrypt::non_truncating_hash(password, BCRYPT_COST).expect("at most 72 bytes");
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("htpasswd");
        fs::write(&file, format!("{user}:{hash}\n")).unwrap();
        let auth = json!({"htpasswd": {"realm": "judge", "path": file}});
        Self::start_with(folder, &auth, https)
    }

    /// Host and port, as in an image's name. The host is an address; the registry answers
    /// to any name.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// Puts an image into it without asking it: no login, no network. The files are those of the
    /// Distribution project's storage, `registry/storage/paths.go`, version 2.
    pub fn seed(&self, repository: &str, tag: &str, image: &Image) {
        let root = storage(self.server.folder()).join("docker/registry/v2");
        let repository = root.join("repositories").join(repository);
        let parts = [
            ("_layers", &image.config),
            ("_layers", &image.layer),
            ("_manifests/revisions", &image.manifest),
        ];
        for (kind, bytes) in parts {
            let digest = digest(bytes);
            let hash = digest.trim_start_matches("sha256:");
            write(&root.join("blobs/sha256").join(&hash[..2]).join(hash).join("data"), bytes);
            let link = repository.join(kind).join("sha256").join(hash).join("link");
            write(&link, digest.as_bytes());
        }
        let manifest = image.digest();
        let tag = repository.join("_manifests/tags").join(tag);
        let hash = manifest.trim_start_matches("sha256:");
        write(&tag.join("index/sha256").join(hash).join("link"), manifest.as_bytes());
        write(&tag.join("current/link"), manifest.as_bytes());
    }

    fn start_with(folder: TempDir, auth: &Value, https: Option<&Https<'_>>) -> Option<Self> {
        let program = judge("PULLPASS_JUDGE_DOCKER_REGISTRY", "docker-registry")?;
        let address =
            https.map_or((Ipv4Addr::LOCALHOST, 0).into(), |https| https.address).to_string();
        let mut http = json!({"addr": address});
        if let Some(https) = https {
            http["tls"] = json!({"certificate": https.certificate, "key": https.key});
        }
        let config = json!({
            "version": "0.1",
            "log": {"level": "info"},
            "storage": {"filesystem": {"rootdirectory": storage(folder.path())}},
            "http": http,
            "auth": auth,
        });
        // YAML is what it reads, and JSON is YAML.
        let file = folder.path().join("config.yml");
        fs::write(&file, config.to_string()).unwrap();
        let mut command = Command::new(program);
        command.arg("serve").arg(&file);
        let server = JudgeServer::start(command, folder, "listening on ");
        let authority = server.address().to_string();
        Some(Self { server, authority })
    }
}

fn storage(folder: &Path) -> PathBuf {
    folder.join("storage")
}

fn write(file: &Path, bytes: &[u8]) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, bytes).unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judges::skopeo::Skopeo;
    use crate::tls::TestCa;

    const USER: &str = "AWS";
    const PASSWORD: &str = "the password of this registry";
    const REPOSITORY: &str = "team/app";

    /// A registry with TLS and one image, and how that image is named.
    fn registry(ca: &TestCa, image: &Image) -> Option<(DockerRegistry, String)> {
        let folder = TempDir::new().unwrap();
        let (certificate, key) = ca.certificate(&["localhost"]);
        let file = |name: &str, text: String| {
            let file = folder.path().join(name);
            fs::write(&file, text).unwrap();
            file
        };
        let https = Https {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            certificate: &file("certificate.pem", certificate),
            key: &file("key.pem", key),
        };
        let registry = DockerRegistry::start_with_password(USER, PASSWORD, Some(&https))?;
        registry.seed(REPOSITORY, "1", image);
        let port = registry.server.address().port();
        Some((registry, format!("localhost:{port}/{REPOSITORY}:1")))
    }

    #[test]
    fn the_password_pulls_and_nothing_else_does() {
        let (ca, image) = (TestCa::new(), Image::with_text("for whoever has the password"));
        let Some((registry, reference)) = registry(&ca, &image) else { return };
        let Some(skopeo) = Skopeo::find() else { return };
        let skopeo = skopeo.trusting(&ca.pem_file());

        let pull = skopeo.pull(&reference, Some((USER, PASSWORD)));
        assert!(pull.success, "{}\n{}", pull.stderr, registry.log());
        assert_eq!(pull.digest, Some(image.digest()));

        let spoilt = format!("{PASSWORD}.");
        let wrong = [
            Some((USER, spoilt.as_str())),
            Some((USER, &PASSWORD[1..])),
            Some((USER, "")),
            Some(("aws", PASSWORD)),
            None,
        ];
        for login in wrong {
            let pull = skopeo.pull(&reference, login);
            assert!(!pull.success && pull.digest.is_none(), "{login:?} pulled");
            let refused = ["unauthorized", "authentication required"];
            assert!(refused.iter().any(|word| pull.stderr.contains(word)), "{}", pull.stderr);
        }
    }

    #[test]
    fn the_password_pushes_what_it_then_pulls() {
        let ca = TestCa::new();
        let seeded = Image::with_text("there from the start");
        let Some((registry, _)) = registry(&ca, &seeded) else { return };
        let Some(skopeo) = Skopeo::find() else { return };
        let skopeo = skopeo.trusting(&ca.pem_file());
        let port = registry.server.address().port();
        let (image, reference) =
            (Image::with_text("pushed"), format!("localhost:{port}/team/other:2"));
        assert!(!skopeo.push(&image, &reference, USER, "another password").success);
        let push = skopeo.push(&image, &reference, USER, PASSWORD);
        assert!(push.success, "{}\n{}", push.stderr, registry.log());
        let pull = skopeo.pull(&reference, Some((USER, PASSWORD)));
        assert_eq!(pull.digest, Some(image.digest()), "{}", pull.stderr);
    }

    #[test]
    fn a_registry_of_another_ca_is_not_given_the_password() {
        let (ca, image) = (TestCa::new(), Image::with_text("for nobody"));
        let Some((registry, reference)) = registry(&ca, &image) else { return };
        let Some(skopeo) = Skopeo::find() else { return };
        let stranger = TestCa::new();
        let skopeo = skopeo.trusting(&stranger.pem_file());
        let pull = skopeo.pull(&reference, Some((USER, PASSWORD)));
        assert!(!pull.success && pull.stderr.contains("x509"), "{}", pull.stderr);
        assert!(!registry.log().contains("/v2/"), "{}", registry.log());
    }

    #[test]
    #[should_panic(expected = "at most 72 bytes")]
    fn a_password_that_bcrypt_would_cut_is_refused() {
        let _ = DockerRegistry::start_with_password(USER, &"x".repeat(73), None);
    }
}
