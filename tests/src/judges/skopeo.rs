//! The `skopeo` of Debian: a client that goes through a registry's challenge and token server by
//! itself, as a container runtime does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tempfile::TempDir;

use crate::image::{Image, digest};
use crate::judges::judge;

/// The program. It looks at no certificate unless told whom to trust.
pub struct Skopeo {
    program: PathBuf,
    ca: Option<PathBuf>,
}

/// What a copy came to.
pub struct Copy {
    /// Whether it exited with 0.
    pub success: bool,
    /// The digest of the manifest that arrived, for a pull that succeeded.
    pub digest: Option<String>,
    /// All of stdout.
    pub stdout: String,
    /// All of stderr.
    pub stderr: String,
}

impl Skopeo {
    /// Finds it. `None` if the judge is missing and that was allowed.
    pub fn find() -> Option<Self> {
        judge("PULLPASS_JUDGE_SKOPEO", "skopeo").map(|program| Self { program, ca: None })
    }

    /// Speaks only TLS from now on, and only with servers of this CA (a PEM file) or of the
    /// system's.
    pub fn trusting(mut self, ca: &Path) -> Self {
        self.ca = Some(ca.to_owned());
        self
    }

    /// Pushes an image to `<host>:<port>/<repository>:<tag>`.
    pub fn push(&self, image: &Image, reference: &str, user: &str, password: &str) -> Copy {
        let folder = TempDir::new().unwrap();
        image.write_layout(folder.path(), "pushed");
        let authfile = authfile(folder.path(), reference, Some((user, password)));
        let source = format!("oci:{}:pushed", folder.path().display());
        let target = format!("docker://{reference}");
        let tls = self.tls(folder.path(), "dest");
        self.copy(folder.path(), &authfile, [&tls, &source, &target])
    }

    /// Pulls an image, with a login or without.
    pub fn pull(&self, reference: &str, login: Option<(&str, &str)>) -> Copy {
        let folder = TempDir::new().unwrap();
        let authfile = authfile(folder.path(), reference, login);
        let pulled = folder.path().join("pulled");
        let source = format!("docker://{reference}");
        let target = format!("dir:{}", pulled.display());
        let tls = self.tls(folder.path(), "src");
        let mut copy = self.copy(folder.path(), &authfile, [&tls, &source, &target]);
        if copy.success {
            copy.digest = Some(digest(&fs::read(pulled.join("manifest.json")).unwrap()));
        }
        copy
    }

    /// The option that says how the registry is to be trusted, which is the copy's `src` or `dest`.
    fn tls(&self, folder: &Path, side: &str) -> String {
        let Some(ca) = &self.ca else { return format!("--{side}-tls-verify=false") };
        let certificates = folder.join("certificates");
        fs::create_dir(&certificates).unwrap();
        // By its ending it knows an authority from a client's certificate.
        fs::copy(ca, certificates.join("ca.crt")).unwrap();
        format!("--{side}-cert-dir={}", certificates.display())
    }

    fn copy(&self, folder: &Path, authfile: &Path, args: [&str; 3]) -> Copy {
        let output = Command::new(&self.program)
            .args(["--insecure-policy", "--command-timeout=30s", "copy"])
            // Not on the command line, where `ps` shows it.
            .arg("--authfile")
            .arg(authfile)
            .args(args)
            // No setting of the person who runs the tests may affect them.
            .env("HOME", folder)
            .env("XDG_RUNTIME_DIR", folder)
            .env("TMPDIR", folder)
            .env_remove("HTTP_PROXY")
            .env_remove("HTTPS_PROXY")
            .env_remove("http_proxy")
            .env_remove("https_proxy")
            .env_remove("REGISTRY_AUTH_FILE")
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("cannot start `{}`: {error}", self.program.display()));
        Copy {
            success: output.status.success(),
            digest: None,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Writes a login as `docker login` leaves it, for the host of `reference`.
fn authfile(folder: &Path, reference: &str, login: Option<(&str, &str)>) -> PathBuf {
    let host = reference.split('/').next().unwrap_or_default();
    let auths = match login {
        Some((user, password)) => {
            json!({host: {"auth": STANDARD.encode(format!("{user}:{password}"))}})
        }
        None => json!({}),
    };
    let file = folder.join("auth.json");
    fs::write(&file, json!({"auths": auths}).to_string()).unwrap();
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::docker_token::{TokenOptions, TokenServer};
    use crate::fakes::trust::Trust;
    use crate::issuer::Issuer;
    use crate::judges::docker_registry::DockerRegistry;
    use crate::jwt::tampered;

    #[test]
    fn the_judges_let_a_good_token_pull_and_no_other() {
        let service = "judge.example";
        let issuer = Issuer::start(None);
        let options = TokenOptions {
            service: service.to_owned(),
            trust: Trust::Jwt(issuer.verifier(service)),
            username: Some("jwt".to_owned()),
            repositories: vec!["team/app".to_owned()],
        };
        let tokens = TokenServer::start(options, None);
        let Some(registry) = DockerRegistry::start(&tokens) else { return };
        let Some(skopeo) = Skopeo::find() else { return };
        let image = Image::with_text("for the judges");
        let (user, password) = tokens.operator();
        for repository in ["team/app", "team/secret"] {
            let reference = format!("{}/{repository}:1", registry.authority());
            let push = skopeo.push(&image, &reference, &user, &password);
            assert!(push.success, "{}\n{}", push.stderr, registry.log());
        }

        let reference = format!("{}/team/app:1", registry.authority());
        let good = issuer.token(service).build();
        let pull = skopeo.pull(&reference, Some(("jwt", &good)));
        assert!(pull.success, "{}\n{}", pull.stderr, registry.log());
        assert_eq!(pull.digest, Some(image.digest()));

        let secret = format!("{}/team/secret:1", registry.authority());
        assert!(!skopeo.pull(&secret, Some(("jwt", &good))).success, "another repository");
        assert!(!skopeo.pull(&reference, None).success, "no login");
        let spoilt = [
            tampered(&good),
            issuer.token(service).expired().build(),
            issuer.token("other.example").build(),
            issuer.token(service).signed_by_stranger().build(),
        ];
        for user in ["other", "operator"] {
            assert!(!skopeo.pull(&reference, Some((user, &good))).success, "{user}");
        }
        for token in spoilt {
            let pull = skopeo.pull(&reference, Some(("jwt", &token)));
            assert!(!pull.success && pull.digest.is_none());
        }
    }
}
