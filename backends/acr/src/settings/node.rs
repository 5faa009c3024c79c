//! The node's identity, as options and `azure.json` name it.

use std::path::PathBuf;

use pullpass::text::is_dns_label;
use pullpass::{Env, Error, Options, file};
use secrecy::SecretString;

use crate::azure_json::AzureJson;

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
    /// Its secret, given to the kubelet as the password: `--static-service-principal`.
    StaticSecret(SecretString),
    /// The certificate and its key, in one PEM file.
    Certificate(PathBuf),
    /// A file with a token of a federated issuer.
    TokenFile(PathBuf),
}

/// If options name the node's identity, the file's identity is ignored.
pub(super) fn read(options: &Options, env: &Env, file: &AzureJson) -> Result<Option<Node>, Error> {
    let is_static = options.is_set("static-service-principal");
    let managed = options.value("managed-identity").map(parse_managed_id).transpose()?;
    let proofs = [
        ("client-secret-file", options.path("client-secret-file")),
        ("client-certificate", options.path("client-certificate")),
        ("token-file", options.path("token-file")),
    ];
    let mut named = proofs.into_iter().filter_map(|(name, path)| Some((name, path?)));
    match (managed, named.next(), named.next()) {
        (Some(_), Some((proof, _)), _) => Err(conflict(proof, "managed-identity")),
        (None, Some((one, _)), Some((other, _))) => Err(conflict(one, other)),
        (Some(managed), None, _) => Ok(Some(Node::Managed(managed))),
        (None, Some((name, path)), None) => {
            let client_id = options.value("client-id").map(str::to_owned);
            let client_id = client_id.or_else(|| file.client_id.clone()).ok_or_else(|| {
                Error::config(format!("`--{name}` needs `--client-id`"))
                    .with_hint("set the client ID of the application that it belongs to")
            })?;
            let proof = match name {
                "client-secret-file" => {
                    let hint = "`--client-secret-file` must be a file with the secret only";
                    let secret = file::read_secret(&path).map_err(|error| error.with_hint(hint))?;
                    secret_proof(secret, is_static)
                }
                "client-certificate" => Proof::Certificate(path),
                _ => Proof::TokenFile(path),
            };
            Ok(Some(Node::Principal(Principal { client_id, proof })))
        }
        (None, None, _) => read_file(file, options.value("client-id"), env, is_static),
    }
}

/// What the file says, else the variables of workload identities.
fn read_file(
    file: &AzureJson,
    client_id: Option<&str>,
    env: &Env,
    is_static: bool,
) -> Result<Option<Node>, Error> {
    if file.managed_identity {
        let id = file.user_assigned.as_deref().map(parse_managed_id).transpose()?;
        return Ok(Some(Node::Managed(id.unwrap_or(ManagedId::System))));
    }
    let Some(client_id) = file.client_id.clone().or_else(|| client_id.map(str::to_owned)) else {
        return Ok(None);
    };
    let token_file = env.os("AZURE_FEDERATED_TOKEN_FILE").map(PathBuf::from);
    let proof = match (&file.client_secret, &file.certificate, file.token_file.clone()) {
        (Some(value), ..) => secret_proof(value.clone(), is_static),
        (None, Some(certificate), _) => Proof::Certificate(certificate.clone()),
        (None, None, named) => match named.or(token_file) {
            Some(file) => Proof::TokenFile(file),
            None => return Ok(None),
        },
    };
    Ok(Some(Node::Principal(Principal { client_id, proof })))
}

fn secret_proof(value: SecretString, is_static: bool) -> Proof {
    match is_static {
        true => Proof::StaticSecret(value),
        false => Proof::Secret(value),
    }
}

/// `system`, `object:ID`, a resource ID, or a client ID.
fn parse_managed_id(text: &str) -> Result<ManagedId, Error> {
    if text.eq_ignore_ascii_case("system") {
        return Ok(ManagedId::System);
    }
    if text.to_ascii_lowercase().contains("/subscriptions/") {
        return Ok(ManagedId::Resource(text.to_owned()));
    }
    let (kind, id) = text.split_once(':').unwrap_or(("client", text));
    match kind {
        _ if !is_id(id) => Err(Error::config("the managed identity is not valid").with_hint(
            "write `system`, a client ID, `object:` and an object ID, or a resource ID that \
             begins with `/subscriptions/`",
        )),
        "client" => Ok(ManagedId::Client(id.to_owned())),
        "object" => Ok(ManagedId::Object(id.to_owned())),
        _ => Err(Error::config("the managed identity has an unknown prefix")
            .with_hint("write `client:ID` or `object:ID`")),
    }
}

/// Whether a text can be an Entra ID; it becomes part of a URL or a form.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() <= 128 && text.split('.').all(is_dns_label)
}

pub(super) fn conflict(one: &str, other: &str) -> Error {
    Error::config(format!("`--{one}` and `--{other}` cannot be combined"))
        .with_hint("the node has one identity: remove one of the two from `args`")
}
