//! A file of CA certificates in PEM (RFC 7468), read through a small buffer: of each certificate
//! only the head is decoded, up to its subject.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::name;
use crate::error::Error;
use crate::file;

/// How much of a certificate is decoded at first, in characters of base64: most subjects are
/// within. A multiple of 4.
const HEAD: usize = 768;

/// An open file of CA certificates.
pub(super) struct Bundle {
    path: PathBuf,
    file: File,
    /// A root that is there for sure: what webpki is handed where none fits.
    first: CertificateDer<'static>,
    /// Where each certificate is, once the file was read to its end.
    index: Option<Vec<Entry>>,
}

/// One certificate of the file.
struct Entry {
    /// `None` where it is not found in the certificate's head: then it is always looked at.
    subject: Option<Box<[u8]>>,
    /// From its `-----BEGIN` to its `-----END` line.
    place: Range<u64>,
}

impl Bundle {
    /// Opens the file, and looks for its first CA certificate.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) as [`file::read`], and when there is none.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let file = file::open_regular(path)?;
        let cannot = |error| cannot_read(path, error);
        let mut sections = Sections::new(&file).map_err(cannot)?;
        while let Some(section) = sections.next().map_err(cannot)? {
            if let Some(first) = parse(&section.text)
                && RootCertStore::empty().add(first.clone()).is_ok()
            {
                return Ok(Self { path: path.to_owned(), file, first, index: None });
            }
        }
        Err(Error::config(format!("`{}` has no PEM CA certificate", path.display())))
    }

    /// The roots whose subject is one of `names`, in the file's order; or the file's first root.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the file cannot be read.
    pub(super) fn roots(&mut self, names: &BTreeSet<&[u8]>) -> Result<RootCertStore, Error> {
        self.matching(names).map_err(|error| cannot_read(&self.path, error))
    }

    fn matching(&mut self, names: &BTreeSet<&[u8]>) -> io::Result<RootCertStore> {
        let index = match self.index.take() {
            Some(index) => index,
            None => index(&self.file)?,
        };
        let mut roots = RootCertStore::empty();
        for entry in &index {
            if entry.subject.as_ref().is_none_or(|subject| names.contains(&**subject)) {
                roots.add_parsable_certificates(parse(&entry.read(&self.file)?));
            }
        }
        if roots.is_empty() {
            roots.add_parsable_certificates([self.first.clone()]);
        }
        self.index = Some(index);
        Ok(roots)
    }
}

impl Entry {
    fn read(&self, mut file: &File) -> io::Result<Vec<u8>> {
        file.seek(SeekFrom::Start(self.place.start))?;
        let mut text = Vec::new();
        file.take(self.place.end - self.place.start).read_to_end(&mut text)?;
        Ok(text)
    }
}

fn index(file: &File) -> io::Result<Vec<Entry>> {
    let mut sections = Sections::new(file)?;
    let mut index = Vec::new();
    while let Some(Section { text, place, is_mixed }) = sections.next()? {
        let subject = if is_mixed { None } else { subject(&text) };
        index.push(Entry { subject, place });
    }
    Ok(index)
}

/// The first certificate in a text, as rustls decodes it.
fn parse(text: &[u8]) -> Option<CertificateDer<'static>> {
    CertificateDer::from_pem_slice(text).ok()
}

/// The subject of the certificate in a section, from as much of it as is needed.
fn subject(text: &[u8]) -> Option<Box<[u8]>> {
    let body: Vec<u8> = text
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .filter(|line| !line.starts_with(b"-----"))
        .flatten()
        .copied()
        .filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
        .collect();
    [HEAD, body.len()].into_iter().find_map(|length| {
        let whole = length.min(body.len()) / 4 * 4;
        let head = STANDARD_NO_PAD.decode(&body[..whole]).ok()?;
        name::subject(&head).map(Box::from)
    })
}

/// The sections of a PEM file that hold a certificate, as rustls divides the file: a line ends
/// with LF or CR, a section with the `END` line of its own label, and a `BEGIN` line within a
/// section changes the label and keeps what was before.
struct Sections<'a> {
    reader: BufReader<io::Take<&'a File>>,
    /// What was read up to a LF, and how much of it was looked at.
    chunk: Vec<u8>,
    seen: usize,
    /// Where in the file the next line starts.
    at: u64,
}

/// From the `BEGIN` line to the `END` line of a certificate.
struct Section {
    text: Vec<u8>,
    place: Range<u64>,
    /// Whether a `BEGIN` line is within.
    is_mixed: bool,
}

impl<'a> Sections<'a> {
    fn new(mut file: &'a File) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        let reader = BufReader::new(file.take(file::FILE_LIMIT));
        Ok(Self { reader, chunk: Vec::new(), seen: 0, at: 0 })
    }

    fn next(&mut self) -> io::Result<Option<Section>> {
        let mut text = Vec::new();
        let (mut start, mut is_mixed) = (self.at, false);
        let mut label: Option<Vec<u8>> = None;
        loop {
            let begins = self.at;
            let Some(line) = self.line()? else { return Ok(None) };
            if line.starts_with(b"-----BEGIN ") {
                let before = std::mem::replace(&mut label, begin_label(line));
                if before.is_none() || label.is_none() {
                    text.clear();
                    start = begins;
                }
                is_mixed = before.is_some();
            }
            let Some(current) = &label else { continue };
            text.extend_from_slice(line);
            if !ends(line, current) {
                continue;
            }
            if current == b"CERTIFICATE" {
                return Ok(Some(Section { text, place: start..self.at, is_mixed }));
            }
            label = None;
        }
    }

    /// The next line with its end; `None` behind the last.
    fn line(&mut self) -> io::Result<Option<&[u8]>> {
        if self.seen == self.chunk.len() {
            self.chunk.clear();
            self.seen = 0;
            if self.reader.read_until(b'\n', &mut self.chunk)? == 0 {
                return Ok(None);
            }
        }
        let rest = &self.chunk[self.seen..];
        let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let line = &rest[..end.map_or(rest.len(), |end| end + 1)];
        self.seen += line.len();
        self.at += line.len() as u64;
        Ok(Some(line))
    }
}

/// The label of a `BEGIN` line; `None` where the line does not end in five hyphens.
fn begin_label(line: &[u8]) -> Option<Vec<u8>> {
    let is_blank = |byte: &u8| matches!(byte, b'\n' | b'\r' | b' ');
    let from_end = line.iter().enumerate().rev().filter(|(_, byte)| !is_blank(byte));
    let hyphens: Vec<usize> =
        from_end.take_while(|(_, byte)| **byte == b'-').map(|(at, _)| at).collect();
    let label_end = *hyphens.last().filter(|_| hyphens.len() == 5)?;
    line.get(b"-----BEGIN ".len()..label_end).map(<[u8]>::to_vec)
}

fn ends(line: &[u8], label: &[u8]) -> bool {
    let rest = line.strip_prefix(b"-----END ").and_then(|rest| rest.strip_prefix(label));
    rest.is_some_and(|rest| rest.starts_with(b"-----"))
}

fn cannot_read(path: &Path, error: io::Error) -> Error {
    Error::config(format!("cannot read the file `{}`", path.display())).with_source(error)
}
