//! The program that holds the kubelet's own code, and how it is asked.

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

/// What both the oracle and our side have as the kubelet's environment.
pub(crate) const ENVIRONMENT: [(&str, &str); 2] =
    [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("OUTER", "of the kubelet")];

/// One oracle, asked a line at a time.
pub(crate) struct Judge {
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Judge {
    /// The oracle of a Kubernetes minor. `None` when this run is not about it, or when it is
    /// missing and may be, which is then said loudly. A run that names no minors is about those
    /// that are built.
    pub(crate) fn of_minor(minor: &str) -> Option<Self> {
        let asked = env::var("PULLPASS_ORACLE_MINORS").ok();
        if let Some(asked) = &asked
            && !asked.split(',').any(|one| one == minor)
        {
            println!("the kubelet of {minor} was not asked in this run");
            return None;
        }
        let hermetic = env::var_os("PULLPASS_HERMETIC").is_some_and(|value| value == "1");
        let named = env::var_os("PULLPASS_ORACLE_DIR").map(PathBuf::from);
        // What `cargo xtask test` says where there is no Go to build it.
        let hermetic = hermetic || named.as_deref() == Some(Path::new("missing"));
        // `cargo xtask test --hermetic` names no folder where one of them is old or missing.
        let folder = named.or_else(|| (!hermetic).then(built_folder));
        let built = folder.as_deref().map(built_minors).unwrap_or_default();
        if let Some(folder) = folder
            && built.iter().any(|one| one == minor)
        {
            return Some(Self::start(&folder.join(minor)));
        }
        if asked.is_none() && !built.is_empty() {
            println!("the kubelet of {minor} is not built; `cargo xtask oracle --all` builds it");
            return None;
        }
        assert!(
            hermetic,
            "the kubelet of {minor} is missing: `cargo xtask oracle` builds it, \
             `PULLPASS_HERMETIC=1` goes without"
        );
        eprintln!(
            "\n*** JUDGE MISSING: the kubelet of {minor}. This test has proved nothing. ***\n"
        );
        None
    }

    fn start(program: &Path) -> Self {
        let mut process = Command::new(program)
            .env_clear()
            .envs(ENVIRONMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let questions = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self { process, questions, answers }
    }

    /// Asks one question. A question that the oracle could not put to the kubelet is a
    /// mistake of this test.
    pub(crate) fn ask(&mut self, question: &Value) -> Value {
        let questions = self.questions.as_mut().unwrap();
        writeln!(questions, "{question}").unwrap();
        questions.flush().unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{error} in the answer `{line}` to {question}"));
        assert!(answer.get("failure").is_none(), "{answer} to {question}");
        answer
    }
}

impl Drop for Judge {
    /// It serves until its stdin ends.
    fn drop(&mut self) {
        drop(self.questions.take());
        let _ = self.process.wait();
    }
}

/// Where `cargo xtask oracle` puts the oracles.
fn built_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/kubelet-oracle")
}

/// The minors whose oracles are in the folder: each is a program with the minor's name.
fn built_minors(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let programs = entries.filter(|entry| entry.path().is_file());
    programs.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
