//! Look-ups one after another, with plugins that run: credentials and their order,
//! who was run with what, what the cache kept, and every line of the log.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use pullpass_kubelet::cache::ClockFn;
use pullpass_kubelet::exec::ExecOptions;
use pullpass_kubelet::{Config, Kubelet, KubeletOptions};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::answers::{self, Wishes};
use crate::bench::{Bench, Verdict};
use crate::configs::{self, PROGRAMS};
use crate::explained::{self, Context};
use crate::faults;
use crate::judge::ENVIRONMENT;
use crate::odd;
use crate::pods::Pods;
use crate::programs::Programs;
use crate::random::Random;
use crate::register::{self, Registration};
use crate::world;

/// A registration and a few look-ups after it.
pub(crate) fn lookup(bench: &mut Bench, random: &mut Random) -> Verdict {
    let programs = Programs::fresh(bench.folder());
    let names = &PROGRAMS[..random.below(3) + 1];
    let mut config = configs::good(random, bench.version, names);
    if random.percent(25) {
        // One place; only the cases that are still accepted continue.
        faults::break_once(&mut config, random);
    }
    let file = bench.folder().join("lookup/config");
    let bytes = odd::bytes(&config, random, false);
    fs::write(&file, &bytes).unwrap();
    let registration = Registration {
        config: file.display().to_string(),
        bin_dir: programs.bin_dir().display().to_string(),
        target: register::target(bench, random, 5),
    };
    let question = registration.question();
    let kubelet = bench.judge.ask(&question);
    let (accepted, ours, context) = registration.ours();
    let mut input = json!({"config": String::from_utf8_lossy(&bytes), "question": question});
    let mut verdict = Verdict::new("look-up: refused before it", Value::Null);
    verdict.compare(&context, &kubelet, &ours, &["verdict", "message", "providers"]);
    let Some(config) = accepted.filter(|_| kubelet["verdict"] == "accepted") else {
        verdict.input = input;
        return verdict;
    };

    let elapsed = Arc::new(AtomicU64::new(0));
    let options = KubeletOptions { exec: exec_options(), clock: clock(&elapsed) };
    let mut session = Session {
        kubelet: Kubelet::new(&config, programs.bin_dir(), options),
        config,
        programs,
        pods: Pods::of_case(random),
        image: String::new(),
        filed_alike: false,
        elapsed,
        steps: Vec::new(),
    };
    for step in 0..random.below(4) + 1 {
        session.step(step, bench, random, &mut verdict);
    }
    input["steps"] = json!(session.steps);
    verdict.input = input;
    verdict
}

fn exec_options() -> ExecOptions {
    let environment = ENVIRONMENT.map(|(name, value)| (name.into(), value.into())).to_vec();
    ExecOptions { environment, ..ExecOptions::default() }
}

fn clock(elapsed: &Arc<AtomicU64>) -> ClockFn {
    let elapsed = Arc::clone(elapsed);
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    Arc::new(move || start + Duration::from_secs(elapsed.load(Ordering::Relaxed)))
}

struct Session {
    kubelet: Kubelet,
    config: Config,
    programs: Programs,
    pods: Pods,
    image: String,
    filed_alike: bool,
    elapsed: Arc<AtomicU64>,
    /// What was done, for the report of a difference.
    steps: Vec<Value>,
}

impl Session {
    fn step(
        &mut self,
        number: usize,
        bench: &mut Bench,
        random: &mut Random,
        verdict: &mut Verdict,
    ) {
        if number > 0 && random.percent(40) {
            let seconds = *random.pick(&[&1_u64, &300, &301, &600, &900, &3600, &3601, &50_000]);
            self.elapsed.fetch_add(seconds, Ordering::Relaxed);
            let question = json!({"op": "advance", "by": format!("{seconds}s")});
            self.steps.push(bench.judge.ask(&question));
        }
        if self.image.is_empty() || random.percent(60) {
            self.image = self.image(random);
        }
        let raw = random.percent(15);
        if raw && random.percent(50) {
            self.image = world::compared(random);
        }
        if random.percent(1) {
            self.image = format!("r.io/{}", "a/".repeat(33_000));
        }
        self.pods.change(random);
        let mut context = Context::new(bench.version);
        for at in 0..self.config.providers.len() {
            if number > 0 && !random.percent(40) {
                continue;
            }
            let provider = &self.config.providers[at];
            let login = format!("{}-{number}", provider.name.value);
            let wishes = Wishes {
                api_version: provider.api_version.as_str(),
                login: &login,
                image: Some(&self.image),
                token: self.pods.token(),
                wrong: 15,
            };
            let stdout = answers::stdout(random, &wishes);
            self.steps.push(self.programs.program(&provider.name, &stdout, random));
        }
        // For good: the cache may keep such an answer.
        self.filed_alike |= self.programs.have_keys_filed_alike(bench.version);
        context.filed_alike = self.filed_alike;

        let mut question = self.pods.question();
        question["op"] = json!("lookup");
        question["image"] = json!(self.image);
        question["raw"] = json!(raw);
        let answer = bench.judge.ask(&question);
        let lines = answer["logs"].as_array().unwrap().iter();
        let (generating, logs): (Vec<String>, Vec<String>) = lines
            .map(|line| line["message"].as_str().unwrap().to_owned())
            .partition(|line| explained::is_not_modelled(line));
        verdict.notes.extend(generating.first().map(|_| explained::NOT_MODELLED));
        let kubelet = json!({
            "lookup": answer["lookup"], "error": answer["error"],
            "credentials": answer["credentials"],
            "executions": answer["executions"].as_array().unwrap().iter()
                .map(|one| one["provider"].clone()).collect::<Vec<_>>(),
            "logs": sorted_runs(logs),
            "plugins saw": self.programs.take_seen(),
        });
        let mut ours = self.ours(raw);
        ours["plugins saw"] = self.programs.take_seen();
        forget_unknown_origins(&kubelet, &mut ours);
        verdict.label = label(&kubelet, verdict.label);
        self.steps.push(question);
        let before = verdict.differences.len();
        let fields = ["lookup", "error", "credentials", "executions", "plugins saw", "logs"];
        verdict.compare(&context, &kubelet, &ours, &fields);
        for difference in &mut verdict.differences[before..] {
            difference.field = format!("look-up {number}: {}", difference.field);
        }
    }

