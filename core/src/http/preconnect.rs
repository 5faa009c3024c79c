//! Connections that are opened before their call: the next server's TCP and TLS, while another
//! call is pending.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use reqwest::Version;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tracing::debug;
use url::{Origin, Url};

use super::Http;

/// The connections that were opened for later calls.
#[derive(Clone, Default)]
pub(super) struct Preconnects(Arc<Mutex<Vec<Preconnect>>>);

struct Preconnect {
    origin: Origin,
    task: JoinHandle<Result<(), reqwest::Error>>,
}

impl Preconnects {
    /// Starts to open one to `url`'s origin with the clients of `http`, once.
    pub(super) fn start(&self, http: &Http, url: &Url) {
        let origin = url.origin();
        let Ok(runtime) = Handle::try_current() else { return };
        let Ok(target) = Url::parse(&origin.ascii_serialization()) else { return };
        let mut all = self.all();
        if all.iter().any(|known| known.origin == origin) {
            return;
        }
        let http = http.clone();
        let task = runtime.spawn(async move { open(&http, target).await });
        all.push(Preconnect { origin, task });
    }

    /// Waits for the connection to `url`'s origin, if it is still being opened.
    ///
    /// # Errors
    /// Why it failed, if that happens while the call waits: then it was the call's own attempt. A
    /// connection that failed before is dropped, since the call opens another.
    pub(super) async fn finish(&self, url: &Url) -> Result<(), reqwest::Error> {
        let origin = url.origin();
        let found = {
            let mut all = self.all();
            let at = all.iter().position(|known| known.origin == origin);
            at.map(|at| all.swap_remove(at).task)
        };
        match found {
            Some(task) if !task.is_finished() => task.await.unwrap_or(Ok(())),
            _ => Ok(()),
        }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Preconnect>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a connection and leaves it in the client's pool. The client only opens connections for
/// requests, so this is a request that cannot be sent: HTTP/2 over a connection for HTTP/1.1. It
/// has no path and no secret.
async fn open(http: &Http, target: Url) -> Result<(), reqwest::Error> {
    // The call itself reports an error in the settings.
    let Ok(client) = http.client(target.scheme()) else { return Ok(()) };
    let origin = target.origin().ascii_serialization();
    let started = Instant::now();
    let result = client.get(target).version(Version::HTTP_2).send().await;
    let took = started.elapsed().as_millis();
    match result {
        Err(error) if error.is_connect() => {
            debug!("cannot connect to {origin} ahead of its call, in {took} ms");
            Err(error)
        }
        _ => {
            debug!("connected to {origin} ahead of its call in {took} ms");
            Ok(())
        }
    }
}
