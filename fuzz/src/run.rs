//! One run of a plugin: what servers say is the input, and what must hold of every run is checked.

use std::cell::RefCell;
use std::io;
use std::sync::Once;
use std::time::{Duration, SystemTime};

use pullpass::fuzzing::{Answer, set_answers};
use pullpass::{Clock, Env, Error, Plugin};
use pullpass_kubelet::{ExecApiVersion, Target};
use serde_json::json;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, filter, fmt};

use crate::secrets;

/// Who asks, and for what.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) plugin: &'static Plugin,
    pub(crate) args: &'a [&'a str],
    pub(crate) env: &'a [(&'a str, &'a str)],
    pub(crate) image: &'a str,
    /// Whether the pod's token is in the request, and the annotations with it.
    pub(crate) annotations: Option<&'a [(&'a str, &'a str)]>,
}

impl Run<'_> {
    /// Runs it with these answers, and checks what comes out.
    pub(crate) fn check(self, answers: &[u8]) {
        set_answers(read_answers(answers));
        let mut request = json!({
            "kind": "CredentialProviderRequest",
            "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
            "image": self.image,
        });
        if let Some(annotations) = self.annotations {
            request["serviceAccountToken"] = secrets::TOKEN.as_str().into();
            request["serviceAccountAnnotations"] =
                annotations.iter().map(|(key, value)| (*key, *value)).collect();
        }
        capture_logs();
        let clock = Clock::fixed(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
        let args = self.args.iter().map(Into::into);
        let env = self.env.iter().copied().collect::<Env>();
        let stdin = request.to_string();
        match pullpass::run(self.plugin, args, env, clock, stdin.as_bytes()) {
            Ok(stdout) => check_response(&stdout),
            Err(error) => check_error(&error),
        }
        secrets::check(&LOGS.take());
    }
}

/// Stops at a response that the newest kubelet would not take.
fn check_response(stdout: &[u8]) {
    let shown = String::from_utf8_lossy(stdout);
    let target = Target::default();
    let read = pullpass_kubelet::fuzzing::response(stdout, ExecApiVersion::V1, &target);
    let response = read.unwrap_or_else(|refused| panic!("{refused:?}: {shown}"));
    assert!(response.cache_duration.is_some(), "no duration: {shown}");
    assert!(["Image", "Registry", "Global"].contains(&response.cache_key_type.as_str()), "{shown}");
}

/// Stops at an error that holds a secret, or is more than its lines.
pub(crate) fn check_error(error: &Error) {
    let printed = error.render();
    assert!(error.kind().exit_code() != 0);
    for line in printed.lines() {
        assert!(
            ["error: ", "caused by: ", "hint: "].iter().any(|start| line.starts_with(start)),
            "{printed:?}"
        );
    }
    assert!(!printed.contains(|c: char| c.is_control() && c != '\n'), "{printed:?}");
    secrets::check(&printed);
}

/// Answers are divided by NUL: a line with the status, one for each header, an empty one, and
/// the body. Without an empty line it is a body, of status 200.
fn read_answers(input: &[u8]) -> Vec<Answer> {
    let input = secrets::expand(input);
    input.split(|byte| *byte == 0).map(read_answer).collect()
}

fn read_answer(input: &[u8]) -> Answer {
    let end = input.windows(2).position(|pair| pair == b"\n\n");
    let Some((head, body)) = end.map(|end| (&input[..end], &input[end + 2..])) else {
        return Answer { status: 200, headers: Vec::new(), body: input.to_vec() };
    };
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split('\n');
    let status = lines.next().and_then(|line| line.parse().ok()).unwrap_or(200);
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    Answer { status, headers: headers.collect(), body: body.to_vec() }
}

thread_local! {
    static LOGS: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps our own events of this thread, at every level: `PULLPASS_LOG=trace` must be safe.
fn capture_logs() {
    static START: Once = Once::new();
    START.call_once(|| {
        let ours = filter::filter_fn(|event| event.target().starts_with("pullpass"));
        let layer = fmt::layer().with_ansi(false).without_time().with_writer(|| Logs);
        tracing_subscriber::registry().with(layer.with_filter(ours)).init();
    });
}

struct Logs;

impl io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGS.with_borrow_mut(|logs| logs.push_str(&String::from_utf8_lossy(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
