//! What comes on stdin is wrong: the exit code says so, stdout stays empty, and one
//! line says why.

use pullpass_tests::issuer::Issuer;
use pullpass_tests::jwt::tampered;
use serde_json::{Value, json};

use crate::profile::{AUDIENCE, ProfileFile, request};

/// Exit codes by who must act.
const CONFIG: i32 = 2;
const IDENTITY: i32 = 4;
const REQUEST: i32 = 6;

const IMAGE: &str = "reg.example/team/app";

fn changed(token: &str, change: impl Fn(&mut Value)) -> Vec<u8> {
    let mut value = serde_json::from_slice(&request(IMAGE, token)).unwrap();
    change(&mut value);
    value.to_string().into_bytes()
}

#[test]
fn every_bad_request_has_its_exit_code_and_one_error_line() {
    let issuer = Issuer::start(None);
    let token = issuer.token(AUDIENCE).build();
    let good = request(IMAGE, &token);
    let set = |name: &'static str, value: Value| changed(&token, move |r| r[name] = value.clone());
    let without = |name: &'static str| {
        changed(&token, move |r| {
            r.as_object_mut().unwrap().remove(name);
        })
    };
    let text = |text: &str| text.as_bytes().to_vec();
    let expired = request(IMAGE, &issuer.token(AUDIENCE).expired().build());
    let other_audience = request(IMAGE, &issuer.token("other.example").build());
    let for_api_server = request(IMAGE, &issuer.token("https://kubernetes.default.svc").build());
    let utf16: Vec<u8> =
        std::str::from_utf8(&good).unwrap().encode_utf16().flat_map(u16::to_le_bytes).collect();

    let rows: Vec<(&str, Vec<u8>, i32, &str)> = vec![
        ("empty stdin", vec![], REQUEST, "stdin is empty"),
        ("white space", text(" \n"), REQUEST, "stdin is empty"),
        ("2 MiB of stdin", vec![b' '; 2 << 20], REQUEST, "larger than 1048576 bytes"),
        ("2 MiB of JSON", text(&format!("\"{}\"", "x".repeat(2 << 20))), REQUEST, "larger than"),
        (
            "not UTF-8",
            text("{\"kind\":\"").into_iter().chain([0xff]).collect(),
            REQUEST,
            "not UTF-8 at byte 9",
        ),
        ("UTF-16", utf16, REQUEST, "is not"),
        ("not JSON", text("kind: CredentialProviderRequest"), REQUEST, "not valid JSON"),
        ("cut off", good[..good.len() / 2].to_vec(), REQUEST, "not valid JSON: EOF"),
        ("too deep", text(&"[".repeat(100_000)), REQUEST, "not valid JSON: recursion limit"),
        ("an array", [b"[", &good[..], b"]"].concat(), REQUEST, "is an array, not a JSON object"),
        ("a string", text("\"CredentialProviderRequest\""), REQUEST, "is a string, not"),
        ("trailing data", [&good[..], &good].concat(), REQUEST, "trailing characters"),
        ("a duplicate key", text("{\"kind\":\"a\",\"kind\":\"a\"}"), REQUEST, "duplicate key"),
        ("no kind", without("kind"), REQUEST, "the request has no `kind`"),
        ("wrong kind", set("kind", json!("ExecCredential")), REQUEST, "`kind` is `ExecCredential`"),
        (
            "kind is not a text",
            set("kind", json!(1)),
            REQUEST,
            "`kind` must be a string, not a number",
        ),
        ("no apiVersion", without("apiVersion"), REQUEST, "has no `apiVersion`"),
        (
            "unknown apiVersion",
            set("apiVersion", json!("credentialprovider.kubelet.k8s.io/v2")),
            REQUEST,
            "`credentialprovider.kubelet.k8s.io/v2` is not known",
        ),
        ("bare apiVersion", set("apiVersion", json!("v1")), REQUEST, "`v1` is not known"),
        ("no image", without("image"), REQUEST, "has no `image`"),
        ("image is null", set("image", json!(null)), REQUEST, "`image` must be a string, not null"),
        ("empty image", set("image", json!("")), REQUEST, "`image` is empty"),
        (
            "image is not a text",
            set("image", json!(["a"])),
            REQUEST,
            "`image` must be a string, not an array",
        ),
        (
            "image with a control character",
            set("image", json!("reg.example/a\u{7}")),
            REQUEST,
            "control character U+0007",
        ),
        (
            "image with a line break",
            set("image", json!("reg.example/a\nerror: b")),
            REQUEST,
            "control character U+000A",
        ),
        ("image with a space", set("image", json!("reg.example/a b")), REQUEST, "contains a space"),
        ("image with userinfo", set("image", json!("me:pass@reg.example/a")), REQUEST, "userinfo"),
        ("image with a scheme", set("image", json!("https://reg.example/a")), REQUEST, "scheme"),
        ("image that climbs", set("image", json!("reg.example/../a")), REQUEST, "`..`"),
        (
            "token is not a JWT",
            set("serviceAccountToken", json!("hunter2-hunter2")),
            REQUEST,
            "not a signed JWT",
        ),
        ("token is empty", set("serviceAccountToken", json!("")), REQUEST, "not a signed JWT"),
        (
            "token is not a text",
            set("serviceAccountToken", json!({"token": token})),
            REQUEST,
            "must be a string, not an object",
        ),
        (
            "token without signature",
            set("serviceAccountToken", json!(token.rsplit_once('.').unwrap().0)),
            REQUEST,
            "three parts",
        ),
        (
            "token in v1beta1",
            set("apiVersion", json!("credentialprovider.kubelet.k8s.io/v1beta1")),
            REQUEST,
            "is not part of",
        ),
        ("token expired", expired, IDENTITY, "service account token expired 36"),
        ("token for others", other_audience, IDENTITY, "is for the audience `other.example`"),
        ("token for the API server", for_api_server, IDENTITY, "the Kubernetes API server may"),
        ("no token", without("serviceAccountToken"), IDENTITY, "has no service account token"),
        (
            "annotations are no object",
            set("serviceAccountAnnotations", json!([])),
            REQUEST,
            "must be an object, not an array",
        ),
        (
            "annotations are no texts",
            set("serviceAccountAnnotations", json!({"a/b": true})),
            REQUEST,
            "`a/b` must be a string, not a boolean",
        ),
        (
            "annotations without token",
            changed(&token, |r| {
                r.as_object_mut().unwrap().remove("serviceAccountToken");
                r["serviceAccountAnnotations"] = json!({"a": "b"});
            }),
            REQUEST,
            "without a `serviceAccountToken`",
        ),
        (
            "another registry",
            request("other.example/a", &token),
            CONFIG,
            "no profile covers the registry `other.example`",
        ),
        (
            "the registry with a port",
            request("reg.example:5000/a", &token),
            CONFIG,
            "`reg.example:5000`",
        ),
        ("a longer host", request("reg.example.evil.example/a", &token), CONFIG, "no profile"),
    ];
    let file = ProfileFile::passthrough("reg.example");
    let plugin = file.plugin(&token).secret("a wrong token", "hunter2-hunter2");
    for (name, stdin, code, expected) in &rows {
        let run = plugin.run_both(stdin);
        assert_eq!(run.code, Some(*code), "{name}: {}", run.stderr);
        assert!(run.error().contains(expected), "{name}: {}", run.stderr);
        assert!(run.stderr.contains("\nhint: "), "{name}: no hint in {}", run.stderr);
        let stray = run.stderr.lines().skip(1).find(|line| !line.starts_with("hint: "));
        assert_eq!(stray, None, "{name}: more than an error and a hint");
    }
    println!("{} bad requests", rows.len());
}

