//! The values of a profile's names in one run.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use pullpass::http::SentSecrets;
use pullpass::{Error, Image, Request, Token, file};
use secrecy::ExposeSecret as _;
use secrecy::zeroize::Zeroizing;

use crate::profile::template::{Part, Template};
use crate::profile::{Source, Variable};

/// The most bytes of values and of what is made of them in one run.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Values by name. They do not print.
#[derive(Default)]
pub(crate) struct Values {
    values: BTreeMap<String, Zeroizing<String>>,
    secrets: BTreeSet<String>,
    sent: SentSecrets,
    /// How many bytes there were so far, of values and of what was made of them.
    bytes: Cell<usize>,
}

impl Values {
    /// What is known before the first call. `sent` gets every secret, also those that come later:
    /// no server's words that repeat one are printed, whichever of them is sent.
    ///
    /// # Errors
    /// As [`Variable::public_value`]; config, when a file cannot be read.
    pub(crate) fn gather(
        variables: &[Variable],
        request: &Request,
        sent: &SentSecrets,
    ) -> Result<Self, Error> {
        let account = request.service_account.as_ref();
        let mut values = Self { sent: sent.clone(), ..Self::from_image(&request.image) };
        if let Some(account) = account {
            values.set_claims(&account.token);
        }
        let annotations = account.map(|account| &account.annotations);
        for variable in variables {
            match &variable.source {
                Source::File(path) => {
                    let secret = file::read_secret(path).map_err(|error| {
                        error.with_hint("`fromFile` of the profile names this file")
                    })?;
                    values.set_secret(&variable.name, secret.expose_secret());
                }
                _ => {
                    let value =
                        variable.public_value(&request.image, annotations)?.unwrap_or_default();
                    values.set(&variable.name, value);
                }
            }
        }
        values.check_size()?;
        Ok(values)
    }

    /// What the image alone says.
    pub(crate) fn from_image(image: &Image) -> Self {
        let mut values = Self::default();
        for (name, text) in [
            ("image.registry", image.registry()),
            ("image.host", image.host()),
            ("image.repository", image.repository()),
        ] {
            values.set(name, text);
        }
        values
    }

    /// What a token says of the pod, and the token.
    pub(crate) fn set_claims(&mut self, token: &Token) {
        let claims = token.claims();
        self.set_secret("sa.token", token.secret().expose_secret());
        for (name, text) in [
            ("sa.namespace", claims.namespace.as_deref().unwrap_or_default()),
            ("sa.name", claims.service_account.as_deref().unwrap_or_default()),
            ("sa.issuer", claims.issuer.as_str()),
            ("sa.subject", claims.subject.as_str()),
        ] {
            self.set(name, text);
        }
    }

    /// Sets what may be printed.
    pub(crate) fn set(&mut self, name: &str, text: &str) {
        // Too much is an error of the next call that uses any.
        let text = if self.take(text.len()) { text } else { "" };
        self.values.insert(name.to_owned(), Zeroizing::new(text.to_owned()));
    }

    /// Sets what may not be printed.
    pub(crate) fn set_secret(&mut self, name: &str, text: &str) {
        self.set(name, text);
        self.sent.remember(self.get(name));
        self.secrets.insert(name.to_owned());
    }

    /// Counts further bytes; whether they are not too many.
    fn take(&self, bytes: usize) -> bool {
        self.bytes.set(self.bytes.get().saturating_add(bytes));
        self.bytes.get() <= MAX_BYTES
    }

    /// Whether all values are whole, and all that was made of them.
    ///
    /// # Errors
    /// Config, when it was more than a run may use.
    pub(crate) fn check_size(&self) -> Result<(), Error> {
        match self.bytes.get() <= MAX_BYTES {
            true => Ok(()),
            false => Err(Error::config(format!(
                "the values of this profile's variables and calls are larger than {MAX_BYTES} bytes"
            ))
            .with_hint("use long values, such as `${sa.token}`, less often in the profile")),
        }
    }

    /// `template` with the values in.
    pub(crate) fn render(&self, template: &Template) -> Zeroizing<String> {
        self.render_encoded(template, str::to_owned)
    }

    /// `template` with the values in, as a user name for an HTTP Basic password: it has no `:`
    /// (RFC 7617 §2).
    ///
    /// # Errors
    /// Identity, when it is empty, or contains `:` or a line break.
    pub(crate) fn render_user_name(&self, template: &Template) -> Result<String, Error> {
        let user = self.render(template);
        self.check_size()?;
        let what = match user.contains([':', '\r', '\n', '\0']) {
            true => "contains `:` or a line break",
            false if user.is_empty() => "is empty",
            false => return Ok(user.to_string()),
        };
        Err(Error::identity(format!("the user name {what}"))
            .with_hint("correct the annotation or the profile that it comes from"))
    }

    /// `template` with the values in, each as `encode` makes it.
    pub(crate) fn render_encoded(
        &self,
        template: &Template,
        encode: impl Fn(&str) -> String,
    ) -> Zeroizing<String> {
        let mut whole = Zeroizing::new(String::new());
        for part in template.parts() {
            match part {
                Part::Text(text) => whole.push_str(text),
                Part::Name(name) => {
                    let value = self.get(name);
                    if self.take(value.len()) {
                        whole.push_str(&Zeroizing::new(encode(value)));
                    }
                }
            }
        }
        whole
    }

    /// `template` with those values in that may be printed; other names stay names.
    pub(crate) fn preview(&self, template: &Template) -> String {
        let mut whole = String::new();
        for part in template.parts() {
            match part {
                Part::Text(text) => whole.push_str(text),
                Part::Name(name) if self.is_public(name) => whole.push_str(self.get(name)),
                Part::Name(name) => whole.push_str(&format!("${{{name}}}")),
            }
        }
        whole
    }

    /// Whether it has a value for `name` that may be printed.
    fn is_public(&self, name: &str) -> bool {
        self.values.contains_key(name) && !self.secrets.contains(name)
    }

    /// The value of a name that the profile was checked to know; empty where the run has none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.values.get(name).map_or("", |value| value.as_str())
    }

    #[cfg(test)]
    pub(crate) fn from_pairs<const N: usize>(values: [(&str, &str); N]) -> Self {
        let mut all = Self::default();
        values.into_iter().for_each(|(name, text)| all.set(name, text));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_of_values_is_bounded() {
        let long = "x".repeat(100_000);
        let mut values = Values::from_pairs([("a", long.as_str())]);
        let template = Template::parse(&"${a}".repeat(50)).unwrap();
        assert_eq!(values.render(&template).len(), 5_000_000);
        assert!(values.check_size().is_ok());
        assert!(values.render(&template).len() < 5_000_000);
        assert!(values.check_size().unwrap_err().render().contains("larger than 8388608 bytes"));
        assert!(values.render_user_name(&template).is_err());
        values.set_secret("b", &long);
        assert_eq!(values.get("b"), "");
    }

    #[test]
    fn a_value_is_not_a_template() {
        let values = Values::from_pairs([("robot", "${key}")]);
        let template = Template::parse("<${robot}>").unwrap();
        assert_eq!(*values.render(&template), "<${key}>");
    }
}
