//! What to do about what the kubelet refuses.

use pullpass_kubelet::{Finding, FindingCode, Target, lints};

/// What to do about a finding.
pub(crate) fn hint(finding: &Finding, target: &Target) -> String {
    let is_profile_file = finding.code == FindingCode::WrongDocument
        && finding.message.contains("\"OIDCExchangeConfig\"");
    if is_profile_file {
        return "this is a profile file of `oidc-credential-provider`, not a \
             CredentialProviderConfig: `oidc-credential-provider validate FILE` checks it, and \
             `pullpass config oidc --profiles FILE` prints the CredentialProviderConfig for it"
            .to_owned();
    }
    lints::hint(finding, target)
}
