//! Where issuer and subject of a certificate are, without parsing the rest of it (X.509, RFC 5280
//! §4.1).
//!
//! Only for choosing which roots to parse: webpki parses and verifies what is chosen. The bytes
//! are read through a function of their position, since most of a bundle is never decoded.

use std::ops::Range;

/// Where the content of a certificate's `issuer` is, as its DER says.
pub(super) fn issuer(byte: impl Fn(usize) -> Option<u8>) -> Option<Range<usize>> {
    let (_, issuer) = value(&byte, before_issuer(&byte)?)?;
    Some(issuer)
}

/// Where the content of a certificate's `subject` is, as its DER says.
pub(super) fn subject(byte: impl Fn(usize) -> Option<u8>) -> Option<Range<usize>> {
    let (_, issuer) = value(&byte, before_issuer(&byte)?)?;
    let (_, validity) = value(&byte, issuer.end)?;
    let (tag, subject) = value(&byte, validity.end)?;
    (tag == SEQUENCE).then_some(subject)
}

/// How many bytes a certificate has, as its DER says.
pub(super) fn certificate_length(byte: impl Fn(usize) -> Option<u8>) -> Option<usize> {
    value(&byte, 0).map(|(_, content)| content.end)
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// Where version, serial number and signature algorithm end.
fn before_issuer(byte: &impl Fn(usize) -> Option<u8>) -> Option<usize> {
    let mut at = enter(byte, enter(byte, 0)?)?;
    if byte(at) == Some(VERSION) {
        at = value(byte, at)?.1.end;
    }
    let (_, serial_number) = value(byte, at)?;
    let (_, signature_algorithm) = value(byte, serial_number.end)?;
    Some(signature_algorithm.end)
}

/// Where the content of a SEQUENCE starts.
fn enter(byte: &impl Fn(usize) -> Option<u8>, at: usize) -> Option<usize> {
    let (tag, content) = value(byte, at)?;
    (tag == SEQUENCE).then_some(content.start)
}

/// The tag of the value there, and where its content is.
fn value(byte: &impl Fn(usize) -> Option<u8>, at: usize) -> Option<(u8, Range<usize>)> {
    let (tag, first) = (byte(at)?, byte(at.checked_add(1)?)?);
    let (mut start, mut length) = (at + 2, usize::from(first));
    if first > 0x7f {
        let digits = first & 0x7f;
        if !(1..=4).contains(&digits) {
            return None;
        }
        length = 0;
        for _ in 0..digits {
            length = length << 8 | usize::from(byte(start)?);
            start += 1;
        }
    }
    Some((tag, start..start.checked_add(length)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DnType, Issuer, KeyPair};

    use super::*;

    #[test]
    fn names_are_those_that_the_certificate_has() {
        let params = |name: &str| {
            let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
            params.distinguished_name.push(DnType::CommonName, name.repeat(100));
            params
        };
        let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let issuing = Issuer::new(params("issuer"), key);
        let certificate = params("subject").signed_by(&other, &issuing).unwrap();
        let der: &[u8] = certificate.der();
        let byte = |at: usize| der.get(at).copied();
        let has = |content: Option<Range<usize>>, name: &str| {
            der[content.unwrap()].windows(name.len()).any(|part| part == name.as_bytes())
        };
        assert!(has(issuer(byte), "issuer") && !has(issuer(byte), "subject"));
        assert!(has(subject(byte), "subject") && !has(subject(byte), "issuer"));
        assert_eq!(certificate_length(byte), Some(der.len()));

        let whole = subject(byte);
        for end in 0..der.len() {
            let cut = subject(|at| der[..end].get(at).copied());
            assert!(cut.is_none() || cut == whole, "{end}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let byte = |at: usize| bytes.get(at).copied();
            let _ = (issuer(byte), subject(byte), certificate_length(byte));
        }
    }
}
