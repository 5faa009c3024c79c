//! The servers that `cargo xtask bench` measures a plugin against, in a process of their own.
//!
//! `bench_server PLUGIN SILENT_PORT` prints the path of a folder with one folder per case, and
//! serves until its stdin ends. The cases called `silent-*` point to `SILENT_PORT`, where the
//! caller listens and never answers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a tool for measuring; nothing here ships"
)]

mod acr;
mod cases;
mod ecr;
mod gar;
mod oidc;

use std::env;
use std::io::{Read as _, Write as _, stdin, stdout};

use pullpass_tests::tls::TestCa;

use self::cases::Cases;

fn main() {
    const USAGE: &str = "usage: bench_server PLUGIN SILENT_PORT";
    let plugin = env::args().nth(1).expect(USAGE);
    let silent_port = env::args().nth(2).and_then(|port| port.parse().ok()).expect(USAGE);
    let ca = TestCa::new();
    let cases = Cases::new(&ca, silent_port);
    let start = match plugin.as_str() {
        "acr" => acr::start,
        "ecr" => ecr::start,
        "gar" => gar::start,
        "oidc" => oidc::start,
        other => panic!("no cases for `{other}`"),
    };
    // They run until they are dropped.
    let _servers = start(&cases, &ca);
    println!("{}", cases.folder().display());
    stdout().flush().unwrap();
    let _ = stdin().read_to_end(&mut Vec::new());
}
