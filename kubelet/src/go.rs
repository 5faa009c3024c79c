//! The parts of Go's standard library on which the kubelet's verdict
//! or its messages depend, reimplemented.

pub(crate) mod address;
pub(crate) mod glob;
pub(crate) mod json_string;
pub(crate) mod lower;
pub(crate) mod path;
pub(crate) mod quote;
pub(crate) mod time;
pub(crate) mod url;
