//! What goes wrong between the plugin and AWS. Every fault has its exit code, its `error:` line,
//! words below that say what to do, and the number of calls that it costs.

mod clock;
mod containers;
mod deadline;
mod echoes;
mod ecr;
mod imds;
mod logs;
mod network;
mod processes;
mod sources;
mod sts;
mod tokens;

use pullpass_tests::fakes::aws::{Canned, Service};
use pullpass_tests::fixtures::checks::{CONFIG, DENIED, IDENTITY, PROTOCOL, UNAVAILABLE};
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::plugin::{PluginCommand, PluginRun};
use pullpass_tests::world::{Trial, World};
use serde_json::Value;

use crate::cloud::{ANNOTATION, Cloud, REGISTRY, role};

pub(crate) fn trials() -> Vec<Trial> {
    let trials = [
        clock::trials(),
        containers::trials(),
        deadline::trials(),
        echoes::trials(),
        ecr::trials(),
        imds::trials(),
        logs::trials(),
        network::trials(),
        processes::trials(),
        sources::trials(),
        sts::trials(),
        tokens::trials(),
    ];
    trials.into_iter().flatten().collect()
}

/// How a run for [`REGISTRY`] ends.
#[derive(Clone, Copy)]
enum End {
    /// With a login of this AWS.
    Login,
    /// Exit code; the error after `no credentials for IMAGE: `; words on the lines below it.
    Fails(i32, &'static str, &'static [&'static str]),
}

impl End {
    fn check(self, run: &PluginRun, name: &str) {
        match self {
            Self::Login => drop(run.login()),
            Self::Fails(code, error, below) => fails(run, REGISTRY, code, error, below, name),
        }
    }
}

/// Checks a failed run with the log as it is by default.
fn fails(run: &PluginRun, image: &str, code: i32, error: &str, below: &[&str], name: &str) {
    let stderr = &run.stderr;
    assert_eq!(run.code, Some(code), "{name}: {stderr}");
    assert_eq!(run.error(), format!("no credentials for `{image}`: {error}"), "{name}");
    explains(run, below, name);
}

/// Checks the lines below the error: what they say, their form, and that no library printed its
/// insides.
fn explains(run: &PluginRun, below: &[&str], name: &str) {
    let mut lines = run.stderr.lines();
    assert!(lines.next().is_some_and(|line| line.starts_with("error: ")), "{name}: {}", run.stderr);
    let rest: Vec<&str> = lines.collect();
    for words in below {
        assert!(rest.iter().any(|line| line.contains(words)), "{name}: `{words}`: {}", run.stderr);
    }
    let (hint, causes) = rest.split_last().unwrap_or_else(|| panic!("{name}: {}", run.stderr));
    assert!(hint.starts_with("hint: "), "{name}: {}", run.stderr);
    assert!(causes.iter().all(|line| line.starts_with("caused by: ")), "{name}: {}", run.stderr);
    for insides in ["SdkError", "SdkBody", "Response {", "StatusCode {", "Some(", "internal error"]
    {
        assert!(!run.stderr.contains(insides), "{name}: {}", run.stderr);
    }
}

/// Makes a service answer a run like this, call by call, and no call more; and the second run of
/// [`Cloud::run`] likewise.
fn script(cloud: &Cloud<'_>, service: Service, answers: &[Canned]) {
    for answer in [answers, answers].concat() {
        cloud.aws.next(service, answer);
    }
}

/// The service's own answer, in a script.
fn own() -> Canned {
    Canned::late(std::time::Duration::ZERO)
}

/// A run, and how often each run called the service.
fn calls_of(
    cloud: &Cloud<'_>,
    service: Service,
    plugin: PluginCommand,
    request: &Value,
) -> (PluginRun, usize) {
    let before = cloud.aws.calls_to(service).len();
    let run = cloud.run(plugin, request);
    let calls = cloud.aws.calls_to(service).len() - before;
    assert_eq!(calls % 2, 0, "both runs alike");
    (run, calls / 2)
}

/// A row of a table about answers: one per call. Whose they are decides who asks: STS is asked for
/// a pod, ECR for the node. Where they are two, two attempts are all; it saves the third's pause.
fn row(table: &str, name: &str, service: Service, answers: Vec<Canned>, end: End) -> Trial {
    let name = format!("faults::{table}::{name}");
    Trial::new(name.clone(), move |world: &World| {
        let cloud = Cloud::new(world);
        script(&cloud, service, &answers);
        let (plugin, request) = match service {
            Service::Sts => {
                (cloud.plugin(), cloud.pod_request(REGISTRY, &[(ANNOTATION, &role("pull"))]))
            }
            _ => (cloud.plugin_as_user(), request(REGISTRY)),
        };
        let plugin = match answers.len() {
            2 => plugin.env("AWS_MAX_ATTEMPTS", "2"),
            _ => plugin,
        };
        let (run, calls) = calls_of(&cloud, service, plugin, &request);
        end.check(&run, &name);
        assert_eq!(calls, answers.len(), "{name}: {}", run.stderr);
    })
}
