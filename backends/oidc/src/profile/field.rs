//! Values of fields, parsed where the file is read.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use pullpass::http::ProxyMode;
use pullpass::{GoDuration, Image};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use url::Url;

use super::template::{Scope, Template};

/// A field that may be left out, but not left empty: `issuer:` without a value would switch a
/// check off.
pub(crate) fn require_value<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// What to do where there are no credentials to give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Policy {
    /// An error.
    #[default]
    Fail,
    /// A response without credentials: the kubelet pulls anonymously.
    Empty,
}

/// A part of an image's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ImagePart {
    Registry,
    #[default]
    Host,
    Repository,
}

impl ImagePart {
    /// That part of `image`.
    pub(crate) fn select(self, image: &Image) -> &str {
        match self {
            Self::Registry => image.registry(),
            Self::Host => image.host(),
            Self::Repository => image.repository(),
        }
    }
}

/// A value in which `${name}` of constants may be used: parsed at once if it has none.
pub(crate) enum Constant<T> {
    Value(T),
    Template(Template),
}

impl<T: FromStr<Err: fmt::Display>> Constant<T> {
    /// The value, with the constants of `scope` in.
    ///
    /// # Errors
    /// What is wrong, when a name is not a constant, or the value cannot be parsed.
    pub(crate) fn resolve(self, scope: &Scope) -> Result<T, String> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Template(template) => {
                let text = template.constant(scope)?;
                text.parse().map_err(|error: T::Err| error.to_string())
            }
        }
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Constant<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let template = Template::deserialize(deserializer)?;
        match template.as_text() {
            Some(text) => text.parse().map(Self::Value).map_err(D::Error::custom),
            None => Ok(Self::Template(template)),
        }
    }
}

/// A JSON pointer (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointer(String);

impl Pointer {
    /// A pointer that is known to be valid.
    pub(crate) fn from_static(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// As `serde_json` takes it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.starts_with('/') {
            true => Ok(Self(text)),
            false => Err(D::Error::custom("a JSON pointer starts with `/`")),
        }
    }
}

/// A duration in Go's form, not negative.
#[derive(Clone, Copy)]
pub(crate) struct Span(pub(crate) Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The parser's own error repeats the text.
        let duration: GoDuration = text
            .parse()
            .map_err(|_| "must be a duration with units, such as `90s` or `1h30m`".to_owned())?;
        duration.to_std().map(Self).ok_or_else(|| "a duration cannot be negative".to_owned())
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// `http.proxy`.
pub(crate) struct Proxy(pub(crate) ProxyMode);

impl<'de> Deserialize<'de> for Proxy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mode = match String::deserialize(deserializer)?.as_str() {
            "inherit" => Some(ProxyMode::Inherit),
            "none" => Some(ProxyMode::Direct),
            text => Url::parse(text)
                .ok()
                .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
                .map(ProxyMode::Through),
        };
        // The text is not repeated: it may hold a password.
        mode.map(Self).ok_or_else(|| {
            D::Error::custom("must be `inherit`, `none` or an `http://` or `https://` URL")
        })
    }
}

/// One text, or a list of them. An empty text means no text.
#[derive(Default)]
pub(crate) struct OneOrMany(pub(crate) Vec<Template>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrList;

        impl<'de> Visitor<'de> for TextOrList {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                let template = Template::parse(text).map_err(E::custom)?;
                Ok(OneOrMany(Some(template).filter(|_| !text.is_empty()).into_iter().collect()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut templates = Vec::new();
                while let Some(template) = list.next_element()? {
                    templates.push(template);
                }
                Ok(OneOrMany(templates))
            }
        }

        deserializer.deserialize_any(TextOrList)
    }
}
