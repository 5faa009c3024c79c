//! The table that a person reads, and what in it is over budget.
//!
//! A time in milliseconds depends on the machine as much as on the plugin, so it is only shown. What
//! can fail is a size, a memory peak, and the ratio to a program that ran in turns with the plugin:
//! on a busy machine medians of 31 runs varied by a quarter, and their ratios by 0.05.

use std::time::Duration;

use super::measure::Sample;
use super::suite::{Case, Cpu, Suite};

const MEGABYTE: f64 = 1e6;

/// One plugin's table; every row is printed as soon as it is known.
pub(super) struct Table<'a> {
    suite: &'a Suite,
    /// What is over budget, in words.
    pub(super) over: Vec<String>,
}

impl<'a> Table<'a> {
    /// Prints the title.
    pub(super) fn start(suite: &'a Suite, how: &str) -> Self {
        println!("{}, {how}", suite.plugin);
        Self { suite, over: Vec::new() }
    }

    /// Prints the sizes of the plugin and of its peer, in bytes, and the head of what follows.
    pub(super) fn print_sizes(&mut self, plugin: u64, peer: Option<u64>) {
        let size = megabytes(plugin);
        let peer = peer
            .map(|peer| format!("; the cloud's own has {:.2} MB", megabytes(peer)))
            .unwrap_or_default();
        println!("binary: {size:.2} of {:.1} MB{peer}", self.suite.binary);
        self.check("the binary", size, self.suite.binary, "MB");
        println!(
            "{:<26}{:>8}{:>9}{:>11}{:>16}   CPU budget",
            "", "CPU ms", "wall ms", "memory MB", "M instructions"
        );
    }

    /// Prints a row that has no budget.
    pub(super) fn print_row(&self, title: &str, sample: Option<Sample>) {
        if let Some(sample) = sample {
            println!("{}", format_row(title, &sample, None).trim_end());
        }
    }

    /// Prints a case, beside the floor and the cloud's own plugin.
    pub(super) fn print_case(
        &mut self,
        case: &Case,
        plugin: Option<Sample>,
        instructions: Option<u64>,
        floor: Option<Sample>,
        peer: Option<Sample>,
    ) {
        let Some(plugin) = plugin else { return };
        let cpu = milliseconds(plugin.cpu);
        let budget = match (case.cpu, &floor) {
            (Cpu::Milliseconds(most), _) => {
                let over = if cpu > most { ", over on this machine" } else { "" };
                format!("   {cpu:.2} of {most:.1} ms{over}")
            }
            (Cpu::TimesFloor(ratio), Some(floor)) => {
                let times = cpu / milliseconds(floor.cpu);
                self.check(case.title, times, ratio, "times the floor's CPU");
                format!("   {times:.2} of {ratio:.1} times the floor")
            }
            (Cpu::TimesFloor(_), None) => String::new(),
        };
        println!("{}{budget}", format_row(case.title, &plugin, instructions));
        self.print_row("  the floor", floor);
        if let Some(peer) = peer {
            let (times, row) =
                (milliseconds(peer.cpu) / cpu, format_row("  the cloud's own", &peer, None));
            println!("{row}   {times:.2} times ours");
        }
        if let Some(memory) = plugin.memory {
            self.check(case.title, megabytes(memory), self.suite.memory, "MB memory");
        }
    }

    fn check(&mut self, what: &str, value: f64, budget: f64, unit: &str) {
        if value > budget {
            let plugin = self.suite.name;
            self.over.push(format!("{plugin}, {what}: {value:.2} of {budget:.1} {unit}"));
        }
    }
}

fn format_row(title: &str, sample: &Sample, instructions: Option<u64>) -> String {
    let number = |value: Option<f64>| value.map(|v| format!("{v:.2}")).unwrap_or_default();
    format!(
        "{title:<26}{:>8.2}{:>9}{:>11}{:>16}",
        milliseconds(sample.cpu),
        number(sample.wall.map(milliseconds)),
        number(sample.memory.map(megabytes)),
        number(instructions.map(|count| count as f64 / 1e6)),
    )
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / MEGABYTE
}

#[cfg(test)]
mod tests {
    use super::super::suite::Until;
    use super::*;

    fn sample(cpu: u64, memory: u64) -> Option<Sample> {
        let cpu = Duration::from_micros(cpu);
        Some(Sample { cpu, wall: Some(cpu), memory: Some(memory) })
    }

    /// What is over budget for a case with this CPU time, in microseconds, and memory, in bytes.
    fn over(allowed: Cpu, cpu: u64, memory: u64) -> Vec<String> {
        let suite = Suite { name: "x", plugin: "x", binary: 5.0, memory: 10.0, cases: &[] };
        let case = Case { title: "case", folder: "case", until: Until::Exit, cpu: allowed };
        let mut table = Table::start(&suite, "in a test");
        table.print_case(&case, sample(cpu, memory), None, sample(4000, 0), None);
        table.over
    }

    #[test]
    fn a_budget_is_held_up_to_its_end() {
        let nothing: [&str; 0] = [];
        assert_eq!(over(Cpu::TimesFloor(1.5), 6000, 10_000_000), nothing);
    }

    #[test]
    fn a_slow_machine_fails_nothing() {
        let nothing: [&str; 0] = [];
        assert_eq!(over(Cpu::Milliseconds(2.0), 1_000_000, 0), nothing);
    }

    #[test]
    fn each_budget_can_be_broken() {
        assert_eq!(
            over(Cpu::TimesFloor(1.5), 6400, 0),
            ["x, case: 1.60 of 1.5 times the floor's CPU"]
        );
        assert_eq!(
            over(Cpu::Milliseconds(1.0), 0, 10_500_000),
            ["x, case: 10.50 of 10.0 MB memory"]
        );
        let suite = Suite { binary: 5.0, ..super::super::oidc::SUITE };
        let mut table = Table::start(&suite, "in a test");
        table.print_sizes(5_500_000, None);
        assert_eq!(table.over, ["oidc, the binary: 5.50 of 5.0 MB"]);
    }
}
