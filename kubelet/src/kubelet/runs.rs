//! Runs of one provider that are shared by all pulls that ask the same at the same time.
//!
//! Source: kubelet, `perPodPluginProvider.provideWithCoordinates`; Go, package `singleflight`.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use crate::exec::{CredentialProviderRequest, ExecRun};

/// The runs that have not ended, by what was asked.
#[derive(Default)]
pub(super) struct Runs(Mutex<HashMap<Key, Arc<Run>>>);

/// The image, and with a service account the token's hash and the annotations.
type Key = (String, Option<[u8; 32]>, Vec<(String, String)>);

#[derive(Default)]
struct Run {
    /// `None` until it has ended.
    ended: Mutex<Option<ExecRun>>,
    has_ended: Condvar,
}

impl Runs {
    /// The result of `run`, or of a run for the same request that has not ended yet.
    pub(super) fn share(
        &self,
        request: &CredentialProviderRequest,
        run: impl FnOnce() -> ExecRun,
    ) -> ExecRun {
        let key = key(request);
        let (shared, is_first) = {
            let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match runs.get(&key) {
                Some(shared) => (Arc::clone(shared), false),
                None => {
                    let shared = Arc::new(Run::default());
                    runs.insert(key.clone(), Arc::clone(&shared));
                    (shared, true)
                }
            }
        };
        if is_first {
            let result = run();
            self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
            *shared.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(result.clone());
            shared.has_ended.notify_all();
            return result;
        }
        let mut ended = shared.ended.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(result) = &*ended {
                return result.clone();
            }
            ended = shared.has_ended.wait(ended).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn key(request: &CredentialProviderRequest) -> Key {
    let token = request.token.as_ref().map(|token| Sha256::digest(token.expose_secret()).into());
    let annotations = request.annotations.clone().into_iter().collect();
    (request.image.clone(), token, annotations)
}
