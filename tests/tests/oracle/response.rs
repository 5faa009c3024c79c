//! What decoding a plugin's stdout gives, with the detail that the kubelet withholds.

use std::fs;
use std::os::unix::fs::symlink;

use pullpass_kubelet::exec::CredentialProviderRequest;
use pullpass_kubelet::exec::{self, ExecFailureKind, ExecOptions};
use pullpass_kubelet::{Config, Target};
use serde_json::json;

use crate::answers::{self, Wishes};
use crate::bench::{Bench, Verdict};
use crate::explained::Context;
use crate::random::Random;

/// One answer, more often wrong than right.
pub(crate) fn response(bench: &mut Bench, random: &mut Random) -> Verdict {
    let version = random.pick(&["v1", "v1", "v1beta1", "v1alpha1"]);
    let api_version = format!("credentialprovider.kubelet.k8s.io/{version}");
    let wishes =
        Wishes { api_version: &api_version, login: "r", image: None, token: "", wrong: 80 };
    let stdout = answers::stdout(random, &wishes);
    let question = json!({"op": "response", "stdout": stdout});
    let answer = bench.judge.ask(&question);
    let text = |field: &str| answer[field].as_str().unwrap().to_owned();
    let (verdict, detail) = if !text("head_error").is_empty() {
        ("no JSON", format!("error reading GVK from response: {}", text("head_error")))
    } else if text("api_version") != api_version {
        ("other version", text("api_version"))
    } else if answer["is_response"] != true {
        ("undecodable", text("decode_error"))
    } else {
        ("response", String::new())
    };
    // The kind is another one that decodes well, and the kubelet says so outside the codec.
    let is_other_kind = verdict == "undecodable" && detail.is_empty();
    let kubelet = json!({"verdict": verdict, "detail": detail});

    let run = ask_us(bench, &api_version, &stdout);
    let ours = match run.result {
        Ok(_) => json!({"verdict": "response", "detail": ""}),
        Err(failure) => match failure.kind {
            ExecFailureKind::NotJson => json!({"verdict": "no JSON", "detail": failure.message}),
            ExecFailureKind::ApiVersion => {
                let actual = failure.message.split("actual apiVersion:").nth(1);
                json!({"verdict": "other version", "detail": actual})
            }
            ExecFailureKind::Undecodable => {
                json!({"verdict": "undecodable", "detail": failure.detail})
            }
            kind => json!({"verdict": format!("{kind:?}"), "detail": failure.message}),
        },
    };
    let label = match verdict {
        "no JSON" => "response: no JSON",
        "other version" => "response: other version",
        "undecodable" => "response: undecodable",
        _ => "response: decoded",
    };
    let input = json!({"api_version": api_version, "question": question});
    let mut judged = Verdict::new(label, input);
    let fields: &[&str] = if is_other_kind { &["verdict"] } else { &["verdict", "detail"] };
    judged.compare(&Context::new(bench.version), &kubelet, &ours, fields);
    judged
}

/// Runs `cat` on a file as a plugin: only our decoding is tested.
fn ask_us(bench: &Bench, api_version: &str, stdout: &str) -> exec::ExecRun {
    let folder = bench.folder().join("response");
    let bin_dir = folder.join("bin");
    let file = folder.join("stdout");
    if !bin_dir.exists() {
        fs::create_dir_all(&bin_dir).unwrap();
        symlink("/bin/cat", bin_dir.join("cat")).unwrap();
    }
    fs::write(&file, stdout).unwrap();
    let config = json!({
        "kind": "CredentialProviderConfig", "apiVersion": "kubelet.config.k8s.io/v1",
        "providers": [{
            "name": "cat", "apiVersion": api_version, "matchImages": ["r.io"],
            "defaultCacheDuration": "0", "args": [file],
        }],
    });
    let target = Target::new(bench.version);
    let config = Config::parse("c", config.to_string().as_bytes(), &target).unwrap();
    let options = ExecOptions::default();
    exec::run(
        &config.providers[0],
        &bin_dir,
        &CredentialProviderRequest::new("r.io/app"),
        &target,
        &options,
    )
}
