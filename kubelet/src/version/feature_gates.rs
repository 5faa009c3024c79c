//! Feature gates: what `--feature-gates` says, and which of it a kubelet accepts.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::version::{KubeletVersion, TargetError};

/// The gates that each kubelet knows: name, first and last minor version, and if the gate is
/// locked, its value `@` the first minor version in which it is.
///
/// Source: `pkg/features`, `apiserver/pkg/features`, `component-base` and `client-go/features` of
/// Kubernetes 1.30.14, 1.31.14, 1.32.13, 1.33.13, 1.34.4, 1.35.4, 1.36.3 and 1.37.2.
const TABLE: &str = include_str!("feature_gates.txt");

/// The beginning of the kubelet's message about a gate that it does not know.
pub(crate) const UNRECOGNIZED: &str = "unrecognized feature gate: ";

/// Names for all gates of a stage.
const GROUPS: [&str; 2] = ["AllAlpha", "AllBeta"];

/// Feature gates as `--feature-gates` names them; what is not named has the default
/// of the version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeatureGates(BTreeMap<String, bool>);

impl FeatureGates {
    /// Sets one gate.
    pub fn set(&mut self, name: impl Into<String>, on: bool) {
        self.0.insert(name.into(), on);
    }

    /// The gate's value, if it was named.
    pub fn named(&self, name: &str) -> Option<bool> {
        self.0.get(name).copied()
    }

    /// The gates that were named, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, bool)> {
        self.0.iter().map(|(name, on)| (name.as_str(), *on))
    }

    /// The errors of a kubelet of this version about each of them.
    pub(crate) fn faults(&self, version: KubeletVersion) -> Vec<String> {
        self.iter().filter_map(|(name, on)| find_fault(name, on, version)).collect()
    }
}

/// In the form of `--feature-gates`.
impl fmt::Display for FeatureGates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, on)) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{name}={on}")?;
        }
        Ok(())
    }
}

fn find_fault(name: &str, on: bool, version: KubeletVersion) -> Option<String> {
    if GROUPS.contains(&name) {
        return None;
    }
    let known = rows().find(|row| row.name == name).filter(|row| row.is_in(version));
    let Some(row) = known else {
        return Some(format!("{UNRECOGNIZED}{name}"));
    };
    let (value, from) = row.lock?;
    (version.minor() >= from && on != value)
        .then(|| format!("cannot set feature gate {name} to {on}, feature is locked to {value}"))
}

/// The names of the gates of a kubelet.
pub(crate) fn known_gates(version: KubeletVersion) -> impl Iterator<Item = &'static str> {
    rows().filter(move |row| row.is_in(version)).map(|row| row.name)
}

/// The first and the last minor version that know a gate.
pub(crate) fn gate_versions(name: &str) -> Option<(u8, u8)> {
    rows().find(|row| row.name == name).map(|row| (row.first, row.last))
}

/// A line of the table.
struct Row {
    name: &'static str,
    first: u8,
    last: u8,
    lock: Option<(bool, u8)>,
}

impl Row {
    fn is_in(&self, version: KubeletVersion) -> bool {
        (self.first..=self.last).contains(&version.minor())
    }
}

fn rows() -> impl Iterator<Item = Row> {
    // A test reads every line.
    TABLE.lines().filter_map(parse)
}

fn parse(line: &'static str) -> Option<Row> {
    let mut words = line.split(' ');
    let (name, first, last) = (words.next()?, words.next()?, words.next()?);
    let lock = words.next().and_then(|word| {
        let (value, from) = word.split_once('@')?;
        Some((value == "true", from.parse().ok()?))
    });
    Some(Row { name, first: first.parse().ok()?, last: last.parse().ok()?, lock })
}

impl FromStr for FeatureGates {
    type Err = TargetError;

    /// Reads `NAME=true,NAME=false`; the last setting of a name is used.
    fn from_str(text: &str) -> Result<Self, TargetError> {
        let mut gates = Self::default();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            let error = || TargetError::Gate(item.to_owned());
            let (name, value) = item.split_once('=').ok_or_else(error)?;
            // The spellings of Go's `strconv.ParseBool`.
            let on = match value.trim() {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => true,
                "0" | "f" | "F" | "false" | "FALSE" | "False" => false,
                _ => return Err(error()),
            };
            gates.set(name.trim(), on);
        }
        Ok(gates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        assert_eq!(rows().count(), TABLE.lines().count());
        let mut before = "";
        for row in rows() {
            assert!(before < row.name && 30 <= row.first && row.first <= row.last, "{}", row.name);
            assert!(row.last <= KubeletVersion::NEWEST.minor(), "{}", row.name);
            before = row.name;
        }
        assert_eq!(gate_versions(crate::SERVICE_ACCOUNT_TOKENS), Some((33, 37)));
    }

    #[test]
    fn unknown_gates_and_locked_ones_are_refused() {
        let faults = |minor, gates: &str| {
            let version = KubeletVersion::new(minor).expect("known");
            gates.parse::<FeatureGates>().expect("gates").faults(version)
        };
        let none: [String; 0] = [];
        assert_eq!(faults(37, "X=true"), ["unrecognized feature gate: X"]);
        assert_eq!(
            faults(30, "KubeletCredentialProviders=true"),
            ["unrecognized feature gate: KubeletCredentialProviders"]
        );
        assert_eq!(
            faults(34, "SidecarContainers=false"),
            ["cannot set feature gate SidecarContainers to false, feature is locked to true"]
        );
        assert_eq!(faults(34, "SidecarContainers=true,AllAlpha=false"), none);
        assert_eq!(faults(32, "SidecarContainers=false"), none);
        assert_eq!(faults(32, &format!("{}=true", crate::SERVICE_ACCOUNT_TOKENS)).len(), 1);
    }
}