#[test]
fn the_plugin_does_not_verify_signatures_and_says_so_by_asking() {
    // A tampered token reaches the registry's side, which alone can judge it.
    let token = tampered(&Issuer::start(None).token(AUDIENCE).build());
    let file = ProfileFile::passthrough("reg.example");
    let run = file.plugin(&token).run_both(&request(IMAGE, &token));
    assert_eq!(run.login().2, token);
}

#[test]
fn a_token_that_the_api_server_takes_is_not_sent() {
    let issuer = Issuer::start(None);
    for audience in [
        "https://kubernetes.default.svc",
        "https://kubernetes.default.svc.cluster.local",
        issuer.url(),
    ] {
        let token = issuer.token(audience).build();
        let text = std::fs::read_to_string(ProfileFile::passthrough("reg.example").path()).unwrap();
        let file = ProfileFile::text(&text.replace(AUDIENCE, audience));
        let run = file.plugin(&token).run_both(&request(IMAGE, &token));
        assert_eq!(run.code, Some(IDENTITY), "{audience}: {}", run.stderr);
        assert!(run.error().contains("the Kubernetes API server may accept"), "{}", run.stderr);
    }
}

#[test]
fn wrong_options_and_files_are_the_operators_to_fix() {
    let token = Issuer::start(None).token(AUDIENCE).build();
    let file = ProfileFile::passthrough("reg.example");
    let bad = ProfileFile::text(
        "apiVersion: pullpass.dev/v1alpha1\nkind: OIDCExchangeConfig\nprofile: []\n",
    );
    let plugin = |args: &[&str]| {
        let plugin = pullpass_tests::plugin::PluginCommand::new(crate::profile::PLUGIN)
            .secret("the pod's token", &token);
        args.iter().fold(plugin, |plugin, arg| plugin.arg(*arg))
    };
    let (good, wrong) = (file.path(), bad.path());
    let (good, wrong) = (good.to_str().unwrap(), wrong.to_str().unwrap());
    for (args, expected) in [
        (&[][..], "`--config` is missing"),
        (&["--config", "/nonexistent"], "cannot read the file `/nonexistent`"),
        (&["--config", "/"], "not a regular file"),
        (&["--config", wrong], "is not valid"),
        (&["--config", good, "--profile", "other"], "has no profile with the name"),
        (&["--config", good, "--frobnicate"], "unknown option `--frobnicate`"),
        (&["--config", good, "--timeout", "1d"], "`--timeout` is not a duration"),
        (&["--config", good, "--timeout", "2m"], "at most 59s"),
        (&["--config", good, "--log", "loud"], "is not a log level"),
        (&["--config", good, "--log-format", "xml"], "is not a log format"),
    ] {
        let run = plugin(args).quiet().run(&request(IMAGE, &token));
        assert_eq!(run.code, Some(CONFIG), "{args:?}: {}", run.stderr);
        assert!(run.error().contains(expected), "{args:?}: {}", run.stderr);
    }
}

