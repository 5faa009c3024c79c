//! A cluster, and the plugin as the kubelet starts it for a pod of that cluster.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pullpass_go_duration::GoDuration;
use pullpass_tests::issuer::Issuer;
use pullpass_tests::judges::Cluster;
use pullpass_tests::jwt::parts;
use pullpass_tests::leaks::Secrets;
use pullpass_tests::plugin::{PluginCommand, PluginRun};
use pullpass_tests::world::World;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const PLUGIN: &str = "oidc-credential-provider";
/// The host of every judge that issues tokens.
pub(crate) const SSO: &str = "sso.example";
/// What the image is on: with a port, that a key must keep.
pub(crate) const REGISTRY: &str = "registry.example:5443";
pub(crate) const REPOSITORY: &str = "team/app";
/// Whom the tokens are about.
pub(crate) const POD: &str = "system:serviceaccount:demo:web";

/// Exit codes by who must act.
pub(crate) const CONFIG: i32 = 2;
pub(crate) const DENIED: i32 = 3;
pub(crate) const IDENTITY: i32 = 4;
pub(crate) const PROTOCOL: i32 = 5;
pub(crate) const UNAVAILABLE: i32 = 7;

/// What the plugin says to do where the pod's identity was refused.
pub(crate) const TRUST_HINT: &str =
    "hint: check that the server trusts this cluster's issuer, audience and service account";
/// And where the client's was.
pub(crate) const CLIENT_HINT: &str = "hint: check `exchange.clientAuth`";

const ISSUER: &str = "oidc.cluster.example";

/// A world with a cluster in it.
pub(crate) struct Fixture<'w> {
    pub(crate) world: &'w World,
    pub(crate) issuer: Issuer,
    folder: TempDir,
    files: Cell<u32>,
}

impl<'w> Fixture<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        let issuer = Issuer::start_at(world.https_socket(ISSUER), world.client());
        Self { world, issuer, folder: TempDir::new().unwrap(), files: Cell::new(0) }
    }

    /// Whom a judge is to believe.
    pub(crate) fn cluster(&self, audience: &str) -> Cluster {
        Cluster::of(&self.issuer, audience, Some(&self.world.ca().pem_file()))
    }

    /// A new file of that content.
    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        self.files.set(self.files.get() + 1);
        let file = self.folder.path().join(format!("{}-{name}", self.files.get()));
        fs::write(&file, content).unwrap();
        file
    }

    /// A profile with this exchange and these further sections, for tokens of that audience.
    pub(crate) fn profile(&self, audience: &str, exchange: &Value, more: &Value) -> Pull<'_> {
        let mut profile = json!({
            "name": "judged",
            "registries": [REGISTRY],
            "serviceAccountToken": {"audience": audience},
            "exchange": exchange,
        });
        profile.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        self.config(audience, &profile)
    }

    /// A profile as a file has it.
    pub(crate) fn config(&self, audience: &str, profile: &Value) -> Pull<'_> {
        let file = json!({
            "apiVersion": "pullpass.dev/v1alpha1",
            "kind": "OIDCExchangeConfig",
            "profiles": [profile],
        });
        let file = self.file("oidc.yaml", &file.to_string());
        self.pull(audience, vec!["--config".to_owned(), text(&file)])
    }

    /// A preset on the command line.
    pub(crate) fn preset(&self, name: &str, audience: &str, set: &[(&str, &str)]) -> Pull<'_> {
        let set =
            set.iter().flat_map(|(name, value)| ["--set".to_owned(), format!("{name}={value}")]);
        let args = ["--preset".to_owned(), name.to_owned()].into_iter().chain(set);
        self.pull(audience, args.collect())
    }

    fn pull(&self, audience: &str, args: Vec<String>) -> Pull<'_> {
        Pull {
            fixture: self,
            args,
            image: format!("{REGISTRY}/{REPOSITORY}"),
            audience: audience.to_owned(),
            account: "web",
            token: None,
            secrets: Vec::new(),
        }
    }
}

/// A file's name as an argument.
pub(crate) fn text(file: &Path) -> String {
    file.to_str().unwrap().to_owned()
}

/// A pull by a pod, with a fresh token for each run.
#[derive(Clone)]
pub(crate) struct Pull<'g> {
    fixture: &'g Fixture<'g>,
    args: Vec<String>,
    image: String,
    audience: String,
    account: &'static str,
    token: Option<String>,
    secrets: Vec<(&'static str, String)>,
}

/// The result of a login.
pub(crate) struct Login {
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) cached: Duration,
}

impl Login {
    /// The claims of a password that is a JWT.
    pub(crate) fn claims(&self) -> Value {
        parts(&self.password).expect("the password is a JWT").1
    }
}

