//! Issuer and subject of a certificate, without parsing the rest of it (X.509, RFC 5280 §4.1).
//!
//! Only for choosing which roots to look at: webpki parses and judges whatever is chosen.

/// The content of a certificate's `issuer`, as in its DER.
pub(super) fn issuer(certificate: &[u8]) -> Option<&[u8]> {
    let (_, issuer, _) = value(before_issuer(certificate)?)?;
    Some(issuer)
}

/// The content of a certificate's `subject`. `certificate` may be cut anywhere behind it.
pub(super) fn subject(certificate: &[u8]) -> Option<&[u8]> {
    let (_, _, rest) = value(before_issuer(certificate)?)?;
    let (_, _, rest) = value(rest)?; // validity
    let (tag, subject, _) = value(rest)?;
    (tag == SEQUENCE).then_some(subject)
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// What follows version, serial number and signature algorithm.
fn before_issuer(certificate: &[u8]) -> Option<&[u8]> {
    let mut rest = enter(enter(certificate)?)?;
    if rest.first() == Some(&VERSION) {
        (_, _, rest) = value(rest)?;
    }
    let (_, _, rest) = value(rest)?; // serial number
    let (_, _, rest) = value(rest)?; // signature algorithm
    Some(rest)
}

/// The content of a SEQUENCE, as much of it as is there.
fn enter(der: &[u8]) -> Option<&[u8]> {
    let (tag, _, start) = header(der)?;
    (tag == SEQUENCE).then(|| &der[start..])
}

/// The first value in `der`: its tag, its content, and what follows.
fn value(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, length, start) = header(der)?;
    let (content, rest) = der[start..].split_at_checked(length)?;
    Some((tag, content, rest))
}

/// A value's tag, the length of its content, and where the content starts.
fn header(der: &[u8]) -> Option<(u8, usize, usize)> {
    let (tag, first) = (*der.first()?, *der.get(1)?);
    let count = match first {
        0..=0x7f => return Some((tag, usize::from(first), 2)),
        0x81..=0x84 => usize::from(first & 0x7f),
        _ => return None,
    };
    let digits = der.get(2..2 + count)?;
    let length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
    Some((tag, length, 2 + count))
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
        let der = certificate.der();
        let has = |content: Option<&[u8]>, name: &str| {
            content.unwrap().windows(name.len()).any(|part| part == name.as_bytes())
        };
        assert!(has(issuer(der), "issuer") && !has(issuer(der), "subject"));
        assert!(has(subject(der), "subject") && !has(subject(der), "issuer"));

        let whole = subject(der).unwrap();
        for end in 0..der.len() {
            let cut = subject(&der[..end]);
            assert!(cut.is_none() || cut == Some(whole), "{end}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = (issuer(&bytes), subject(&bytes));
        }
    }
}
