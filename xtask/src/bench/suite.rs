//! What is measured of a plugin, and what it may cost.

/// One plugin's cases. Megabytes are 10^6 bytes everywhere here.
pub(super) struct Suite {
    /// On the command line, and for `bench_server`.
    pub(super) name: &'static str,
    /// The binary, and its package.
    pub(super) plugin: &'static str,
    /// What the binary may have, in megabytes.
    pub(super) binary: f64,
    /// What a run may have at its peak, in megabytes.
    pub(super) memory: f64,
    pub(super) cases: &'static [Case],
}

/// One way to run the plugin.
pub(super) struct Case {
    pub(super) title: &'static str,
    /// Its folder among those of `bench_server`.
    pub(super) folder: &'static str,
    pub(super) until: Until,
    pub(super) cpu: Cpu,
}

/// The event that ends the measurement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// The end of the process.
    Exit,
    /// The first byte that it sends to a server which never answers.
    FirstByte,
}

/// What a case may use of user and system time.
#[derive(Clone, Copy)]
pub(super) enum Cpu {
    /// This many milliseconds: shown but never a failure, since machines differ.
    Milliseconds(f64),
    /// This many times what the floor uses.
    TimesFloor(f64),
}

impl Cpu {
    /// What a run may use where a handshake is most of it.
    pub(super) const DEFAULT: Self = Self::TimesFloor(1.7);
    /// Where starting is most of it: a larger program has more pages to map.
    pub(super) const NO_HANDSHAKE: Self = Self::TimesFloor(3.6);
}
