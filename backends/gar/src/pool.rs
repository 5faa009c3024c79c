//! Workload identity pools, which let Google accept a pod's token.
//!
//! Source: IAM, "Workload Identity Federation with Kubernetes"; Security Token Service,
//! "Method: token"; GKE, "About Workload Identity Federation for GKE".

use pullpass::{Error, one_line};

/// The prefix of a provider's resource name in an audience; the same in every universe.
const IAM: &str = "//iam.googleapis.com/";

/// The form of the audience that a provider expects in a pod's token, unless it lists others.
pub(crate) const TOKEN_AUDIENCE: &str = "https://iam.googleapis.com/projects/NUMBER/locations/\
    global/workloadIdentityPools/POOL/providers/PROVIDER";

/// The suffix of the pool of GKE or of a fleet.
const CLUSTER_POOL: &str = ".svc.id.goog";

/// A pool and the one of its providers that knows the token's issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pool {
    /// One that the operator created: the provider's resource name.
    SelfManaged(String),
    /// One that GKE or a fleet has by default, and the issuer of the cluster in it.
    Cluster { pool: String, issuer: String },
}

impl Pool {
    /// Reads a provider's resource name,
    /// `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`, with
    /// or without the API in front as in audiences.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence.
    pub(crate) fn self_managed(text: &str) -> Result<Self, &'static str> {
        let name = text.strip_prefix("https:").unwrap_or(text);
        let name = name.strip_prefix(IAM).unwrap_or(name);
        let parts: Vec<&str> = name.split('/').collect();
        let [
            "projects",
            project,
            "locations",
            "global",
            "workloadIdentityPools",
            pool,
            "providers",
            provider,
        ] = parts[..]
        else {
            return Err("is not the resource name of a provider");
        };
        if !is_id(pool) || !is_id(provider) {
            return Err("has no valid pool or provider ID");
        }
        match !project.is_empty() && project.bytes().all(|c| c.is_ascii_digit()) {
            true => Ok(Self::SelfManaged(name.to_owned())),
            false => Err("has the project's ID where its number must be"),
        }
    }

    /// The pool of a GKE cluster, or of a fleet, in a project.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](pullpass::ErrorKind::Config) when the project or the issuer is
    /// invalid.
    pub(crate) fn cluster(project: &str, issuer: &str) -> Result<Self, Error> {
        if !is_id(project) || project.bytes().all(|c| c.is_ascii_digit()) {
            return Err(Error::config("`--project-id` is not a project ID").with_hint(
                "write the ID, not the number, of the project whose pool is `ID.svc.id.goog` (for \
                 a fleet: its host project)",
            ));
        }
        // The old form for zonal clusters: no token has such an issuer.
        if issuer.starts_with("https://container.googleapis.com/") && issuer.contains("/zones/") {
            return Err(Error::config("`--identity-provider` contains `/zones/`")
                .with_hint("write `/locations/` instead"));
        }
        if !is_issuer(issuer) {
            return Err(Error::config("`--identity-provider` is not an `https://` URL").with_hint(
                "on GKE it is \
                 `https://container.googleapis.com/v1/projects/P/locations/L/clusters/C`",
            ));
        }
        Ok(Self::Cluster { pool: format!("{project}{CLUSTER_POOL}"), issuer: issuer.to_owned() })
    }

    /// Reads the audience of an STS exchange, as an `external_account` file has it.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence.
    pub(crate) fn of_audience(audience: &str) -> Result<Self, &'static str> {
        let Some(rest) = audience.strip_prefix("identitynamespace:") else {
            return Self::self_managed(audience);
        };
        match rest.split_once(':') {
            Some((pool, issuer)) if is_id(pool) && is_issuer(issuer) => {
                Ok(Self::Cluster { pool: pool.to_owned(), issuer: issuer.to_owned() })
            }
            _ => Err("has no pool, or no issuer after it"),
        }
    }

    /// The audience of the exchange at STS.
    pub(crate) fn audience(&self) -> String {
        match self {
            Self::SelfManaged(name) => format!("{IAM}{name}"),
            Self::Cluster { pool, issuer } => format!("identitynamespace:{pool}:{issuer}"),
        }
    }

    /// For messages: its name.
    pub(crate) fn display_name(&self) -> String {
        match self {
            Self::SelfManaged(name) => name.clone(),
            Self::Cluster { pool, issuer } => format!("{pool} for {}", one_line(issuer)),
        }
    }

    /// Whether a token's audience is the one that it accepts by default.
    pub(crate) fn takes(&self, audience: &[String]) -> bool {
        audience.iter().any(|audience| match self {
            Self::SelfManaged(name) => {
                audience.strip_prefix("https:").unwrap_or(audience) == format!("{IAM}{name}")
            }
            Self::Cluster { pool, .. } => audience == pool,
        })
    }

    /// The audience of a pod's token that it accepts, unless its provider lists others.
    pub(crate) fn token_audience(&self) -> String {
        match self {
            Self::SelfManaged(name) => format!("https:{IAM}{name}"),
            Self::Cluster { pool, .. } => pool.clone(),
        }
    }

    /// For messages: the `aud` and `iss` that it accepts.
    pub(crate) fn expects(&self) -> String {
        let audience = self.token_audience();
        match self {
            Self::SelfManaged(_) => format!(
                "the provider expects `aud` `{audience}` (or one of its allowed audiences, if it \
                 lists any), and `iss` equal to its issuer URI"
            ),
            Self::Cluster { issuer, .. } => {
                format!("the pool expects `aud` `{audience}` and `iss` `{}`", one_line(issuer))
            }
        }
    }

    /// For messages: the IAM member that a service account is.
    pub(crate) fn member(&self, subject: &str, names: Option<(&str, &str)>) -> String {
        match (self, names) {
            (Self::SelfManaged(name), _) => {
                let pool = name.split("/providers/").next().unwrap_or(name);
                format!("principal:{IAM}{pool}/subject/{}", one_line(subject))
            }
            (Self::Cluster { pool, .. }, Some((namespace, account))) => format!(
                "principal:{IAM}projects/NUMBER/locations/global/workloadIdentityPools/{pool}\
                 /subject/ns/{}/sa/{}",
                one_line(namespace),
                one_line(account)
            ),
            (Self::Cluster { pool, .. }, None) => {
                format!("the subject `{}` of the pool `{pool}`", one_line(subject))
            }
        }
    }
}

