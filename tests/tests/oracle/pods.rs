//! The pod of a look-up, and what its cluster answers about it.

use std::collections::BTreeMap;

use pullpass_kubelet::service_account::{Pod, PodServiceAccount, TokenSource};
use serde_json::{Value, json};

use crate::random::Random;

/// A pod, its service account and the API server.
pub(crate) struct Pods {
    name: &'static str,
    account: &'static str,
    account_uid: &'static str,
    annotations: BTreeMap<String, String>,
    state: State,
    token: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Well,
    NoAccount,
    AccountMissing,
    AccountError,
    TokenError,
}

const ERROR: &str = "the server said \"no\" to us";

impl Pods {
    pub(crate) fn of_case(random: &mut Random) -> Self {
        let mut pods = Self {
            name: "pod",
            account: "sa",
            account_uid: "uid-1",
            annotations: BTreeMap::new(),
            state: State::Well,
            token: "token-1".to_owned(),
        };
        pods.annotate(random);
        pods
    }

    /// Goes on to another pod, or another state of the same.
    pub(crate) fn change(&mut self, random: &mut Random) {
        self.state = match random.below(16) {
            0 | 1 => State::NoAccount,
            2 => State::AccountMissing,
            3 => State::AccountError,
            4 => State::TokenError,
            _ => State::Well,
        };
        match random.below(8) {
            0 => self.annotate(random),
            1 => self.account = random.pick(&["sa", "other"]),
            2 => self.account_uid = random.pick(&["uid-1", "uid-2", ""]),
            3 => self.token = random.word(&["token-1", "token-2", "", "t<&>\u{2028}é\""]),
            4 => self.name = random.pick(&["pod", "pod-2"]),
            _ => {}
        }
    }

    fn annotate(&mut self, random: &mut Random) {
        self.annotations.clear();
        for key in ["a", "b.io/role", "B.io/Role", "c_1", "x.y/z", "unasked"] {
            if random.percent(65) {
                let value = random.word(&["1", "2", "", "<é>"]);
                self.annotations.insert(key.to_owned(), value);
            }
        }
        if random.percent(2) {
            let long = "x".repeat(*random.pick(&[&65_535, &65_536, &40_000]));
            self.annotations.insert("a".to_owned(), long.clone());
            self.annotations.insert("c_1".to_owned(), long);
        }
    }

    /// The token that plugins get.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// As the oracle is told.
    pub(crate) fn question(&self) -> Value {
        let account = if self.state == State::NoAccount { "" } else { self.account };
        let mut question = json!({
            "pod": {"namespace": "ns", "name": self.name, "uid": "pod-uid", "service_account": account},
            "token": self.token,
        });
        match self.state {
            State::Well | State::TokenError => {
                question["service_account"] = json!({
                    "namespace": "ns", "name": self.account, "uid": self.account_uid,
                    "annotations": self.annotations,
                });
            }
            State::AccountError => question["service_account_error"] = json!(ERROR),
            State::NoAccount | State::AccountMissing => {}
        }
        if self.state == State::TokenError {
            question["token_error"] = json!(ERROR);
        }
        question
    }

    /// As we are told.
    pub(crate) fn pod(&self) -> Pod {
        let error = match self.state {
            State::AccountMissing => {
                Some(format!("serviceaccounts \"{}\" not found", self.account))
            }
            State::AccountError => Some(ERROR.to_owned()),
            _ => None,
        };
        let account = PodServiceAccount {
            name: self.account.to_owned(),
            uid: self.account_uid.to_owned(),
            annotations: self.annotations.clone(),
            error,
        };
        let tokens = if self.state == State::TokenError {
            TokenSource::Error(ERROR.to_owned())
        } else {
            TokenSource::Token(self.token.clone().into())
        };
        Pod {
            namespace: "ns".to_owned(),
            name: self.name.to_owned(),
            uid: "pod-uid".to_owned(),
            service_account: (self.state != State::NoAccount).then_some(account),
            tokens,
        }
    }
}
