//! What the kubelet does at its start.

pub mod programs;
