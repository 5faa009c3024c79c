//! The `docker-registry` of Debian (the Distribution project, 2.8) with token authentication:
//! somebody else's idea of whom to let in.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::fakes::docker_token::TokenServer;
use crate::judges::judge;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running registry with empty storage; gone when dropped.
pub struct DockerRegistry {
    child: Child,
    address: String,
    folder: TempDir,
}

impl DockerRegistry {
    /// Starts it, believing only what `token_server` signs. `None` if the judge is missing and that
    /// was allowed.
    pub fn start(token_server: &TokenServer) -> Option<Self> {
        let program = judge("PULLPASS_JUDGE_DOCKER_REGISTRY", "docker-registry")?;
        // Another process may take the port between our look and its start.
        (0..3).find_map(|_| Self::try_start(&program, token_server)).or_else(|| {
            panic!("`{}` did not start, three times", program.display());
        })
    }

    /// Host and port, as they stand in an image's name.
    pub fn authority(&self) -> &str {
        &self.address
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap()
    }

    fn try_start(program: &PathBuf, token_server: &TokenServer) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let address = {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on 127.0.0.1");
            listener.local_addr().unwrap().to_string()
        };
        let config = serde_json::json!({
            "version": "0.1",
            "log": {"level": "info"},
            "storage": {"filesystem": {"rootdirectory": folder.path().join("storage")}},
            "http": {"addr": address},
            "auth": {"token": {
                "realm": token_server.realm(),
                "service": token_server.service(),
                "issuer": token_server.issuer(),
                "rootcertbundle": token_server.certificate_file(),
            }},
        });
        // YAML is what it reads, and JSON is YAML.
        let file = folder.path().join("config.yml");
        fs::write(&file, config.to_string()).unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let child = Command::new(program)
            .arg("serve")
            .arg(&file)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start `{}`: {error}", program.display()));
        let mut registry = Self { child, address, folder };
        registry.wait().then_some(registry)
    }

    /// Until it listens, or has exited.
    fn wait(&mut self) -> bool {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                eprintln!("docker-registry: {status}\n{}", self.log());
                return false;
            }
            // Its own line: that the port answers does not say that it is this process.
            if self.log().contains("listening on") {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        eprintln!("docker-registry: not ready after {PATIENCE:?}\n{}", self.log());
        false
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
