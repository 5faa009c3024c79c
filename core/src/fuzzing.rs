//! Only for fuzz targets, which are built with `--cfg fuzzing`: the answers of servers and child
//! processes come from the input, and nothing reaches the network.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;

use crate::env::Env;
use crate::error::Error;
use crate::tls::Roots;

/// The answer to one call.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers; those that HTTP cannot express are left out.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

thread_local! {
    static ANSWERS: RefCell<VecDeque<Answer>> = const { RefCell::new(VecDeque::new()) };
}

/// Sets the answers to the next calls on this thread, in this order. After the last one, no call
/// is answered.
pub fn set_answers(answers: impl IntoIterator<Item = Answer>) {
    ANSWERS.with_borrow_mut(|queue| *queue = answers.into_iter().collect());
}

/// Takes the next answer.
pub fn next_answer() -> Option<Answer> {
    ANSWERS.with_borrow_mut(VecDeque::pop_front)
}

/// What checks a server's certificate by the roots in this file.
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config) when it has none.
pub fn server_verifier(file: PathBuf) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    Roots::Only { file, named_by: "caFile" }.verifier(&Env::default())
}
