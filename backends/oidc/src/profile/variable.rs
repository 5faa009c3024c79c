//! The names that a profile declares, and where their values come from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pullpass::{Error, Image, one_line};

use super::field::ImagePart;
use super::pattern::Pattern;
use super::raw::RawVariable;
use super::template::{Scope, Sensitivity, is_name};

/// The longest annotation or part of an image that is read, in bytes.
const MAX_LENGTH: usize = 256;

/// A name that a profile declares, without a fixed value.
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
    /// A file with a secret.
    File(PathBuf),
}

impl Variable {
    /// Its value, where it is not a secret.
    ///
    /// # Errors
    /// Identity, when the service account lacks the annotation, or it does not match; config, when
    /// the image does not match.
    pub(crate) fn public_value<'a>(
        &'a self,
        image: &'a Image,
        annotations: Option<&'a BTreeMap<String, String>>,
    ) -> Result<Option<&'a str>, Error> {
        let name = &self.name;
        let extract = |pattern: &Pattern, text: &'a str| {
            pattern.extract(text, name).filter(|_| text.len() <= MAX_LENGTH)
        };
        match &self.source {
            Source::File(_) => Ok(None),
            Source::Image { part, pattern } => {
                let text = part.select(image);
                extract(pattern, text).map(Some).ok_or_else(|| {
                    Error::config(format!(
                        "`{}` does not match the pattern of the variable `{name}`",
                        one_line(text)
                    ))
                    .with_hint("narrow the profile's `registries`, or widen the pattern")
                })
            }
            Source::Annotation { key, pattern, default } => {
                match (annotations.and_then(|all| all.get(key)), default) {
                    // An annotation that does not match is an error, also where there is a default.
                    (Some(text), _) => extract(pattern, text).map(Some).ok_or_else(|| {
                        Error::identity(format!(
                            "annotation `{key}` does not match the pattern of the variable `{name}`"
                        ))
                        .with_hint("correct the annotation; the profile has the pattern")
                    }),
                    (None, Some(default)) => Ok(Some(default)),
                    (None, None) => Err(Error::identity(format!("annotation `{key}` is missing"))
                        .with_hint(
                            "annotate the service account, and list the key in `tokenAttributes`: \
                             the kubelet passes on only the keys that are listed there",
                        )),
                }
            }
        }
    }
}

/// The names of a profile: the scope for its templates, and the variables without a fixed value.
///
/// # Errors
/// What is wrong, when a variable has an invalid name, no source or several, or a default that does
/// not match its pattern.
pub(super) fn compile(
    raw: Vec<RawVariable>,
    folder: &Path,
) -> Result<(Scope, Vec<Variable>), String> {
    let (mut scope, mut variables) = (Scope::default(), Vec::new());
    for (at, raw) in raw.into_iter().enumerate() {
        let name = raw.name;
        if !is_name(&name) || name.contains('.') {
            return Err(format!(
                "`variables[{at}].name` can only have letters, digits, `-` and `_`"
            ));
        }
        if scope.has(&name) {
            return Err(format!("two variables are named `{name}`"));
        }
        let source = match (raw.value, raw.from_annotation, raw.from_image, raw.from_file) {
            (Some(text), None, None, None) => {
                scope.constants.insert(name, text);
                continue;
            }
            (None, Some(raw), None, None) => {
                let default = raw.default.as_deref().filter(|default| !default.is_empty());
                if default.is_some_and(|it| raw.pattern.extract(it, &name).is_none()) {
                    return Err(format!("the default of `{name}` does not match its pattern"));
                }
                Source::Annotation { key: raw.key, pattern: raw.pattern, default: raw.default }
            }
            (None, None, Some(raw), None) => Source::Image { part: raw.part, pattern: raw.pattern },
            (None, None, None, Some(file)) => Source::File(folder.join(file)),
            _ => {
                return Err(format!(
                    "variable `{name}` needs one of `value`, `fromAnnotation`, `fromImage` and `fromFile`"
                ));
            }
        };
        let sensitivity = match source {
            Source::File(_) => Sensitivity::Secret,
            Source::Annotation { .. } | Source::Image { .. } => Sensitivity::Public,
        };
        scope.names.insert(name.clone(), sensitivity);
        variables.push(Variable { name, source });
    }
    Ok((scope, variables))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::file;

    fn value_of(from: &str, image: &str) -> Result<String, String> {
        let text = format!(
            "apiVersion: pullpass.dev/v1alpha1\nkind: OIDCExchangeConfig\nprofiles:\n\
             - name: a\n  registries: [r.io]\n  serviceAccountToken: {{audience: a}}\n  \
             variables: [{{name: v, fromImage: {from}}}]\n  \
             exchange: {{type: passthrough}}\n  response: {{username: {{value: '${{v}}'}}}}\n"
        );
        let profiles = file::parse(&text, Path::new("/")).map_err(|error| error.render())?;
        let image = Image::parse(image).unwrap();
        let value = profiles[0].variables[0].public_value(&image, None);
        value.map(|value| value.unwrap().to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_part_of_the_image_must_match_whole() {
        let team = "{part: repository, pattern: '([a-z]+)/.*'}";
        assert_eq!(value_of(team, "r.io/blue/app"), Ok("blue".to_owned()));
        let wrong = "does not match the pattern of the variable `v`";
        for image in ["r.io/Blue/app", "r.io/blue", "r.io/1/blue/app"] {
            assert!(value_of(team, image).unwrap_err().contains(wrong), "{image}");
        }
        let registry = "{part: registry, pattern: '[a-z.:0-9]+'}";
        assert_eq!(value_of(registry, "r.io:5000/a"), Ok("r.io:5000".to_owned()));
        let long = format!("r.io/{}", "a".repeat(MAX_LENGTH + 1));
        let any = "{part: repository, pattern: '.*'}";
        assert!(value_of(any, &long).unwrap_err().contains(wrong));
        assert!(value_of(any, &long[..long.len() - 1]).is_ok());
    }
}
