//! What is said when something is wrong: exit code, the exact `error:` line, what its hint
//! is about, how often a service was asked, and that it ends in time.

mod files;
mod here;
mod iam;
mod metadata;
mod network;
mod oauth;
mod options;
mod sts;

use std::time::Duration;

use pullpass_tests::fakes::google::{Canned, Machine, Service};
use pullpass_tests::fixtures::checks;
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::world::{Trial, World};

use crate::cloud::{Cloud, IMAGE, NODE, PULLER, SUBJECT};

pub(crate) fn trials() -> Vec<Trial> {
    let rows = [metadata::rows(), sts::rows(), iam::rows(), oauth::rows()].into_iter().flatten();
    let rows = rows.map(|row| {
        Trial::new(format!("faults::{:?}::{}", row.at, row.name), move |world| row.check(world))
    });
    let others = [files::trials(), here::trials(), network::trials(), options::trials()];
    rows.chain(others.into_iter().flatten()).collect()
}

/// One fault of a service.
struct Row {
    /// What is wrong.
    name: String,
    /// Where: the node asks the metadata server, or by a key [`Service::OAuth`], the pod the
    /// others.
    at: Service,
    /// What is answered there, always.
    answer: Canned,
    /// Whether the metadata server says that it is Google's.
    flavor: bool,
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
        Self { name, at, answer, flavor: true, timeout: None, code: 0, error, says, calls: 1 }
    }

    fn without_flavor(mut self) -> Self {
        self.flavor = false;
        self
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
        let machine = Machine::of(NODE);
        cloud.serve_metadata(if self.flavor { machine } else { machine.without_flavor() });
        cloud.puller();
        let (plugin, request) = match self.at {
            Service::Metadata => (cloud.plugin(), request(IMAGE)),
            Service::OAuth => {
                (cloud.plugin().arg("--credentials").arg(cloud.key_file()), request(IMAGE))
            }
            Service::Sts => (cloud.plugin_for_pods(), cloud.pod_request(&[])),
            Service::IamCredentials => (
                cloud.plugin_for_pods().arg(format!("--service-account={PULLER}")),
                cloud.pod_request(&[]),
            ),
        };
        let plugin = match self.timeout {
            Some(seconds) => plugin.arg(format!("--timeout={seconds}s")),
            None => plugin,
        };
        cloud.google.always(self.at, Some(self.answer.clone()));
        let run = cloud.run(plugin, &request);
        let says: Vec<String> = self.says.iter().map(|text| in_full(text, &cloud)).collect();
        checks::fails(&run, self.code, &says.iter().map(String::as_str).collect::<Vec<_>>());
        let error = format!("no credentials for `{IMAGE}`: {}", in_full(&self.error, &cloud));
        assert_eq!(run.error(), error);
        assert_eq!(cloud.count(self.at), 2 * self.calls, "two runs: {}", run.stderr);
        // No other identity replaces the one that was refused.
        let others =
            cloud.google.calls().into_iter().filter(|call| call.service != self.at).count();
        assert_eq!(others, if self.at == Service::IamCredentials { 2 } else { 0 });
        let longest = self.timeout.map_or(15, |seconds| seconds + 2);
        assert!(run.duration < Duration::from_secs(longest), "{:?}", run.duration);
    }
}

/// A row's text with its capitals replaced by their values.
fn in_full(text: &str, cloud: &Cloud<'_>) -> String {
    let path = "computeMetadata/v1/instance/service-accounts/default/token";
    let iam = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts";
    text.replace("`METADATA`", &format!("`http://metadata.google.internal/{path}`"))
        .replace("`STS`", "`https://sts.googleapis.com/v1/token`")
        .replace("`IAM`", &format!("`{iam}/{PULLER}:generateAccessToken`"))
        .replace("`OAUTH`", "`https://oauth2.googleapis.com/token`")
        .replace("POD", &format!("the pod `{SUBJECT}`"))
        .replace("PULLER", PULLER)
        .replace("KEY", &format!("the node as `{NODE}`"))
        .replace("NODE", NODE)
        .replace("PRINCIPAL", &cloud.principal())
        .replace("PROVIDER", &cloud.provider.name())
        .replace("AUDIENCE", &cloud.provider.token_audience())
        .replace("ISSUER", cloud.issuer.url())
}
