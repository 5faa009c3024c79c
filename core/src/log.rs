//! Logs, on stderr or in journald. Only this project's own events are let through:
//! a dependency's could hold a header or a body.

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::{Data, LookupSpan};
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
        _ => {
            return Err(Error::config("`--log` (or `PULLPASS_LOG`) is not a log level")
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
            // A pull must not fail because the journal is missing.
            Err(error) => {
                install(stderr(), level);
                tracing::warn!("cannot reach journald, logging to stderr: {error}");
            }
        },
        _ => {
            return Err(Error::config(
                "`--log-format` (or `PULLPASS_LOG_FORMAT`) is not a log format",
            )
            .with_hint("use text, json or journald"));
        }
    }
    Ok(())
}

fn install<L>(layer: L, level: LevelFilter)
where
    L: Layer<NoSpans> + Send + Sync + 'static,
{
    let ours = filter_fn(|it| it.is_event() && it.target().starts_with("pullpass"));
    // A second start in one process keeps the first; only tests do that.
    let _ = NoSpans.with(layer).with(ours).with(level).try_init();
}

/// What the layers are put on. It knows no spans, since none passes the filter; a `Registry` takes
/// 28 KiB for them in every process.
struct NoSpans;

impl Subscriber for NoSpans {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl<'a> LookupSpan<'a> for NoSpans {
    type Data = Data<'a>;

    fn span_data(&'a self, _: &Id) -> Option<Self::Data> {
        None
    }
}
