//! UTF-16, which YAML allows. A file is shown and edited in UTF-8, and written as it was.

/// How a file's characters are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Also for everything that is not text: the reader refuses such a file.
    Utf8,
    Utf16LittleEndian,
    Utf16BigEndian,
}

impl Encoding {
    /// The encoding and the text in UTF-8. A byte order mark of UTF-16 is left out, one of UTF-8
    /// stays.
    pub(crate) fn decode(bytes: &[u8]) -> (Self, Vec<u8>) {
        match Self::decode_utf16(bytes) {
            Some((encoding, text)) => (encoding, text.into_bytes()),
            None => (Self::Utf8, bytes.to_vec()),
        }
    }

    /// The text of a file in UTF-16, which begins with a byte order mark. `None` for all else, and
    /// where the encoding is broken.
    pub(crate) fn decode_utf16(bytes: &[u8]) -> Option<(Self, String)> {
        let (encoding, read, rest): (_, fn([u8; 2]) -> u16, _) = match bytes {
            [0xff, 0xfe, rest @ ..] => (Self::Utf16LittleEndian, u16::from_le_bytes, rest),
            [0xfe, 0xff, rest @ ..] => (Self::Utf16BigEndian, u16::from_be_bytes, rest),
            _ => return None,
        };
        let (pairs, []) = rest.as_chunks::<2>() else { return None };
        let units: Vec<u16> = pairs.iter().map(|pair| read(*pair)).collect();
        Some((encoding, String::from_utf16(&units).ok()?))
    }

    /// The bytes of a text in this encoding, with the byte order mark of UTF-16.
    pub(crate) fn encode(self, text: Vec<u8>) -> Vec<u8> {
        let write: fn(u16) -> [u8; 2] = match self {
            Self::Utf8 => return text,
            Self::Utf16LittleEndian => u16::to_le_bytes,
            Self::Utf16BigEndian => u16::to_be_bytes,
        };
        let text = String::from_utf8_lossy(&text);
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(write).collect()
    }
}
