//! Configurations that were good or nearly so, damaged by bytes, by tokens and by lines: would
//! the kubelet start with what is left? Only the verdict is compared, since a mutation is sooner
//! a fault of syntax than anything else. It finds what generated cases do not.

use std::env;
use std::fs;
use std::path::Path;

use pullpass_kubelet::{Config, Target};
use serde_json::json;

use crate::bench::Bench;
use crate::configs;
use crate::faults;
use crate::judge::Judge;
use crate::odd;
use crate::random::Random;
use crate::register::{Registration, bin_dir, target};

/// As many as a run of all tests has time for.
const DEFAULT_MUTATIONS: u64 = 500;

/// More would say nothing new.
const MOST_SHOWN: usize = 10;

/// What makes structure in YAML 1.1 and JSON, and what its library reads in its own way.
const TOKENS: [&str; 80] = [
    "\n",
    "\r",
    "\r\n",
    "\t",
    " ",
    "  ",
    "\n\n",
    "\n ",
    "\n  ",
    "\n- ",
    "\n---\n",
    "\n...\n",
    "---",
    "...",
    "--- ",
    "%YAML 1.1\n---\n",
    "%YAML 1.2\n---\n",
    "%TAG !e! tag:x\n---\n",
    "%x\n",
    "- ",
    "-",
    "? ",
    "?",
    ": ",
    ":",
    ",",
    "[",
    "]",
    "{",
    "}",
    "[]",
    "{}",
    "# c",
    " # c",
    "#",
    "&a ",
    "&a",
    "*a",
    "*a ",
    "&",
    "*",
    "!",
    "! ",
    "!a ",
    "!a,b ",
    "!!str ",
    "!!int ",
    "!!bool ",
    "!!null ",
    "!!float ",
    "!!binary ",
    "!!timestamp ",
    "!!seq ",
    "!!map ",
    "!<x> ",
    "!e!y ",
    "|",
    "|\n",
    ">-\n",
    "|2+\n",
    "'",
    "''",
    "\"",
    "\\",
    "\\n",
    "\\x41",
    "\\u2028",
    "@",
    "`",
    "%",
    "<<: ",
    "<<: *a",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{a0}",
    "é",
    "\0",
    "\u{7f}",
];

#[test]
fn mutated_configurations_get_the_kubelet_s_verdict() {
    for minor in ["1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37"] {
        if let Some(judge) = Judge::of_minor(minor) {
            compare(minor, judge);
        }
    }
}

fn compare(minor: &str, judge: Judge) {
    let mut bench = Bench::new(minor, judge);
    let bin_dir = bin_dir(bench.folder()).display().to_string();
    let path = bench.folder().join("mutated.yaml");
    let (mut count, mut accepted, mut differences) = (0, 0, 0);
    for number in mutations() {
        let mut random = Random::of_case(number);
        let target = target(&bench, &mut random, 15);
        let bytes = mutated(&mut random, &bench);
        let config = path.display().to_string();
        fs::write(&path, &bytes).unwrap();
        let registration = Registration { config, bin_dir: bin_dir.clone(), target };
        let kubelet = bench.judge.ask(&registration.question());
        let (_, ours, _) = registration.ours();
        count += 1;
        accepted += u64::from(kubelet["verdict"] == "accepted");
        if kubelet["verdict"] != ours["verdict"] && !is_explained(&path, &registration.target) {
            differences += 1;
            if differences <= MOST_SHOWN {
                let text = bytes.escape_ascii();
                let answers = json!({"kubelet": kubelet["message"], "ours": ours["message"]});
                println!("mutation {number} of {minor}: {answers:#}\n{text}\n");
            }
        }
    }
    println!(
        "kubelet {minor}: {count} mutated configurations, {accepted} of them accepted, \
         {differences} other verdicts"
    );
    assert_eq!(differences, 0, "mutations of which the kubelet of {minor} says otherwise");
}

/// A document of the kubelet's internal version, which the kubelet can read in Go's field names
/// and we call no configuration.
fn is_explained(path: &Path, target: &Target) -> bool {
    let error = Config::load(path, target).err();
    error.is_some_and(|error| error.message.contains("registered for the internal version"))
}

/// `PULLPASS_ORACLE_MUTATIONS`: how many, or from and to.
fn mutations() -> std::ops::Range<u64> {
    let Ok(asked) = env::var("PULLPASS_ORACLE_MUTATIONS") else { return 0..DEFAULT_MUTATIONS };
    match asked.split_once("..") {
        Some((from, to)) => from.parse().unwrap()..to.parse().unwrap(),
        None => 0..asked.parse().unwrap(),
    }
}

fn mutated(random: &mut Random, bench: &Bench) -> Vec<u8> {
    let count = random.below(2) + 1;
    let mut config = configs::good(random, bench.version, &["p0", "p1"][..count]);
    if random.percent(10) {
        faults::break_once(&mut config, random);
    }
    let mut bytes = odd::bytes(&config, random, false);
    for _ in 0..[1, 1, 1, 1, 2, 2, 3, 6][random.below(8)] {
        mutate(&mut bytes, random);
    }
    bytes
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    let token = || TOKENS.map(str::as_bytes);
    match random.below(12) {
        // Bytes.
        0 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => bytes.insert(at, u8::try_from(random.below(256)).unwrap()),
        2 => {
            let end = (at + random.below(8) + 1).min(bytes.len());
            bytes.drain(at..end);
        }
        3 => bytes.truncate(at),
        // Tokens, where another begins or anywhere.
        4..=6 => {
            let token = random.pick(&token());
            bytes.splice(at..at, token.iter().copied());
        }
        7 | 8 => {
            let at = next_word(bytes, at);
            let token = random.pick(&token());
            bytes.splice(at..at, token.iter().copied());
        }
        9 => {
            let start = next_word(bytes, at);
            let end = next_word(bytes, start + 1).max(start).min(bytes.len());
            let token = random.pick(&token());
            bytes.splice(start..end, token.iter().copied());
        }
        // Lines.
        10 => {
            let (start, end) = line(bytes, at);
            let copy = bytes[start..end].to_vec();
            let (to, _) = line(bytes, random.below(bytes.len() + 1));
            bytes.splice(to..to, copy);
        }
        _ => {
            let (start, end) = line(bytes, at);
            if random.percent(50) {
                bytes.drain(start..end);
            } else {
                bytes.splice(start..start, std::iter::repeat_n(b' ', random.below(4) + 1));
            }
        }
    }
}

/// The beginning of a word or mark at or after `at`.
fn next_word(bytes: &[u8], at: usize) -> usize {
    let is_blank = |byte: &u8| byte.is_ascii_whitespace();
    let at = at.min(bytes.len());
    let blank = bytes[at..].iter().position(is_blank).map_or(bytes.len(), |found| at + found);
    bytes[blank..]
        .iter()
        .position(|byte| !is_blank(byte))
        .map_or(bytes.len(), |found| blank + found)
}

/// The line in which `at` is, with its end.
fn line(bytes: &[u8], at: usize) -> (usize, usize) {
    let at = at.min(bytes.len());
    let start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |found| found + 1);
    let end = bytes[at..].iter().position(|byte| *byte == b'\n');
    (start, end.map_or(bytes.len(), |found| at + found + 1))
}
