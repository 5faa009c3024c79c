//! Base64 in lines as RFC 7468 §2 has them: single bytes are decoded in place.
//!
//! The content is public, so nothing here needs to take constant time.

/// Characters in each line but the last.
const WIDTH: usize = 64;

/// Lines of 64 characters, and a last one of at most as many, each with an LF.
pub(super) struct Base64Lines<'a>(&'a [u8]);

impl<'a> Base64Lines<'a> {
    /// `None` where a line is longer or shorter.
    pub(super) fn new(text: &'a [u8]) -> Option<Self> {
        text.chunks(WIDTH + 1).all(|line| line.last() == Some(&b'\n')).then_some(Self(text))
    }

    /// How many characters there are, without line ends.
    pub(super) fn characters(&self) -> usize {
        self.0.len() - self.0.len().div_ceil(WIDTH + 1)
    }

    /// The byte at this position of what is encoded; `None` after the end, and where a character
    /// is not in the alphabet.
    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        let (quantum, place) = (at / 3 * 4, at % 3);
        let left = self.sextet(quantum + place)?;
        let right = self.sextet(quantum + place + 1)?;
        Some(match place {
            0 => left << 2 | right >> 4,
            1 => left << 4 | right >> 2,
            _ => left << 6 | right,
        })
    }

    fn sextet(&self, character: usize) -> Option<u8> {
        let byte = self.0.get(character / WIDTH * (WIDTH + 1) + character % WIDTH)?;
        SEXTETS[usize::from(*byte)]
    }
}

/// The value of each character (RFC 4648 §4).
const SEXTETS: [Option<u8>; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut sextets = [None; 256];
    let mut value = 0;
    while value < alphabet.len() {
        sextets[alphabet[value] as usize] = Some(value as u8);
        value += 1;
    }
    sextets
};

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn each_byte_is_found_in_its_place() {
        let bytes: Vec<u8> = (0..=255).collect();
        for length in 1..=bytes.len() {
            let encoded = STANDARD.encode(&bytes[..length]);
            let lines: Vec<u8> =
                encoded.as_bytes().chunks(64).flat_map(|line| [line, b"\n"].concat()).collect();
            let lines = Base64Lines::new(&lines).unwrap();
            assert_eq!(lines.characters(), encoded.len());
            let decoded: Vec<u8> = (0..).map_while(|at| lines.byte(at)).collect();
            assert_eq!(decoded, bytes[..length]);
        }
    }

    #[test]
    fn other_lines_are_not_read() {
        let line = "A".repeat(64);
        for text in [
            line.clone(),
            format!("{line}A\n"),
            format!("{line}\r\n"),
            format!("{line}\nAAAA"),
            format!("AAAA\n{line}\n"),
        ] {
            assert!(Base64Lines::new(text.as_bytes()).is_none(), "{text:?}");
        }
    }
}
