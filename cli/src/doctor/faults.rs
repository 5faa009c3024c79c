//! The faults: each is a small function from the observations to what is wrong.

mod config;
mod flags;
mod log;
mod platform;
mod programs;
mod surroundings;

use crate::doctor::finding::Finding;
use crate::doctor::node::Node;

/// One fault, which may be there several times.
type Fault = fn(&Node) -> Vec<Finding>;

/// All faults that can be seen on a node's disk and in its `/proc`.
const FAULTS: &[Fault] = &[
    // The flags and where they come from.
    flags::several_kubelets,
    flags::one_flag,
    flags::flag_not_running,
    flags::environment_overridden,
    flags::env_file_not_read,
    flags::variable_not_used,
    flags::flag_repeated,
    flags::flag_in_kubelet_configuration,
    flags::daemon_reload_needed,
    flags::other_unit,
    // The configuration and its programs, as `pullpass check` judges them.
    config::odd_entry,
    config::directory_too_early,
    config::refused,
    config::warned,
    config::newer_than_kubelet,
    config::v1_too_early,
    config::env_too_early,
    config::writable,
    programs::bin_dir_writable,
    programs::bin_dir_relative,
    programs::bin_dir_link_circle,
    programs::noexec,
    programs::text_file_busy,
    // The plugin's surroundings.
    surroundings::no_home,
    surroundings::no_proxy,
    surroundings::mirror_in_pattern,
    surroundings::pause_image,
    surroundings::selinux,
    surroundings::fapolicyd,
    surroundings::extension,
    // Who else writes the files.
    platform::file_set_back,
    platform::lost_at_upgrade,
    platform::bottlerocket,
    platform::minikube,
    // What the kubelet already logged.
    log::logged,
];

/// What is wrong, the worst first.
pub(super) fn find(node: &Node) -> Vec<Finding> {
    let mut findings: Vec<Finding> = FAULTS.iter().flat_map(|fault| fault(node)).collect();
    findings.sort_by_key(|finding| finding.severity);
    findings.dedup();
    findings
}
