//! What happened at the services of one fake, and what is to happen next: the same for all fakes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use super::canned::{Answer, Canned};
use crate::leaks::Secrets;
use crate::plugin::PluginRun;

/// Shorter secrets would be found by chance.
const SHORTEST: usize = 8;

/// The calls, the answers that wait for calls, and the secrets that were made on the way.
pub(super) struct Log<Service, Call>(Mutex<Entries<Service, Call>>);

struct Entries<Service, Call> {
    calls: Vec<Call>,
    strays: Vec<String>,
    canned: BTreeMap<Service, CannedAnswers<Service>>,
    secrets: Vec<(String, String)>,
}

struct CannedAnswers<Service> {
    next: VecDeque<Canned<Service>>,
    always: Option<Canned<Service>>,
}

impl<Service: Copy + Ord, Call: Clone> Log<Service, Call> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Entries {
            calls: Vec::new(),
            strays: Vec::new(),
            canned: BTreeMap::new(),
            secrets: Vec::new(),
        }))
    }

    fn entries(&self) -> MutexGuard<'_, Entries<Service, Call>> {
        self.0.lock().unwrap()
    }

    /// Remembers a call, which is known by that number from now on.
    pub(super) fn record(&self, call: Call) -> usize {
        let mut entries = self.entries();
        entries.calls.push(call);
        entries.calls.len() - 1
    }

    /// More is known of a call.
    pub(super) fn update(&self, id: usize, change: impl FnOnce(&mut Call)) {
        change(&mut self.entries().calls[id]);
    }

    /// Every call, in the order of arrival.
    pub(super) fn calls(&self) -> Vec<Call> {
        self.entries().calls.clone()
    }

    /// A request for an unknown name.
    pub(super) fn stray(&self, host: &str) {
        self.entries().strays.push(host.to_owned());
    }

    pub(super) fn strays(&self) -> Vec<String> {
        self.entries().strays.clone()
    }

    /// Answers one call like this, after those that wait already.
    pub(super) fn next(&self, service: Service, canned: Canned<Service>) {
        self.entries().canned.entry(service).or_default().next.push_back(canned);
    }

    /// Answers every call like this once nothing waits; `None` ends it.
    pub(super) fn always(&self, service: Service, canned: Option<Canned<Service>>) {
        self.entries().canned.entry(service).or_default().always = canned;
    }

    /// What a test put in the place of the next answer, after its delay.
    pub(super) async fn canned(&self, service: Service) -> Option<Answer> {
        let canned = {
            let mut entries = self.entries();
            let canned = entries.canned.entry(service).or_default();
            canned.next.pop_front().or_else(|| canned.always.clone())
        };
        let Canned { delay, answer, .. } = canned?;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        answer
    }

    /// Remembers a secret under a name that may be printed.
    pub(super) fn add_secret(&self, name: String, secret: &str) {
        if secret.len() >= SHORTEST {
            self.entries().secrets.push((name, secret.to_owned()));
        }
    }

    pub(super) fn secrets(&self) -> Vec<(String, String)> {
        self.entries().secrets.clone()
    }

    /// The secrets that a run's output holds, by name.
    pub(super) fn leaks(&self, run: &PluginRun) -> Vec<String> {
        let mut secrets = Secrets::default();
        for (name, secret) in self.secrets() {
            secrets.add(&name, &secret);
        }
        let stdout = String::from_utf8_lossy(&run.stdout);
        let mut found = secrets.found_in(&run.stderr);
        found.extend(secrets.found_in_response(&stdout));
        found.into_iter().map(str::to_owned).collect()
    }
}

impl<Service> Default for CannedAnswers<Service> {
    fn default() -> Self {
        Self { next: VecDeque::new(), always: None }
    }
}