impl Pull<'_> {
    /// Of another image.
    pub(crate) fn of(mut self, image: &str) -> Self {
        self.image = image.to_owned();
        self
    }

    /// By a service account that no judge here lets in.
    pub(crate) fn by_a_stranger(mut self) -> Self {
        self.account = "stranger";
        self
    }

    /// With that token, again and again.
    pub(crate) fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Which must not say this.
    pub(crate) fn keeping(mut self, name: &'static str, secret: &str) -> Self {
        self.secrets.push((name, secret.to_owned()));
        self
    }

    fn token(&self) -> String {
        let fresh = self.fixture.issuer.token(&self.audience).service_account("demo", self.account);
        self.token.clone().unwrap_or_else(|| fresh.build())
    }

    fn command(&self, token: &str) -> PluginCommand {
        let plugin = self.fixture.world.plugin(PLUGIN).secret("the pod's token", token);
        self.secrets.iter().fold(plugin, |plugin, (name, secret)| plugin.secret(name, secret))
    }

    /// One run, with the log at trace or as it is by default.
    pub(crate) fn run(&self, loud: bool) -> PluginRun {
        let token = self.token();
        let plugin = self.args.iter().fold(self.command(&token), |plugin, arg| plugin.arg(arg));
        let plugin = if loud { plugin } else { plugin.quiet() };
        let request = json!({
            "kind": "CredentialProviderRequest",
            "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
            "image": self.image,
            "serviceAccountToken": token,
        });
        let run = plugin.run(request.to_string().as_bytes());
        // A judge asks for the names of its vendor, and of this machine.
        let asked = self.fixture.world.unknown_names();
        assert!(!asked.iter().any(|name| name.contains("example")), "another host: {asked:?}");
        run
    }

    /// The judge's login comes back, for the registry with its port, with both kinds of log.
    pub(crate) fn logs_in(&self) -> Login {
        self.login_of(&self.run(false));
        self.login_of(&self.run(true))
    }

    /// What a run came to that succeeded.
    pub(crate) fn login_of(&self, run: &PluginRun) -> Login {
        let (key, username, password) = run.login();
        assert_eq!(key, self.image.split('/').next().unwrap());
        // The test learns of it only now.
        let mut minted = Secrets::default();
        minted.add("the password", &password);
        assert!(minted.found_in(&run.stderr).is_empty(), "the password is in the log");
        let rest = minted.found_in_response(std::str::from_utf8(&run.stdout).unwrap()).len();
        assert_eq!(rest, 0, "the password is on stdout twice");
        let cached = run.response()["cacheDuration"].as_str().expect("a duration").to_owned();
        let cached = cached.parse::<GoDuration>().expect("a duration of Go's").to_std();
        Login { username, password, cached: cached.expect("not negative") }
    }

    /// It fails with that exit code, for everybody to read: one error that names the image, a hint,
    /// and all of `says`.
    pub(crate) fn fails(&self, code: i32, says: &[&str]) {
        for loud in [true, false] {
            let run = self.run(loud);
            assert_fails(&run, code, says);
            assert!(run.error().contains(&self.image), "{}", run.stderr);
        }
    }

    /// The plugin itself refuses, and makes no call.
    pub(crate) fn is_not_sent(&self, code: i32, says: &[&str]) {
        let before = self.fixture.world.attempts();
        self.fails(code, says);
        assert_eq!(self.fixture.world.attempts(), before, "somebody was asked");
    }

    /// `probe` of the same image, with the pod's token in a file.
    pub(crate) fn probe(&self, args: &[&str]) -> PluginRun {
        let token = self.token();
        let file = self.fixture.file("token", &format!("{token}\n"));
        let all = self.args.iter().map(String::as_str).chain(args.iter().copied());
        let plugin =
            self.command(&token).arg("probe").arg(&self.image).arg("--token-file").arg(file);
        all.fold(plugin, |plugin, arg| plugin.arg(arg)).run(b"")
    }

    /// `probe` gets through, and says all of `says`.
    pub(crate) fn probes(&self, args: &[&str], says: &[&str]) {
        let run = self.probe(args);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let stdout = String::from_utf8(run.stdout).unwrap();
        for words in says {
            assert!(stdout.contains(words), "`{words}` is not in: {stdout}");
        }
    }

    /// `probe` fails with that exit code, and says all of `says`.
    pub(crate) fn probe_fails(&self, args: &[&str], code: i32, says: &[&str]) {
        assert_fails(&self.probe(args), code, says);
    }
}

fn assert_fails(run: &PluginRun, code: i32, says: &[&str]) {
    assert_eq!(run.code, Some(code), "{}", run.stderr);
    for words in says {
        assert!(run.stderr.contains(words), "`{words}` is not in: {}", run.stderr);
    }
    assert!(!run.error().is_empty());
    assert!(run.stderr.contains("\nhint: "), "no hint: {}", run.stderr);
}

/// What is left of a password's life for the cache, in seconds: a tenth less, or five minutes. What
/// the judge and the plugin take to do it is not known to the second.
pub(crate) fn kept(seconds: u64) -> std::ops::RangeInclusive<Duration> {
    let kept = seconds - (seconds / 10).min(300);
    Duration::from_secs(kept - 8)..=Duration::from_secs(kept)
}
