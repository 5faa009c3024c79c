//! `pullpass lookup` against the oidc plugin.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::programs::{lookup, message};
use crate::{Node, pullpass};

/// The oidc plugin as it was built.
pub(crate) fn oidc_plugin() -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    let name = "oidc-credential-provider";
    if let Some(dir) = std::env::var_os("PULLPASS_BIN_DIR") {
        return PathBuf::from(dir).join(name);
    }
    BUILT.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--package", name]);
        build.current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(build.status().expect("cargo").success());
    });
    PathBuf::from(env!("CARGO_BIN_EXE_pullpass")).with_file_name(name)
}

/// A token as the API server would make it, but for its signature.
fn token(audience: &str) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time").as_secs();
    let claims = json!({"iss": "https://cluster.example", "sub": "system:serviceaccount:team:app",
        "aud": [audience], "iat": now, "exp": now + 3600});
    [json!({"alg": "RS256"}).to_string(), claims.to_string(), "signature".to_owned()]
        .map(|part| URL_SAFE_NO_PAD.encode(part))
        .join(".")
}

#[test]
fn the_oidc_plugin() {
    let node = Node::new();
    let plugin = oidc_plugin();
    std::os::unix::fs::symlink(&plugin, node.bin_dir().join("oidc-credential-provider"))
        .expect("a link");
    let profile = node.write(
        "oidc.yaml",
        "apiVersion: pullpass.dev/v1alpha1\nkind: OIDCExchangeConfig\nprofiles:\n- name: zot\n  \
         registries: [registry.example]\n  serviceAccountToken: {audience: registry.example}\n  \
         exchange: {type: passthrough}\n  response:\n    username: {value: jwt}\n",
    );
    let made = pullpass([
        "config",
        "oidc",
        "--match-image=registry.example",
        "--service-account-audience=registry.example",
        &format!("--arg=--config={profile}"),
    ]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let config = node.write("made.yaml", &made.stdout);
    let right = token("registry.example");
    let file = node.write("token", &format!("{right}\n"));
    let account = ["--service-account=team/app", "--token-file", &file];

    let ran = lookup(&node, &config, &account);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let found = ran.json();
    assert_eq!(found["credentials"][0]["username"], "jwt");
    assert_eq!(found["providers"][0]["cache"]["decision"], "zero-duration");
    assert!(!ran.stdout.contains(&right) && ran.stderr.is_empty(), "{ran:?}");
    let ran = lookup(&node, &config, &[&account[..], &["--show-secrets"]].concat());
    assert_eq!(ran.json()["credentials"][0]["password"], right.as_str());

    // The kubelet lets no token pass as a password where answers are not kept by token.
    let shared = node.write(
        "shared.yaml",
        &made.stdout.replace("cacheType: Token", "cacheType: ServiceAccount"),
    );
    let ran = lookup(&node, &shared, &account);
    assert_eq!(
        (ran.code, &ran.json()["providers"][0]["outcome"]),
        (Some(1), &"echoed-token".into())
    );
    assert!(!ran.stdout.contains(&right));

    let ran = lookup(&node, &config, &["--service-account=team/app"]);
    assert_eq!(
        (ran.code, &ran.json()["providers"][0]["outcome"]),
        (Some(1), &"token-error".into())
    );
    let ran = lookup(&node, &config, &[]);
    assert_eq!(ran.code, Some(0));
    assert_eq!(ran.json()["providers"][0]["outcome"], "no-service-account");

    let wrong = token("other.example");
    let file = node.write("wrong", &wrong);
    let ran = lookup(&node, &config, &["--service-account=team/app", "--token-file", &file]);
    let report = ran.json()["providers"][0].clone();
    assert_eq!((ran.code, &report["outcome"]), (Some(1), &"exit-status".into()), "{report}");
    assert!(message(&report).contains("audience"), "{report}");
    assert!(ran.stderr.contains("warning: the token has the audience `other.example`"), "{ran:?}");
    let cure = "`kubectl create token app --namespace team --audience ";
    assert!(ran.stderr.contains(cure), "{ran:?}");
    assert!(!ran.stdout.contains(&wrong));
}
