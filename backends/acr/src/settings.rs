//! What the operator said: options, environment and `azure.json` in one.

use std::path::PathBuf;
use std::time::Duration;

use pullpass::{Env, Error, Options, file};
use secrecy::SecretString;

use url::{Host, Url};

use crate::azure_json::{self, AzureJson};

/// The settings, each where it was said first: option or its environment variable, then file.
pub(crate) struct Settings {
    pub(crate) cloud: Option<String>,
    pub(crate) authority_host: Option<String>,
    pub(crate) registry_suffixes: Vec<String>,
    pub(crate) resource_manager: Option<String>,
    pub(crate) tenant_id: Option<String>,
    /// Who the node is, if it is anybody.
    pub(crate) node: Option<Node>,
    /// The pods' application where no annotation names one.
    pub(crate) pod_client_id: Option<String>,
    pub(crate) binding: Option<Binding>,
    pub(crate) without_token: Option<WithoutToken>,
    pub(crate) repository_scope: bool,
    /// Whether the service principal's own secret is the login.
    pub(crate) static_principal: bool,
    pub(crate) anonymous_key: bool,
    pub(crate) longest_cache: Duration,
}

/// The node's identity.
#[derive(Clone)]
pub(crate) enum Node {
    /// A managed identity.
    Managed(ManagedId),
    /// A service principal.
    Principal(Principal),
}

/// Which managed identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ManagedId {
    System,
    Client(String),
    Object(String),
    Resource(String),
}

/// A service principal.
#[derive(Clone)]
pub(crate) struct Principal {
    pub(crate) client_id: String,
    pub(crate) proof: Proof,
}

/// How a service principal proves who it is.
#[derive(Clone)]
pub(crate) enum Proof {
    /// Its secret, for Entra.
    Secret(SecretString),
    /// Its secret, handed to the kubelet: what `--static-service-principal` asks for.
    StaticSecret(SecretString),
    /// The certificate and its key, in one PEM file.
    Certificate(PathBuf),
    /// A file with a token of a federated issuer.
    TokenFile(PathBuf),
}

/// Identity bindings: the API server stands for Entra.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) sni_name: String,
    /// An address, or a name that is looked up.
    pub(crate) api_server: String,
    pub(crate) default_client_id: Option<String>,
    pub(crate) default_tenant_id: Option<String>,
    pub(crate) ca_file: PathBuf,
}

/// What becomes of a request without a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WithoutToken {
    Node,
    Anonymous,
    Refuse,
}

impl Settings {
    /// Reads the options, and the file if one is named.
    ///
    /// # Errors
    /// Of kind Config, when a value is none, or two exclude each other.
    pub(crate) fn read(options: &Options, env: &Env) -> Result<Self, Error> {
        let file = match options.path("cloud-config") {
            Some(path) => azure_json::read(&path)?,
            None => AzureJson::default(),
        };
        // What an installer leaves empty is not set.
        let text = |name: &str| options.value(name).filter(|it| !it.is_empty()).map(str::to_owned);
        let longest_cache = options.duration("max-cache")?.unwrap_or(Duration::from_secs(3600));
        let cloud = text("cloud").or_else(|| file.cloud.clone());
        // As for workload identities; a cloud that is named goes before.
        let ambient = match &cloud {
            None => env.text("AZURE_AUTHORITY_HOST")?.map(str::to_owned),
            Some(_) => None,
        };
        Ok(Self {
            cloud,
            authority_host: text("authority-host").or(ambient),
            registry_suffixes: options.values("registry-suffix").to_vec(),
            resource_manager: file.resource_manager.clone(),
            tenant_id: text("tenant-id").or_else(|| file.tenant_id.clone()),
            node: node(options, env, &file)?,
            pod_client_id: text("pod-client-id"),
            binding: binding(options)?,
            without_token: without_token(options)?,
            repository_scope: options.is_set("repository-scope"),
            static_principal: options.is_set("static-service-principal"),
            anonymous_key: options.is_set("anonymous-key"),
            longest_cache,
        })
    }

