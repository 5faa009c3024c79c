//! What the names of a profile stand for in one run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use pullpass::http::SentSecrets;
use pullpass::{Error, Image, Request, Token, file, one_line};
use regex_lite::Regex;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};

/// The longest value of an annotation or a part of an image, in bytes.
const LONGEST: usize = 256;

/// A name that a profile declares.
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) source: Source,
}

/// Where its value comes from.
#[derive(Debug)]
pub(crate) enum Source {
    /// An annotation of the service account, which must match whole.
    Annotation { key: String, pattern: Pattern, default: Option<String> },
    /// A part of the image's name, which must match whole.
    Image { part: ImagePart, pattern: Pattern },
    /// A secret of the operator's.
    File(PathBuf),
}

/// A part of an image's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImagePart {
    Registry,
    Host,
    Repository,
}

impl ImagePart {
    fn of(self, image: &Image) -> &str {
        match self {
            Self::Registry => image.registry(),
            Self::Host => image.host(),
            Self::Repository => image.repository(),
        }
    }
}

/// A regular expression that a whole text must match. Its time is linear in the text.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(Regex);

impl Pattern {
    /// Compiles `text`, to match from the first character to the last.
    ///
    /// # Errors
    /// A text on what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        // Alone first: `a)(b` is none, and would be one in the parentheses below.
        Regex::new(text)
            .and_then(|_| Regex::new(&format!("^(?:{text})$")))
            .map(Self)
            .map_err(|error| format!("it is no regular expression: {error}"))
    }

    /// What `text` gives: the group `name`, else the first group, else the whole; `None` where
    /// that took no part.
    pub(crate) fn take<'t>(&self, text: &'t str, name: &str) -> Option<&'t str> {
        let found = self.0.captures(text)?;
        // A group that is there and took no part gives nothing, not the whole.
        let group = match self.0.capture_names().flatten().any(|known| known == name) {
            true => found.name(name),
            false if self.0.captures_len() > 1 => found.get(1),
            false => found.get(0),
        };
        group.map(|group| group.as_str())
    }
}

/// Values by name. They do not print.
#[derive(Default)]
pub(crate) struct Values {
    values: BTreeMap<String, Zeroizing<String>>,
    secrets: BTreeSet<String>,
    /// The secret ones: no server's word that repeats one is shown.
    pub(crate) sent: SentSecrets,
}

impl Values {
    /// What is known before the first call.
    ///
    /// # Errors
    /// Of kind Identity, when the service account lacks an annotation, or it does not match; of
    /// kind Config, when the image does not match, or a file cannot be read.
    pub(crate) fn gather(variables: &[Variable], request: &Request) -> Result<Self, Error> {
        let account = request.service_account.as_ref();
        let mut values = Self::of_image(&request.image);
        if let Some(account) = account {
            values.set_claims(&account.token);
        }
        let annotations = account.map(|account| &account.annotations);
        for variable in variables {
            match &variable.source {
                Source::File(path) => {
                    values.set_secret(&variable.name, read_secret(path)?.expose_secret());
                }
                _ => {
                    let value = variable.public(&request.image, annotations)?.unwrap_or_default();
                    values.set(&variable.name, value);
                }
            }
        }
        Ok(values)
    }

    /// What the image alone says.
    pub(crate) fn of_image(image: &Image) -> Self {
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
        self.values.insert(name.to_owned(), Zeroizing::new(text.to_owned()));
    }

    /// Sets what may not.
    pub(crate) fn set_secret(&mut self, name: &str, text: &str) {
        self.sent.remember(text);
        self.set(name, text);
        self.secrets.insert(name.to_owned());
    }

    /// The value of a name, where it may be printed.
    pub(crate) fn preview(&self, name: &str) -> Option<&str> {
        let is_secret = self.secrets.contains(name);
        self.values.get(name).map(|value| value.as_str()).filter(|_| !is_secret)
    }

    /// The value of a name that the profile was checked to know; empty where the run has none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.values.get(name).map_or("", |value| value.as_str())
    }

    #[cfg(test)]
    pub(crate) fn of<const N: usize>(values: [(&str, &str); N]) -> Self {
        let mut all = Self::default();
        values.into_iter().for_each(|(name, text)| all.set(name, text));
        all
    }
}

impl Variable {
    /// Its value, where it is no secret.
    ///
    /// # Errors
    /// As [`Values::gather`].
    pub(crate) fn public<'a>(
        &'a self,
        image: &'a Image,
        annotations: Option<&'a BTreeMap<String, String>>,
    ) -> Result<Option<&'a str>, Error> {
        let name = &self.name;
        match &self.source {
            Source::File(_) => Ok(None),
            Source::Image { part, pattern } => {
                let text = part.of(image);
                let value = pattern.take(text, name).filter(|it| it.len() <= LONGEST);
                value.map(Some).ok_or_else(|| {
                    Error::config(format!(
                        "`{}` does not match the pattern of the variable `{name}`",
                        one_line(text)
                    ))
                    .with_hint("narrow the profile's `registries`, or widen the pattern")
                })
            }
            Source::Annotation { key, pattern, default } => {
                match (annotations.and_then(|all| all.get(key)), default) {
                    // One that is there and does not fit is never passed over.
                    (Some(text), _) => {
                        let value = Some(text).filter(|text| text.len() <= LONGEST);
                        value.and_then(|text| pattern.take(text, name)).map(Some).ok_or_else(|| {
                            Error::identity(format!(
                                "annotation `{key}` does not match the pattern of the variable `{name}`"
                            ))
                            .with_hint("correct the annotation; the profile says what it may be")
                        })
                    }
                    (None, Some(default)) => Ok(Some(default)),
                    (None, None) => Err(Error::identity(format!("annotation `{key}` is missing"))
                        .with_hint(
                            "annotate the service account and list the key in `tokenAttributes`: \
                             a key that is not listed there never comes here",
                        )),
                }
            }
        }
    }
}

/// A secret in a file, without the line break at its end.
///
/// # Errors
/// Of kind Config, when it cannot be read, or is empty.
pub(crate) fn read_secret(path: &std::path::Path) -> Result<SecretString, Error> {
    let text = Zeroizing::new(
        file::read_text(path).map_err(|error| error.with_hint("the profile names this file"))?,
    );
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(Error::config(format!("`{}` is empty", path.display()))
            .with_hint("write the secret into it, and nothing else")),
        secret => Ok(secret.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_whole_and_takes_its_group() {
        let take = |pattern: &str, text: &'static str| {
            Pattern::parse(pattern).unwrap().take(text, "region")
        };
        assert_eq!(take("[a-z]+", "abc"), Some("abc"));
        assert_eq!(take("[a-z]+", "abc1"), None);
        assert_eq!(take("a|b", "ab"), None, "an alternative is no escape");
        assert_eq!(take("[a-z]+", "abc\n"), None);
        assert_eq!(take("(?<region>[a-z0-9-]+)\\.reg\\.example", "eu-1.reg.example"), Some("eu-1"));
        assert_eq!(take("(?:.*/users/)?([^/]+)", "x/users/me"), Some("me"));
        assert_eq!(take("(?:.*/users/)?([^/]+)", "me"), Some("me"));
        assert_eq!(take("(?:(?<region>eu|us)|[a-z]+)", "xx"), None);
        assert!(Pattern::parse("a)(b").is_err());
        assert!(Pattern::parse("(").is_err());
    }
}
