//! What to do about an outcome.

use pullpass_kubelet::KubeletVersion;
use pullpass_kubelet::cache::Stored;
use pullpass_kubelet::exec::ExecFailureKind;
use pullpass_kubelet::pattern::{Match, Pattern};
use pullpass_kubelet::service_account::NotCalled;
use pullpass_kubelet::{CacheDecision, Config, Outcome, ProviderReport};

use crate::args::LookupArgs;

/// The next step, where there is one.
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
            "set `cacheType: Token` in this provider's `tokenAttributes`: only then may the token \
             itself be the password"
                .to_owned(),
        ),
        Outcome::InvalidCacheKeyType(word) => Some(key_type(word)),
        Outcome::Answered { keys: 0, .. } if is_kept(report) => Some(
            "\"no credentials\" is remembered like any answer; a plugin that refuses should answer \
             `\"cacheDuration\":\"0s\"`"
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
        "the plugin must answer with a key such as the image's registry, as patterns of \
         `matchImages`; {}",
        reasons.join("; ")
    )
}

/// More would drown the rest.
const MOST_KEYS: usize = 5;

fn exit_status(report: &ProviderReport) -> &'static str {
    if !report.stderr.is_empty() {
        "its stderr says why; the kubelet shows it in its log only"
    } else if report.stdout.is_empty() {
        "it says nothing on stderr: run it by hand with a request on stdin, and ask those who made \
         it to write errors to stderr"
    } else {
        "it says nothing on stderr, where errors belong, but something on stdout, which the kubelet \
         throws away: run it by hand with a request on stdin"
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
            "; `{word}` is a value of `tokenAttributes.cacheType` in the configuration, which \
             already keeps service accounts apart"
        ));
    } else if ["Image", "Registry", "Global"].iter().any(|known| known.eq_ignore_ascii_case(word)) {
        hint.push_str("; upper and lower case count");
    }
    hint
}

fn failed(kind: ExecFailureKind, report: &ProviderReport) -> &'static str {
    match kind {
        ExecFailureKind::NotStarted => {
            "it is for another architecture, or lacks its interpreter or loader, or its file \
             system is mounted `noexec`"
        }
        ExecFailureKind::ExitStatus(_) => exit_status(report),
        ExecFailureKind::Signal(9) => "something killed it: out of memory, or an operator",
        ExecFailureKind::Signal(_) => "the plugin crashed: report it to those who made it",
        ExecFailureKind::TimedOut => {
            "the kubelet gives a plugin one minute: look at DNS, proxies and firewalls, and give \
             the plugin a shorter limit of its own"
        }
        ExecFailureKind::Held => {
            "the plugin must not leave processes behind, or must close their stdout and stderr"
        }
        ExecFailureKind::TooLong | ExecFailureKind::NotJson => {
            "stdout must hold one JSON object and nothing else; logs belong on stderr"
        }
        ExecFailureKind::ApiVersion => {
            "the plugin must answer in the request's `apiVersion`; set this provider's \
             `apiVersion` to one that it speaks"
        }
        ExecFailureKind::Undecodable => {
            "the answer may have `kind`, `apiVersion`, `cacheKeyType`, `cacheDuration` and `auth` \
             with `username` and `password`, in this case and nothing else"
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
            "`--service-account NS/NAME` names the pod's; static pods have none and are left out"
                .to_owned(),
        ),
        NotCalled::MissingAnnotation(key) => Some(format!(
            "workloads opt in by it: kubectl annotate serviceaccount --namespace {namespace} \
             {name} {key}=VALUE; here `--annotation {key}=VALUE`"
        )),
        NotCalled::Token(_) => {
            let provider = config.providers.iter().find(|known| *known.name == report.name)?;
            let audience = provider.token_attributes.as_ref()?.audience.as_str();
            Some(format!(
                "kubectl create token {name} --namespace {namespace} --audience {audience} > FILE, \
                 and here `--token-file FILE`"
            ))
        }
        NotCalled::ServiceAccount(_) | NotCalled::CacheKey(_) => None,
    }
}
