//! Who there is: tenants, and in them applications and managed identities.

use std::fmt;

use super::certificate::{ClientCertificate, Registered};
use super::cloud::Cloud;
use crate::fakes::rsa;
use crate::jwt;

/// A directory of Entra ID.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its ID.
    pub id: String,
    /// Its first domain, which names it too.
    pub domain: String,
    /// The cloud it is in.
    pub cloud: Cloud,
}

impl Tenant {
    /// A tenant with a new ID.
    pub fn new(cloud: Cloud) -> Self {
        let id = jwt::random_uuid();
        let domain = format!("contoso{}.onmicrosoft.com", &id[..8]);
        Self { id, domain, cloud }
    }

    pub(super) fn is_called(&self, name: &str) -> bool {
        self.id.eq_ignore_ascii_case(name) || self.domain.eq_ignore_ascii_case(name)
    }
}

/// An application with its service principals, or a managed identity.
#[derive(Clone)]
pub struct Identity {
    /// The client ID, also called application ID.
    pub client_id: String,
    /// The object ID of its service principal in its own tenant, also called principal ID.
    pub object_id: String,
    /// Its own tenant, by ID.
    pub tenant: String,
    /// The resource ID of a managed identity; for a system-assigned one, the machine's.
    pub resource_id: Option<String>,
    pub(super) name: String,
    /// Tenants besides its own, and its object ID there.
    installed_in: Vec<(String, String)>,
    pub(super) client_secrets: Vec<ClientSecret>,
    pub(super) certificates: Vec<Registered>,
    pub(super) federations: Vec<Federation>,
    private_keys: Vec<String>,
}

#[derive(Clone)]
pub(super) struct ClientSecret {
    pub(super) value: String,
    pub(super) over: bool,
}

/// A federated credential: tokens of `issuer` for `audience` about `subject` authenticate the
/// identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Federation {
    /// The exact `iss`.
    pub issuer: String,
    /// The exact `sub`.
    pub subject: String,
    /// The one audience.
    pub audience: String,
}

impl Federation {
    /// A service account of a cluster, with the audience that is usual in the cloud.
    pub fn service_account(issuer: &str, namespace: &str, name: &str, cloud: &Cloud) -> Self {
        Self {
            issuer: issuer.to_owned(),
            subject: format!("system:serviceaccount:{namespace}:{name}"),
            audience: cloud.federation_audience.clone(),
        }
    }
}

impl Identity {
    /// An application, registered and installed in one tenant.
    pub fn application(tenant: &Tenant, name: &str) -> Self {
        Self::new(tenant, name, None)
    }

    /// A managed identity that machines may be given.
    pub fn user_assigned(tenant: &Tenant, name: &str) -> Self {
        let kind = "Microsoft.ManagedIdentity/userAssignedIdentities";
        Self::new(tenant, name, Some(resource_id(kind, name)))
    }

    /// The managed identity of one machine.
    pub fn system_assigned(tenant: &Tenant, machine: &str) -> Self {
        let kind = "Microsoft.Compute/virtualMachines";
        Self::new(tenant, machine, Some(resource_id(kind, machine)))
    }

    fn new(tenant: &Tenant, name: &str, resource_id: Option<String>) -> Self {
        Self {
            client_id: jwt::random_uuid(),
            object_id: jwt::random_uuid(),
            tenant: tenant.id.clone(),
            resource_id,
            name: name.to_owned(),
            installed_in: Vec::new(),
            client_secrets: Vec::new(),
            certificates: Vec::new(),
            federations: Vec::new(),
            private_keys: Vec::new(),
        }
    }

    /// With a service principal in another tenant, as of a multi-tenant application.
    pub fn installed_in(mut self, tenant: &Tenant) -> Self {
        self.check_application();
        self.installed_in.push((tenant.id.clone(), jwt::random_uuid()));
        self
    }

    /// With a client secret.
    pub fn client_secret(mut self, value: &str) -> Self {
        self.check_application();
        self.client_secrets.push(ClientSecret { value: value.to_owned(), over: false });
        self
    }

    /// With a client secret whose time is over.
    pub fn expired_client_secret(mut self, value: &str) -> Self {
        self.check_application();
        self.client_secrets.push(ClientSecret { value: value.to_owned(), over: true });
        self
    }

    /// With a certificate.
    pub fn certificate(mut self, certificate: &ClientCertificate) -> Self {
        self.check_application();
        self.certificates.push(certificate.registered());
        self.private_keys.push(certificate.key_pem());
        self
    }

    /// With a federated credential.
    pub fn federated(mut self, federation: Federation) -> Self {
        self.federations.push(federation);
        self
    }

    /// Its object ID in a tenant; `None` where it has no service principal.
    pub(super) fn object_id_in(&self, tenant: &str) -> Option<&str> {
        if self.tenant == tenant {
            return Some(&self.object_id);
        }
        self.installed_in.iter().find(|(id, _)| id == tenant).map(|(_, object)| object.as_str())
    }

    pub(super) fn secrets(&self) -> Vec<(String, String)> {
        let client_secrets = self
            .client_secrets
            .iter()
            .map(|secret| (format!("client secret of {}", self.client_id), secret.value.clone()));
        // Line by line, as it would show in a log.
        let lines = self.private_keys.iter().flat_map(|pem| rsa::lines(pem));
        let keys =
            lines.map(|line| (format!("private key of {}", self.client_id), line.to_owned()));
        client_secrets.chain(keys).collect()
    }

    fn check_application(&self) {
        assert!(self.resource_id.is_none(), "a managed identity has no secrets and one tenant");
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.name, self.client_id)
    }
}

fn resource_id(kind: &str, name: &str) -> String {
    let subscription = jwt::random_uuid();
    format!("/subscriptions/{subscription}/resourceGroups/pullpass/providers/{kind}/{name}")
}
