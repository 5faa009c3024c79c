//! The kubelet's own code as the judge of an input, where it is built: `cargo xtask oracle` does.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use pullpass_kubelet::KubeletVersion;
use serde_json::Value;

/// The minors that are asked: the first two with tokens, whose rules differ most, and the newest.
const MINORS: [u8; 3] = [37, 34, 33];

thread_local! {
    static JUDGES: RefCell<BTreeMap<u8, Option<Judge>>> = const { RefCell::new(BTreeMap::new()) };
}

struct Judge {
    _process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// The kubelet that an input is for: the same each time.
pub(crate) fn version(input: &[u8]) -> KubeletVersion {
    let minor = MINORS[input.iter().map(|byte| usize::from(*byte)).sum::<usize>() % MINORS.len()];
    KubeletVersion::new(minor).expect("a version that is known")
}

/// What that kubelet's code answers; `None` where it is not there.
pub(crate) fn ask(version: KubeletVersion, question: &Value) -> Option<Value> {
    JUDGES.with_borrow_mut(|judges| {
        let judge = judges.entry(version.minor()).or_insert_with(|| Judge::start(version));
        judge.as_mut().map(|judge| judge.ask(question))
    })
}

impl Judge {
    fn start(version: KubeletVersion) -> Option<Self> {
        let folder = std::env::var_os("PULLPASS_ORACLE_DIR")?;
        let program = Path::new(&folder).join(format!("1.{}", version.minor()));
        if !program.is_file() {
            eprintln!("the kubelet of {version} is not built: this input is judged without it");
            return None;
        }
        let mut process = Command::new(program)
            .env_clear()
            .env("GOMAXPROCS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the kubelet's code starts");
        let questions = process.stdin.take().expect("its stdin");
        let answers = BufReader::new(process.stdout.take().expect("its stdout"));
        Some(Self { _process: process, questions, answers })
    }

    fn ask(&mut self, question: &Value) -> Value {
        let mut line = format!("{question}\n");
        self.questions.write_all(line.as_bytes()).expect("a question");
        line.clear();
        self.answers.read_line(&mut line).expect("an answer");
        let answer: Value = serde_json::from_str(&line).expect("an answer in JSON");
        assert!(answer.get("failure").is_none(), "{answer} to {question}");
        answer
    }
}
