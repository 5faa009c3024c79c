//! What libFuzzer says about a run.

use std::fmt;

/// A line of the table.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    target: String,
    executions: u64,
    per_second: u64,
    /// Edges and features that were reached.
    coverage: u64,
    features: u64,
    /// How many inputs it works with.
    inputs: u64,
    pub(super) has_failed: bool,
}

impl Outcome {
    pub(super) const TITLES: &str =
        "target               executions   per s   edges  features  inputs  found";

    /// Reads libFuzzer's log.
    pub(super) fn read(target: &str, log: &str, is_success: bool) -> Self {
        let mut outcome = Self { target: target.to_owned(), ..Self::default() };
        outcome.has_failed = !is_success;
        // `#123	DONE   cov: 1 ft: 2 corp: 3/45b lim: 67 exec/s: 89 rss: 10Mb`
        for line in log.lines().filter(|line| line.starts_with('#')) {
            let mut words = line.split_whitespace();
            let executions = words.next().and_then(|word| word[1..].parse().ok());
            outcome.executions = executions.unwrap_or(outcome.executions);
            while let Some(word) = words.next() {
                let field = match word {
                    "cov:" => &mut outcome.coverage,
                    "ft:" => &mut outcome.features,
                    "corp:" => &mut outcome.inputs,
                    "exec/s:" => &mut outcome.per_second,
                    _ => continue,
                };
                let number = words.next().and_then(|word| word.split('/').next()?.parse().ok());
                *field = number.unwrap_or(*field);
            }
        }
        outcome
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, executions, per_second, coverage, features, inputs, has_failed } = self;
        let found = if *has_failed { "YES" } else { "nothing" };
        write!(
            f,
            "{target:<18} {executions:>12} {per_second:>7} {coverage:>7} {features:>9} {inputs:>7}  {found}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "INFO: Seed: 1\n#2\tINITED cov: 5 ft: 6 corp: 1/1b exec/s: 0 rss: 40Mb\n\
                       #4096\tpulse  cov: 7 ft: 9 corp: 3/45b lim: 67 exec/s: 2048 rss: 41Mb\n";

    #[test]
    fn the_last_line_counts() {
        let outcome = Outcome::read("claims", LOG, true);
        let expected = Outcome {
            target: "claims".to_owned(),
            executions: 4096,
            per_second: 2048,
            coverage: 7,
            features: 9,
            inputs: 3,
            has_failed: false,
        };
        assert_eq!(outcome, expected);
        assert!(outcome.to_string().ends_with("3  nothing"), "{outcome}");
    }

    #[test]
    fn a_finding_is_said_and_a_log_without_numbers_is_read() {
        let outcome = Outcome::read("claims", "==1== ERROR: libFuzzer: deadly signal\n", false);
        assert!(outcome.has_failed && outcome.to_string().ends_with("YES"), "{outcome}");
    }
}
