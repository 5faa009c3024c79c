//! `pullpass-kubelet` against the kubelet's own code (see `tests/kubelet-oracle/`), on
//! generated configurations, images, answers and pods. Where they differ the kubelet is
//! right, but for the few differences that [`explained`] lists with their reasons.
//!
//! A case is its number: `PULLPASS_ORACLE_CASES=123..124` asks case 123 again.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test: it fails by panicking, and reads its own environment and files"
)]

mod answers;
mod bench;
mod configs;
mod document;
mod explained;
mod faults;
mod gates;
mod judge;
mod lookup;
mod mutations;
mod names;
mod odd;
mod pods;
mod programs;
mod pulls;
mod random;
mod register;
mod response;
mod summary;
mod world;

use std::env;
use std::ops::Range;

use self::bench::{Bench, Verdict};
use self::judge::Judge;
use self::random::Random;
use self::summary::Summary;

/// As many as a run of all tests has time for.
const DEFAULT_CASES: u64 = 1000;

#[test]
fn agrees_with_the_kubelet_of_1_30() {
    compare("1.30");
}

#[test]
fn agrees_with_the_kubelet_of_1_31() {
    compare("1.31");
}

#[test]
fn agrees_with_the_kubelet_of_1_32() {
    compare("1.32");
}

#[test]
fn agrees_with_the_kubelet_of_1_33() {
    compare("1.33");
}

#[test]
fn agrees_with_the_kubelet_of_1_34() {
    compare("1.34");
}

#[test]
fn agrees_with_the_kubelet_of_1_35() {
    compare("1.35");
}

#[test]
fn agrees_with_the_kubelet_of_1_36() {
    compare("1.36");
}

#[test]
fn agrees_with_the_kubelet_of_1_37() {
    compare("1.37");
}

fn compare(minor: &str) {
    let Some(mut judge) = Judge::of_minor(minor) else { return };
    let version = judge.ask(&serde_json::json!({"op": "version"}));
    assert_eq!(version["minor"], minor, "the oracle is another kubelet's");
    let title = format!(
        "kubelet {} ({})",
        version["kubernetes"].as_str().unwrap(),
        version["go"].as_str().unwrap()
    );
    let mut summary = Summary::new(title);
    let mut bench = Bench::new(minor, judge);
    gates::compare_gates(&mut bench);
    for number in cases() {
        summary.add(number, &ask(&mut bench, number));
        if minor == "1.37" {
            let verdict = pulls::pulls(&mut bench, &mut Random::of_case(number));
            summary.add(number, &verdict);
        }
    }
    summary.print();
    assert_eq!(summary.unexplained(), 0, "cases in which the kubelet of {minor} says otherwise");
}

/// The kinds of question, in their shares.
fn ask(bench: &mut Bench, number: u64) -> Verdict {
    let mut random = Random::of_case(number);
    let question = match random.below(100) {
        0..40 => register::register,
        40..52 => names::matches,
        52..62 => names::normalize,
        62..66 => names::duration,
        66..74 => names::keyring,
        74..82 => response::response,
        _ => lookup::lookup,
    };
    question(bench, &mut random)
}

/// `PULLPASS_ORACLE_CASES`: how many, or from and to.
fn cases() -> Range<u64> {
    let Ok(asked) = env::var("PULLPASS_ORACLE_CASES") else { return 0..DEFAULT_CASES };
    match asked.split_once("..") {
        Some((from, to)) => from.parse().unwrap()..to.parse().unwrap(),
        None => 0..asked.parse().unwrap(),
    }
}
