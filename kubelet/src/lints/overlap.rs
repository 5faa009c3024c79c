//! Patterns of two providers that cover the same images.

use std::collections::{HashMap, HashSet};

use crate::config::CredentialProvider;
use crate::go::url::split_port;
use crate::lints::Lint;
use crate::pattern::Pattern;
use crate::source::Spanned;

/// More would hide the rest.
const MOST_LINTS: usize = 50;

/// How many pairs of patterns are compared at most; some tenths of a second.
const MOST_COMPARISONS: usize = 2_000_000;

struct Shape<'a> {
    provider: usize,
    pattern: &'a Spanned<Pattern>,
    /// From the right, where hosts differ most.
    labels: Vec<Vec<u8>>,
    path: Vec<u8>,
}

pub(super) fn check(providers: &[CredentialProvider], lints: &mut Vec<Lint>) {
    let mut groups: HashMap<(Vec<u8>, usize), Vec<Shape<'_>>> = HashMap::new();
    for (provider, entry) in providers.iter().enumerate() {
        for pattern in &entry.match_images {
            let (host, port) = split_port(&pattern.url().host);
            let labels: Vec<Vec<u8>> =
                host.rsplit(|byte| *byte == b'.').map(<[u8]>::to_vec).collect();
            let shape = Shape { provider, pattern, path: pattern.url().path.clone(), labels };
            groups.entry((port.to_vec(), shape.labels.len())).or_default().push(shape);
        }
    }
    let mut pairs = Pairs { found: Vec::new(), left: MOST_COMPARISONS };
    for group in groups.values() {
        pairs.collect(group);
    }
    if pairs.left == 0
        && let Some(first) = providers.first()
    {
        lints.push(Lint::advice(
            "overlap-unknown",
            &first.location,
            "there are too many patterns to compare all pairs; some may cover the same images"
                .to_owned(),
            "write fewer patterns with `*`".to_owned(),
        ));
    }
    let mut pairs = pairs.found;
    pairs.sort_by_key(|(earlier, later)| (later.provider, earlier.provider));
    let mut seen = HashSet::new();
    pairs.retain(|(earlier, later)| seen.insert((earlier.provider, later.provider)));
    for (earlier, later) in pairs.into_iter().take(MOST_LINTS) {
        let name = &providers[earlier.provider].name.value;
        lints.push(Lint::warning(
            "overlapping-patterns",
            &later.pattern.location,
            format!(
                "`{}` and `{}` of provider `{name}` can cover the same image; both plugins run, \
                 one after the other, and all their credentials are tried",
                later.pattern.value, earlier.pattern.value
            ),
            "change the patterns so that one provider covers each image".to_owned(),
        ));
    }
}

/// Patterns of different providers that can cover the same image.
struct Pairs<'a> {
    found: Vec<(&'a Shape<'a>, &'a Shape<'a>)>,
    /// How many more may be compared.
    left: usize,
}

impl<'a> Pairs<'a> {
    /// Adds the pairs of a group. Two patterns without a star in a label overlap only
    /// if the label is the same, so they are grouped by the label with the most different
    /// values first.
    fn collect(&mut self, group: &'a [Shape<'a>]) {
        if group.iter().all(|shape| shape.provider == group[0].provider) {
            return;
        }
        let position = telling_label(group);
        let mut literal: HashMap<&[u8], Vec<&Shape<'_>>> = HashMap::new();
        let mut starred: Vec<&Shape<'_>> = Vec::new();
        for later in group {
            if self.left == 0 {
                return;
            }
            self.compare(&starred, later);
            let label = later.labels[position].as_slice();
            if label.contains(&b'*') {
                literal.values().for_each(|earlier| self.compare(earlier, later));
                starred.push(later);
            } else {
                let same = literal.entry(label).or_default();
                self.compare(same, later);
                same.push(later);
            }
        }
    }

    fn compare(&mut self, earlier: &[&'a Shape<'a>], later: &'a Shape<'a>) {
        // In the order of the providers, so that this provider's patterns come last.
        let others = earlier.partition_point(|shape| shape.provider < later.provider);
        let count = others.min(self.left);
        self.left -= count;
        let meet = |earlier: &&&Shape<'_>| overlap(earlier, later);
        self.found.extend(earlier[..count].iter().filter(meet).map(|earlier| (*earlier, later)));
    }
}

/// The label with the most different values without a star.
fn telling_label(group: &[Shape<'_>]) -> usize {
    let count = group.first().map_or(0, |shape| shape.labels.len());
    let values = |position: &usize| {
        let labels = group.iter().map(|shape| shape.labels[*position].as_slice());
        labels.filter(|label| !label.contains(&b'*')).collect::<HashSet<_>>().len()
    };
    (0..count).max_by_key(values).unwrap_or_default()
}

fn overlap(a: &Shape<'_>, b: &Shape<'_>) -> bool {
    (a.path.starts_with(&b.path) || b.path.starts_with(&a.path))
        && a.labels.iter().zip(&b.labels).all(|(a, b)| labels_meet(a, b))
}

/// Whether some label is covered by both. Every byte but `*` is literal.
fn labels_meet(a: &[u8], b: &[u8]) -> bool {
    // Nearly all pairs differ before their first star or after their last one.
    let differ = |(x, y): (&u8, &u8)| x != y && *x != b'*' && *y != b'*';
    let star = |(x, y): (&u8, &u8)| *x == b'*' || *y == b'*';
    let ahead = a.iter().zip(b).find(|pair| differ(*pair) || star(*pair));
    let behind = a.iter().rev().zip(b.iter().rev()).find(|pair| differ(*pair) || star(*pair));
    if ahead.is_some_and(differ) || behind.is_some_and(differ) {
        return false;
    }
    if !a.contains(&b'*') && !b.contains(&b'*') {
        return a == b;
    }
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
