//! Feature gates that need another gate: from 1.35 a kubelet does not start if a gate is on and
//! one that it needs is off.

use crate::version::{FeatureGates, KubeletVersion};

/// The gates that need another one or are needed: name, state in 1.35, 1.36 and 1.37, and what
/// it needs, with `@` and the first minor version of that where it is younger than both gates.
/// The state is the stage (alpha, beta, general availability, deprecated) and the default (`+`
/// or `-`), or `?` where the version does not know the gate.
///
/// Source: `pkg/features`, `apiserver/pkg/features` of Kubernetes 1.35.4, 1.36.3 and 1.37.2, as
/// `featuregate.MutableFeatureGate` has them after start.
const TABLE: &str = include_str!("gate_needs.txt");

/// The first version that checks this, and so the version of the table's first state.
const FIRST: u8 = 35;

/// The errors of a kubelet of this version about gates that are on while a gate that they need is
/// off.
pub(super) fn find_faults(gates: &FeatureGates, version: KubeletVersion) -> Vec<String> {
    let is_off =
        |name: &str| find(name).and_then(|row| row.is_on(gates, version)).is_some_and(|on| !on);
    let on = rows().filter(|row| row.is_on(gates, version) == Some(true));
    on.filter_map(|row| {
        let missing: Vec<&str> = row.needs(version).filter(|need| is_off(need)).collect();
        (!missing.is_empty()).then(|| {
            format!(
                "{} is enabled, but depends on features that are disabled: [{}]",
                row.name,
                missing.join(" ")
            )
        })
    })
    .collect()
}

fn rows() -> impl Iterator<Item = Row> {
    // A test reads every line.
    TABLE.lines().filter_map(Row::parse)
}

fn find(name: &str) -> Option<Row> {
    rows().find(|row| row.name == name)
}

/// A line of the table.
struct Row {
    name: &'static str,
    states: [&'static str; 3],
    needs: &'static str,
}

impl Row {
    fn parse(line: &'static str) -> Option<Self> {
        let mut words = line.splitn(5, ' ');
        let name = words.next()?;
        let states = [words.next()?, words.next()?, words.next()?];
        Some(Self { name, states, needs: words.next().unwrap_or_default() })
    }

    /// Whether the gate is on; `None` where the version does not know it.
    fn is_on(&self, gates: &FeatureGates, version: KubeletVersion) -> Option<bool> {
        let state = self.states.get(usize::from(version.minor().checked_sub(FIRST)?))?;
        let (stage, default) = state.split_at_checked(1)?;
        let of_stage = match stage {
            "a" => gates.named("AllAlpha"),
            "b" => gates.named("AllBeta"),
            "?" => return None,
            _ => None,
        };
        Some(gates.named(self.name).or(of_stage).unwrap_or(default == "+"))
    }

    /// The gates that it needs in this version, sorted.
    fn needs(&self, version: KubeletVersion) -> impl Iterator<Item = &'static str> {
        self.needs.split_terminator(' ').filter_map(move |need| match need.split_once('@') {
            Some((name, first)) => {
                (first.parse::<u8>().is_ok_and(|first| version.minor() >= first)).then_some(name)
            }
            None => Some(need),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(minor: u8, gates: &str) -> Vec<String> {
        let version = KubeletVersion::new(minor).expect("known");
        find_faults(&gates.parse().expect("gates"), version)
    }

    #[test]
    fn every_line_of_the_table_is_read() {
        assert_eq!(rows().count(), TABLE.lines().count());
        for row in rows() {
            for state in row.states {
                let is_state = state == "?"
                    || (state.len() == 2
                        && state.starts_with(['a', 'b', 'g', 'd'])
                        && state.ends_with(['+', '-']));
                assert!(is_state, "{} {state}", row.name);
            }
            for need in row.needs(KubeletVersion::NEWEST) {
                assert!(find(need).is_some(), "{} needs {need}", row.name);
            }
        }
    }

    #[test]
    fn the_defaults_of_no_version_are_at_fault() {
        for version in KubeletVersion::all() {
            assert_eq!(find_faults(&FeatureGates::default(), version), [""; 0], "{version}");
        }
    }

    #[test]
    fn a_gate_needs_another() {
        assert_eq!(
            faults(37, "GangScheduling=true,CompositePodGroup=true,GenericWorkload=true"),
            ["CompositePodGroup is enabled, but depends on features that are disabled: \
              [TopologyAwareWorkloadScheduling]"]
        );
        assert_eq!(
            faults(35, "InPlacePodLevelResourcesVerticalScaling=true,PodLevelResources=false"),
            [
                "InPlacePodLevelResourcesVerticalScaling is enabled, but depends on features that are \
              disabled: [NodeDeclaredFeatures PodLevelResources]"
            ]
        );
        let none: [&str; 0] = [];
        assert_eq!(faults(34, "StorageVersionAPI=true,APIServerIdentity=false"), none);
        assert_eq!(faults(36, "EventedPLEG=true,PLEGOnDemandRelist=false"), none);
        assert_eq!(faults(37, "EventedPLEG=true,PLEGOnDemandRelist=false").len(), 1);
        // A stage turns on a gate that needs a gate of another stage, which is off.
        assert_eq!(faults(37, "AllAlpha=true").len(), 4);
    }
}
