//! A cluster, vendors under their names, and the plugin with one preset, in both of its forms.

use std::fs;
use std::path::PathBuf;

use pullpass_tests::fakes::vendors::{Dialect, Settings, Vendor};
use pullpass_tests::issuer::Issuer;
use pullpass_tests::plugin::{PluginCommand, PluginRun};
use pullpass_tests::world::World;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

pub(crate) const PLUGIN: &str = "oidc-credential-provider";
/// An operator's own registry: with a port, which a key must keep.
pub(crate) const REGISTRY: &str = "registry.corp.example:5443";
pub(crate) const IMAGE: &str = "registry.corp.example:5443/team/app";

/// Exit codes by who must act.
pub(crate) const CONFIG: i32 = 2;
pub(crate) const DENIED: i32 = 3;
pub(crate) const IDENTITY: i32 = 4;

const ISSUER: &str = "oidc.cluster.example";
/// A world with a cluster in it.
pub(crate) struct Fixture<'w> {
    pub(crate) world: &'w World,
    pub(crate) issuer: Issuer,
    folder: TempDir,
}

impl<'w> Fixture<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        let issuer = Issuer::start_at(world.https_socket(ISSUER), world.client());
        Self { world, issuer, folder: TempDir::new().unwrap() }
    }

    /// A vendor at that place, which accepts the cluster's tokens for `audience`.
    pub(crate) fn vendor(&self, place: &str, dialect: Dialect, audience: &str) -> Vendor {
        self.vendor_with(place, dialect, audience, |_| {})
    }

    pub(crate) fn vendor_with(
        &self,
        place: &str,
        dialect: Dialect,
        audience: &str,
        change: impl FnOnce(&mut Settings<'_>),
    ) -> Vendor {
        let mut settings = Settings::new(dialect, &self.issuer, audience);
        change(&mut settings);
        Vendor::start_at(self.world.https_socket(place), settings)
    }

    /// A file of that content.
    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let file = self.folder.path().join(name);
        fs::write(&file, content).unwrap();
        file
    }

    /// A pull of `image` by `demo/web`, with a token for `audience`.
    pub(crate) fn pull(&self, preset: &'static str, image: &str, audience: &str) -> Pull<'_> {
        Pull {
            fixture: self,
            preset,
            image: image.to_owned(),
            audience: audience.to_owned(),
            account: "web",
            lifetime: 3600,
            set: Vec::new(),
            annotations: Vec::new(),
            sections: Value::Null,
            token: None,
        }
    }
}

/// How an operator names a preset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `--preset NAME --set NAME=VALUE`.
    Options,
    /// `preset:` and `variables:` in a profile file.
    File,
}

/// One preset, what it is set to, and a request.
#[derive(Clone)]
pub(crate) struct Pull<'g> {
    pub(crate) fixture: &'g Fixture<'g>,
    preset: &'static str,
    pub(crate) image: String,
    pub(crate) audience: String,
    account: &'static str,
    lifetime: i64,
    set: Vec<(&'static str, String)>,
    annotations: Vec<(&'static str, String)>,
    sections: Value,
    token: Option<String>,
}

/// What it is made of.
impl Pull<'_> {
    /// A parameter of the preset.
    pub(crate) fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.set.push((name, value.into()));
        self
    }

    /// An annotation of the service account.
    pub(crate) fn annotated(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.annotations.push((key, value.into()));
        self
    }

    /// By a service account that no vendor here lets in.
    pub(crate) fn by_a_stranger(mut self) -> Self {
        self.account = "stranger";
        self
    }

    /// With a token that lives so many seconds.
    pub(crate) fn with_lifetime(mut self, seconds: i64) -> Self {
        self.lifetime = seconds;
        self
    }

    /// With that token, again and again.
    pub(crate) fn with_token(mut self, token: String) -> Self {
        self.token = Some(token);
        self
    }

    /// Of another image.
    pub(crate) fn of(mut self, image: &str) -> Self {
        self.image = image.to_owned();
        self
    }

    /// With sections of the profile besides the preset, which only a file can have.
    pub(crate) fn over(mut self, sections: Value) -> Self {
        self.sections = sections;
        self
    }
}

/// Running it.
impl Pull<'_> {
    fn forms(&self) -> &'static [Form] {
        match self.sections.is_null() {
            true => &[Form::Options, Form::File],
            false => &[Form::File],
        }
    }

    fn plugin(&self, form: Form) -> PluginCommand {
        let plugin = self.fixture.world.plugin(PLUGIN);
        if form == Form::Options {
            let plugin = plugin.arg("--preset").arg(self.preset);
            return self.set.iter().fold(plugin, |plugin, (name, value)| {
                plugin.arg("--set").arg(format!("{name}={value}"))
            });
        }
        let variable = |(name, value): &(&str, String)| json!({"name": name, "value": value});
        let mut profile = json!({"name": "test", "preset": self.preset});
        if !self.set.is_empty() {
            profile["variables"] = self.set.iter().map(variable).collect();
        }
        let sections = self.sections.as_object().cloned().unwrap_or_default();
        profile.as_object_mut().unwrap().extend(sections);
        let file = json!({
            "apiVersion": "pullpass.dev/v1alpha1",
            "kind": "OIDCExchangeConfig",
            "profiles": [profile],
        });
        plugin.arg("--config").arg(self.fixture.file("oidc.yaml", &file.to_string()))
    }

    /// Each with a token of its own: some vendors take one once.
    fn run(&self, form: Form, loud: bool) -> (PluginRun, String) {
        let fresh = self.fixture.issuer.token(&self.audience).service_account("demo", self.account);
        let token = self.token.clone();
        let token = token.unwrap_or_else(|| fresh.lifetime(self.lifetime).build());
        let plugin = self.plugin(form).secret("the pod's token", &token);
        let plugin = if loud { plugin } else { plugin.quiet() };
        (plugin.run(self.request(&token).to_string().as_bytes()), token)
    }

    /// As the kubelet writes it.
    pub(crate) fn request(&self, token: &str) -> Value {
        let annotations: Map<String, Value> = self
            .annotations
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.as_str().into()))
            .collect();
        json!({
            "kind": "CredentialProviderRequest",
            "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
            "image": self.image,
            "serviceAccountToken": token,
            "serviceAccountAnnotations": annotations,
        })
    }

    /// Runs all forms, each with the log at trace and as it is by default, and hands each run and
    /// the pod's token to `check`.
    pub(crate) fn each(&self, mut check: impl FnMut(&PluginRun, &str)) {
        for form in self.forms() {
            for loud in [true, false] {
                eprintln!("preset `{}`, {form:?}", self.preset);
                let (run, token) = self.run(*form, loud);
                check(&run, &token);
            }
        }
        assert_eq!(self.fixture.world.unknown_names(), Vec::<String>::new(), "another host");
    }

    /// One run.
    pub(crate) fn run_from_file(&self) -> PluginRun {
        self.run(Form::File, true).0
    }
}
