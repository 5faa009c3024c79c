//! Values of fields, and the words for those that cannot be.

use std::fmt;
use std::time::Duration;

use pullpass::GoDuration;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::engine::values::Pattern;
use crate::profile::raw::RawUsername;
use crate::profile::template::Template;
use crate::registry::Registry;

/// A field that may be left out, but not left empty: `issuer:` with nothing behind it would
/// switch a check off.
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// `username: NAME` is what everybody writes first, so it means `{value: NAME}`.
pub(crate) fn username<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<RawUsername>, D::Error> {
    struct NameOrPlace;

    impl<'de> Visitor<'de> for NameOrPlace {
        type Value = RawUsername;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a name, `{value: NAME}` or `{pointer: /json/pointer}`")
        }

        fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<RawUsername, E> {
            let value = Text::parse(name).map_err(E::custom)?;
            Ok(RawUsername { value: Some(value), ..RawUsername::default() })
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawUsername, A::Error> {
            RawUsername::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_any(NameOrPlace).map(Some)
}

/// A text that may hold `${name}`.
#[derive(Clone)]
pub(crate) struct Text(pub(crate) String);

impl Text {
    fn parse(text: &str) -> Result<Self, String> {
        Template::parse(text)?;
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A registry's pattern; checked here where nothing is to be put in.
pub(crate) struct RegistryText(pub(crate) String);

impl<'de> Deserialize<'de> for RegistryText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.contains("${") {
            true => Template::parse(&text).map(drop).map_err(D::Error::custom)?,
            false => Registry::parse(&text).map(drop).map_err(D::Error::custom)?,
        }
        Ok(Self(text))
    }
}

/// A regular expression that must match whole.
pub(crate) struct RegexText(pub(crate) Pattern);

impl<'de> Deserialize<'de> for RegexText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Pattern::parse(&text).map(Self).map_err(D::Error::custom)
    }
}

/// A JSON pointer (RFC 6901).
pub(crate) struct Pointer(pub(crate) String);

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

impl Span {
    /// Reads one.
    ///
    /// # Errors
    /// A text on what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let duration: GoDuration = text.parse().map_err(|error| format!("{error}"))?;
        duration.to_std().map(Self).ok_or_else(|| "a duration cannot be negative".to_owned())
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A duration; checked here where nothing is to be put in.
pub(crate) struct SpanText(pub(crate) String);

impl<'de> Deserialize<'de> for SpanText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.contains("${") {
            true => Template::parse(&text).map(drop).map_err(D::Error::custom)?,
            false => Span::parse(&text).map(drop).map_err(D::Error::custom)?,
        }
        Ok(Self(text))
    }
}

/// One text, or a list of them.
#[derive(Default)]
pub(crate) struct OneOrMany(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrList;

        impl<'de> Visitor<'de> for TextOrList {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E>(self, text: &str) -> Result<OneOrMany, E> {
                let texts = Some(text.to_owned()).filter(|text| !text.is_empty());
                Ok(OneOrMany(texts.into_iter().collect()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(OneOrMany(texts))
            }
        }

        deserializer.deserialize_any(TextOrList)
    }
}
