//! A whole cluster on a machine of its own: etcd, the API server, a kubelet, containerd, runc and a
//! registry, all unmodified, with our plugins in the kubelet's folder and fakes of clouds under
//! their real names.
//!
//! It needs what a [`World`] needs and nothing more; root is not asked for. What `cargo xtask
//! cluster` tries in it is in [`trials`].

pub mod api;
mod exchange;
mod kubelet;
mod machine;
mod objects;
pub mod oidc;
mod password;
mod pod;
mod program;
mod programs;
mod registry;
mod run;
pub mod runc;
mod runtime;
mod table;
mod traces;
mod transcript;
pub mod trials;

pub use exchange::ExchangeRegistry;
pub use kubelet::{Kubelet, KubeletOptions};
pub use password::PasswordRegistry;
pub use pod::{Event, Pod, PodSpec};
pub use registry::{REGISTRY, TokenRegistry};
pub use run::main;
pub use transcript::Transcript;

use std::cell::{Cell, RefCell};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;

use self::api::Api;
use self::kubelet::Node;
use self::program::wait_for;
use self::programs::Programs;
use self::runtime::Runtime;
use crate::world::World;

/// A running cluster of one node.
pub struct Cluster<'w> {
    /// The machine.
    pub world: &'w World,
    /// The API server.
    pub api: Api,
    /// The container runtime.
    pub runtime: Runtime,
    /// Where steps are told.
    pub transcript: Transcript,
    /// The kubelet's minor: `1.37`.
    pub minor: String,
    node: Node,
    folder: TempDir,
    bin_dir: PathBuf,
    kubelet: RefCell<Option<Kubelet>>,
    pods: RefCell<Vec<Pod>>,
    count: Cell<u32>,
}

impl<'w> Cluster<'w> {
    /// Starts everything but a kubelet, which each trial starts with its own configuration.
    fn start(world: &'w World, programs: &Programs, minor: &str, bin_dir: &Path) -> Self {
        let transcript = Transcript::start();
        machine::furnish(world);
        // Before containerd asks for the first: Go reads the table of hosts again after 5 s only.
        for registry in trials::registries() {
            world.address_of(registry);
            world.address_of(&TokenRegistry::token_server(registry));
        }
        transcript.say("machine", "namespaces, names and addresses are there");
        let folder = TempDir::new().unwrap();
        let runtime = Runtime::start(programs, folder.path());
        transcript.say("containerd", "answers, and has the pause image");
        let api = Api::start(world, programs, folder.path());
        transcript.say("api", "etcd and kube-apiserver are ready");
        let program = programs.kubelet(minor).unwrap_or_else(|error| panic!("{error}"));
        let node = Node::new(world, program, folder.path());
        let cluster = Self {
            world,
            api,
            runtime,
            transcript,
            minor: minor.to_owned(),
            node,
            folder,
            bin_dir: bin_dir.to_owned(),
            kubelet: RefCell::default(),
            pods: RefCell::default(),
            count: Cell::default(),
        };
        cluster.make_objects();
        cluster.allow_discovery();
        cluster
    }