/// Which providers an annotation may name: a resource name in which a part may be `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<String>);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](pullpass::ErrorKind::Config) when no provider could match it.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let name = text.strip_prefix("https:").unwrap_or(text);
        let name = name.strip_prefix(IAM).unwrap_or(name);
        let parts: Vec<String> = name.split('/').map(str::to_owned).collect();
        // Each `*` matches a number or a name: with one of these in its place it must be valid.
        let sample: Vec<&str> = parts
            .iter()
            .enumerate()
            .map(|(at, part)| match (part.as_str(), at) {
                ("*", 1) => "1",
                ("*", 5 | 7) => "any",
                (part, _) => part,
            })
            .collect();
        match Pool::self_managed(&sample.join("/")) {
            Ok(_) => Ok(Self(parts)),
            Err(why) => Err(Error::config(format!("`--allow-provider` {why}")).with_hint(
                "write projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/\
                 PROVIDER; NUMBER, POOL and PROVIDER may each be `*`, for any whole name",
            )),
        }
    }

    /// Whether a pool's provider may be used.
    pub(crate) fn matches(&self, pool: &Pool) -> bool {
        let Pool::SelfManaged(name) = pool else { return false };
        let parts: Vec<&str> = name.split('/').collect();
        parts.len() == self.0.len()
            && parts.iter().zip(&self.0).all(|(part, pattern)| pattern == "*" || pattern == part)
    }
}

/// Project, pool and provider IDs.
fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.'))
}

fn is_issuer(text: &str) -> bool {
    text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty())
        && text.bytes().all(|c| c.is_ascii_graphic())
}

#[cfg(test)]
mod tests;
