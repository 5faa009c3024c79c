//! `bench`: what one call of a plugin costs a node, beside the budgets.

mod measure;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use xshell::cmd;

use self::measure::Program;
use crate::release::{self, Product};
use crate::workspace::Workspace;
use crate::{Result, flags};

const PLUGIN: &str = "oidc-credential-provider";
const DEFAULT_RUNS: usize = 31;
/// Megabytes are 10^6 bytes everywhere here.
const MEGABYTE: f64 = 1e6;

/// What a whole run of a plugin may use, by `DESIGN.md`.
const BUDGET: &str = "budget: binary 5 MB, memory 10 MB, \
                      CPU 2 ms for passthrough and 3 ms to the first network byte";

/// Measures and prints a table.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Bench) -> Result {
    let target = target(workspace)?;
    let example =
        |name| release::build(workspace, Product::Example { package: "xtask", name }, &target);
    let (hello, measured) = (example("hello")?, example("measured")?);
    let plugin = release::build(workspace, Product::plugin(PLUGIN), &target)?;
    workspace.cargo().args(["build", "-p", "pullpass-tests", "--bin", "bench_server"]).run()?;

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let server = Server::start(workspace, &listener)?;
    let call = |name, profile: &str| -> Result<Program> {
        Ok(Program {
            name,
            binary: plugin.clone(),
            arguments: vec![
                "--config".to_owned(),
                server.folder.join(profile).display().to_string(),
            ],
            variables: vec![("SSL_CERT_FILE", server.roots()?)],
            stdin: Some(server.folder.join("request.json")),
        })
    };
    let finished = [
        Program {
            name: "hello (a bare process)",
            binary: hello,
            arguments: Vec::new(),
            variables: Vec::new(),
            stdin: None,
        },
        call("passthrough", "passthrough.yaml")?,
        call("tokenExchange over http", "http.yaml")?,
        call("tokenExchange over TLS", "https.yaml")?,
    ];
    let started = [
        call("first byte, http", "silent-http.yaml")?,
        call("first byte, TLS", "silent-https.yaml")?,
    ];

    let runs = flags.runs.unwrap_or(DEFAULT_RUNS).max(1);
    let asked = |program: &&Program| {
        flags.what.as_ref().is_none_or(|what| program.name.contains(what.as_str()))
    };
    println!("{PLUGIN}, {target}, medians of {runs} runs");
    println!("{:<26}{:>9}{:>10}{:>13}{:>13}", "", "CPU ms", "wall ms", "memory MB", "binary MB");
    for program in finished.iter().filter(asked) {
        let sample = program.measure(&measured, runs)?;
        println!(
            "{:<26}{:>9.2}{:>10.2}{:>13.2}{:>13.2}",
            program.name,
            milliseconds(sample.cpu),
            milliseconds(sample.wall),
            sample.memory as f64 / MEGABYTE,
            measure::size(&program.binary)? as f64 / MEGABYTE,
        );
    }
    for program in started.iter().filter(asked) {
        let cpu = program.measure_first_byte(&listener, runs)?;
        println!("{:<26}{:>9.2}", program.name, milliseconds(cpu));
    }
    println!("{BUDGET}");
    Ok(())
}

/// The static target if its standard library is installed, as in a release; else the host's.
fn target(workspace: &Workspace) -> Result<String> {
    let musl = release::host_musl();
    if release::has_target(workspace, &musl)? {
        return Ok(musl);
    }
    let host = cmd!(workspace.shell, "rustc --print host-tuple").quiet().read()?;
    eprintln!("warning: `{musl}` is not installed, so this measures `{host}`");
    Ok(host)
}

/// The servers that the plugin calls, in a process of their own.
struct Server {
    process: Child,
    /// Holds a profile file per case, the request, and the test CA's certificate.
    folder: PathBuf,
}

impl Server {
    /// Starts it; its `silent-*.yaml` profiles point to the listener.
    fn start(workspace: &Workspace, silent: &TcpListener) -> Result<Self> {
        let mut process = Command::new(workspace.dev_binaries().join("bench_server"))
            .arg(silent.local_addr()?.port().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut folder = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut folder)?;
        }
        let folder = PathBuf::from(folder.trim_end());
        if !folder.is_dir() {
            return Err("the bench server did not start".into());
        }
        Ok(Self { process, folder })
    }

    /// The test CA after the system's roots, if those are there: what a node has to read.
    fn roots(&self) -> Result<PathBuf> {
        let file = self.folder.join("roots.pem");
        if !file.exists() {
            let system = Path::new("/etc/ssl/certs/ca-certificates.crt");
            let mut roots = if system.exists() { fs::read(system)? } else { Vec::new() };
            roots.extend(fs::read(self.folder.join("ca.pem"))?);
            fs::write(&file, roots)?;
        }
        Ok(file)
    }
}

impl Drop for Server {
    /// It serves until its stdin ends, then removes its folder.
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