#[test]
fn a_probe_sends_what_the_option_allows() {
    let audience = "https://kubernetes.default.svc";
    let token = Issuer::start(None).token(audience).build();
    // Nothing listens there.
    let registry = "127.0.0.1:1";
    let text = std::fs::read_to_string(ProfileFile::passthrough(registry).path()).unwrap();
    let file = ProfileFile::text(&text.replace(AUDIENCE, audience));
    let token_file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token_file.path(), &token).unwrap();
    let probe = |args: &[&str]| {
        let plugin = pullpass_tests::plugin::PluginCommand::new(crate::profile::PLUGIN)
            .arg("probe")
            .arg(format!("{registry}/team/app"))
            .arg("--config")
            .arg(file.path())
            .arg("--token-file")
            .arg(token_file.path())
            .arg("--loopback-http")
            .secret("the pod's token", &token);
        args.iter().fold(plugin, |plugin, arg| plugin.arg(*arg)).quiet().run(b"")
    };
    for args in [&[][..], &["--allow-audience", "other.example"]] {
        let run = probe(args);
        assert_eq!(run.code, Some(IDENTITY), "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains("--allow-audience"), "{args:?}: {}", run.stderr);
    }
    let run = probe(&["--allow-audience", audience]);
    assert!(run.error().contains("the exchange succeeded; the registry"), "{}", run.stderr);
}
