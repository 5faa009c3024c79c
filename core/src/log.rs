//! Logs, on stderr or in journald. Only this project's own events are let through:
//! a dependency's could hold a header or a body.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, fmt};

use crate::error::Error;
use crate::options::Options;
use crate::stdio::Stderr;

/// Starts logging as `options` say.
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config) on a level or format that does not exist.
pub(crate) fn start(options: &Options) -> Result<(), Error> {
    let level: LevelFilter = match options.value("log").unwrap_or("warn") {
        level @ ("off" | "error" | "warn" | "info" | "debug" | "trace") => {
            level.parse().map_err(|error| Error::config("bad log level").with_source(error))?
        }
        other => {
            return Err(Error::config(format!("log level `{other}` is not known"))
                .with_hint("use off, error, warn, info, debug or trace"));
        }
    };
    let stderr =
        || fmt::layer().with_writer(std::sync::Mutex::new(Stderr::default())).with_ansi(false);
    match options.value("log-format").unwrap_or("text") {
        "text" => install(stderr(), level),
        "json" => install(stderr().json(), level),
        #[cfg(unix)]
        "journald" => match tracing_journald::layer() {
            Ok(layer) => install(layer, level),
            // A missing journal is no reason to fail a pull.
            Err(error) => {
                install(stderr(), level);
                tracing::warn!("cannot reach journald, logging to stderr: {error}");
            }
        },
        other => {
            return Err(Error::config(format!("log format `{other}` is not known"))
                .with_hint("use text, json or journald"));
        }
    }
    Ok(())
}

fn install<L>(layer: L, level: LevelFilter)
where
    L: Layer<tracing_subscriber::Registry> + Send + Sync + 'static,
{
    let ours = filter_fn(|metadata| metadata.target().starts_with("pullpass"));
    // A second start in one process keeps the first; only tests do that.
    let _ =
        tracing_subscriber::registry().with(layer.with_filter(ours).with_filter(level)).try_init();
}
