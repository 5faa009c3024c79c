//! What to do about the kubelet's words, where they do not say it themselves.

use pullpass_kubelet::startup::programs::ProgramProblem;
use pullpass_kubelet::{Finding, SERVICE_ACCOUNT_TOKENS, Target};

use crate::check::Verdict;

/// The fix for one fault.
pub(super) fn for_error(finding: &Finding, verdict: &Verdict, target: &Target) -> Option<String> {
    program(finding, verdict).or_else(|| words(&finding.message, target))
}

/// The kubelet's message often leaves out which file it looked for.
fn program(finding: &Finding, verdict: &Verdict) -> Option<String> {
    let location = finding.location.as_ref()?;
    let named = &location.source().text()[location.span()];
    let mut programs = verdict.programs.iter();
    let (_, path, problem, _) = programs.find(|(provider, _, _, message)| {
        *message == finding.message && named.contains(provider.as_str())
    })?;
    let path = path.display();
    Some(match problem {
        ProgramProblem::Missing => {
            format!("there is no `{path}`; install the program under this name")
        }
        ProgramProblem::DanglingLink => format!("`{path}` is a link that leads nowhere"),
        ProgramProblem::Directory => format!("`{path}` is a directory; the program must be there"),
        ProgramProblem::NotExecutable => {
            format!("chmod +x {path}; or its file system is mounted `noexec`")
        }
        ProgramProblem::Unreadable => format!("see to it that root can reach `{path}`"),
    })
}

/// By the words, since the kubelet has no codes.
fn words(message: &str, target: &Target) -> Option<String> {
    let version = target.version;
    let hint = if message.contains("feature gate is disabled") {
        format!(
            "start the kubelet, and this command, with `--feature-gates={SERVICE_ACCOUNT_TOKENS}=true`; \
             1.34 and later have it on"
        )
    } else if message.contains("cacheType: Required value") {
        "set `cacheType: Token`; `ServiceAccount` only where the credential outlives the pod's token"
            .to_owned()
    } else if message.contains("unknown field") && message.contains("tokenAttributes") {
        format!(
            "kubelet {version} does not know it: `cacheType` came with 1.34, `tokenAttributes` with 1.33 and `v1`"
        )
    } else if message.contains("unknown field") {
        "remove it, or correct its spelling; upper and lower case count".to_owned()
    } else if message.starts_with("plugin binary directory") {
        "correct `--image-credential-provider-bin-dir`, or make the directory".to_owned()
    } else if message.starts_with("duplicate provider name") {
        "each provider needs a name of its own; a symbolic link gives one program another name"
            .to_owned()
    } else if message.contains("requireServiceAccount: Required value") {
        "set `requireServiceAccount: true`; with `false` static pods ask without a token".to_owned()
    } else if message.contains("defaultCacheDuration: Required value") {
        "set it, such as `defaultCacheDuration: 10m`".to_owned()
    } else if message.contains("match image is invalid") {
        "a pattern is `host[:port][/path]`, where `*` stands for one label of the host".to_owned()
    } else {
        return None;
    };
    Some(hint)
}
