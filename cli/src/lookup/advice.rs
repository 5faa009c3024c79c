//! What to do about an outcome.

use pullpass_kubelet::KubeletVersion;
use pullpass_kubelet::cache::Stored;
use pullpass_kubelet::exec::ExecFailureKind;
use pullpass_kubelet::pattern::{Match, Pattern};
use pullpass_kubelet::service_account::NotCalled;
use pullpass_kubelet::{CacheDecision, Config, Outcome, ProviderReport};

use crate::args::LookupArgs;

/// The next step, if there is one.
pub(super) fn hint(
    args: &LookupArgs,
    config: &Config,
    lookup_name: &str,
    report: &ProviderReport,
) -> Option<String> {
    match &report.outcome {
        Outcome::NoMatch => None,
        Outcome::NotCalled(reason) => not_called(args, config, report, reason),
        Outcome::Failed(kind) => Some(failed(*kind, report).to_owned()),
        Outcome::EchoedToken => Some(
            "set `cacheType: Token` in this provider's `tokenAttributes`: only then does the \
             kubelet accept the pod's token as the password"
                .to_owned(),
        ),
        Outcome::InvalidCacheKeyType(word) => Some(key_type(word)),
        Outcome::Answered { keys: 0, .. } if is_kept(report) => Some(
            "the kubelet caches \"no credentials\" like any answer; a plugin without credentials \
             should answer `\"cacheDuration\":\"0s\"`"
                .to_owned(),
        ),
        Outcome::Answered { keys, usable: 0 } if *keys > 0 => Some(uncovered(lookup_name, report)),
        Outcome::Answered { .. } => None,
    }
}

/// Why each key of an answer does not cover the image.
fn uncovered(lookup_name: &str, report: &ProviderReport) -> String {
    let mut reasons = Vec::new();
    for key in report.auth.keys().take(MOST_KEYS) {
        let bare = key.strip_prefix("https://").or(key.strip_prefix("http://")).unwrap_or(key);
        let why = match Pattern::parse(bare, KubeletVersion::default()) {
            Ok(pattern) => match pattern.explain(lookup_name) {
                Match::Miss(reason) => reason.to_string(),
                Match::Hit => continue,
            },
            Err(error) => error.to_string(),
        };
        reasons.push(format!("key `{key}`: {why}"));
    }
    format!(
        "the plugin must answer with a key that covers the image, such as its registry (keys are \
         patterns as in `matchImages`); {}",
        reasons.join("; ")
    )
}

/// More would hide the rest.
const MOST_KEYS: usize = 5;

fn exit_status(report: &ProviderReport) -> &'static str {
    if !report.stderr.is_empty() {
        "the plugin's stderr, in the line above, says why; on a node it is in the kubelet's log \
         only"
    } else if report.stdout.is_empty() {
        "it wrote nothing to stderr: run it by hand with a request on stdin, and ask its author \
         to write errors to stderr"
    } else {
        "it wrote nothing to stderr, where errors belong, but something to stdout, which the \
         kubelet discards: run it by hand with a request on stdin"
    }
}

fn is_kept(report: &ProviderReport) -> bool {
    matches!(report.cache, CacheDecision::Missed(Stored::Until { .. }))
}

fn key_type(word: &str) -> String {
    let mut hint =
        "the plugin must answer `cacheKeyType` with `Image`, `Registry` or `Global`".to_owned();
    if word.is_empty() {
        hint.push_str(", even when it has no credentials");
    } else if matches!(word, "ServiceAccount" | "Token") {
        hint.push_str(&format!(
            "; `{word}` is a value of `tokenAttributes.cacheType` in the configuration, not of \
             `cacheKeyType` in an answer"
        ));
    } else if ["Image", "Registry", "Global"].iter().any(|known| known.eq_ignore_ascii_case(word)) {
        hint.push_str("; the value is case-sensitive");
    }
    hint
}

fn failed(kind: ExecFailureKind, report: &ProviderReport) -> &'static str {
    match kind {
        ExecFailureKind::NotStarted => {
            "it was built for another architecture, or its interpreter or loader is missing, or \
             its file system is mounted `noexec`"
        }
        ExecFailureKind::ExitStatus(_) => exit_status(report),
        ExecFailureKind::Signal(9) => {
            "it was killed from outside: by the kernel when memory ran \
             out, or by a person"
        }
        ExecFailureKind::Signal(_) => "the plugin crashed: report this to its author",
        ExecFailureKind::TimedOut => {
            "the kubelet gives a plugin one minute: check DNS, proxies and firewalls, and set a \
             shorter time limit in the plugin itself"
        }
        ExecFailureKind::Held => {
            "the plugin must end the processes that it starts, or close their stdout and stderr"
        }
        ExecFailureKind::TooLong | ExecFailureKind::NotJson => {
            "stdout must hold one JSON object and nothing else; logs belong on stderr"
        }
        ExecFailureKind::ApiVersion => {
            "the plugin must answer with the `apiVersion` of the request; set this provider's \
             `apiVersion` to one that the plugin supports"
        }
        ExecFailureKind::Undecodable => {
            "an answer can have only `kind`, `apiVersion`, `cacheKeyType`, `cacheDuration` and \
             `auth` with `username` and `password`, in this spelling"
        }
    }
}

fn not_called(
    args: &LookupArgs,
    config: &Config,
    report: &ProviderReport,
    reason: &NotCalled,
) -> Option<String> {
    let (namespace, name) = args
        .service_account
        .as_ref()
        .map_or(("NS", "NAME"), |account| (account.0.as_str(), account.1.as_str()));
    match reason {
        NotCalled::NoServiceAccount => Some(
            "set the pod's service account with `--service-account NS/NAME`; for static pods, \
             which have none, the kubelet does not run this provider"
                .to_owned(),
        ),
        NotCalled::MissingAnnotation(key) => Some(format!(
            "annotate the service account to opt in: `kubectl annotate serviceaccount --namespace \
             {namespace} {name} {key}=VALUE`; to try it here, add `--annotation {key}=VALUE`"
        )),
        NotCalled::Token(_) => {
            let provider = config.providers.iter().find(|known| *known.name == report.name)?;
            let audience = provider.token_attributes.as_ref()?.audience.as_str();
            Some(format!(
                "create one with `kubectl create token {name} --namespace {namespace} --audience \
                 {audience} > FILE`, and add `--token-file FILE` here"
            ))
        }
        NotCalled::ServiceAccount(_) | NotCalled::CacheKey(_) => None,
    }
}
