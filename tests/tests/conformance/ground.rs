//! One plugin with everything in order around it, so that a rule breaks one thing and no other.

use std::path::Path;
use std::time::Duration;

use pullpass_tests::fixtures::checks;
use pullpass_tests::fixtures::requests::pod_request;
use pullpass_tests::issuer::{Issuer, TokenBuilder};
use pullpass_tests::plugin::{PluginCommand, PluginRun};
use pullpass_tests::world::World;
use serde_json::Value;

/// A plugin, a request that gets a login, and the world in which it does.
pub(crate) struct Ground<'w> {
    pub(crate) world: &'w World,
    /// Started so that it answers pods.
    pub(crate) plugin: PluginCommand,
    pub(crate) registry: &'static str,
    /// What a pod's token must be for.
    pub(crate) audience: String,
    /// What the pod's service account says.
    pub(crate) annotations: Vec<(&'static str, String)>,
    pub(crate) issuer: Issuer,
    pub(crate) service: Box<dyn TokenService + 'w>,
    /// The files that an operator may name, each with the plugin started so that it reads that one.
    pub(crate) files: Vec<FileInput>,
    /// Requests that are answered with no credentials on purpose.
    pub(crate) without_credentials: Vec<(PluginCommand, Value)>,
}

/// An option or a variable that names a file, by name, and a request for which it is read.
pub(crate) struct FileInput {
    pub(crate) name: &'static str,
    pub(crate) plugin: Box<dyn Fn(&Path) -> PluginCommand>,
    pub(crate) request: Value,
}

/// The service that takes the pod's token, and what comes out in the end.
pub(crate) trait TokenService {
    /// At trace and as it is by default: see `Fake::run`.
    fn run(&self, plugin: &PluginCommand, request: &Value) -> PluginRun;

    /// Answers every call with a pod's token like this from now on.
    fn answer(&self, reply: Reply);

    /// How long what is handed out lives from now on, in seconds.
    fn set_lifetime(&self, seconds: i64);

    /// The end of a login that was handed out, in seconds of the Unix epoch.
    fn end_of(&self, login: &(String, String, String)) -> f64;
}

/// What a service may answer in the place of a token.
#[derive(Clone, Copy)]
pub(crate) enum Reply {
    /// That the identity is refused, in its own form.
    Refused,
    /// 200 with a web page.
    Page,
    /// A redirect to another host.
    Redirect,
    /// 503.
    Unavailable,
    /// Its own answer, but so late.
    Late(Duration),
}

impl Ground<'_> {
    pub(crate) fn image(&self) -> String {
        format!("{}/team/app", self.registry)
    }

    /// A token that everything here takes, to be changed before it is signed.
    pub(crate) fn token(&self) -> TokenBuilder {
        self.issuer.token(&self.audience)
    }

    /// The request that gets a login.
    pub(crate) fn request(&self) -> Value {
        self.request_for(&self.image())
    }

    pub(crate) fn request_for(&self, image: &str) -> Value {
        self.pod_request(image, self.token())
    }

    /// With another token.
    pub(crate) fn request_with(&self, token: TokenBuilder) -> Value {
        self.pod_request(&self.image(), token)
    }

    fn pod_request(&self, image: &str, token: TokenBuilder) -> Value {
        let annotations = self.annotations.iter().map(|(key, value)| (*key, value.as_str()));
        pod_request(image, &token.build(), &annotations.collect::<Vec<_>>())
    }

    /// Runs it at trace and as it is by default; returns the second run.
    pub(crate) fn run(&self, plugin: &PluginCommand, request: &Value) -> PluginRun {
        let run = self.service.run(plugin, request);
        assert!(!run.stderr.contains("internal error"), "a panic: {}", run.stderr);
        run
    }

    /// It ends with that exit code, nothing on stdout, and one error that names the image and
    /// says this.
    pub(crate) fn refuses(&self, plugin: &PluginCommand, request: &Value, code: i32, says: &str) {
        let run = self.run(plugin, request);
        checks::fails(&run, code, &[says]);
        assert_eq!(run.stdout, b"", "a failed plugin prints nothing");
        checks::is_one_error(&run, request["image"].as_str());
    }

    /// The same for bytes on stdin that are not a request, or a request whose image cannot be read.
    pub(crate) fn refuses_bytes(&self, stdin: &[u8], code: i32, says: &str) {
        let text = String::from_utf8_lossy(stdin);
        let plugin = tokens_in(&text).fold(self.plugin.clone(), |plugin, token| {
            plugin.secret("service account token", token)
        });
        let run = plugin.run_both(stdin);
        checks::fails(&run, code, &[says]);
        assert_eq!(run.stdout, b"", "a failed plugin prints nothing");
        checks::is_one_error(&run, None);
    }

    /// Does it, and makes sure that no connection was tried meanwhile, nor a name looked up.
    pub(crate) fn without_a_connection(&self, work: impl FnOnce()) {
        let before = self.world.attempts();
        work();
        assert_eq!(self.world.attempts(), before, "it tried to reach somebody");
    }
}

/// What looks like a JWT between quotes.
fn tokens_in(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').filter(|word| word.starts_with("eyJ") && word.len() > 100)
}