    /// A switch that hands out a secret is not passed over where it cannot do so.
    ///
    /// # Errors
    /// Of kind Config, when there is no such secret, or less than it was asked for.
    pub(crate) fn check_static_principal(&self) -> Result<(), Error> {
        let has_secret = matches!(
            &self.node,
            Some(Node::Principal(Principal { proof: Proof::StaticSecret(_), .. }))
        );
        match (self.static_principal, has_secret, self.repository_scope) {
            (true, false, _) => {
                Err(Error::config("`--static-service-principal` has no secret to give").with_hint(
                    "it is for a service principal with a secret: `--client-secret-file`, or \
                 `aadClientSecret` in `azure.json`",
                ))
            }
            (true, true, true) => Err(two("static-service-principal", "repository-scope")),
            _ => Ok(()),
        }
    }
}

/// Options name the node's identity alone or not at all: the file is another set-up.
fn node(options: &Options, env: &Env, file: &AzureJson) -> Result<Option<Node>, Error> {
    let is_static = options.is_set("static-service-principal");
    let managed = options.value("managed-identity").map(managed_id).transpose()?;
    let proofs = [
        ("client-secret-file", options.path("client-secret-file")),
        ("client-certificate", options.path("client-certificate")),
        ("token-file", options.path("token-file")),
    ];
    let mut named = proofs.into_iter().filter_map(|(name, path)| Some((name, path?)));
    match (managed, named.next(), named.next()) {
        (Some(_), Some((proof, _)), _) => Err(two(proof, "managed-identity")),
        (None, Some((one, _)), Some((other, _))) => Err(two(one, other)),
        (Some(managed), None, _) => Ok(Some(Node::Managed(managed))),
        (None, Some((name, path)), None) => {
            let client_id = options.value("client-id").map(str::to_owned);
            let client_id = client_id.or_else(|| file.client_id.clone()).ok_or_else(|| {
                Error::config(format!("`--{name}` needs `--client-id`"))
                    .with_hint("name the application whose proof it is")
            })?;
            let proof = match name {
                "client-secret-file" => secret(secret_in(&path)?, is_static),
                "client-certificate" => Proof::Certificate(path),
                _ => Proof::TokenFile(path),
            };
            Ok(Some(Node::Principal(Principal { client_id, proof })))
        }
        (None, None, _) => from_file(file, options.value("client-id"), env, is_static),
    }
}

/// What the file says, else the variables of workload identities.
fn from_file(
    file: &AzureJson,
    client_id: Option<&str>,
    env: &Env,
    is_static: bool,
) -> Result<Option<Node>, Error> {
    if file.managed_identity {
        let id = file.user_assigned.as_deref().map(managed_id).transpose()?;
        return Ok(Some(Node::Managed(id.unwrap_or(ManagedId::System))));
    }
    let Some(client_id) = file.client_id.clone().or_else(|| client_id.map(str::to_owned)) else {
        return Ok(None);
    };
    let token_file = env.os("AZURE_FEDERATED_TOKEN_FILE").map(PathBuf::from);
    let proof = match (&file.client_secret, &file.certificate, file.token_file.clone()) {
        (Some(value), ..) => secret(value.clone(), is_static),
        (None, Some(certificate), _) => Proof::Certificate(certificate.clone()),
        (None, None, named) => match named.or(token_file) {
            Some(file) => Proof::TokenFile(file),
            None => return Ok(None),
        },
    };
    Ok(Some(Node::Principal(Principal { client_id, proof })))
}

fn secret(value: SecretString, is_static: bool) -> Proof {
    match is_static {
        true => Proof::StaticSecret(value),
        false => Proof::Secret(value),
    }
}

fn secret_in(path: &std::path::Path) -> Result<SecretString, Error> {
    let hint = "`--client-secret-file` names a file with the secret alone";
    let text = file::read_text(path).map_err(|error| error.with_hint(hint))?;
    let text = text.trim_end_matches(['\r', '\n']);
    match text.is_empty() {
        true => Err(Error::config(format!("`{}` is empty", path.display())).with_hint(hint)),
        false => Ok(text.into()),
    }
}

