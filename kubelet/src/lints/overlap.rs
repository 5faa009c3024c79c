//! Patterns of two providers that cover the same images.

use std::collections::{HashMap, HashSet};

use crate::config::Provider;
use crate::go::url::split_port;
use crate::lints::Lint;
use crate::matching::Pattern;
use crate::source::Spanned;

/// More would drown the rest.
const MOST_LINTS: usize = 50;

struct Shape<'a> {
    provider: usize,
    text: &'a Spanned<String>,
    /// From the right, where hosts differ most.
    labels: Vec<Vec<u8>>,
    has_star: bool,
    path: Vec<u8>,
}

pub(super) fn check(providers: &[Provider], lints: &mut Vec<Lint>) {
    let mut groups: HashMap<(Vec<u8>, usize), Vec<Shape<'_>>> = HashMap::new();
    for (provider, entry) in providers.iter().enumerate() {
        for text in &entry.match_images {
            let Ok(pattern) = Pattern::parse(text) else { continue };
            let (host, port) = split_port(&pattern.url().host);
            let labels: Vec<Vec<u8>> =
                host.rsplit(|byte| *byte == b'.').map(<[u8]>::to_vec).collect();
            let shape = Shape {
                provider,
                text,
                has_star: host.contains(&b'*'),
                path: pattern.url().path.clone(),
                labels,
            };
            groups.entry((port.to_vec(), shape.labels.len())).or_default().push(shape);
        }
    }
    let mut pairs = Vec::new();
    for group in groups.values() {
        collect(group, &mut pairs);
    }
    pairs.sort_by_key(|(earlier, later)| (later.provider, earlier.provider));
    let mut seen = HashSet::new();
    pairs.retain(|(earlier, later)| seen.insert((earlier.provider, later.provider)));
    for (earlier, later) in pairs.into_iter().take(MOST_LINTS) {
        let name = &providers[earlier.provider].name.value;
        lints.push(Lint::warning(
            "overlapping-patterns",
            &later.text.location,
            format!(
                "`{}` and `{}` of provider `{name}` can cover the same image; both plugins run, \
                 one after the other, and all their credentials are tried",
                later.text.value, earlier.text.value
            ),
            "leave each image to one provider".to_owned(),
        ));
    }
}

/// The pairs of different providers in a group; literal hosts meet through a map.
fn collect<'a>(group: &'a [Shape<'a>], pairs: &mut Vec<(&'a Shape<'a>, &'a Shape<'a>)>) {
    let mut literal: HashMap<&[Vec<u8>], Vec<&Shape<'_>>> = HashMap::new();
    let mut starred: Vec<&Shape<'_>> = Vec::new();
    for later in group {
        let mut meet = |earlier: &&'a Shape<'a>| {
            if earlier.provider != later.provider && overlap(earlier, later) {
                pairs.push((earlier, later));
            }
        };
        starred.iter().for_each(&mut meet);
        if later.has_star {
            literal.values().flatten().for_each(&mut meet);
            starred.push(later);
        } else {
            let same = literal.entry(later.labels.as_slice()).or_default();
            same.iter().for_each(&mut meet);
            same.push(later);
        }
    }
}

fn overlap(a: &Shape<'_>, b: &Shape<'_>) -> bool {
    (a.path.starts_with(&b.path) || b.path.starts_with(&a.path))
        && a.labels.iter().zip(&b.labels).all(|(a, b)| labels_meet(a, b))
}

/// Whether some label is covered by both. Stars aside every byte stands for itself.
fn labels_meet(a: &[u8], b: &[u8]) -> bool {
    // `row[at]`: whether what is left of `a` meets `b[at..]`; filled from the ends.
    let mut row = vec![false; b.len() + 1];
    for left in (0..=a.len()).rev() {
        let below = row.clone();
        for right in (0..=b.len()).rev() {
            let next = row.get(right + 1).copied().unwrap_or_default();
            let both = below.get(right + 1).copied().unwrap_or_default();
            row[right] = match (a.get(left), b.get(right)) {
                (None, None) => true,
                (Some(b'*'), _) | (_, Some(b'*')) => (left < a.len() && below[right]) || next,
                (Some(x), Some(y)) => x == y && both,
                _ => false,
            };
        }
    }
    row[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels() {
        for (a, b, meet) in [
            ("*", "abc", true),
            ("a*", "*c", true),
            ("a*", "b*", false),
            ("a*c", "abc", true),
            ("a*c", "ab", false),
            ("", "*", true),
            ("", "a", false),
            ("a*b*c", "a*x*c", true),
        ] {
            assert_eq!(labels_meet(a.as_bytes(), b.as_bytes()), meet, "{a} {b}");
            assert_eq!(labels_meet(b.as_bytes(), a.as_bytes()), meet, "{b} {a}");
        }
    }
}
