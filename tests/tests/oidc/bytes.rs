//! The exact bytes of a response, and what a person sees who starts the plugin by hand.

use std::process::{Command, Stdio};

use pullpass_tests::issuer::Issuer;
use pullpass_tests::plugin::{PluginCommand, binary};

use crate::profile::{AUDIENCE, PLUGIN, ProfileFile, request};

#[test]
fn passthrough_answers_byte_for_byte() {
    let token = Issuer::start(None).token(AUDIENCE).build();
    let file = ProfileFile::passthrough("reg.example:5000");
    let run = file.plugin(&token).run_both(&request("reg.example:5000/team/app", &token));
    assert_eq!(
        String::from_utf8(run.stdout).unwrap(),
        format!(
            "{{\"kind\":\"CredentialProviderResponse\",\
             \"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\
             \"cacheKeyType\":\"Registry\",\"cacheDuration\":\"0s\",\
             \"auth\":{{\"reg.example:5000\":{{\"username\":\"jwt\",\"password\":\"{token}\"}}}}}}\n"
        )
    );
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}

#[test]
fn help_and_version_go_to_stdout() {
    let help = PluginCommand::new(PLUGIN).arg("--help").run(b"");
    let text = String::from_utf8(help.stdout).unwrap();
    for word in ["--config FILE", "PULLPASS_LOG", "--timeout", "Exit codes:", "NO_PROXY"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let version = PluginCommand::new(PLUGIN).arg("--version").run(b"");
    assert!(version.stdout.starts_with(b"oidc-credential-provider 0."));
}

#[test]
fn on_a_terminal_it_says_how_to_try_it() {
    // `script` (util-linux) gives the command a terminal.
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command"])
        .arg(binary(PLUGIN))
        .arg("/dev/null")
        .stdin(Stdio::null())
        .output()
        .expect("`script` of util-linux is there");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(6), "{text}");
    assert!(text.contains("To try it:") && text.contains("CredentialProviderRequest"), "{text}");
}