/// `system`, `object:ID`, a resource ID, or a client ID.
fn managed_id(text: &str) -> Result<ManagedId, Error> {
    if text.eq_ignore_ascii_case("system") {
        return Ok(ManagedId::System);
    }
    if text.to_ascii_lowercase().contains("/subscriptions/") {
        return Ok(ManagedId::Resource(text.to_owned()));
    }
    let (kind, id) = text.split_once(':').unwrap_or(("client", text));
    match kind {
        _ if !is_id(id) => Err(Error::config("the managed identity's ID is not one").with_hint(
            "it is `system`, a client ID, `object:` and an object ID, or a resource ID that \
             begins with `/subscriptions/`",
        )),
        "client" => Ok(ManagedId::Client(id.to_owned())),
        "object" => Ok(ManagedId::Object(id.to_owned())),
        _ => Err(Error::config("the managed identity is of no known kind")
            .with_hint("write `client:ID` or `object:ID`")),
    }
}

/// What an ID of Entra's is made of; it becomes part of a URL or a form.
pub(crate) fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && text.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
        })
}

fn binding(options: &Options) -> Result<Option<Binding>, Error> {
    // AKS passes flags of features that are off with nothing behind the equals sign.
    let value = |name: &str| options.value(name).filter(|it| !it.is_empty()).map(str::to_owned);
    let Some(sni_name) = value("ib-sni-name") else {
        let others = ["ib-apiserver-ip", "ib-default-client-id", "ib-default-tenant-id"];
        return match others.into_iter().find(|other| value(other).is_some()) {
            Some(other) => Err(Error::config(format!(
                "ib-sni-name must be set: `--{other}` means nothing without it"
            ))
            .with_hint("name the host that the API server has for identity bindings")),
            None => Ok(None),
        };
    };
    let is_name = |text: &str| {
        text.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
        })
    };
    if sni_name.contains("://") {
        return Err(Error::config("`--ib-sni-name` must not contain protocol prefix")
            .with_hint("name the host alone"));
    }
    // A URL takes more for an address than looks like one, and an address is not looked up.
    let is_domain = Url::parse(&format!("https://{sni_name}/"))
        .is_ok_and(|url| matches!(url.host(), Some(Host::Domain(_))));
    if !is_name(&sni_name) || !is_domain {
        return Err(
            Error::config("`--ib-sni-name` is no host name").with_hint("name the host alone")
        );
    }
    let api_server = value("ib-apiserver-ip").ok_or_else(|| {
        Error::config("ib-apiserver-ip must be set when `--ib-sni-name` is")
            .with_hint("name the API server's address, or a host name that resolves to it")
    })?;
    if api_server.parse::<std::net::IpAddr>().is_err() && !is_name(&api_server) {
        return Err(Error::config(
            "`--ib-apiserver-ip` must be a valid IP address or resolvable FQDN",
        )
        .with_hint("name the API server's address, or a host name that resolves to it"));
    }
    let ca_file = options.path("ib-ca-file").unwrap_or_default();
    Ok(Some(Binding {
        sni_name,
        api_server,
        default_client_id: value("ib-default-client-id"),
        default_tenant_id: value("ib-default-tenant-id"),
        ca_file,
    }))
}

fn without_token(options: &Options) -> Result<Option<WithoutToken>, Error> {
    match options.value("without-token") {
        None => Ok(None),
        Some("node") => Ok(Some(WithoutToken::Node)),
        Some("anonymous") => Ok(Some(WithoutToken::Anonymous)),
        Some("refuse") => Ok(Some(WithoutToken::Refuse)),
        Some(_) => Err(Error::config("`--without-token` is none of `node`, `anonymous`, `refuse`")
            .with_hint("`--help` says what becomes of a request without a token by default")),
    }
}

fn two(one: &str, other: &str) -> Error {
    Error::config(format!("`--{one}` and `--{other}` exclude each other"))
        .with_hint("the node has one identity; take one of them out of `args`")
}
