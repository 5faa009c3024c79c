//! The table that a person reads, and what in it is over budget.
//!
//! A time in milliseconds says as much of the machine as of the plugin, so it is only shown. What
//! fails is a size, a peak of memory, and the ratio to a program that ran in turns with the plugin:
//! on a busy machine medians of 31 moved by a quarter, and their ratios by 0.05.

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

    /// Prints the sizes of the plugin and of its floor, in bytes, and the head of what follows.
    pub(super) fn print_sizes(&mut self, plugin: u64, floor: Option<u64>) {
        let size = megabytes(plugin);
        let floor = floor
            .map(|floor| format!("; the bare program has {:.2} MB", megabytes(floor)))
            .unwrap_or_default();
        println!("binary: {size:.2} of {:.1} MB{floor}", self.suite.binary);
        self.check("the binary", size, self.suite.binary, "MB");
        println!("{:<24}{:>8}{:>9}{:>11}   CPU budget", "", "CPU ms", "wall ms", "memory MB");
    }

    /// Prints a row that has no budget.
    pub(super) fn print_row(&self, title: &str, sample: Option<Sample>) {
        if let Some(sample) = sample {
            println!("{}", format_row(title, &sample).trim_end());
        }
    }

    /// Prints a case, beside its floor if it has one.
    pub(super) fn print_case(
        &mut self,
        case: &Case,
        plugin: Option<Sample>,
        floor: Option<Sample>,
    ) {
        let Some(plugin) = plugin else { return };
        let cpu = milliseconds(plugin.cpu);
        let (most, ratio) = match case.cpu {
            Cpu::Any => (None, None),
            Cpu::Milliseconds(most) => (Some(most), None),
            Cpu::TimesFloor(ratio) => (None, Some(ratio)),
            Cpu::Both { milliseconds, times_floor } => (Some(milliseconds), Some(times_floor)),
        };
        let most = most.map(|most| {
            let over = if cpu > most { ", over on this machine" } else { "" };
            format!("   {cpu:.2} of {most:.1} ms{over}")
        });
        let ratio = ratio.zip(floor.as_ref()).map(|(ratio, floor)| {
            let times = cpu / milliseconds(floor.cpu);
            self.check(case.title, times, ratio, "times the bare program's CPU");
            format!("   {times:.2} of {ratio:.1} times the bare program")
        });
        let (most, ratio) = (most.unwrap_or_default(), ratio.unwrap_or_default());
        println!("{}{most}{ratio}", format_row(case.title, &plugin));
        self.print_row("  the bare program", floor);
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

fn format_row(title: &str, sample: &Sample) -> String {
    let number = |value: Option<f64>| value.map(|v| format!("{v:.2}")).unwrap_or_default();
    format!(
        "{title:<24}{:>8.2}{:>9}{:>11}",
        milliseconds(sample.cpu),
        number(sample.wall.map(milliseconds)),
        number(sample.memory.map(megabytes)),
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

    /// What is over budget after a case of so much CPU, in microseconds, and memory, in bytes.
    fn over(allowed: Cpu, cpu: u64, memory: u64) -> Vec<String> {
        let suite =
            Suite { name: "x", plugin: "x", floor: None, binary: 5.0, memory: 10.0, cases: &[] };
        let case = Case { title: "case", folder: "case", until: Until::Exit, cpu: allowed };
        let mut table = Table::start(&suite, "in a test");
        table.print_case(&case, sample(cpu, memory), sample(4000, 0));
        table.over
    }

    #[test]
    fn a_budget_is_held_up_to_its_end() {
        let nothing: [&str; 0] = [];
        assert_eq!(over(Cpu::TimesFloor(1.5), 6000, 10_000_000), nothing);
        assert_eq!(over(Cpu::Any, 1_000_000, 0), nothing);
    }

    #[test]
    fn a_slow_machine_fails_nothing() {
        let nothing: [&str; 0] = [];
        assert_eq!(over(Cpu::Milliseconds(2.0), 1_000_000, 0), nothing);
        let both = Cpu::Both { milliseconds: 2.0, times_floor: 1.5 };
        assert_eq!(over(both, 6000, 0), nothing);
    }

    #[test]
    fn each_budget_can_be_broken() {
        assert_eq!(
            over(Cpu::TimesFloor(1.5), 6400, 0),
            ["x, case: 1.60 of 1.5 times the bare program's CPU"]
        );
        let both = Cpu::Both { milliseconds: 100.0, times_floor: 1.5 };
        assert_eq!(over(both, 6400, 0).len(), 1);
        assert_eq!(over(Cpu::Any, 0, 10_500_000), ["x, case: 10.50 of 10.0 MB memory"]);
        let suite = Suite { binary: 5.0, ..super::super::oidc::SUITE };
        let mut table = Table::start(&suite, "in a test");
        table.print_sizes(5_500_000, None);
        assert_eq!(table.over, ["oidc, the binary: 5.50 of 5.0 MB"]);
    }
}
