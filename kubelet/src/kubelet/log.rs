//! The lines of the kubelet's log, up to 1.34 and since 1.35.

use std::fmt;

use crate::go::quote::{quote, quote_value};
use crate::service_account::{NotCalled, Pod};
use crate::version::KubeletVersion;

/// A line of the kubelet's log, without time and place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLine {
    /// The level from which on it is shown.
    pub level: LogLevel,
    /// Its text.
    pub text: String,
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The level of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Always shown.
    Error,
    /// Shown from this `-v` on.
    Verbose(u8),
}

pub(super) struct Context<'a> {
    pub(super) version: KubeletVersion,
    pub(super) provider: &'a str,
    pub(super) image: &'a str,
    pub(super) pod: Option<&'a Pod>,
    pub(super) with_account: bool,
}

impl Context<'_> {
    /// Since 1.35 lines are structured, and every failure is one and the same message.
    fn is_structured(&self) -> bool {
        self.version.minor() >= 35
    }

    fn account_name(&self) -> &str {
        let account = self.pod.and_then(|pod| pod.service_account.as_ref());
        account.map_or("", |account| account.name.as_str())
    }

    fn namespace(&self) -> &str {
        self.pod.map_or("", |pod| pod.namespace.as_str())
    }

    fn pod_name(&self) -> &str {
        self.pod.map_or("", |pod| pod.name.as_str())
    }

    fn error(&self, before_1_35: String, since: &str) -> LogLine {
        if !self.is_structured() {
            // A plugin's last newline is the line's own.
            let text = before_1_35.strip_suffix('\n').unwrap_or(&before_1_35).to_owned();
            return LogLine { level: LogLevel::Error, text };
        }
        let mut text = format!(
            "\"Failed to provide credentials for image\" err={} provider={} image={}",
            quote_value(since),
            quote(self.provider),
            quote(self.image)
        );
        if self.with_account {
            text.push_str(&self.pod_pairs());
            let account = reference(self.namespace(), self.account_name());
            text.push_str(&format!(" serviceAccount={account}"));
        }
        LogLine { level: LogLevel::Error, text }
    }

    fn pod_pairs(&self) -> String {
        let uid = self.pod.map_or("", |pod| pod.uid.as_str());
        let pod = reference(self.namespace(), self.pod_name());
        format!(" pod={pod} podUID={}", quote(uid))
    }
}

/// `klog.KRef`.
fn reference(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { quote(name) } else { quote(format!("{namespace}/{name}")) }
}

/// The only line in the log that shows that a plugin was run.
pub(super) fn asking(context: &Context<'_>) -> LogLine {
    let text = if context.is_structured() {
        format!(
            "\"Getting image credentials from external exec plugin\" pluginName={} image={}",
            quote(context.provider),
            quote(context.image)
        )
    } else {
        format!(
            "Getting image {} credentials from external exec plugin {}",
            context.image, context.provider
        )
    };
    LogLine { level: LogLevel::Verbose(5), text }
}

pub(super) fn failed(context: &Context<'_>, message: &str) -> LogLine {
    let rest = format!("credential from external registry credential provider: {message}");
    context.error(format!("Failed getting {rest}"), &format!("failed to get {rest}"))
}

pub(super) fn invalid_key_type(context: &Context<'_>, key_type: &str) -> LogLine {
    let words = "credential provider plugin did not return a valid cacheKeyType:";
    context.error(format!("{words} {}", quote(key_type)), &format!("{words} {key_type}"))
}

pub(super) fn echoed_token(context: &Context<'_>) -> LogLine {
    let before = format!(
        "Credential provider plugin returned the service account token as the password for image \
         {}, which is not allowed when service account cache type is not set to 'Token'",
        quote(context.image)
    );
    context.error(
        before,
        "credential provider plugin returned the service account token as the password which is \
         not allowed when service account cache type is not set to 'Token'",
    )
}

pub(super) fn cache_key(context: &Context<'_>, why: &str) -> LogLine {
    let since = format!("error generating cache key: {why}");
    context.error(format!("Error generating cache key: {why}"), &since)
}

/// A key that cannot be built while the cache is searched. Up to 1.34 the line names
/// the wrong error, and so says `<nil>`.
pub(super) fn lookup_failed(context: &Context<'_>, why: &str) -> LogLine {
    let before = "Failed to get cached docker config: <nil>".to_owned();
    context.error(before, &format!("failed to get cached docker config: {why}"))
}

pub(super) fn not_called(context: &Context<'_>, reason: &NotCalled) -> LogLine {
    let (namespace, account) = (context.namespace(), context.account_name());
    match reason {
        NotCalled::NoServiceAccount => LogLine {
            level: LogLevel::Verbose(5),
            text: if context.is_structured() {
                format!(
                    "\"Service account name is empty\" provider={} image={}{}",
                    quote(context.provider),
                    quote(context.image),
                    context.pod_pairs()
                )
            } else {
                format!("Service account name is empty for pod {namespace}/{}", context.pod_name())
            },
        },
        NotCalled::MissingAnnotation(key) => {
            let error = format!("required annotation {key} not found");
            let text = if context.is_structured() {
                format!(
                    "\"Failed to get service account data\" err={} provider={} image={}{} \
                     serviceAccount={}",
                    quote(&error),
                    quote(context.provider),
                    quote(context.image),
                    context.pod_pairs(),
                    reference(namespace, account)
                )
            } else {
                format!("Failed to get service account data {namespace}/{account}: {error}")
            };
            LogLine { level: LogLevel::Verbose(5), text }
        }
        NotCalled::ServiceAccount(error) => context.error(
            format!("Failed to get service account {namespace}/{account}: {error}"),
            &format!("failed to get service account: {error}"),
        ),
        NotCalled::Token(error) => context.error(
            format!("Error getting service account token {namespace}/{account}: {error}"),
            &format!("failed to get service account token: {error}"),
        ),
        NotCalled::CacheKey(error) => context.error(
            format!("Error generating service account cache key: {error}"),
            &format!("error generating service account cache key: {error}"),
        ),
    }
}