    /// Mostly one that some pattern was made for.
    fn image(&self, random: &mut Random) -> String {
        if random.percent(20) {
            return world::covered_image(random);
        }
        let providers = &self.config.providers;
        let patterns = &providers[random.below(providers.len())].match_images;
        let pattern = &patterns[random.below(patterns.len())];
        let image = pattern.as_str().replace('*', random.pick(&["a", "b", "x"]));
        let image = image.trim_end_matches('/');
        image.to_owned() + random.pick(&["/app", "/app/x", "/nginx:1", "", "/x:2"])
    }

    fn ours(&mut self, raw: bool) -> Value {
        let pod = self.pods.pod();
        let found = if raw {
            Ok(self.kubelet.lookup_raw(&self.image, Some(&pod)))
        } else {
            self.kubelet.lookup(&self.image, Some(&pod))
        };
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                let error = error.to_string();
                return json!({
                    "lookup": "", "error": error, "credentials": [], "executions": [], "logs": [],
                });
            }
        };
        let credentials: Vec<Value> = found
            .credentials
            .iter()
            .map(|one| {
                json!({
                    "username": one.username, "password": one.password.expose_secret(),
                    "provider": one.provider, "key": one.key,
                })
            })
            .collect();
        let ran = found.providers.iter().filter(|one| one.duration.is_some());
        let lines = found.providers.iter().flat_map(|one| &one.log);
        json!({
            "lookup": found.lookup_name, "error": "", "credentials": credentials,
            "executions": ran.map(|one| one.name.clone()).collect::<Vec<_>>(),
            "logs": sorted_runs(lines.map(|line| line.text.clone()).collect()),
        })
    }
}

/// The lines about bad keys of one answer come in random order in the kubelet.
fn sorted_runs(mut lines: Vec<String>) -> Vec<String> {
    for run in lines.chunk_by_mut(|a, b| a.starts_with("Entry ") && b.starts_with("Entry ")) {
        run.sort();
    }
    lines
}

/// The kubelet forgets where a credential came from; where the oracle could not work it
/// out, there is nothing to compare.
fn forget_unknown_origins(kubelet: &Value, ours: &mut Value) {
    let known = kubelet["credentials"].as_array().unwrap();
    for (theirs, own) in known.iter().zip(ours["credentials"].as_array_mut().unwrap()) {
        for field in ["provider", "key"] {
            if theirs[field].is_null() {
                own[field] = Value::Null;
            }
        }
    }
}

/// The best that any of the steps gave.
fn label(kubelet: &Value, before: &'static str) -> &'static str {
    let several = |field: &str| kubelet[field].as_array().unwrap().len();
    let (rank, label) = match () {
        () if several("credentials") > 1 => (4, "look-up: several credentials"),
        () if several("credentials") == 1 => (3, "look-up: one credential"),
        () if several("executions") > 0 => (2, "look-up: ran, no credential"),
        () if kubelet["error"] != "" => (0, "look-up: no image name"),
        () => (1, "look-up: nothing ran"),
    };
    let ranks = [
        "look-up: no image name",
        "look-up: nothing ran",
        "look-up: ran, no credential",
        "look-up: one credential",
        "look-up: several credentials",
    ];
    match ranks.iter().position(|known| *known == before) {
        Some(known) if known > rank => before,
        _ => label,
    }
}
