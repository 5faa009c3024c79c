//! What a test arranges at a running service, and what it finds there.

use std::sync::Arc;

use super::{Call, Canned, Password, Vendor};
use crate::fakes::trust::Trust;
use crate::jwt;
use crate::plugin::PluginRun;

/// What comes next.
impl Vendor {
    /// Answers one call of that path like this, after those that wait already.
    pub fn next(&self, path: &str, canned: Canned) {
        self.shared.log.next(self.shared.number(path), canned);
    }

    /// Answers every call of that path like this once nothing waits; `None` ends it.
    pub fn always(&self, path: &str, canned: Option<Canned>) {
        self.shared.log.always(self.shared.number(path), canned);
    }

    /// Answers the next (first) call with 429 in the vendor's own form, and `Retry-After`.
    pub fn throttle(&self, seconds: u64) {
        let refusal = self.shared.dialect.shape().refuse(429, "slow_down", "Too many requests");
        let answer = refusal.answer.with_header("retry-after", &seconds.to_string());
        self.next(&self.path(), answer.into());
    }
}

/// Looking at what happened.
impl Vendor {
    /// Every call, in the order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.log.calls()
    }

    /// The last call.
    pub fn last_call(&self) -> Call {
        self.calls().pop().expect("somebody called")
    }

    /// How often it was called.
    pub fn count(&self) -> usize {
        self.calls().len()
    }

    /// What was asked for, call by call.
    pub fn paths(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.path).collect()
    }

    /// Everything that a real service may accept but our clients should not do: parameters that
    /// it does not know, cookies, a credential that was not asked for.
    pub fn violations(&self) -> Vec<String> {
        self.calls().into_iter().flat_map(|call| call.violations).collect()
    }

    /// Every password that was handed out, none of them twice.
    pub fn passwords(&self) -> Vec<Password> {
        self.shared.passwords.lock().unwrap().clone()
    }

    /// The password that was handed out last.
    pub fn last_password(&self) -> Password {
        self.passwords().pop().expect("a password was handed out")
    }

    /// Whom a registry lets in: whose password was handed out here and is not over.
    pub fn trust(&self) -> Trust {
        let shared = Arc::clone(&self.shared);
        Trust::Known(Arc::new(move |value| {
            let passwords = shared.passwords.lock().unwrap();
            let known = passwords.iter().find(|password| password.value == value);
            let known = known.filter(|password| password.expires > jwt::now() && !password.revoked);
            known.map(|known| known.subject.clone()).ok_or_else(|| "no such password".to_owned())
        }))
    }

    /// Everything secret that was made so far, each under a name that may be printed.
    pub fn secrets(&self) -> Vec<(String, String)> {
        self.shared.log.secrets()
    }

    /// The secrets that a run's output holds, by name. What is minted during a run cannot be given
    /// to the command before it.
    pub fn leaks(&self, run: &PluginRun) -> Vec<String> {
        self.shared.log.leaks(run)
    }
}
