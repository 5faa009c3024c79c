//! The servers that a plugin calls, in a separate process: `bench_server`.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::measure::Program;
use super::suite::Case;
use crate::Result;
use crate::workspace::Workspace;

/// Serves until dropped.
pub(super) struct Server {
    process: Child,
    /// Holds a folder per case.
    folder: PathBuf,
}

impl Server {
    /// Starts the servers of a plugin; its `silent-*` cases point to the listener.
    pub(super) fn start(workspace: &Workspace, plugin: &str, silent: &TcpListener) -> Result<Self> {
        let mut process = Command::new(workspace.dev_binaries().join("bench_server"))
            .arg(plugin)
            .arg(silent.local_addr()?.port().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut folder = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut folder)?;
        }
        let folder = PathBuf::from(folder.trim_end());
        let server = Self { process, folder };
        if !server.folder.is_dir() {
            return Err("`bench_server` did not start".into());
        }
        Ok(server)
    }

    /// How a binary is run in a case.
    pub(super) fn program(&self, case: &Case, binary: PathBuf) -> Result<Program> {
        let folder = self.folder.join(case.folder);
        let lines = |name| -> Result<Vec<String>> {
            let text = fs::read_to_string(folder.join(name))
                .map_err(|error| format!("no case `{}`: {error}", case.folder))?;
            Ok(text.lines().map(str::to_owned).collect())
        };
        let variables = lines("environment")?.into_iter().filter_map(|line| {
            line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
        });
        Ok(Program {
            name: case.title,
            binary,
            arguments: lines("arguments")?,
            variables: variables.collect(),
            stdin: Some(folder.join("request.json")),
        })
    }

    /// How the floor is run in a case of this plugin: it trusts only the servers' root.
    pub(super) fn floor(&self, case: &Case, plugin: &str, binary: PathBuf) -> Result<Program> {
        let mut program = self.program(case, binary)?;
        let root = self.folder.join("root.pem").display().to_string();
        program.arguments.splice(..0, [plugin.to_owned(), root]);
        Ok(program)
    }
}

impl Drop for Server {
    /// It serves until its stdin ends, then removes its folder.
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
