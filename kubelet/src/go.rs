//! What Go's standard library says and does, restated where the kubelet's verdict
//! or its words rest on it.

pub(crate) mod address;
pub(crate) mod glob;
pub(crate) mod json_string;
pub(crate) mod lower;
pub(crate) mod path;
pub(crate) mod quote;
pub(crate) mod time;
pub(crate) mod url;
