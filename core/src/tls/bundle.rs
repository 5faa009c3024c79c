//! A file of CA certificates.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::sections::{Section, Sections};
use crate::error::Error;
use crate::file;

/// An open file of CA certificates.
pub(super) struct Bundle {
    path: PathBuf,
    file: File,
    /// A root that certainly exists: what webpki gets if none fits.
    first: CertificateDer<'static>,
}

impl Bundle {
    /// Opens the file, and looks for its first CA certificate.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) as [`file::read`], and when there is none.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let file = file::open_regular(path)?;
        match first(&file).map_err(|error| cannot_read(path, error))? {
            Some(first) => Ok(Self { path: path.to_owned(), file, first }),
            None => Err(Error::config(format!("`{}` has no PEM CA certificate", path.display()))),
        }
    }

    /// The roots whose subject is one of `names`, in the file's order; or the file's first root.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the file cannot be read.
    pub(super) fn roots(&self, names: &[&[u8]]) -> Result<RootCertStore, Error> {
        self.matching(names).map_err(|error| cannot_read(&self.path, error))
    }

    fn matching(&self, names: &[&[u8]]) -> io::Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        let mut sections = Sections::new(&self.file)?;
        while let Some(section) = sections.next()? {
            if section.may_have_subject(names) {
                roots.add_parsable_certificates(parse(&section));
            }
        }
        if roots.is_empty() {
            roots.add_parsable_certificates([self.first.clone()]);
        }
        Ok(roots)
    }
}

/// The first certificate that can be a root.
fn first(file: &File) -> io::Result<Option<CertificateDer<'static>>> {
    let mut sections = Sections::new(file)?;
    while let Some(section) = sections.next()? {
        let is_root = |it: &CertificateDer<'_>| RootCertStore::empty().add(it.clone()).is_ok();
        if let Some(first) = parse(&section).filter(is_root) {
            return Ok(Some(first));
        }
    }
    Ok(None)
}

/// The certificate of a section, as rustls decodes it.
fn parse(section: &Section<'_>) -> Option<CertificateDer<'static>> {
    CertificateDer::from_pem_slice(section.pem).ok()
}

fn cannot_read(path: &Path, error: io::Error) -> Error {
    Error::config(format!("cannot read the file `{}`", path.display())).with_source(error)
}
