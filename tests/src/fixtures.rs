//! What every end-to-end test says in the same words: requests as the kubelet writes them, checks
//! of how a run ended, and the face that every fake shows to a test.

pub mod checks;
pub mod fake;
pub mod requests;
