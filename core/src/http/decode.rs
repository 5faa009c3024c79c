//! What a text may be an encoding of: bytes written in another alphabet, also in several nested
//! encodings.
//!
//! It is not known which encoding it is, where it begins, or what is between its characters. So
//! each alphabet is tried at each offset, and what is printable is kept. A text that is not
//! encoded gives almost nothing.

use std::collections::HashSet;

use super::normal_form::unescape_all;

/// How many nested encodings are decoded.
const DEPTH: usize = 4;

/// The shortest run of printable characters that is kept.
const SHORTEST: usize = 10;

/// The most that is kept in total, in bytes.
const MOST: usize = 64 * 1024;

/// What `text` may be an encoding of, nested encodings included; `None` if there is more than
/// can be compared.
pub(super) fn decode(text: &str) -> Option<Vec<String>> {
    let mut known = HashSet::new();
    let mut layer = vec![text.to_owned()];
    let mut left = MOST;
    for _ in 0..DEPTH {
        let mut next = Vec::new();
        for text in layer.iter().flat_map(|text| unescape_all(text)) {
            let reversed = text.chars().rev().collect();
            for found in [text, reversed].iter().flat_map(|text| decode_once(text)) {
                if known.insert(found.clone()) {
                    left = left.checked_sub(found.len())?;
                    next.push(found);
                }
            }
        }
        layer = next;
    }
    Some(known.into_iter().collect())
}

fn decode_once(text: &str) -> Vec<String> {
    let mut decoded = Vec::new();
    for alphabet in &ALPHABETS {
        let values: Vec<u8> = text.bytes().filter_map(alphabet.value).collect();
        for length in alphabet.lengths {
            for offset in 0..values.len().min(*length) {
                let groups = values[offset..].chunks(*length);
                decoded.extend(keep_printable(groups.flat_map(|group| alphabet.decode(group))));
            }
        }
    }
    decoded
}

/// An alphabet in which bytes are written. Other characters are skipped.
struct Alphabet {
    value: fn(u8) -> Option<u8>,
    radix: u64,
    /// How many characters encode how many bytes: in a whole group, and at the end.
    groups: &'static [(usize, usize)],
    /// How many characters a group may have. Some programs encode each byte separately.
    lengths: &'static [usize],
}

const BASE64_GROUPS: &[(usize, usize)] = &[(4, 3), (3, 2), (2, 1)];
const BASE32_GROUPS: &[(usize, usize)] = &[(8, 5), (7, 4), (5, 3), (4, 2), (2, 1)];

const ALPHABETS: [Alphabet; 12] = [
    Alphabet { value: hex, radix: 16, groups: &[(2, 1)], lengths: &[2] },
    Alphabet { value: base64, radix: 64, groups: BASE64_GROUPS, lengths: &[4, 3, 2] },
    // With `-` and `_` between its characters.
    Alphabet { value: base64_without_marks, radix: 64, groups: BASE64_GROUPS, lengths: &[4] },
    Alphabet { value: base32, radix: 32, groups: BASE32_GROUPS, lengths: &[8, 2] },
    Alphabet { value: base32_hex, radix: 32, groups: BASE32_GROUPS, lengths: &[8, 2] },
    Alphabet { value: ascii85, radix: 85, groups: &[(5, 4)], lengths: &[5] },
    Alphabet { value: z85, radix: 85, groups: &[(5, 4)], lengths: &[5] },
    Alphabet { value: base85_of_rfc_1924, radix: 85, groups: &[(5, 4)], lengths: &[5] },
    Alphabet { value: uuencode, radix: 64, groups: &[(4, 3)], lengths: &[4] },
    Alphabet { value: |c| digit(c, 2), radix: 2, groups: &[(8, 1)], lengths: &[8] },
    Alphabet { value: |c| digit(c, 8), radix: 8, groups: &[(3, 1)], lengths: &[3] },
    Alphabet { value: |c| digit(c, 10), radix: 10, groups: &[(3, 1)], lengths: &[3] },
];

impl Alphabet {
    /// The bytes of one group; none if it is incomplete.
    fn decode(&self, group: &[u8]) -> impl Iterator<Item = u8> + use<> {
        let known = self.groups.iter().find(|(length, _)| *length == group.len());
        let bytes = known.map_or(0, |(_, bytes)| *bytes);
        let number = group.iter().fold(0, |number, value| number * self.radix + u64::from(*value));
        // In base32 and base64, bits that do not fill a byte are at the end.
        let unused = match self.radix {
            32 | 64 => {
                (self.radix.ilog2() as usize * group.len()).saturating_sub(8 * bytes).min(63)
            }
            _ => 0,
        };
        let number = (number >> unused).to_be_bytes();
        number.into_iter().skip(number.len() - bytes)
    }
}

