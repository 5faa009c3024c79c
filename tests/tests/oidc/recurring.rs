//! Faults that plugins of others have again and again, one row each: the plugin that has it, and
//! what this one does in the same place.

use std::time::Duration;

use pullpass_tests::fakes::faults::{Fault, FaultServer};
use pullpass_tests::issuer::Issuer;
use pullpass_tests::jwt::{self, SigningKey};
use pullpass_tests::plugin::PluginRun;
use pullpass_tests::tls::TestCa;
use serde_json::{Map, Value, json};

use crate::profile::{AUDIENCE, ProfileFile};

const REGISTRY: &str = "reg.example:5443";
const IMAGE: &str = "reg.example:5443/team/app";
const PASSWORD: &str = "the-password-of-the-registry";

/// Met more than once, in code or in a threat model, without a note of where.
const SEVERAL: &str = "several";

/// One fault, and where it is known from.
struct Row {
    fault: &'static str,
    /// Who has it, as far as its code was read.
    seen_in: &'static str,
    answer: Fault,
    /// Sections of the profile besides endpoint and audience.
    profile: Value,
    image: &'static str,
    annotations: &'static [(&'static str, &'static str)],
    check: fn(&PluginRun, &FaultServer),
}

fn row(fault: &'static str, seen_in: &'static str, check: fn(&PluginRun, &FaultServer)) -> Row {
    Row {
        fault,
        seen_in,
        answer: answer(&json!({"access_token": PASSWORD, "expires_in": 3600})),
        profile: json!({}),
        image: IMAGE,
        annotations: &[],
        check,
    }
}

fn answer(body: &Value) -> Fault {
    Fault::json(200, body.to_string())
}

fn token_until(seconds: i64) -> String {
    let now = jwt::now();
    SigningKey::generate().sign(&json!({"sub": "robot", "iat": now, "exp": now + seconds}))
}

fn cached(run: &PluginRun) -> String {
    run.response()["cacheDuration"].as_str().expect("a duration").to_owned()
}

fn failed(run: &PluginRun, code: i32, says: &str) {
    assert_eq!(run.code, Some(code), "{}", run.stderr);
    assert!(run.stderr.contains(says), "`{says}` is not in: {}", run.stderr);
}

fn rows() -> Vec<Row> {
    let by_end = json!({"response": {"expiry": {"format": "jwtExp"}}});
    vec![
        row("the lifetime is ignored", "JFrog, Chainguard", |run, _| {
            assert_eq!(cached(run), "55m0s");
        }),
        Row {
            answer: answer(&json!({"access_token": token_until(1800)})),
            profile: by_end.clone(),
            ..row("less than an hour is rounded to nothing", "Cloudsmith", |run, _| {
                let kept = ["27m0s", "26m59s", "26m58s", "26m57s"];
                assert!(kept.contains(&&*cached(run)), "{}", cached(run));
            })
        },
        Row {
            answer: answer(&json!({"access_token": PASSWORD, "expires_in": 7140})),
            ..row("hours are whole", "Cloudsmith", |run, _| assert_eq!(cached(run), "1h54m0s"))
        },
        Row {
            answer: answer(&json!({"access_token": PASSWORD})),
            ..row("an hour is made up where nobody says one", "trublast's for Vault", |run, _| {
                assert_eq!(cached(run), "0s");
            })
        },
        Row {
            answer: answer(&json!({"access_token": token_until(3600)})),
            profile: by_end,
            ..row("it is kept to the last second", "Quay, thomasmey", |run, _| {
                let kept = ["55m0s", "54m59s", "54m58s", "54m57s"];
                assert!(kept.contains(&&*cached(run)), "{}", cached(run));
            })
        },
        row("the port is lost from the auth key", "Quay", |run, _| {
            assert_eq!(run.login().0, REGISTRY);
        }),
        Row {
            profile: json!({"registries": ["reg.example:5443/team"]}),
            ..row("the key is wider than the credential", SEVERAL, |run, _| {
                assert_eq!(run.login().0, "reg.example:5443/team");
                assert_eq!(run.response()["cacheKeyType"], "Image");
            })
        },
        Row {
            profile: json!({"response": {"username": {"value": "${image.repository}"}}}),
            ..row("one image's login is kept for all of the registry", SEVERAL, |run, _| {
                assert_eq!(run.login().1, "team/app");
                assert_eq!(run.response()["cacheKeyType"], "Image");
            })
        },
        row("`cacheKeyType` is none that the kubelet knows", SEVERAL, |run, _| {
            let kind = run.response()["cacheKeyType"].clone();
            assert!(["Image", "Registry", "Global"].contains(&kind.as_str().unwrap()), "{kind}");
        }),
        Row {
            annotations: &[
                ("quay.io/host-override", "evil.invalid"),
                ("cloudsmith.io/api-host", "evil.invalid"),
                ("secrets-store.deckhouse.io/addr", "https://evil.invalid"),
            ],
            ..row(
                "an annotation names the endpoint",
                "Quay, Cloudsmith, trublast",
                |run, server| {
                    assert_eq!(run.login().2, PASSWORD);
                    assert_eq!(server.requests().len(), 1);
                },
            )
        },
        Row {
            image: "evil.example/team/app",
            ..row("the image's host is not looked at", SEVERAL, |run, server| {
                failed(run, 2, "no profile covers the registry `evil.example`");
                assert!(server.requests().is_empty());
            })
        },
        Row {
            answer: Fault::json(400, json!({"error": "invalid_grant"}).to_string()),
            ..row("the debug log has token and password", "simonostendorf's for Vault", |run, _| {
                // What starts the plugin searches its output, at trace.
                failed(run, 3, " invalid_grant");
            })
        },
        Row {
            answer: Fault::redirect(307, "https://evil.invalid/token"),
            ..row("redirects are followed", SEVERAL, |run, server| {
                failed(run, 5, "redirect");
                assert_eq!(server.requests().len(), 1);
            })
        },
        Row {
            answer: Fault::EndlessBody,
            ..row("the body has no end", SEVERAL, |run, _| failed(run, 5, "larger than 1048576"))
        },
        Row {
            answer: Fault::Silent,
            profile: json!({"http": {"timeout": "1s"}}),
            ..row("there is no timeout", SEVERAL, |run, _| {
                failed(run, 7, "no answer from");
                // One attempt may take 10 s by default.
                assert!(run.duration < Duration::from_secs(9), "{:?}", run.duration);
            })
        },
        Row {
            answer: Fault::status(503),
            profile: json!({"http": {"timeout": "2s", "retries": 10}}),
            ..row("retries outlast the kubelet's minute", SEVERAL, |run, server| {
                failed(run, 7, "could not serve the token exchange: HTTP 503");
                assert!(server.requests().len() > 1, "it was tried again");
                // Ten retries wait 15 s at least.
                assert!(run.duration < Duration::from_secs(12), "{:?}", run.duration);
            })
        },
        Row {
            answer: Fault::status(403),
            ..row("an empty answer and exit code 1", "Cloudsmith", |run, _| {
                failed(run, 3, "HTTP 403");
                assert!(run.stdout.is_empty());
            })
        },
        Row {
            answer: Fault::status(403),
            profile: json!({"onRefused": "empty"}),
            ..row("no output and exit code 0", "OCIR's, with its lock held", |run, _| {
                assert_eq!(run.response()["auth"], json!({}));
                assert_eq!(cached(run), "0s");
            })
        },
        Row {
            answer: answer(&json!({"access_token": "", "error": "invalid_grant"})),
            ..row("an empty password passes for one", SEVERAL, |run, _| {
                failed(run, 5, "without a string at `/access_token`");
            })
        },
        Row {
            answer: answer(&json!({"access_token": PASSWORD, "expires_in": "3600"})),
            ..row("digits in a text are no number", SEVERAL, |run, _| {
                assert_eq!(cached(run), "55m0s");
            })
        },
    ]
}

