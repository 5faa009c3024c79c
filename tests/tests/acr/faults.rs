//! What is said when something is wrong: exit code, the exact `error:` line, what its hint
//! is about, how often a service was asked, and that it ends in time.

mod entra;
mod exchange;
mod here;
mod imds;

use std::time::Duration;

use pullpass_tests::fakes::azure::{Canned, Identity, Service};
use pullpass_tests::fixtures::checks;
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::world::{Trial, World};

use crate::cloud::{Cloud, IMAGE};

pub(crate) fn trials() -> Vec<Trial> {
    let rows = [imds::rows(), entra::rows(), exchange::rows()].into_iter().flatten();
    let rows = rows.map(|row| {
        Trial::new(format!("faults::{:?}::{}", row.at, row.name), move |world| row.check(world))
    });
    rows.chain(here::trials()).collect()
}

/// One fault of a service.
struct Row {
    /// What is wrong.
    name: String,
    /// Where: with [`Service::Entra`] a pod asks, else the node.
    at: Service,
    /// What is answered there, always.
    answer: Canned,
    /// The limit that the operator sets, in seconds.
    timeout: Option<u64>,
    code: i32,
    /// The `error:` line after the image; see [`in_full`].
    error: String,
    /// What else stderr says.
    says: Vec<String>,
    /// How often the service is asked.
    calls: usize,
}

impl Row {
    fn new(name: &str, at: Service, answer: Canned) -> Self {
        let (name, error, says) = (name.to_owned(), String::new(), Vec::new());
        Self { name, at, answer, timeout: None, code: 0, error, says, calls: 1 }
    }

    fn timeout(mut self, seconds: u64) -> Self {
        self.timeout = Some(seconds);
        self
    }

    fn calls(mut self, calls: usize) -> Self {
        self.calls = calls;
        self
    }

    /// How it ends.
    fn fails(mut self, code: i32, error: &str, says: &[&str]) -> Self {
        (self.code, self.error) = (code, error.to_owned());
        self.says = says.iter().map(ToString::to_string).collect();
        self
    }

    fn check(&self, world: &World) {
        let mut cloud = Cloud::new(world);
        cloud.node();
        let pod = cloud.pod();
        let mut plugin = cloud.plugin_as_node();
        if let Some(seconds) = self.timeout {
            plugin = plugin.arg(format!("--timeout={seconds}s"));
        }
        let request = match self.at {
            Service::Entra => cloud.request_of(&pod),
            _ => request(IMAGE),
        };
        if self.at == Service::PullToken {
            plugin = plugin.arg("--repository-scope");
        }
        cloud.azure.always(self.at, Some(self.answer.clone()));
        let run = cloud.run_once(&plugin, &request);
        let says: Vec<String> = self.says.iter().map(|text| in_full(text, &pod)).collect();
        checks::fails(&run, self.code, &says.iter().map(String::as_str).collect::<Vec<_>>());
        let error = format!("no credentials for `{IMAGE}`: {}", in_full(&self.error, &pod));
        assert_eq!(run.error(), error);
        assert_eq!(cloud.count(self.at), self.calls, "{}", run.stderr);
        let longest = self.timeout.map_or(15, |seconds| seconds + 2);
        assert!(run.duration < Duration::from_secs(longest), "{:?}", run.duration);
    }
}

/// A row's text with its capitals replaced by their values.
fn in_full(text: &str, pod: &Identity) -> String {
    let imds = "http://169.254.169.254/metadata/identity/oauth2/token";
    let who = format!("the pod as application `{}` of tenant `{}`", pod.client_id, pod.tenant);
    let token = format!("https://login.microsoftonline.com/{}/oauth2/v2.0/token", pod.tenant);
    text.replace("`IMDS`", &format!("`{imds}`"))
        .replace("`TOKEN_URL`", &format!("`{token}`"))
        .replace("`EXCHANGE`", "`https://contoso.azurecr.io/oauth2/exchange`")
        .replace("ENTRA", "Entra at `login.microsoftonline.com`")
        .replace("REGISTRY", "the registry `contoso.azurecr.io`")
        .replace("NODE", "the node as its system-assigned identity")
        .replace("POD", &who)
}
