//! The safety rules, each as the attack that it is against: what reached the host that is attacked,
//! or the attacker's, and how the plugin ended. Plain HTTP on loopback is allowed unless a test is
//! about it, so that only the rule prevents it.

mod addresses;
mod answers;
mod echoes;
mod hosts;
mod identity;
mod middle;
mod repeats;
mod transport;

use pullpass_tests::fakes::faults::{Fault, FaultServer, Seen};
use pullpass_tests::issuer::Issuer;
use pullpass_tests::plugin::PluginRun;
use serde_json::{Map, Value, json};

use crate::profile::{AUDIENCE, ProfileFile};

/// Exit codes by who must act.
const CONFIG: i32 = 2;
const DENIED: i32 = 3;
const IDENTITY: i32 = 4;
const PROTOCOL: i32 = 5;
const UNAVAILABLE: i32 = 7;

const REGISTRY: &str = "reg.example:5443";
const IMAGE: &str = "reg.example:5443/team/app";
const PASSWORD: &str = "the-password-of-the-registry";

/// A token endpoint in order, which remembers what it got.
fn endpoint() -> FaultServer {
    login().start()
}

fn login() -> Fault {
    Fault::json(200, json!({"access_token": PASSWORD, "expires_in": 3600}).to_string())
}

/// The attacker's server: it would answer, and so be believed.
fn trap() -> FaultServer {
    login().start()
}

/// `host:port` of a server.
fn authority(server: &FaultServer) -> String {
    server.url().split_once("://").unwrap().1.to_owned()
}

fn got_nothing(server: &FaultServer) {
    let lines: Vec<String> = server.requests().iter().map(first_line).collect();
    assert!(lines.is_empty(), "the attacker got {lines:?}");
}

fn first_line(seen: &Seen) -> String {
    seen.head.lines().next().unwrap_or_default().to_owned()
}

/// An exchange at that server.
fn token_exchange(server: &FaultServer) -> Value {
    json!({"type": "tokenExchange", "endpoint": format!("{}/token", server.url())})
}

/// One profile, one pod, one pull.
#[derive(Clone)]
struct Attempt {
    exchange: Value,
    more: Value,
    image: String,
    token: String,
    annotations: Map<String, Value>,
    env: Vec<(&'static str, String)>,
    secrets: Vec<(&'static str, String)>,
}

impl Attempt {
    /// For [`REGISTRY`], by a pod with a good token.
    fn new(exchange: Value) -> Self {
        Self {
            exchange,
            more: json!({"http": {"allowLoopbackHttp": true, "retries": 1}}),
            image: IMAGE.to_owned(),
            token: Issuer::start(None).token(AUDIENCE).build(),
            annotations: Map::new(),
            env: Vec::new(),
            secrets: vec![("the registry's password", PASSWORD.to_owned())],
        }
    }

    /// With sections more of the profile; those of `http` are added to what is there.
    fn with(mut self, sections: Value) -> Self {
        for (name, section) in sections.as_object().unwrap() {
            match (&mut self.more[name], section) {
                (Value::Object(there), Value::Object(section)) if name == "http" => {
                    there.extend(section.clone());
                }
                (there, section) => *there = section.clone(),
            }
        }
        self
    }

    /// With a variable by annotation, which lets everything pass, and what the annotation says.
    fn annotated(self, name: &str, value: &str) -> Self {
        let key = format!("attack.example/{name}");
        let variable = json!({"name": name, "fromAnnotation": {"key": key, "pattern": "(?s:.*)"}});
        self.with(json!({"variables": [variable]})).says(&key, value)
    }

    /// With an annotation that the profile need not know.
    fn says(mut self, key: &str, value: &str) -> Self {
        self.annotations.insert(key.to_owned(), value.into());
        self
    }

    fn image(mut self, image: &str) -> Self {
        self.image = image.to_owned();
        self
    }

    fn token(mut self, token: String) -> Self {
        self.token = token;
        self
    }

    fn env(mut self, name: &'static str, value: String) -> Self {
        self.env.push((name, value));
        self
    }

    fn secret(mut self, name: &'static str, value: &str) -> Self {
        self.secrets.push((name, value.to_owned()));
        self
    }

    /// Once, with the log at trace.
    fn run(&self) -> PluginRun {
        self.run_with(true)
    }

    fn run_with(&self, loud: bool) -> PluginRun {
        let file = ProfileFile::new(REGISTRY, self.exchange.clone(), self.more.clone());
        let mut plugin = file.plugin(&self.token);
        for (name, secret) in &self.secrets {
            plugin = plugin.secret(name, secret);
        }
        for (name, value) in &self.env {
            plugin = plugin.env(name, value);
        }
        let request = json!({
            "kind": "CredentialProviderRequest",
            "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
            "image": self.image,
            "serviceAccountToken": self.token,
            "serviceAccountAnnotations": self.annotations,
        });
        let plugin = if loud { plugin } else { plugin.quiet() };
        plugin.run(request.to_string().as_bytes())
    }

    /// Twice, with the log at trace and as it is by default: that exit code, one error with a
    /// hint, and all these words.
    fn fails(&self, code: i32, says: &[&str]) -> PluginRun {
        self.run();
        let run = self.run_with(false);
        assert_eq!(run.code, Some(code), "{}", run.stderr);
        for words in says {
            assert!(run.stderr.contains(words), "`{words}` is not in: {}", run.stderr);
        }
        assert!(run.error().contains(&self.image), "{}", run.stderr);
        assert!(run.stderr.contains("\nhint: "), "no hint: {}", run.stderr);
        run
    }

    /// Once: it works, and gives that password.
    fn works(&self, password: &str) -> PluginRun {
        let run = self.run();
        assert!(run.login().2 == password, "another password");
        run
    }
}
