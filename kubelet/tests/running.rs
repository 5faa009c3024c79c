//! Real programs, run as the kubelet runs them: each row of what can come of it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test stops at the first surprise, and makes its own programs"
)]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use pullpass_kubelet::cache::{CacheKeyType, Stored};
use pullpass_kubelet::exec::{ExecFailureKind, ExecOptions};
use pullpass_kubelet::service_account::{NotCalled, Pod, PodServiceAccount, TokenSource};
use pullpass_kubelet::{
    CacheDecision, Config, Kubelet, KubeletOptions, KubeletVersion, LogLevel, Lookup, Outcome,
    ProviderReport, Target,
};
use secrecy::ExposeSecret as _;

const ANSWER: &str = r#"{"kind":"CredentialProviderResponse","apiVersion":"credentialprovider.kubelet.k8s.io/v1","cacheKeyType":"Image","auth":{"r.io":{"username":"u","password":"p"}}}"#;

/// A bin dir, a clock that only moves when it is set, and a kubelet.
struct World {
    folder: tempfile::TempDir,
    seconds: Arc<AtomicU64>,
    target: Target,
    providers: Vec<(String, String)>,
    timeout: Duration,
    grace: Duration,
}

impl World {
    fn new(minor: u8) -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            seconds: Arc::new(AtomicU64::new(1_000_000)),
            target: Target::new(KubeletVersion::new(minor).expect("known")),
            providers: Vec::new(),
            timeout: Duration::from_secs(20),
            grace: Duration::from_secs(1),
        }
    }

    /// Adds a provider `name` for `r.io` whose program is a shell script.
    fn script(mut self, name: &str, script: &str, more: &str) -> Self {
        let path = self.bin(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
        self.providers.push((name.to_owned(), more.to_owned()));
        self
    }

    /// A provider that prints `answer` and notes that it ran.
    fn answering(self, name: &str, answer: &str, more: &str) -> Self {
        let (file, runs) = (self.bin(&format!("{name}.json")), self.bin(&format!("{name}.runs")));
        std::fs::write(&file, answer).expect("an answer");
        let script =
            format!("echo run >> '{}'\ncat > /dev/null\ncat '{}'", runs.display(), file.display());
        self.script(name, &script, more)
    }

    fn bin(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn runs(&self, name: &str) -> usize {
        std::fs::read_to_string(self.bin(&format!("{name}.runs")))
            .unwrap_or_default()
            .lines()
            .count()
    }

    fn target(&self) -> Target {
        self.target.clone()
    }

    fn config(&self) -> Config {
        let text = self.text();
        Config::parse("test.yaml", text.as_bytes(), &self.target)
            .unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    fn text(&self) -> String {
        let mut text = String::from(
            "kind: CredentialProviderConfig\napiVersion: kubelet.config.k8s.io/v1\nproviders:\n",
        );
        for (name, more) in &self.providers {
            text.push_str(&format!(
                "- name: {name}\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n"
            ));
            for (field, default) in [("matchImages", "[r.io]"), ("defaultCacheDuration", "1h")] {
                if !more.contains(field) {
                    text.push_str(&format!("  {field}: {default}\n"));
                }
            }
            text.push_str(more);
        }
        text
    }

    fn kubelet(&self) -> Kubelet {
        let seconds = Arc::clone(&self.seconds);
        let exec = ExecOptions {
            timeout: self.timeout,
            grace: self.grace,
            environment: vec![
                ("PATH".into(), "/usr/bin:/bin".into()),
                ("KEPT".into(), "kubelet".into()),
                ("CHANGED".into(), "kubelet".into()),
            ],
            ..ExecOptions::default()
        };
        let clock = Arc::new(move || {
            SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.load(Ordering::SeqCst))
        });
        Kubelet::new(&self.config(), self.folder.path(), KubeletOptions { exec, clock })
    }

    fn pass(&self, time: Duration) {
        self.seconds.fetch_add(time.as_secs(), Ordering::SeqCst);
    }

    /// One look-up of `r.io/app`; the report of the only provider.
    fn ask(&self) -> (ProviderReport, Lookup) {
        let lookup = self.kubelet().lookup("r.io/app:1", None).expect("an image");
        (lookup.providers[0].clone(), lookup)
    }

    fn error(&self) -> String {
        let (report, lookup) = self.ask();
        assert!(lookup.credentials.is_empty());
        report.error_line().expect("an error line").to_owned()
    }
}

fn answer_with(from: &str, to: &str) -> String {
    assert!(ANSWER.contains(from), "{from}");
    ANSWER.replace(from, to)
}

fn users(lookup: &Lookup) -> Vec<&str> {
    lookup.credentials.iter().map(|found| found.username.as_str()).collect()
}

#[test]
fn what_the_plugin_gets() {
    let world = World::new(37).script(
        "p",
        &format!("cat > seen.stdin\necho \"$0\" > \"$0.seen\"\nfor a in \"$@\"; do echo \"$a\" >> \"$0.seen\"; done\necho \"$KEPT $CHANGED $ADDED\" >> \"$0.seen\"\necho '{ANSWER}'")
            .replace("seen.stdin", "\"$0.stdin\""),
        "  args: [get-credentials, 'a  b', '$HOME', '']\n  env:\n  - {name: CHANGED, value: config}\n  - {name: ADDED, value: once}\n  - {name: ADDED, value: twice}\n",
    );
    let (report, lookup) = world.ask();
    assert_eq!(report.outcome, Outcome::Answered { keys: 1, usable: 1 }, "{report:?}");
    let path = world.bin("p");
    let seen = std::fs::read_to_string(world.bin("p.seen")).expect("seen");
    let expected =
        format!("{}\nget-credentials\na  b\n$HOME\n\nkubelet config twice\n", path.display());
    assert_eq!(seen, expected);
    assert_eq!(
        std::fs::read_to_string(world.bin("p.stdin")).expect("stdin"),
        "{\"kind\":\"CredentialProviderRequest\",\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\"image\":\"r.io/app\"}\n"
    );
    let found = &lookup.credentials[0];
    assert_eq!(
        (found.provider.as_str(), found.key.as_str(), found.username.as_str()),
        ("p", "r.io", "u")
    );
    assert_eq!(found.password.expose_secret(), "p");
    assert!(!format!("{lookup:?}").contains("\"p\"}"), "no password in debug output");
}

#[test]
fn exit_status_with_stderr() {
    let script = format!("echo '{ANSWER}'; echo 'no luck' >&2; exit 3");
    let world = World::new(34).script("p", &script, "");
    assert_eq!(
        world.error(),
        "Failed getting credential from external registry credential provider: error execing \
         credential provider plugin p for image r.io/app: exit status 3: no luck"
    );
    let newer = World::new(35).script("p", &script, "");
    assert_eq!(
        newer.error(),
        "\"Failed to provide credentials for image\" err=<\n\tfailed to get credential from external \
         registry credential provider: error execing credential provider plugin p for image r.io/app: \
         exit status 3: no luck\n > provider=\"p\" image=\"r.io/app\""
    );
}

#[test]
fn signals() {
    let world = World::new(34).script("p", "kill -SEGV $$", "");
    assert_eq!(world.ask().0.outcome, Outcome::Failed(ExecFailureKind::Signal(11)));
    assert!(world.error().contains("r.io/app: signal: segmentation fault"), "{}", world.error());
    let world = World::new(34).script("p", "kill -9 $$", "");
    assert!(world.error().ends_with("signal: killed: "), "{}", world.error());
}

#[test]
fn a_hanging_plugin_is_killed() {
    let mut world = World::new(34).script("p", "echo waiting >&2; exec sleep 30", "");
    world.timeout = Duration::from_millis(300);
    let start = Instant::now();
    let (report, _) = world.ask();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!(report.outcome, Outcome::Failed(ExecFailureKind::TimedOut));
    assert_eq!(report.stderr, b"waiting\n");
    assert!(
        report
            .error_line()
            .is_some_and(|line| line.ends_with("r.io/app: context deadline exceeded: waiting")),
        "{report:?}"
    );
}

#[test]
fn a_grandchild_that_holds_stdout() {
    // Longer than the deadline: the kubelet hangs, then fails; we stop waiting.
    let script = format!("echo '{ANSWER}'; sleep 30 &");
    let mut world = World::new(34).script("p", &script, "");
    world.timeout = Duration::from_millis(400);
    world.grace = Duration::from_millis(200);
    let start = Instant::now();
    let (report, lookup) = world.ask();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!(report.outcome, Outcome::Failed(ExecFailureKind::Held));
    assert!(
        report.detail.as_deref().is_some_and(|detail| detail.starts_with("the plugin had ended"))
    );
    assert!(lookup.credentials.is_empty());
    // Shorter: the answer is late and good.
    let script = format!("echo '{ANSWER}'; sleep 0.3 &");
    let world = World::new(34).script("p", &script, "");
    let (report, _) = world.ask();
    assert_eq!(report.outcome.code(), "credentials");
    assert!(report.duration.is_some_and(|time| time >= Duration::from_millis(250)), "{report:?}");
    // The plugin hangs with its grandchild: it is killed, but the pipe stays open.
    let mut world = World::new(34).script("p", "sleep 30 & sleep 30", "");
    world.timeout = Duration::from_millis(200);
    world.grace = Duration::from_millis(200);
    let (report, _) = world.ask();
    assert_eq!(report.outcome, Outcome::Failed(ExecFailureKind::Held));
    assert!(
        report.detail.as_deref().is_some_and(|detail| detail.starts_with("the plugin was killed"))
    );
}

#[test]
fn a_hundred_megabytes() {
    // What is not JSON is known from its beginning, however long it is.
    let world = World::new(34).script("p", "yes | head -c 100000000", "");
    let (report, _) = world.ask();
    assert_eq!(report.outcome, Outcome::Failed(ExecFailureKind::NotJson));
    assert!(
        report.error_line().is_some_and(
            |line| line.ends_with("invalid character 'y' looking for beginning of value")
        ),
        "{report:?}"
    );
    let world = World::new(34).script("p", "tr '\\0' ' ' < /dev/zero | head -c 100000000", "");
    let (report, _) = world.ask();
    assert_eq!(report.outcome, Outcome::Failed(ExecFailureKind::TooLong));
    assert_eq!(report.error_line(), None);
    let world = World::new(34).script("p", "yes | head -c 100000000 >&2; exit 1", "");
    let (report, _) = world.ask();
    assert_eq!(report.outcome, Outcome::Failed(ExecFailureKind::ExitStatus(1)));
    assert_eq!(report.stderr.len(), 64 << 10);
}

#[test]
fn a_plugin_that_reads_nothing_or_closes_everything() {
    let world = World::new(34).script("p", &format!("exec <&-; echo '{ANSWER}'"), "");
    assert_eq!(world.ask().0.outcome.code(), "credentials");
    let world =
        World::new(34).script("p", &format!("echo '{ANSWER}'; exec >&- 2>&-; sleep 0.2"), "");
    assert_eq!(world.ask().0.outcome.code(), "credentials");
}

#[test]
fn a_program_that_cannot_start() {
    let world = World::new(34).script("p", "", "");
    std::fs::remove_file(world.bin("p")).expect("removed");
    let path = world.bin("p");
    let missing = world.error();
    assert!(
        missing.ends_with(&format!(
            "r.io/app: fork/exec {}: no such file or directory: ",
            path.display()
        )),
        "{missing}"
    );
    assert_eq!(world.ask().0.outcome, Outcome::Failed(ExecFailureKind::NotStarted));
    std::fs::write(&path, "x").expect("a file");
    assert!(world.error().ends_with(": permission denied: "), "{}", world.error());
}

/// The rest of the table: answers, and what the kubelet says about them.
#[test]
fn answers() {
    let fails = "Failed getting credential from external registry credential provider: ";
    let gvk = format!(
        "{fails}error reading GVK from response: couldn't get version/kind; json parse error: "
    );
    let decode = format!("{fails}error decoding credential provider plugin response from stdout");
    let version = format!(
        "{fails}apiVersion from credential plugin response did not match expected apiVersion:credentialprovider.kubelet.k8s.io/v1, actual apiVersion:"
    );
    let unknown = "strict decoding error: unknown field ";
    let many = [
        (String::new(), format!("{gvk}unexpected end of JSON input"), "not-json", None),
        ("log\n".to_owned() + ANSWER, format!("{gvk}invalid character 'l' looking for beginning of value"), "not-json", None),
        (ANSWER.to_owned() + "\nlog", format!("{gvk}invalid character 'l' after top-level value"), "not-json", None),
        ("\u{feff}".to_owned() + ANSWER, format!("{gvk}invalid character 'ï' looking for beginning of value"), "not-json", None),
        ("kind: CredentialProviderResponse\n".to_owned(), format!("{gvk}invalid character 'k' looking for beginning of value"), "not-json", None),
        ("[]".to_owned(), format!("{gvk}json: cannot unmarshal array into Go value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}"), "not-json", None),
        (answer_with("\"credentialprovider.kubelet.k8s.io/v1\"", "1"), format!("{gvk}json: cannot unmarshal number into Go struct field .apiVersion of type string"), "not-json", None),
        (answer_with("io/v1\"", "io/v1/x\""), format!("{fails}error reading GVK from response: unexpected GroupVersion string: credentialprovider.kubelet.k8s.io/v1/x"), "not-json", None),
        ("null".to_owned(), version.clone(), "wrong-api-version", None),
        (answer_with("io/v1\"", "io/v1beta1\""), format!("{version}credentialprovider.kubelet.k8s.io/v1beta1"), "wrong-api-version", None),
        (answer_with("ProviderResponse", "ProviderRequest"), decode.clone(), "undecodable", Some("failed to decode CredentialProviderResponse, unexpected Kind: \"CredentialProviderRequest\"".to_owned())),
        (answer_with("CredentialProviderResponse", "X"), decode.clone(), "undecodable", Some("no kind \"X\" is registered for version \"credentialprovider.kubelet.k8s.io/v1\" in scheme \"pkg/credentialprovider/plugin/plugin.go:69\"".to_owned())),
        (answer_with("\"username\":\"u\"", "\"username\":\"u\",\"email\":\"e\""), decode.clone(), "undecodable", Some(format!("{unknown}\"auth.r.io.email\""))),
        (answer_with("\"cacheKeyType\"", "\"x\":1,\"CacheKeyType\""), decode.clone(), "undecodable", Some(format!("{unknown}\"x\", unknown field \"CacheKeyType\""))),
        (answer_with("\"username\":\"u\"", "\"username\":\"u\",\"username\":\"v\""), decode.clone(), "undecodable", Some("strict decoding error: duplicate field \"auth.r.io.username\"".to_owned())),
        (answer_with("\"auth\"", "\"cacheDuration\":\"1d\",\"auth\""), decode.clone(), "undecodable", Some("time: unknown unit \"d\" in duration \"1d\"".to_owned())),
        (answer_with("\"auth\"", "\"cacheDuration\":3600,\"auth\""), decode.clone(), "undecodable", Some("json: cannot unmarshal number into Go struct field CredentialProviderResponse.cacheDuration of type string".to_owned())),
        (answer_with("\"u\"", "1"), decode, "undecodable", Some("json: cannot unmarshal number into Go struct field AuthConfig.auth.username of type string".to_owned())),
        (answer_with("\"Image\"", "\"image\""), "credential provider plugin did not return a valid cacheKeyType: \"image\"".to_owned(), "invalid-cache-key-type", None),
        (answer_with("\"cacheKeyType\":\"Image\",", ""), "credential provider plugin did not return a valid cacheKeyType: \"\"".to_owned(), "invalid-cache-key-type", None),
    ];
    println!("{} answers", many.len());
    for (answer, line, code, detail) in many {
        let world = World::new(34).answering("p", &answer, "");
        let (report, lookup) = world.ask();
        assert_eq!(report.error_line(), Some(line.as_str()), "{answer}");
        assert_eq!((report.outcome.code(), &report.detail), (code, &detail), "{answer}");
        assert!(lookup.credentials.is_empty());
        assert_eq!(report.cache, CacheDecision::NotReached);
    }
    // Up to 1.31 nothing was strict.
    let loose =
        answer_with("\"username\":\"u\"", "\"email\":\"e\",\"username\":\"v\",\"username\":\"u\"");
    let world = World::new(31).answering("p", &loose, "");
    assert_eq!(users(&world.ask().1), ["u"]);
}

#[test]
fn nothing_is_kept_like_anything() {
    for auth in ["null", "{}"] {
        let start = ANSWER.find("{\"r.io\"").expect("auth");
        let answer = format!("{}{auth}}}", &ANSWER[..start]);
        let world = World::new(34).answering("p", &answer, "");
        let kubelet = world.kubelet();
        let first = kubelet.lookup_raw("r.io/app", None);
        assert_eq!(first.providers[0].outcome, Outcome::Answered { keys: 0, usable: 0 });
        assert!(first.providers[0].error_line().is_none());
        let second = kubelet.lookup_raw("r.io/app", None);
        assert!(matches!(
            second.providers[0].cache,
            CacheDecision::Hit { key: CacheKeyType::Image, .. }
        ));
        assert_eq!(world.runs("p"), 1);
        world.pass(Duration::from_secs(3601));
        kubelet.lookup_raw("r.io/app", None);
        assert_eq!(world.runs("p"), 2);
    }
}

#[test]
fn bad_keys_are_dropped_with_a_line() {
    let world = World::new(34).answering(
        "p",
        &answer_with("\"r.io\":{", "\"r.io:x\":{\"username\":\"b\"},\"r.io\":{"),
        "",
    );
    let (report, lookup) = world.ask();
    assert_eq!(users(&lookup), ["u"]);
    assert_eq!(
        report.error_line(),
        Some(
            "Entry \"r.io:x\" in dockercfg invalid (parse \"https://r.io:x\": invalid port \":x\" after host), ignoring"
        )
    );
}

#[test]
fn cache_keys_and_durations() {
    let until = |world: &World, seconds| {
        let now = world.seconds.load(Ordering::SeqCst);
        SystemTime::UNIX_EPOCH + Duration::from_secs(now + seconds)
    };
    for (key_type, duration, more, stored, hits) in [
        ("Image", "", "", Some((CacheKeyType::Image, 3600)), [true, false, false]),
        ("Registry", "90s", "", Some((CacheKeyType::Registry, 90)), [true, true, false]),
        ("Global", "90s", "", Some((CacheKeyType::Global, 90)), [true, true, true]),
        ("Image", "0", "", None, [false; 3]),
        ("Image", "", "  defaultCacheDuration: 0s\n", None, [false; 3]),
        (
            "Image",
            "90s",
            "  defaultCacheDuration: 0s\n",
            Some((CacheKeyType::Image, 90)),
            [true, false, false],
        ),
        ("Image", "-1h", "", None, [false; 3]),
    ] {
        let mut answer = answer_with("Image", key_type);
        if !duration.is_empty() {
            answer =
                answer.replace("\"auth\"", &format!("\"cacheDuration\":\"{duration}\",\"auth\""));
        }
        let more = format!("{more}  matchImages: [r.io, other.io]\n");
        let world = World::new(34).answering("p", &answer, &more);
        let kubelet = world.kubelet();
        let CacheDecision::Missed(decision) =
            kubelet.lookup_raw("r.io/app", None).providers[0].cache.clone()
        else {
            panic!("a fresh answer")
        };
        match stored {
            Some((key, seconds)) => {
                assert_eq!(decision, Stored::Until { key, expires: until(&world, seconds) });
            }
            None => assert!(!matches!(decision, Stored::Until { .. }), "{decision:?}"),
        }
        for (image, hit) in ["r.io/app", "r.io/other", "other.io/x"].into_iter().zip(hits) {
            let before = world.runs("p");
            let lookup = kubelet.lookup_raw(image, None);
            assert_eq!(world.runs("p") == before, hit, "{key_type} {duration} {image}");
            // An entry is not checked against the image: a wide one may hold nothing for it.
            let usable = if image.starts_with("r.io") { 1 } else { 0 };
            assert_eq!(lookup.providers[0].outcome, Outcome::Answered { keys: 1, usable });
        }
    }
}

#[test]
fn expiry_is_later_than_not_at() {
    let world = World::new(34).answering("p", ANSWER, "");
    let kubelet = world.kubelet();
    kubelet.lookup_raw("r.io/app", None);
    world.pass(Duration::from_secs(3600));
    kubelet.lookup_raw("r.io/app", None);
    assert_eq!(world.runs("p"), 1);
    world.pass(Duration::from_secs(1));
    kubelet.lookup_raw("r.io/app", None);
    assert_eq!(world.runs("p"), 2);
}

#[test]
fn several_providers() {
    let answer = |user: &str, key: &str| {
        ANSWER.replace("\"u\"", &format!("\"{user}\"")).replace("r.io", key)
    };
    let make = |minor| {
        World::new(minor)
            .answering("z", &answer("z", "r.io"), "")
            .answering("a", &answer("a", "r.io"), "")
            .answering("m", &answer("m", "r.io/app"), "")
            .answering("o", &answer("o", "o.io"), "  matchImages: [o.io]\n")
    };
    // Key order beats configuration order; the same key keeps it.
    let (_, lookup) = make(33).ask();
    assert_eq!(users(&lookup), ["m", "z", "a"]);
    let names: Vec<&str> = lookup.providers.iter().map(|report| report.name.as_str()).collect();
    assert_eq!(names, ["z", "a", "m", "o"]);
    assert_eq!(lookup.providers[3].outcome, Outcome::NoMatch);
    assert!(lookup.providers[3].log.is_empty());
    // Before 1.33 by name.
    let (_, lookup) = make(32).ask();
    assert_eq!(users(&lookup), ["m", "a", "z"]);
}

#[test]
fn docker_hub_s_old_key() {
    let answer = ANSWER.replace("\"r.io\"", "\"https://index.docker.io/v1/\"");
    let world = World::new(34).answering("p", &answer, "  matchImages: [docker.io, r.io]\n");
    let kubelet = world.kubelet();
    assert_eq!(users(&kubelet.lookup("nginx:1.27", None).expect("an image")), ["u"]);
    assert!(kubelet.lookup("r.io/x", None).expect("an image").credentials.is_empty());
    assert!(kubelet.lookup("R.io/X", None).is_err());
}

const TOKENS: &str = "  tokenAttributes:\n    serviceAccountTokenAudience: aud\n    cacheType: ServiceAccount\n    requireServiceAccount: true\n    requiredServiceAccountAnnotationKeys: [need]\n    optionalServiceAccountAnnotationKeys: [may]\n";

fn pod(annotations: &[(&str, &str)]) -> Pod {
    Pod {
        namespace: "ns".into(),
        name: "pod".into(),
        uid: "pod-uid".into(),
        service_account: Some(PodServiceAccount {
            name: "sa".into(),
            uid: "sa-uid".into(),
            annotations: annotations.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            error: None,
        }),
        tokens: TokenSource::ByAudience(BTreeMap::from([("aud".into(), "the-token".into())])),
    }
}

#[test]
fn when_a_plugin_is_not_asked() {
    let ask = |minor: u8, tokens: &str, pod: Option<&Pod>| {
        let world = World::new(minor).answering("p", ANSWER, tokens);
        let lookup = world.kubelet().lookup_raw("r.io/app", pod);
        (lookup.providers[0].clone(), world.runs("p"))
    };
    let good = pod(&[("need", "1"), ("other", "x")]);
    assert_eq!(ask(34, TOKENS, Some(&good)).1, 1);

    for without_account in [None, Some(&Pod::default())] {
        let (report, runs) = ask(34, TOKENS, without_account);
        assert_eq!((report.outcome, runs), (Outcome::NotCalled(NotCalled::NoServiceAccount), 0));
        assert_eq!(report.log[0].level, LogLevel::Verbose(5));
        assert_eq!(report.log[0].text, "Service account name is empty for pod /");
        let optional = TOKENS
            .replace("true", "false")
            .replace("    requiredServiceAccountAnnotationKeys: [need]\n", "");
        assert_eq!(ask(34, &optional, without_account).1, 1);
    }
    let (report, runs) = ask(34, TOKENS, Some(&pod(&[("may", "1")])));
    assert_eq!(runs, 0);
    assert_eq!(report.outcome, Outcome::NotCalled(NotCalled::MissingAnnotation("need".into())));
    assert_eq!(
        report.log[0].text,
        "Failed to get service account data ns/sa: required annotation need not found"
    );
    let (report, _) = ask(37, TOKENS, Some(&pod(&[])));
    assert_eq!(
        report.log[0].text,
        "\"Failed to get service account data\" err=\"required annotation need not found\" provider=\"p\" \
         image=\"r.io/app\" pod=\"ns/pod\" podUID=\"pod-uid\" serviceAccount=\"ns/sa\""
    );
    // Present and empty is present.
    assert_eq!(ask(34, TOKENS, Some(&pod(&[("need", "")]))).1, 1);

    let mut failing = good.clone();
    failing.tokens = TokenSource::Error("forbidden".into());
    let (report, runs) = ask(34, TOKENS, Some(&failing));
    assert_eq!(
        (report.error_line(), runs),
        (Some("Error getting service account token ns/sa: forbidden"), 0)
    );
    let (report, _) = ask(37, TOKENS, Some(&failing));
    assert_eq!(
        report.error_line(),
        Some(
            "\"Failed to provide credentials for image\" err=\"failed to get service account token: forbidden\" \
              provider=\"p\" image=\"r.io/app\" pod=\"ns/pod\" podUID=\"pod-uid\" serviceAccount=\"ns/sa\""
        )
    );
    let mut failing = good;
    failing.service_account.as_mut().expect("an account").error = Some("not found".into());
    let (report, _) = ask(34, TOKENS, Some(&failing));
    assert_eq!(report.error_line(), Some("Failed to get service account ns/sa: not found"));
}

#[test]
fn the_token_and_the_annotations_are_sent() {
    let script = format!("cat > \"$0.stdin\"\necho '{ANSWER}'");
    let world = World::new(34).script("p", &script, TOKENS);
    world
        .kubelet()
        .lookup_raw("r.io/app", Some(&pod(&[("need", "1"), ("may", "2"), ("other", "3")])));
    assert_eq!(
        std::fs::read_to_string(world.bin("p.stdin")).expect("stdin"),
        "{\"kind\":\"CredentialProviderRequest\",\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\
         \"image\":\"r.io/app\",\"serviceAccountToken\":\"the-token\",\
         \"serviceAccountAnnotations\":{\"may\":\"2\",\"need\":\"1\"}}\n"
    );
}

#[test]
fn a_request_beyond_a_pipe_arrives_whole() {
    // A pipe holds 64 KiB; a plugin may print before it reads, and may not read at all.
    let token = "x".repeat(300 << 10);
    let mut pod = pod(&[("need", "1")]);
    pod.tokens = TokenSource::ByAudience(BTreeMap::from([("aud".into(), token.clone().into())]));
    let printed = "x".repeat(200 << 10);
    let answer = answer_with("\"p\"", &format!("\"{printed}\""));
    for (script, read) in [
        (format!("cat > \"$0.stdin\"\necho '{ANSWER}'"), true),
        ("cat \"$0.json\"\ncat > \"$0.stdin\"".to_owned(), true),
        ("cat \"$0.json\"".to_owned(), false),
    ] {
        let world = World::new(34).script("p", &script, TOKENS);
        std::fs::write(world.bin("p.json"), &answer).expect("an answer");
        let lookup = world.kubelet().lookup_raw("r.io/app", Some(&pod));
        assert_eq!(lookup.credentials.len(), 1, "{:?}", lookup.providers[0].error_line());
        if read {
            let stdin = std::fs::read_to_string(world.bin("p.stdin")).expect("stdin");
            assert!(stdin.contains(&token) && stdin.ends_with("}\n"), "{}", stdin.len());
        }
    }
}

#[test]
fn entries_belong_to_service_accounts_or_tokens() {
    let by_token = TOKENS.replace("cacheType: ServiceAccount", "cacheType: Token");
    for (tokens, shared) in [(TOKENS, true), (by_token.as_str(), false)] {
        let world = World::new(34).answering("p", ANSWER, tokens);
        let kubelet = world.kubelet();
        let first = pod(&[("need", "1")]);
        let mut second = first.clone();
        second.uid = "another pod".into();
        kubelet.lookup_raw("r.io/app", Some(&first));
        kubelet.lookup_raw("r.io/app", Some(&second));
        assert_eq!(world.runs("p"), 1, "the pod is no part of the key");
        second.tokens = TokenSource::Token("another-token".into());
        kubelet.lookup_raw("r.io/app", Some(&second));
        assert_eq!(world.runs("p") == 1, shared, "{tokens}");
        let before = world.runs("p");
        for change in [
            |pod: &mut Pod| pod.namespace = "other".into(),
            |pod: &mut Pod| pod.service_account.as_mut().expect("an account").uid = "other".into(),
            |pod: &mut Pod| {
                let account = pod.service_account.as_mut().expect("an account");
                account.annotations.insert("may".into(), "new".into());
            },
        ] {
            let mut other = first.clone();
            change(&mut other);
            kubelet.lookup_raw("r.io/app", Some(&other));
        }
        assert_eq!(world.runs("p"), before + 3);
        let mut long = first.clone();
        long.service_account
            .as_mut()
            .expect("an account")
            .annotations
            .insert("may".into(), "x".repeat(65_536));
        let report = kubelet.lookup_raw("r.io/app", Some(&long)).providers[0].clone();
        assert_eq!(report.outcome.code(), "cache-key-error");
    }
}

#[test]
fn a_token_that_comes_back() {
    let echo = ANSWER.replace("\"p\"", "\"the-token\"");
    let good = pod(&[("need", "1")]);
    let world = World::new(34).answering("p", &echo, TOKENS);
    let lookup = world.kubelet().lookup_raw("r.io/app", Some(&good));
    assert_eq!(lookup.providers[0].outcome, Outcome::EchoedToken);
    assert_eq!(
        lookup.providers[0].error_line(),
        Some(
            "Credential provider plugin returned the service account token as the password for image \
              \"r.io/app\", which is not allowed when service account cache type is not set to 'Token'"
        )
    );
    assert!(lookup.credentials.is_empty());
    let by_token = TOKENS.replace("cacheType: ServiceAccount", "cacheType: Token");
    let world = World::new(34).answering("p", &echo, &by_token);
    assert_eq!(world.kubelet().lookup_raw("r.io/app", Some(&good)).credentials.len(), 1);
    // 1.33 had no cache type and no such rule.
    let mut world = World::new(33).answering(
        "p",
        &echo,
        &TOKENS.replace("    cacheType: ServiceAccount\n", ""),
    );
    world.target.gates.set("KubeletServiceAccountTokenForCredentialProviders", true);
    assert_eq!(world.kubelet().lookup_raw("r.io/app", Some(&good)).credentials.len(), 1);
}

#[test]
fn programs() {
    use pullpass_kubelet::{FindingCode, startup};

    let start = |minor: u8, prepare: &dyn Fn(&Path)| {
        let world = World::new(minor).script("p", "", "");
        prepare(&world.bin("p"));
        let config = world.folder.path().join("config.yaml");
        std::fs::write(&config, world.text()).expect("written");
        let started = startup(&config, Some(world.folder.path()), &world.target());
        assert!(started.config.is_some());
        let path = world.bin("p");
        let error = started.error?;
        assert_eq!(error.findings[0].path.as_ref(), Some(&path));
        let message = error.message.replace(&path.display().to_string(), "PATH");
        Some((message, error.findings[0].code))
    };
    let remove = |path: &Path| std::fs::remove_file(path).expect("removed");
    let dangle = |path: &Path| {
        remove(path);
        std::os::unix::fs::symlink("absent/p", path).expect("a link");
    };
    let folder = |path: &Path| {
        remove(path);
        std::fs::create_dir(path).expect("a folder");
    };
    let mode = |path: &Path| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    };
    for (prepare, code, message) in [
        (
            &remove as &dyn Fn(&Path),
            FindingCode::ProgramMissing,
            "plugin binary executable  did not exist",
        ),
        (&dangle, FindingCode::ProgramDangling, "plugin binary executable  did not exist"),
        (
            &folder,
            FindingCode::ProgramDirectory,
            "error inspecting binary executable : exec: \"PATH\": is a directory",
        ),
        (
            &mode,
            FindingCode::ProgramNotExecutable,
            "error inspecting binary executable : exec: \"PATH\": permission denied",
        ),
    ] {
        assert_eq!(start(30, prepare), Some((message.to_owned(), code)));
    }
    assert_eq!(start(34, &|_| {}), None);
}

