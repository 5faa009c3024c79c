//! Names of fields that are nearly right, or right elsewhere.

use crate::distance::distance;
use crate::finding::Finding;

/// The fields of a document, of a provider, of a variable and of `tokenAttributes`.
const FIELDS: [(&str, &[&str]); 4] = [
    ("the document", &["apiVersion", "kind", "providers"]),
    (
        "a provider",
        &[
            "name",
            "matchImages",
            "defaultCacheDuration",
            "apiVersion",
            "args",
            "env",
            "tokenAttributes",
        ],
    ),
    ("an entry of `env`", &["name", "value"]),
    (
        "`tokenAttributes`",
        &[
            "serviceAccountTokenAudience",
            "cacheType",
            "requireServiceAccount",
            "requiredServiceAccountAnnotationKeys",
            "optionalServiceAccountAnnotationKeys",
        ],
    ),
];

/// What to do about a field that the kubelet does not know.
pub(super) fn unknown(finding: &Finding) -> String {
    // `unknown field "providers[0].env[1].valu"`
    let path = finding.message.split('"').nth(1).unwrap_or_default();
    let (parent, field) = path.rsplit_once('.').unwrap_or(("", path));
    let place = if parent.ends_with("tokenAttributes") {
        3
    } else if parent.contains("env[") {
        2
    } else {
        usize::from(!parent.is_empty())
    };
    let fields = || FIELDS[place].1.iter().copied();
    if let Some(known) = nearest(field, fields()) {
        return format!("did you mean `{known}`?");
    }
    for (other, (owner, names)) in FIELDS.iter().enumerate() {
        if other != place && names.contains(&field) {
            return format!("it is a field of {owner}: check the indentation");
        }
    }
    format!(
        "remove it, or correct its name; the fields of {} are `{}`",
        FIELDS[place].0,
        fields().collect::<Vec<&str>>().join("`, `")
    )
}

/// The known name that differs by case, by one of the two most common endings, or by two letters
/// at most.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    known
        .map(|known| (distance(&lower, &known.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= 2.min(known.len() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::FindingCode;

    #[test]
    fn unknown_fields() {
        for (path, expected) in [
            ("providers[0].matchImage", "did you mean `matchImages`?"),
            ("providers[0].MatchImages", "did you mean `matchImages`?"),
            ("providers[0].env[2].vlaue", "did you mean `value`?"),
            ("provider", "did you mean `providers`?"),
            ("providers[1].cacheType", "it is a field of `tokenAttributes`: check the indentation"),
            ("matchImages", "it is a field of a provider: check the indentation"),
            (
                "providers[0].env[0].secret",
                "remove it, or correct its name; the fields of an entry of `env` are `name`, `value`",
            ),
        ] {
            let message = format!("unknown field \"{path}\"");
            assert_eq!(unknown(&Finding::new(FindingCode::UnknownField, message)), expected);
        }
    }
}
