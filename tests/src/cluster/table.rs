//! The table at the end: every trial with every kubelet.

use serde::{Deserialize, Serialize};

/// The result of one trial.
#[derive(Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) minor: String,
    /// What was seen, or what was not as expected.
    pub(super) outcome: Result<String, String>,
    pub(super) seconds: f64,
}

impl Row {
    pub(super) fn is_good(&self) -> bool {
        self.outcome.is_ok()
    }
}

/// All rows.
#[derive(Default)]
pub(super) struct Table(Vec<Row>);

impl Table {
    pub(super) fn extend(&mut self, rows: Vec<Row>) {
        self.0.extend(rows);
    }

    /// Whether there was a trial, and all went as expected.
    pub(super) fn is_good(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(Row::is_good)
    }

    pub(super) fn print(&self) {
        let width = self.0.iter().map(|row| row.name.len()).max().unwrap_or_default();
        println!("\n{:>3}  {:<width$}  kubelet  as expected  seconds  seen", "", "trial");
        for (number, row) in self.0.iter().enumerate() {
            let (good, seen) = match &row.outcome {
                Ok(seen) => ("yes", seen),
                Err(error) => ("NO", error),
            };
            let seen = shorten(seen.lines().next().unwrap_or_default());
            println!(
                "{:>3}  {:<width$}  {:<7}  {good:<11}  {:>7.1}  {seen}",
                number + 1,
                row.name,
                row.minor,
                row.seconds,
            );
        }
        let good = self.0.iter().filter(|row| row.is_good()).count();
        let seconds: f64 = self.0.iter().map(|row| row.seconds).sum();
        println!("{good} of {} trials went as expected, in {seconds:.0} s", self.0.len());
    }
}

/// The most characters of what was seen; the whole text is in the transcript.
const MOST: usize = 150;

fn shorten(text: &str) -> String {
    let mut letters = text.chars();
    let start: String = letters.by_ref().take(MOST).collect();
    if letters.next().is_none() { start } else { format!("{start}...") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(outcome: Result<String, String>) -> Row {
        Row { name: "a".to_owned(), minor: "1.37".to_owned(), outcome, seconds: 0.0 }
    }

    #[test]
    fn a_table_is_good_only_with_trials_and_all_of_them() {
        let good = || row(Ok("seen".to_owned()));
        assert!(!Table::default().is_good());
        assert!(Table(vec![good(), good()]).is_good());
        assert!(!Table(vec![good(), row(Err("not seen".to_owned()))]).is_good());
    }

    #[test]
    fn only_long_texts_are_cut() {
        assert_eq!(shorten("short"), "short");
        assert_eq!(shorten(&"x".repeat(MOST + 1)).len(), MOST + 3);
    }
}