#[test]
fn the_bin_dir_comes_before_the_configuration() {
    use pullpass_kubelet::{FindingCode, Target, startup};

    let folder = tempfile::tempdir().expect("a folder");
    let absent = folder.path().join("absent").display().to_string();
    let message = |bin_dir: &str| {
        let started = startup(Path::new(&absent), Some(Path::new(bin_dir)), &Target::default());
        let error = started.error.expect("an error");
        (error.message, error.findings[0].code, error.further.len())
    };
    let no_dir = |message: &str| (message.to_owned(), FindingCode::BinDir, 1);
    let words = format!("plugin binary directory {absent} did not exist");
    assert_eq!(message(&absent), no_dir(&words));
    assert_eq!(message(""), no_dir("plugin binary directory  did not exist"));
    assert_eq!(
        message("/dev/null/x"),
        no_dir("error inspecting binary directory /dev/null/x: stat /dev/null/x: not a directory")
    );
    let (words, code, _) = message("/");
    assert_eq!(code, FindingCode::Unreadable, "{words}");
}

#[test]
fn pulls_that_ask_the_same_share_a_run_and_no_other_waits() {
    let script = |name: &str, wait: &str| {
        format!(
            "echo run >> \"$(dirname \"$0\")/{name}.runs\"; cat > /dev/null; {wait}\necho '{ANSWER}'"
        )
    };
    let world = World::new(37)
        .script("slow", &script("slow", "sleep 2"), "  matchImages: [r.io/slow]\n")
        .script("quick", &script("quick", "true"), "  matchImages: [r.io/quick]\n");
    let kubelet = world.kubelet();
    std::thread::scope(|scope| {
        let pulls: Vec<_> =
            (0..5).map(|_| scope.spawn(|| kubelet.lookup("r.io/slow:1", None))).collect();
        // Once the slow one runs, another provider is asked at once.
        while world.runs("slow") == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let start = Instant::now();
        let lookup = kubelet.lookup("r.io/quick", None).expect("an image");
        assert_eq!(lookup.credentials.len(), 1);
        assert!(start.elapsed() < Duration::from_millis(1500), "{:?}", start.elapsed());
        for pull in pulls {
            let lookup = pull.join().expect("no panic").expect("an image");
            assert_eq!(lookup.credentials.len(), 1, "{lookup:?}");
        }
    });
    assert_eq!((world.runs("slow"), world.runs("quick")), (1, 1));
}

#[test]
fn tokens_are_requested_by_audience_when_they_are_needed() {
    let tokens = |audience: &str, image: &str| {
        format!(
            "  matchImages: [{image}]\n  tokenAttributes:\n    serviceAccountTokenAudience: {audience}\n    \
             cacheType: Token\n    requireServiceAccount: true\n"
        )
    };
    let world = World::new(37).answering("a", ANSWER, &tokens("for-a", "r.io/a")).answering(
        "b",
        ANSWER,
        &tokens("for-b", "r.io/b"),
    );
    let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    let pod = Pod {
        namespace: "shop".to_owned(),
        service_account: Some(PodServiceAccount { name: "web".to_owned(), ..Default::default() }),
        tokens: TokenSource::Request(Arc::new(move |audience| {
            heard.lock().expect("a lock").push(audience.to_owned());
            Ok(format!("token-{audience}").into())
        })),
        ..Pod::default()
    };
    let lookup = world.kubelet().lookup("r.io/b", Some(&pod)).expect("an image");
    assert_eq!(lookup.credentials.len(), 1, "{lookup:?}");
    assert_eq!(*asked.lock().expect("a lock"), ["for-b"]);
    assert_eq!(format!("{:?}", pod.tokens), "Request");
}
