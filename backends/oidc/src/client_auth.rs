//! How the client itself authenticates at the token endpoint (RFC 6749 §2.3).

use pullpass::http::Call;
use pullpass::{Error, file};
use secrecy::{ExposeSecret as _, SecretString};

use crate::profile::{Client, Secret};

/// The form fields that the client adds, and its secret.
pub(crate) struct Authentication {
    pub(crate) fields: Vec<(&'static str, SecretString)>,
    basic: Option<(String, SecretString)>,
}

/// Reads what `client` needs.
///
/// # Errors
/// Config, when the secret's file cannot be used.
pub(crate) fn prepare(client: &Client) -> Result<Authentication, Error> {
    let (mut fields, mut basic) = (Vec::new(), None);
    match client {
        Client::None => {}
        Client::Public(id) => fields.push(("client_id", id.as_str().into())),
        Client::Post(secret) => {
            fields.push(("client_id", secret.client_id.as_str().into()));
            fields.push(("client_secret", read(secret)?));
        }
        // Both are form-encoded before they are joined (RFC 6749 §2.3.1).
        Client::Basic(secret) => {
            let password = form_encoded(read(secret)?.expose_secret());
            basic = Some((form_encoded(&secret.client_id), password.into()));
        }
    }
    Ok(Authentication { fields, basic })
}

impl Authentication {
    /// Adds the header, where the method has one.
    pub(crate) fn sign<'a>(&self, call: Call<'a>) -> Call<'a> {
        match &self.basic {
            Some((id, secret)) => call.basic(id, secret),
            None => call,
        }
    }
}

fn read(secret: &Secret) -> Result<SecretString, Error> {
    let text = file::read_text(&secret.file)
        .map_err(|error| error.hint("`exchange.clientAuth.secretFile` names the file"))?;
    let text = SecretString::from(text);
    match text.expose_secret().trim_end_matches(['\r', '\n']) {
        "" => Err(Error::config(format!("`{}` is empty", secret.file.display()))),
        trimmed => Ok(trimmed.into()),
    }
}

fn form_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
