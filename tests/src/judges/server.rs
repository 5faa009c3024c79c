//! A judge that serves: started, waited for, and ended.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process with a folder of its own; both are gone when it is dropped.
pub(super) struct JudgeServer {
    child: Child,
    folder: TempDir,
    address: SocketAddr,
}

impl JudgeServer {
    /// Runs `command` in `folder` until its log says, after `announcement`, where it listens. When
    /// it listens on port 0, it names the port that it got, so no other program can take that
    /// first.
    ///
    /// # Panics
    /// If it ends first, or says nothing for too long; with its log.
    pub(super) fn start(mut command: Command, folder: TempDir, announcement: &str) -> Self {
        let log = File::create(folder.path().join("log")).unwrap();
        let name = command.get_program().display().to_string();
        let child = command
            .current_dir(folder.path())
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start `{name}`: {error}"));
        let address = (std::net::Ipv4Addr::UNSPECIFIED, 0).into();
        let mut server = Self { child, folder, address };
        let started = Instant::now();
        loop {
            // Looked at before the log, which is then complete.
            let ended = server.child.try_wait().unwrap();
            // Its own line: that a port answers does not say that it is this process.
            if let Some(address) = announced(&server.log(), announcement) {
                server.address = address;
                return server;
            }
            if let Some(status) = ended {
                panic!("`{name}` did not start: {status}\n{}", server.log());
            }
            let waited = started.elapsed();
            assert!(waited < PATIENCE, "`{name}` was silent for {waited:?}\n{}", server.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its working directory.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it wrote to its log.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for JudgeServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address after `announcement`, once the log continues after it.
fn announced(log: &str, announcement: &str) -> Option<SocketAddr> {
    let (_, rest) = log.split_once(announcement)?;
    let part = |character: char| character.is_ascii_hexdigit() || ".:[]".contains(character);
    let end = rest.find(|character| !part(character))?;
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    fn start(script: &str) -> JudgeServer {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(script);
        JudgeServer::start(command, TempDir::new().unwrap(), "listening on ")
    }

    #[test]
    fn the_address_is_the_announced_one() {
        let server = start("echo 'msg=\"listening on 127.0.0.1:4711, tls\"'; exec sleep 600");
        assert_eq!(server.address().to_string(), "127.0.0.1:4711");
        let process = format!("/proc/{}", server.child.id());
        assert!(Path::new(&process).exists());
        drop(server);
        assert!(!Path::new(&process).exists(), "it is still running");
    }

    #[test]
    fn half_a_line_is_no_announcement() {
        assert_eq!(announced("listening on 127.0.0.1:47", "listening on "), None);
        let whole = announced("listening on [::1]:4711\n", "listening on ").unwrap();
        assert_eq!(whole.to_string(), "[::1]:4711");
    }

    #[test]
    fn a_program_that_ends_is_not_waited_for() {
        let Err(panic) = catch_unwind(|| start("echo no such option >&2; exit 3")) else {
            panic!("it has not started");
        };
        let message = panic.downcast_ref::<String>().unwrap();
        assert!(message.contains("exit status: 3") && message.contains("no such option"));
    }
}
