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

/// How much of a certificate is decoded, in characters of base64: nearly all subjects are within.
/// A multiple of 4.
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
    /// `None` where it is not found in the head of a regular section: then it is always looked at.
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
        while let Some(entry) = sections.next().map_err(cannot)? {
            let first = parse(&entry.read(&file).map_err(cannot)?);
            if let Some(first) = first.filter(|it| RootCertStore::empty().add(it.clone()).is_ok()) {
                return Ok(Self { path: path.to_owned(), file, first, index: None });
            }
            sections.resume().map_err(cannot)?;
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
    while let Some(entry) = sections.next()? {
        index.push(entry);
    }
    Ok(index)
}

/// The first certificate in a text, as rustls decodes it.
fn parse(text: &[u8]) -> Option<CertificateDer<'static>> {
    CertificateDer::from_pem_slice(text).ok()
}

/// The subject of a certificate, from the first characters of its base64.
fn subject(head: &[u8]) -> Option<Box<[u8]>> {
    let head = head.get(..HEAD).unwrap_or(head);
    let padding = head.iter().rev().take_while(|byte| **byte == b'=').count();
    let whole = (head.len() - padding) / 4 * 4;
    name::subject(&STANDARD_NO_PAD.decode(&head[..whole]).ok()?).map(Box::from)
}

/// The certificates of a PEM file, as rustls divides the file: a line ends with LF or CR, a
/// section with the `END` line of its own label, and a `BEGIN` line within a section changes the
/// label and keeps what was before.
///
/// This is work for each of some 3,000 lines in every run that uses TLS: it looks at the first
/// byte of most, and copies none of them but the heads.
struct Sections<'a> {
    file: &'a File,
    reader: BufReader<io::Take<&'a File>>,
    /// What was read up to a LF, and how much of it was looked at.
    chunk: Vec<u8>,
    seen: usize,
    /// Where in the file the next line starts.
    at: u64,
}

impl<'a> Sections<'a> {
    fn new(file: &'a File) -> io::Result<Self> {
        let mut sections =
            Self { file, reader: BufReader::new(file.take(0)), chunk: Vec::new(), seen: 0, at: 0 };
        sections.resume()?;
        Ok(sections)
    }

    /// Goes on at the next line, after something else was read from the file.
    fn resume(&mut self) -> io::Result<()> {
        let mut file = self.file;
        file.seek(SeekFrom::Start(self.at))?;
        self.reader = BufReader::new(file.take(file::FILE_LIMIT.saturating_sub(self.at)));
        self.chunk.clear();
        self.seen = 0;
        Ok(())
    }

    fn next(&mut self) -> io::Result<Option<Entry>> {
        let mut head = Vec::new();
        let (mut start, mut is_mixed) = (self.at, false);
        let mut label: Option<Vec<u8>> = None;
        loop {
            let begins = self.at;
            let Some(line) = self.line()? else { return Ok(None) };
            if !line.starts_with(b"-----") {
                if label.is_some() && head.len() < HEAD {
                    head.extend_from_slice(line.trim_ascii_end());
                }
                continue;
            }
            if line.starts_with(b"-----BEGIN ") {
                let before = std::mem::replace(&mut label, begin_label(line));
                is_mixed = before.is_some();
                if before.is_none() || label.is_none() {
                    head.clear();
                    start = begins;
                }
            } else if label.as_ref().is_some_and(|label| ends(line, label)) {
                if label.take().is_some_and(|label| label == b"CERTIFICATE") {
                    let subject = if is_mixed { None } else { subject(&head) };
                    return Ok(Some(Entry { subject, place: start..self.at }));
                }
            } else {
                // A line like `-----X` is content to rustls.
                is_mixed = true;
            }
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
        let line = match rest.contains(&b'\r') {
            true => rest.split_inclusive(|byte| *byte == b'\r').next().unwrap_or(rest),
            false => rest,
        };
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
