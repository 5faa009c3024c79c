//! What token services answer, as the exchanges of profiles read it: RFC 8693, discovery, client
//! credentials, Vault, vendors' own JSON, and a file of logins.

use pullpass_oidc::PLUGIN;

use crate::run::Run;
use crate::{files, secrets};

/// Each is the exchange and the response of a profile, but for the file of logins.
const EXCHANGES: [&str; 8] = [
    "exchange: {type: tokenExchange, endpoint: 'https://sts.example/token'}",
    "exchange: {type: tokenExchange, issuer: 'https://sts.example'}",
    "exchange: {type: passthrough}\n  response: {username: jwt}",
    "exchange: {type: clientAssertion, endpoint: 'https://sts.example/token', scope: pull}\n  \
     response: {username: {pointer: /username, orJwtClaim: sub, pattern: '(?:.*/users/)?([^/]+)'}}",
    "exchange: {type: vault, address: 'https://vault.example', role: pull, read: kv/data/pull}\n  \
     response:\n    username: {pointer: /data/data/username}\n    \
     password: {pointer: /data/data/password}\n    expiry: {pointer: /lease_duration}",
    "exchange:\n    type: http\n    hosts: [b.example]\n    steps:\n    \
     - {url: 'https://a.example/t', form: {t: '${sa.token}'}, capture: {next: /access_token}}\n    \
     - {url: 'https://b.example/t', auth: {bearer: '${next}'}}\n  \
     response: {username: u, password: {pointer: /accessToken}, \
     expiry: {pointer: /expireTime, format: rfc3339}}",
    "exchange: {type: tokenExchange, endpoint: 'https://sts.example/token'}\n  \
     response: {username: u, expiry: {format: jwtExp}}\n  onRefused: empty",
    "exchange: {type: tokenExchange, endpoint: 'https://sts.example/token'}\n  \
     response: {username: u, expiry: {pointer: /expiration, format: epoch}}",
];

/// The digit of an exchange, and the answers. `s` is a file of a login.
pub fn run(input: &[u8]) {
    let Some((case, answers)) = input.split_first() else { return };
    let image = "registry.example/team/app";
    let run = Run { plugin: &PLUGIN, args: &[], env: &[], image, annotations: Some(&[]) };
    if *case == b's' {
        let login = files::write("login.json", &secrets::expand(answers)).display().to_string();
        let file = format!("file={login}");
        let args = ["--preset=static", "--set=registry=registry.example", "--set", &file];
        return Run { args: &args, ..run }.check(b"");
    }
    let exchange = EXCHANGES[usize::from(case.wrapping_sub(b'0')) % EXCHANGES.len()];
    let profile = format!(
        "apiVersion: pullpass.dev/v1alpha1\nkind: OIDCExchangeConfig\nprofiles:\n- name: a\n  \
         registries: [registry.example]\n  serviceAccountToken: {{audience: sts.example}}\n  \
         {exchange}\n"
    );
    let file = files::write("oidc.yaml", profile.as_bytes()).display().to_string();
    Run { args: &["--config", &file], ..run }.check(answers);
}
