//! Whether a text is a key of an annotation: Kubernetes' "qualified name".

use crate::version::Target;

const NAME_FORM: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start \
     and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex \
     used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const SUBDOMAIN_FORM: &str = "a lowercase RFC 1123 subdomain must consist of lower case \
     alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character \
     (e.g. 'example.com', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/// What is wrong with `key`, in Kubernetes' words.
pub(super) fn faults(key: &str, target: &Target) -> Vec<String> {
    let later = target.version.minor() >= 35;
    let unit = if later { "bytes" } else { "characters" };
    let mut faults = Vec::new();
    let name = match key.split('/').collect::<Vec<_>>().as_slice() {
        [name] => *name,
        [prefix, name] => {
            if prefix.is_empty() {
                faults.push("prefix part must be non-empty".to_owned());
            } else {
                if prefix.len() > 253 {
                    faults.push(format!("prefix part must be no more than 253 {unit}"));
                }
                if !is_subdomain(prefix) {
                    faults.push(format!("prefix part {SUBDOMAIN_FORM}"));
                }
            }
            *name
        }
        _ => {
            let what = if later { "a valid label key" } else { "a qualified name" };
            return vec![format!(
                "{what} {NAME_FORM} with an optional DNS subdomain prefix and '/' \
                 (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        faults.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        faults.push(format!("name part must be no more than 63 {unit}"));
    }
    if !is_name(name) {
        faults.push(format!("name part {NAME_FORM}"));
    }
    faults
}

fn is_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    name.bytes().all(inner)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
}

fn is_subdomain(prefix: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    prefix.split('.').all(|label| {
        label.chars().all(|c| word(c) || c == '-')
            && label.starts_with(word)
            && label.ends_with(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::KubeletVersion;

    #[test]
    fn a_prefix_is_a_dns_subdomain() {
        let target = Target::new(KubeletVersion::NEWEST);
        let long = format!("{}/x", ["a".repeat(63).as_str(); 4].join("."));
        let subdomain = format!("prefix part {SUBDOMAIN_FORM}");
        for key in ["a/x", "a.b-c.d/x", "0.io/x", &long[3..]] {
            assert_eq!(faults(key, &target), Vec::<String>::new(), "{key}");
        }
        for key in
            ["a_b/x", "-a/x", "a-/x", "a.-b/x", "a..b/x", ".a/x", "a./x", "\u{e9}.io/x", "A/x"]
        {
            assert_eq!(faults(key, &target), [subdomain.as_str()], "{key}");
        }
        assert_eq!(faults(&long, &target), ["prefix part must be no more than 253 bytes"]);
        let both = faults(&format!("{}_/x", "a".repeat(253)), &target);
        assert_eq!(both, ["prefix part must be no more than 253 bytes", subdomain.as_str()]);
    }
}
