//! How pods authenticate to Google, as the options and the credential file say.

use pullpass::{Error, Options};

use super::value::unknown_value;
use crate::credentials_file::is_email;
use crate::pool::{Pattern, Pool};

/// How pods authenticate to Google.
pub(crate) struct Pods {
    /// The pool of pods without an annotation that names one.
    pub(crate) pool: Option<Pool>,
    /// Whether the service account must have opted in by its annotation: on GKE.
    pub(crate) opt_in: bool,
    pub(crate) without_annotation: WithoutAnnotation,
    /// The providers that the annotation may name.
    pub(crate) allowed: Vec<Pattern>,
    pub(crate) without_pool: WithoutPool,
    /// The service account of pods without an annotation that names one.
    pub(crate) service_account: Option<String>,
}

/// What happens to a pod that has not opted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WithoutAnnotation {
    Refuse,
    Node,
    Pod,
}

/// What happens to a request whose token has no pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WithoutPool {
    Refuse,
    Node,
}

/// Reads the options. `of_file` and `email` are what an `external_account` file says.
///
/// # Errors
/// [`ErrorKind::Config`](pullpass::ErrorKind::Config) when a value is invalid, or two options
/// cannot be combined.
pub(super) fn read(
    options: &Options,
    of_file: Option<Pool>,
    email: Option<String>,
) -> Result<Pods, Error> {
    let cluster = match (options.non_empty("project-id"), options.non_empty("identity-provider")) {
        (Some(project), Some(issuer)) => Some(Pool::cluster(project, issuer)?),
        (None, Some(_)) => {
            return Err(Error::config("`--identity-provider` needs `--project-id`").with_hint(
                "set the project whose pool is `ID.svc.id.goog` (for a fleet: its host project)",
            ));
        }
        // As the Go plugin, which reads it only together with the other.
        (_, None) => None,
    };
    let named = match options.non_empty("workload-identity-provider") {
        Some(name) => Some(Pool::self_managed(name).map_err(|why| {
            Error::config(format!("`--workload-identity-provider` {why}")).with_hint(
                "write projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/\
                 PROVIDER, with the project's number",
            )
        })?),
        None => None,
    };
    let opt_in = cluster.is_some();
    let pool = match (cluster, named, of_file) {
        (Some(_), Some(_), _) => {
            return Err(conflict("--identity-provider", "--workload-identity-provider"));
        }
        (Some(_), _, Some(_)) => return Err(conflict("--identity-provider", EXTERNAL)),
        (_, Some(_), Some(_)) => return Err(conflict("--workload-identity-provider", EXTERNAL)),
        (cluster, named, of_file) => cluster.or(named).or(of_file),
    };
    let patterns = options.values("allow-provider").iter();
    let allowed = patterns.map(|it| Pattern::parse(it)).collect::<Result<Vec<_>, _>>()?;
    let service_account = match options.non_empty("service-account") {
        Some(email) if is_email(email) => Some(email.to_owned()),
        Some(_) => {
            return Err(Error::config(
                "`--service-account` is not the email address of a service account",
            )
            .with_hint("write NAME@PROJECT.iam.gserviceaccount.com"));
        }
        None => email,
    };
    if service_account.is_some() && pool.is_none() && allowed.is_empty() {
        return Err(Error::config(
            "`--service-account` is for pods, but they have no workload identity pool",
        )
        .with_hint("set their pool's provider with `--workload-identity-provider`"));
    }
    Ok(Pods {
        pool,
        opt_in,
        without_annotation: match options.value("without-annotation") {
            None | Some("refuse") => WithoutAnnotation::Refuse,
            Some("node") => WithoutAnnotation::Node,
            Some("pod") => WithoutAnnotation::Pod,
            Some(_) => return Err(unknown_value("without-annotation", "`refuse`, `node`, `pod`")),
        },
        allowed,
        without_pool: match options.value("without-pool") {
            None | Some("refuse") => WithoutPool::Refuse,
            Some("node") => WithoutPool::Node,
            Some(_) => return Err(unknown_value("without-pool", "`refuse`, `node`")),
        },
        service_account,
    })
}

const EXTERNAL: &str = "the `external_account` file of `--credentials`";

fn conflict(one: &str, other: &str) -> Error {
    Error::config(format!("{} and {} cannot be combined", quoted(one), quoted(other)))
        .with_hint("pods have one default pool: remove one of the two")
}

fn quoted(text: &str) -> String {
    match text.starts_with("--") {
        true => format!("`{text}`"),
        false => text.to_owned(),
    }
}
