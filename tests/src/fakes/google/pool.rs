//! Workload identity pools: whose tokens STS exchanges, and who their bearers are then (IAM,
//! "Workload Identity Federation"; GKE, "About Workload Identity Federation for GKE").

use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};

use super::GOOGLE;

const RESOURCE: &str = "//iam.googleapis.com/projects/";
const POOLS: &str = "/locations/global/workloadIdentityPools/";

/// A provider in a workload identity pool: one issuer that it trusts.
#[derive(Clone)]
pub struct Provider {
    pub(super) universe: String,
    pub(super) issuer: String,
    pub(super) disabled: bool,
    project_number: String,
    kind: Kind,
    audiences: Vec<String>,
    condition: Option<Condition>,
}

type Condition = Arc<dyn Fn(&Value) -> bool + Send + Sync>;

#[derive(Clone)]
enum Kind {
    SelfManaged { pool: String, provider: String },
    Cluster { project_id: String },
}

impl Provider {
    /// A provider in an operator's own pool, with the default audiences.
    pub fn new(project_number: &str, pool: &str, provider: &str, issuer: &str) -> Self {
        let kind = Kind::SelfManaged { pool: pool.to_owned(), provider: provider.to_owned() };
        Self::of(project_number, kind, issuer)
    }

    /// A cluster in the pool that GKE, or a fleet, keeps for a project.
    pub fn cluster(project_number: &str, project_id: &str, issuer: &str) -> Self {
        Self::of(project_number, Kind::Cluster { project_id: project_id.to_owned() }, issuer)
    }

    fn of(project_number: &str, kind: Kind, issuer: &str) -> Self {
        Self {
            universe: GOOGLE.to_owned(),
            issuer: issuer.to_owned(),
            disabled: false,
            project_number: project_number.to_owned(),
            kind,
            audiences: Vec::new(),
            condition: None,
        }
    }

    /// With these audiences allowed, and the default ones no more.
    pub fn allowed_audiences(mut self, audiences: &[&str]) -> Self {
        self.audiences = audiences.iter().map(ToString::to_string).collect();
        self
    }

    /// With an attribute condition: `false` for the claims of a token that is rejected.
    pub fn condition(mut self, holds: impl Fn(&Value) -> bool + Send + Sync + 'static) -> Self {
        self.condition = Some(Arc::new(holds));
        self
    }

    /// Switched off.
    pub fn disabled(mut self) -> Self {
        self.disabled = true;
        self
    }

    /// In another universe than Google's own.
    pub fn universe(mut self, domain: &str) -> Self {
        self.universe = domain.to_owned();
        self
    }

    /// Its name as an option has it: `projects/NUMBER/locations/...`; of a cluster, the pool's.
    pub fn name(&self) -> String {
        let number = &self.project_number;
        match &self.kind {
            Kind::SelfManaged { pool, provider } => {
                format!("projects/{number}{POOLS}{pool}/providers/{provider}")
            }
            Kind::Cluster { project_id } => {
                format!("projects/{number}{POOLS}{project_id}.svc.id.goog")
            }
        }
    }

    /// The audience of an exchange.
    pub fn audience(&self) -> String {
        match &self.kind {
            Kind::SelfManaged { .. } => format!("//iam.googleapis.com/{}", self.name()),
            Kind::Cluster { project_id } => {
                format!("identitynamespace:{project_id}.svc.id.goog:{}", self.issuer)
            }
        }
    }

    /// The `aud` that a service account's token should have.
    pub fn token_audience(&self) -> String {
        match (&self.kind, self.audiences.first()) {
            (_, Some(audience)) => audience.clone(),
            (Kind::SelfManaged { .. }, None) => format!("https:{}", self.audience()),
            (Kind::Cluster { project_id }, None) => format!("{project_id}.svc.id.goog"),
        }
    }

    /// Who a service account is, once its token has been exchanged.
    pub fn principal(&self, namespace: &str, name: &str) -> String {
        self.principal_of(&format!("system:serviceaccount:{namespace}:{name}"))
    }

    /// A file for Google's libraries (AIP-4117), as `gcloud iam workload-identity-pools
    /// create-cred-config` writes it: without impersonation, and with a source that is not there.
    pub fn external_account(&self) -> Value {
        json!({
            "type": "external_account",
            "universe_domain": self.universe,
            "audience": self.audience(),
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": format!("https://sts.{}/v1/token", self.universe),
            "credential_source": {"file": "/var/run/no/such/token", "format": {"type": "text"}},
        })
    }

    /// As [`Provider::external_account`], with a service account to impersonate.
    pub fn external_account_as(&self, email: &str) -> Value {
        let mut file = self.external_account();
        file["service_account_impersonation_url"] = json!(format!(
            "https://iamcredentials.{}/v1/projects/-/serviceAccounts/{email}:generateAccessToken",
            self.universe
        ));
        file
    }

    /// Who a subject is; a GKE pool has its own spelling.
    pub(super) fn principal_of(&self, subject: &str) -> String {
        let (pool, subject) = match &self.kind {
            Kind::SelfManaged { pool, .. } => (pool.clone(), subject.to_owned()),
            Kind::Cluster { project_id } => {
                let rest = subject.strip_prefix("system:serviceaccount:").unwrap_or(subject);
                let (namespace, name) = rest.split_once(':').unwrap_or((rest, ""));
                (format!("{project_id}.svc.id.goog"), format!("ns/{namespace}/sa/{name}"))
            }
        };
        let number = &self.project_number;
        format!("principal:{RESOURCE}{number}{POOLS}{pool}/subject/{subject}")
    }

    /// The audience among a token's that is allowed here.
    pub(super) fn allowed<'a>(&self, audiences: &[&'a str]) -> Option<&'a str> {
        let known = |audience: &str| match &self.kind {
            _ if !self.audiences.is_empty() => self.audiences.iter().any(|known| known == audience),
            Kind::SelfManaged { .. } => {
                audience.strip_prefix("https:").unwrap_or(audience) == self.audience()
            }
            Kind::Cluster { .. } => audience == self.token_audience(),
        };
        audiences.iter().copied().find(|audience| known(audience))
    }

    pub(super) fn admits(&self, claims: &Value) -> bool {
        self.condition.as_ref().is_none_or(|holds| holds(claims))
    }
}

/// Whether an audience has one of the two forms, whatever it names. A project goes by its number,
/// and the host is the same in every universe.
pub(super) fn is_audience(text: &str) -> bool {
    let filled = |parts: &[&str]| parts.iter().all(|part| !part.is_empty() && !part.contains('/'));
    if let Some(rest) = text.strip_prefix("identitynamespace:") {
        let Some((pool, issuer)) = rest.split_once(':') else { return false };
        let project = pool.strip_suffix(".svc.id.goog").unwrap_or_default();
        return filled(&[project]) && issuer.starts_with("https://");
    }
    let Some((number, rest)) = text.strip_prefix(RESOURCE).and_then(|it| it.split_once(POOLS))
    else {
        return false;
    };
    let Some((pool, provider)) = rest.split_once("/providers/") else { return false };
    filled(&[number, pool, provider]) && number.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Debug for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} in {}", self.audience(), self.universe)
    }
}
