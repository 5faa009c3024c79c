//! How the client itself authenticates at the token endpoint (RFC 6749 §2.3).

use pullpass::http::Call;
use pullpass::{Error, file};
use secrecy::{ExposeSecret as _, SecretString};

use crate::profile::{Client, Secret};

/// The form fields that the client adds, and its secret.
pub(crate) struct Authentication {
    pub(crate) fields: Vec<(&'static str, SecretString)>,
    basic: Option<(String, SecretString)>,
    /// The client's secret as the file has it.
    pub(crate) secret: Option<SecretString>,
}

/// Reads what `client` needs.
///
/// # Errors
/// Config, when the secret's file cannot be used.
pub(crate) fn prepare(client: &Client) -> Result<Authentication, Error> {
    let mut ready = Authentication { fields: Vec::new(), basic: None, secret: None };
    match client {
        Client::None => {}
        Client::Public(id) => ready.fields.push(("client_id", id.as_str().into())),
        Client::Post(named) => {
            let secret = read(named)?;
            ready.fields.push(("client_id", named.client_id.as_str().into()));
            ready.fields.push(("client_secret", secret.clone()));
            ready.secret = Some(secret);
        }
        // Both are form-encoded before they are joined (RFC 6749 §2.3.1).
        Client::Basic(named) => {
            let secret = read(named)?;
            let password = form_encoded(secret.expose_secret());
            ready.basic = Some((form_encoded(&named.client_id), password.into()));
            ready.secret = Some(secret);
        }
    }
    Ok(ready)
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