/// The printable runs, each on a line. NUL is skipped: UTF-16 text contains it.
fn keep_printable(bytes: impl Iterator<Item = u8>) -> Option<String> {
    let (mut kept, mut run) = (String::new(), String::new());
    for byte in bytes.filter(|byte| *byte != 0).chain([b'\n']) {
        if matches!(byte, b' '..=b'~') {
            run.push(char::from(byte));
            continue;
        }
        if run.len() >= SHORTEST {
            kept.push_str(&run);
            kept.push('\n');
        }
        run.clear();
    }
    Some(kept).filter(|kept| !kept.is_empty())
}

fn digit(c: u8, radix: u32) -> Option<u8> {
    char::from(c).to_digit(radix).and_then(|digit| u8::try_from(digit).ok())
}

fn hex(c: u8) -> Option<u8> {
    digit(c, 16)
}

/// RFC 4648 §4 and §5.
fn base64(c: u8) -> Option<u8> {
    match c {
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => base64_without_marks(c),
    }
}

fn base64_without_marks(c: u8) -> Option<u8> {
    match c {
        b'A'..=b'Z' => Some(c - b'A'),
        b'a'..=b'z' => Some(c - b'a' + 26),
        b'0'..=b'9' => Some(c - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// RFC 4648 §6, in any case.
fn base32(c: u8) -> Option<u8> {
    match c.to_ascii_uppercase() {
        c @ b'A'..=b'Z' => Some(c - b'A'),
        c @ b'2'..=b'7' => Some(c - b'2' + 26),
        _ => None,
    }
}

/// RFC 4648 §7, in any case.
fn base32_hex(c: u8) -> Option<u8> {
    digit(c, 32)
}

/// Adobe, PostScript Language Reference, "ASCII85Encode filter".
fn ascii85(c: u8) -> Option<u8> {
    matches!(c, b'!'..=b'u').then(|| c - b'!')
}

/// ZeroMQ RFC 32.
fn z85(c: u8) -> Option<u8> {
    position(
        b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#",
        c,
    )
}

fn base85_of_rfc_1924(c: u8) -> Option<u8> {
    position(
        b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~",
        c,
    )
}

fn position(alphabet: &[u8], c: u8) -> Option<u8> {
    alphabet.iter().position(|it| *it == c).and_then(|at| u8::try_from(at).ok())
}

/// POSIX, `uuencode`.
fn uuencode(c: u8) -> Option<u8> {
    matches!(c, b' '..=b'`').then(|| (c - b' ') & 63)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_undone() {
        for text in [
            "68756e746572322d626c7565",
            "6875 6e74 6572 322d 626c 7565",
            "the token aHVudGVyMi1ibHVl was wrong",
            "aHVudG-VyMi1ib_HVl",
            "aA==dQ==bg==dA==ZQ==cg==Mg==LQ==Yg==bA==dQ==ZQ==",
            "aA dQ bg dA ZQ cg Mg LQ Yg bA dQ ZQ",
            "NB2W45DFOIZC2YTMOVSQ====",
            "d1qmst35e8p2qojclli0====",
            r"BQ\37ATBOX@Vg0u",
            "xMXimwPxKTvR*f#",
            "XmxIMWpXktVr+F~",
            ",:'5N=&5R,BUB;'5E",
            "01101000 01110101 01101110 01110100 01100101 01110010 00110010 00101101 01100010 \
             01101100 01110101 01100101",
            "150165156164145162062055142154165145",
            "104117110116101114050045098108117101",
            // Nested.
            "NjE0ODU2NzU2NDQ3NTY3OTRkNjkzMTY5NjI0ODU2NmM=",
            "Njg3NTZlNzQ2NTcyMzIyZDYyNmM3NTY1",
            "JTY4JTc1JTZlJTc0JTY1JTcyJTMyJTJkJTYyJTZjJTc1JTY1",
            "WVVoV2RXUkhWbmxOYVRGcFlraFdiQT09",
            "aAB1AG4AdABlAHIAMgAtAGIAbAB1AGUA",
        ] {
            let decoded = decode(text).unwrap();
            assert!(decoded.iter().any(|it| it.contains("hunter2-bl")), "{text}: {decoded:?}");
        }
    }

    #[test]
    fn next_to_nothing_comes_out_of_words() {
        let words = "AADSTS700016: Application with identifier 'a1b2c3d4-0000-4444-8888-123456789abc' \
                     was not found in the directory 'Contoso'. This can happen if the application \
                     has not been installed by the administrator of the tenant. Trace ID: \
                     0b1c2d3e-aaaa-bbbb-cccc-1234567890ab Timestamp: 2026-03-11 10:19:24Z";
        let kept: usize = decode(words).unwrap().iter().map(String::len).sum();
        assert!(kept < 200, "{kept}");
    }

    #[test]
    fn an_endless_nest_is_cut_off() {
        // Zeros are zeros in hexadecimal, in hexadecimal.
        assert!(decode(&"3".repeat(40_000)).is_none());
        assert!(decode(&"\0".repeat(4096)).is_some());
    }
}
