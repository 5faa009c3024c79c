//! The built command, run as an operator or a script runs it.

#![allow(clippy::disallowed_methods, reason = "tests read their own data and environment")]
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test")]

mod check;
mod config;
mod config_edit;
mod cures;
mod doctor;
mod first_steps;
mod kind_4185;
mod match_images;
mod oidc;
mod oidc_pages;
mod output;
mod page_commands;
mod pages;
mod profiles;
mod programs;
mod readme;
mod records;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// What one run gave.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pullpass"));
    command.stdin(Stdio::null());
    command
}

fn pullpass<'a>(args: impl IntoIterator<Item = &'a str>) -> Ran {
    let Output { status, stdout, stderr } = command().args(args).output().expect("a run");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

/// A node's folder: a configuration and a bin dir.
struct Node(TempDir);

impl Node {
    fn new() -> Self {
        let node = Self(TempDir::new().expect("a folder"));
        fs::create_dir(node.bin_dir()).expect("a bin dir");
        node
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    fn bin_dir(&self) -> PathBuf {
        self.path("bin")
    }

    /// Writes a file and gives its path.
    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).expect("a file");
        self.text(name)
    }

    /// A configuration with this text as its providers.
    fn config(&self, providers: &str) -> String {
        self.write(
            "config.yaml",
            &format!(
                "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\n\
                 providers:\n{providers}"
            ),
        )
    }

    /// A shell script in the bin dir.
    fn script(&self, name: &str, body: &str) {
        let path = self.bin_dir().join(name);
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
}

/// An entry for `name` with the image `registry.example/...`; `more` are its further lines.
fn entry(name: &str, more: &str) -> String {
    format!(
        "- name: {name}\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n  \
         matchImages: [registry.example]\n  defaultCacheDuration: 10m\n{more}"
    )
}

/// The line of shell that prints an answer with the given `cacheKeyType` and `auth`.
fn answer(key_type: &str, auth: &str) -> String {
    format!(
        "echo '{{\"kind\":\"CredentialProviderResponse\",\
         \"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\
         \"cacheKeyType\":\"{key_type}\",\"auth\":{auth}}}'"
    )
}

const LOGIN: &str = r#"{"registry.example":{"username":"user","password":"correct-horse"}}"#;

fn vectors(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kubelet/tests/vectors").join(name);
    let rows: Vec<Value> =
        serde_json::from_str(&fs::read_to_string(path).expect("vectors")).expect("JSON");
    assert!(!rows.is_empty());
    rows
}
