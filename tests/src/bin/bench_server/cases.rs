//! The folders that say how a plugin is run: `request.json` is its stdin, `arguments` and
//! `environment` hold one argument and one `NAME=VALUE` per line.

use std::fs;
use std::path::{Path, PathBuf};

use pullpass_tests::tls::TestCa;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Where distributions keep their CA bundle: Debian's place, and Fedora's.
const BUNDLES: [&str; 2] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"];

/// Names the trust roots.
pub(crate) const ROOTS: &str = "SSL_CERT_FILE";

/// The cases of one plugin, gone when dropped.
pub(crate) struct Cases {
    folder: TempDir,
    roots: PathBuf,
    silent_port: u16,
}

impl Cases {
    /// No cases yet. Their trust roots are the CA's certificate after the system's, if those are
    /// there: what a node has to read. `root.pem` has the CA's alone.
    pub(crate) fn new(ca: &TestCa, silent_port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let roots = folder.path().join("roots.pem");
        fs::copy(ca.pem_file(), folder.path().join("root.pem")).unwrap();
        let system = BUNDLES.iter().find_map(|bundle| fs::read(bundle).ok()).unwrap_or_default();
        fs::write(&roots, [system, fs::read(ca.pem_file()).unwrap()].concat()).unwrap();
        Self { folder, roots, silent_port }
    }

    /// Holds a folder per case.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The URL that never answers.
    pub(crate) fn silent(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}", self.silent_port)
    }

    /// Adds a case. Its environment may name other trust roots.
    pub(crate) fn add(
        &self,
        name: &str,
        arguments: &[String],
        environment: &[(&str, String)],
        request: &Value,
    ) {
        let folder = self.folder().join(name);
        fs::create_dir(&folder).unwrap();
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
        let roots = (ROOTS, self.roots.display().to_string());
        let variables = [&roots].into_iter().chain(environment);
        write("request.json", &request.to_string());
        write("arguments", &lines(arguments.iter().cloned()));
        write("environment", &lines(variables.map(|(name, value)| format!("{name}={value}"))));
    }

    /// Writes a file next to the cases and returns its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let file = self.folder().join(name);
        fs::write(&file, text).unwrap();
        file
    }
}

/// What a kubelet sends for an image, without a service account.
pub(crate) fn request(image: &str) -> Value {
    json!({
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "kind": "CredentialProviderRequest",
        "image": image,
    })
}

fn lines(items: impl Iterator<Item = String>) -> String {
    items.map(|item| item + "\n").collect()
}
