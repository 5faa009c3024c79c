//! Audiences whose tokens are accepted by the cluster itself.

use pullpass::audience::is_for_api_server;
use pullpass::secrecy::ExposeSecret as _;
use pullpass_kubelet::CredentialProvider;
use pullpass_kubelet::lints::Lint;

pub(super) fn check(provider: &CredentialProvider, lints: &mut Vec<Lint>) {
    let Some(tokens) = &provider.token_attributes else { return };
    let audience = &tokens.audience;
    // The cluster's issuer is not known here.
    if !is_for_api_server(audience, "") || is_allowed(provider, audience) {
        return;
    }
    lints.push(Lint::warning(
        "api-server-audience",
        &audience.location,
        format!(
            "the Kubernetes API server may accept tokens with the audience `{}` as logins to the \
             cluster, so Pullpass's plugins refuse to send them",
            audience.value
        ),
        "use an audience that only the registry or its token endpoint accepts; or allow this one \
         with `--allow-audience` in `args`"
            .to_owned(),
    ));
}

/// Whether `--allow-audience` names it.
fn is_allowed(provider: &CredentialProvider, audience: &str) -> bool {
    let args: Vec<&str> = provider.args.iter().map(|arg| arg.expose_secret()).collect();
    let joined = args.iter().filter_map(|arg| arg.strip_prefix("--allow-audience="));
    let split = args.windows(2).filter(|pair| pair[0] == "--allow-audience").map(|pair| pair[1]);
    joined.chain(split).any(|allowed| allowed == audience)
}