    /// What `pullpass` prints with these arguments, which must succeed.
    pub fn printed<Arg: AsRef<OsStr>>(&self, args: &[Arg]) -> String {
        let output = self.pullpass(args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A file of this trial's.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let file = self.folder.path().join("trial").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, content).unwrap();
        file
    }

    /// Runs the command `pullpass` on this node, in the environment of its kubelet.
    pub fn pullpass<Arg: AsRef<OsStr>>(&self, args: &[Arg]) -> Output {
        let mut pullpass = machine::command(&self.bin_dir.join("pullpass"));
        pullpass.args(args).current_dir("/").output().expect("`pullpass` starts")
    }

    /// Whether a pod of that service account must pull an image that is here already, by what
    /// `pullpass records` says; with the policies of images that `more` names.
    pub fn must_pull(&self, image: &str, service_account: &str, more: &[&str]) -> bool {
        let root_dir = self.node.root_dir();
        let mut args: Vec<&OsStr> = ["records", image, "--format", "json", "--service-account"]
            .into_iter()
            .chain([service_account, "--kubelet-version", &self.minor])
            .chain(more.iter().copied())
            .map(OsStr::new)
            .collect();
        args.extend([OsStr::new("--kubelet-dir"), root_dir.as_os_str()]);
        let output = self.pullpass(&args);
        let said: Value =
            serde_json::from_slice(&output.stdout).expect("JSON of `pullpass records`");
        let rows = said["records"].as_array().unwrap();
        let [row] = rows.as_slice() else { panic!("one record of {image}: {said:#}") };
        self.transcript.say("records", &said.to_string());
        row["must_pull"].as_bool().unwrap()
    }

    /// The folder of the plugins.
    pub fn bin_dir(&self) -> &Path {
        &self.bin_dir
    }

    /// Starts a kubelet with these providers, instead of the one that runs, and waits until its
    /// node takes pods.
    pub fn start_kubelet(&self, providers: &Value) {
        self.start_kubelet_with(&self.kubelet_options(providers));
    }

    /// The options of a kubelet with these providers.
    pub fn kubelet_options(&self, providers: &Value) -> KubeletOptions {
        let config = json!({
            "apiVersion": "kubelet.config.k8s.io/v1",
            "kind": "CredentialProviderConfig",
            "providers": providers,
        });
        KubeletOptions {
            providers: self.file("providers.json", &format!("{config:#}")),
            bin_dir: self.bin_dir.clone(),
            settings: json!({}),
        }
    }

    /// As [`Cluster::start_kubelet`], with other options.
    pub fn start_kubelet_with(&self, options: &KubeletOptions) {
        self.kubelet.take();
        let mut kubelet = self.node.start(options);
        kubelet.wait_until_ready();
        let log = kubelet.log();
        let lines = log.lines().filter(|line| line.contains("Registered credential provider"));
        // The last text in quotes is the name.
        let names = lines.filter_map(|line| line.trim_end_matches(['"', '\\']).rsplit('"').next());
        let providers: Vec<&str> = names.collect();
        let text = format!("{} is ready, with {}", self.minor, providers.join(", "));
        self.transcript.say("kubelet", &text);
        self.kubelet.replace(Some(kubelet));
    }

    /// What the running kubelet has logged.
    pub fn kubelet_log(&self) -> String {
        self.kubelet.borrow().as_ref().expect("a kubelet runs").log()
    }

    /// Starts a kubelet that is to refuse its configuration; returns its exit code and log.
    pub fn refused_kubelet(&self, options: &KubeletOptions) -> (Option<i32>, String) {
        self.kubelet.take();
        let mut kubelet = self.node.start(options);
        let code = kubelet.wait_for_end();
        (code, kubelet.log())
    }

    /// Makes a pod.
    pub fn create(&self, spec: PodSpec) -> Pod {
        self.count.set(self.count.get() + 1);
        let pod = spec.create(&self.api, &format!("pod-{}", self.count.get()));
        self.transcript.say("pod", &format!("{} with {} is made", pod.full_name(), pod.image));
        self.pods.borrow_mut().push(pod.clone());
        pod
    }

    /// Waits until a pod's container runs, by the kubelet's word and by containerd's.
    pub fn runs(&self, pod: &Pod) {
        let container = pod.wait_until_running(&self.api);
        assert!(
            self.runtime.runs(&container),
            "containerd has no such task\n{}",
            self.runtime.log()
        );
        self.transcript.say("running", &format!("{}\n{}", pod.full_name(), pod.story(&self.api)));
    }

    /// Waits for an event about a pod.
    pub fn wait_for_event(&self, pod: &Pod, is_meant: impl Fn(&Event) -> bool) -> Event {
        let find = || pod.events(&self.api).into_iter().find(|event| is_meant(event));
        wait_for("event", find, || pod.story(&self.api))
    }

    /// The folder for the `staticPodPath` of a kubelet.
    pub fn static_pods(&self) -> PathBuf {
        let folder = self.folder.path().join("trial/static");
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Makes a static pod, and returns the API server's copy of it once the kubelet has made that.
    pub fn create_static(&self, spec: PodSpec) -> Pod {
        self.count.set(self.count.get() + 1);
        let name = format!("static-{}", self.count.get());
        let pod = spec.create_static(&name, &self.static_pods());
        self.api.wait_for("copy of the static pod", &pod.path(), |pod| {
            pod["metadata"]["uid"].is_string().then_some(())
        });
        self.transcript.say("pod", &format!("{} with {} is made", pod.full_name(), pod.image));
        self.pods.borrow_mut().push(pod.clone());
        pod
    }

    /// Waits until the pull of a pod's image has failed; returns the event's text.
    pub fn refuses(&self, pod: &Pod) -> String {
        let message = pod.wait_until_refused(&self.api);
        self.transcript.say("refused", &format!("{}\n{message}", pod.full_name()));
        message
    }

    /// The kubelet's metrics, in the text form of Prometheus.
    pub fn kubelet_metrics(&self) -> String {
        self.api.kubelet_metrics()
    }

    /// How often this kubelet has run a plugin, by its own metrics.
    pub fn plugin_runs(&self, plugin: &str) -> u64 {
        let start = format!(
            "kubelet_credential_provider_plugin_duration_count{{plugin_name=\"{plugin}\"}} "
        );
        let metrics = self.kubelet_metrics();
        let value = metrics.lines().find_map(|line| line.strip_prefix(&start));
        value.map_or(0, |value| value.trim().parse().unwrap())
    }

    /// Removes what a trial has made: its kubelet, its pods and its files.
    fn clean_up(&self) {
        self.kubelet.take();
        for pod in self.pods.borrow_mut().drain(..) {
            self.api.delete(&pod.path());
        }
        self.runtime.kill_all();
        self.node.forget_pulled_images();
        self.allow_discovery();
        let _ = fs::remove_dir_all(self.folder.path().join("trial"));
    }
}