#[test]
fn the_faults_of_other_plugins_are_not_ours() {
    for row in rows() {
        eprintln!("{}: {}", row.seen_in, row.fault);
        let server = row.answer.start();
        let mut more = json!({"http": {"allowLoopbackHttp": true, "retries": 0}});
        for (name, section) in row.profile.as_object().unwrap() {
            match (name.as_str(), section) {
                ("http", Value::Object(section)) => {
                    more["http"].as_object_mut().unwrap().extend(section.clone());
                }
                _ => more[name] = section.clone(),
            }
        }
        let endpoint = format!("{}/token", server.url());
        let exchange = json!({"type": "tokenExchange", "endpoint": endpoint});
        let file = ProfileFile::new(REGISTRY, exchange, more);
        let token = Issuer::start(None).token(AUDIENCE).build();
        let annotations: Map<String, Value> = row
            .annotations
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).into()))
            .collect();
        let run = run(&file, row.image, &token, annotations);
        (row.check)(&run, &server);
    }
}

fn run(file: &ProfileFile, image: &str, token: &str, annotations: Map<String, Value>) -> PluginRun {
    let request = json!({
        "kind": "CredentialProviderRequest",
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "image": image,
        "serviceAccountToken": token,
        "serviceAccountAnnotations": annotations,
    });
    let plugin = file.plugin(token).secret("the registry's password", PASSWORD);
    plugin.run(request.to_string().as_bytes())
}

/// TLS is not checked if an annotation says so: Quay, and CRI-O's with the API server always.
#[test]
fn an_annotation_does_not_turn_the_check_of_tls_off() {
    let (ca, stranger) = (TestCa::new(), TestCa::new());
    let server = answer(&json!({"access_token": PASSWORD}));
    let server = server.start_tls(stranger.server_config(&["127.0.0.1"]));
    let exchange = json!({"type": "tokenExchange", "endpoint": format!("{}/token", server.url())});
    let file = ProfileFile::new(REGISTRY, exchange, json!({"http": {"caFile": ca.pem_file()}}));
    let token = Issuer::start(None).token(AUDIENCE).build();
    for value in ["true", "false", "1"] {
        let keys = ["quay.io/ignore-tls-verify", "quay.io/plain-http", "quay.io/certificate-file"];
        let annotations = keys.iter().map(|key| ((*key).to_owned(), value.into())).collect();
        let run = run(&file, IMAGE, &token, annotations);
        failed(&run, 2, "no trusted TLS connection");
    }
    assert!(server.requests().is_empty(), "the token was sent");
}
