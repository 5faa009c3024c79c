//! UTF-16, which YAML allows. A file is edited in UTF-8 and written as it was.

/// How a file's characters are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Also for everything that is not text: the reader refuses such a file.
    Utf8,
    Utf16LittleEndian,
    Utf16BigEndian,
}

impl Encoding {
    /// The encoding and the text in UTF-8. A byte order mark of UTF-16 is left out, one of UTF-8
    /// stays.
    pub(super) fn decode(bytes: &[u8]) -> (Self, Vec<u8>) {
        let (encoding, read, rest): (_, fn([u8; 2]) -> u16, _) = match bytes {
            [0xff, 0xfe, rest @ ..] => (Self::Utf16LittleEndian, u16::from_le_bytes, rest),
            [0xfe, 0xff, rest @ ..] => (Self::Utf16BigEndian, u16::from_be_bytes, rest),
            _ => return (Self::Utf8, bytes.to_vec()),
        };
        let (pairs, []) = rest.as_chunks::<2>() else { return (Self::Utf8, bytes.to_vec()) };
        let units: Vec<u16> = pairs.iter().map(|pair| read(*pair)).collect();
        match String::from_utf16(&units) {
            Ok(text) => (encoding, text.into_bytes()),
            Err(_) => (Self::Utf8, bytes.to_vec()),
        }
    }

    /// The bytes of a text in this encoding, with the byte order mark of UTF-16.
    pub(super) fn encode(self, text: Vec<u8>) -> Vec<u8> {
        let write: fn(u16) -> [u8; 2] = match self {
            Self::Utf8 => return text,
            Self::Utf16LittleEndian => u16::to_le_bytes,
            Self::Utf16BigEndian => u16::to_be_bytes,
        };
        let text = String::from_utf8_lossy(&text);
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(write).collect()
    }
}
