//! What to do about the kubelet's words, where they do not say it themselves.

use pullpass_kubelet::{Finding, FindingCode, SERVICE_ACCOUNT_TOKENS, Target};

/// The fix for one fault.
pub(super) fn for_finding(finding: &Finding, target: &Target) -> Option<String> {
    // The kubelet's message often leaves out which file it looked for.
    let path = finding.path.as_deref().map(|path| path.display().to_string()).unwrap_or_default();
    let version = target.version;
    Some(match finding.code {
        FindingCode::ProgramMissing => {
            format!("there is no `{path}`; install the program under this name")
        }
        FindingCode::ProgramDangling => format!("`{path}` is a link that leads nowhere"),
        FindingCode::ProgramDirectory => {
            format!("`{path}` is a directory; the program must be there")
        }
        FindingCode::ProgramNotExecutable => {
            format!("chmod +x {path}; or its file system is mounted `noexec`")
        }
        FindingCode::ProgramUnreadable => format!("make sure that root can reach `{path}`"),
        FindingCode::TokensDisabled => format!(
            "start the kubelet, and this command, with \
             `--feature-gates={SERVICE_ACCOUNT_TOKENS}=true`; 1.34 and later have it on"
        ),
        FindingCode::NoCacheType => {
            "set `cacheType: Token`; `ServiceAccount` only where the credential outlives the \
             pod's token"
                .to_owned()
        }
        FindingCode::LaterField => format!(
            "kubelet {version} does not know it: `cacheType` came with 1.34, `tokenAttributes` \
             with 1.33 and `v1`"
        ),
        FindingCode::UnknownField => {
            "remove it, or correct its spelling; upper and lower case count".to_owned()
        }
        FindingCode::BinDir => {
            "correct `--image-credential-provider-bin-dir`, or make the directory".to_owned()
        }
        FindingCode::DuplicateProvider => {
            "each provider needs a name of its own; a symbolic link gives one program another \
             name"
                .to_owned()
        }
        FindingCode::NoRequireServiceAccount => {
            "set `requireServiceAccount: true`; with `false` static pods ask without a token"
                .to_owned()
        }
        FindingCode::NoCacheDuration => "set it, such as `defaultCacheDuration: 10m`".to_owned(),
        FindingCode::MatchImage => {
            "a pattern is `host[:port][/path]`, where `*` covers one label of the host".to_owned()
        }
        _ => return None,
    })
}
