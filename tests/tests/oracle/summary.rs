//! What a run found: counts, accepted differences, and those that are errors.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::bench::{Difference, Verdict};

/// More than these are counted and not shown.
const MOST_SHOWN: usize = 20;
const LONGEST_SHOWN: usize = 3000;

/// The findings about one kubelet.
pub(crate) struct Summary {
    title: String,
    cases: u64,
    labels: BTreeMap<&'static str, usize>,
    explained: BTreeMap<&'static str, usize>,
    unexplained: usize,
    shown: String,
}

impl Summary {
    pub(crate) fn new(title: String) -> Self {
        Self {
            title,
            cases: 0,
            labels: BTreeMap::new(),
            explained: BTreeMap::new(),
            unexplained: 0,
            shown: String::new(),
        }
    }

    /// Adds one case.
    pub(crate) fn add(&mut self, number: u64, verdict: &Verdict) {
        self.cases += 1;
        *self.labels.entry(verdict.label).or_default() += 1;
        for note in &verdict.notes {
            *self.explained.entry(note).or_default() += 1;
        }
        let mut open = Vec::new();
        for difference in &verdict.differences {
            match difference.reason {
                Some(reason) => *self.explained.entry(reason).or_default() += 1,
                None => open.push(difference),
            }
        }
        if open.is_empty() {
            return;
        }
        self.unexplained += 1;
        if self.unexplained <= MOST_SHOWN {
            self.show(number, &verdict.input, &open);
        }
    }

    fn show(&mut self, number: u64, input: &Value, open: &[&Difference]) {
        let _ =
            writeln!(self.shown, "case {number} (PULLPASS_ORACLE_CASES={number}..{})", number + 1);
        let _ = writeln!(self.shown, "  asked:   {}", cut(&input.to_string()));
        for difference in open {
            let _ = writeln!(self.shown, "  {}:", difference.field);
            let _ = writeln!(self.shown, "    kubelet: {}", cut(&difference.kubelet.to_string()));
            let _ = writeln!(self.shown, "    ours:    {}", cut(&difference.ours.to_string()));
        }
    }

    /// The whole for the terminal.
    pub(crate) fn print(&self) {
        let mut text = format!("\n{}: {} cases\n", self.title, self.cases);
        for (label, count) in &self.labels {
            let _ = writeln!(text, "{count:>8}  {label}");
        }
        let explained: usize = self.explained.values().sum();
        let _ = writeln!(text, "{explained:>8}  differences that are explained");
        for (reason, count) in &self.explained {
            let _ = writeln!(text, "{count:>12}  {reason}");
        }
        let _ = writeln!(text, "{:>8}  cases with differences that are not", self.unexplained);
        // In one piece: the kubelets are asked in parallel.
        println!("{text}{}", self.shown);
    }

    /// How many cases differ without a reason.
    pub(crate) fn unexplained(&self) -> usize {
        self.unexplained
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((at, _)) => format!("{}... ({} bytes)", &text[..at], text.len()),
        None => text.to_owned(),
    }
}
