//! The certificates in a PEM file (RFC 7468), found through a small buffer.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::ops::Range;

use memchr::{memchr, memchr2};

use super::base64_lines::Base64Lines;
use super::name;
use crate::file::FILE_LIMIT;

/// How much of the file is read at a time, and what a section may have before the buffer grows.
const BUFFER: usize = 32 * 1024;

/// A certificate of the file.
pub(super) struct Section<'a> {
    /// From its `-----BEGIN` to its `-----END` line.
    pub(super) pem: &'a [u8],
    /// What is between; `None` where other lines with hyphens are.
    content: Option<&'a [u8]>,
}

impl Section<'_> {
    /// Whether its subject is one of `names`; `true` where that takes parsing all of it.
    pub(super) fn may_have_subject(&self, names: &[&[u8]]) -> bool {
        let Some(base64) = self.base64() else { return true };
        let Some(subject) = name::subject(|at| base64.byte(at)) else { return true };
        names.iter().any(|name| {
            let mut bytes = subject.clone().map(|at| base64.byte(at));
            name.len() == subject.len() && name.iter().all(|byte| bytes.next() == Some(Some(*byte)))
        })
    }

    /// Its content, if it is regular: nothing, such as a blank, is between its characters. There
    /// are as many of them as its DER says.
    fn base64(&self) -> Option<Base64Lines<'_>> {
        let base64 = Base64Lines::new(self.content?)?;
        let length = name::certificate_length(|at| base64.byte(at))?;
        (length.div_ceil(3).checked_mul(4)? == base64.characters()).then_some(base64)
    }
}

/// The certificates of a file, as rustls divides it: a line ends with LF or CR, a section with
/// the `END` line of its own label, and a `BEGIN` line within a section changes the label and
/// keeps what was before.
///
/// This is work for each of some 3,000 lines in every run that uses TLS. Only lines that start
/// with hyphens matter, and base64 has none, so nothing else is looked at and nothing is copied.
pub(super) struct Sections<'a> {
    /// What may still be read of the file.
    rest: io::Take<&'a File>,
    buffer: Vec<u8>,
    /// Where in the buffer what was read ends.
    end: usize,
    /// No line before this place in the buffer starts with hyphens, unless it was returned.
    seen: usize,
    /// Whether all of the file was read.
    is_read: bool,
}

impl<'a> Sections<'a> {
    /// Starts at the beginning of the file.
    pub(super) fn new(mut file: &'a File) -> io::Result<Self> {
        file.rewind()?;
        let rest = file.take(FILE_LIMIT);
        Ok(Self { rest, buffer: vec![0; BUFFER], end: 0, seen: 0, is_read: false })
    }

    /// The next certificate.
    pub(super) fn next(&mut self) -> io::Result<Option<Section<'_>>> {
        let (mut label, mut is_open, mut is_regular) = (Vec::new(), false, false);
        let (mut start, mut content) = (0, 0);
        loop {
            let keep = if is_open { start } else { self.seen };
            let Some((line, dropped)) = self.marker(keep)? else { return Ok(None) };
            start -= dropped.min(start);
            content -= dropped.min(content);
            let text = &self.buffer[line.clone()];
            if text.starts_with(b"-----BEGIN ") {
                let new = begin_label(text);
                if !is_open || new.is_none() {
                    start = line.start;
                }
                is_regular = !is_open;
                is_open = new.is_some();
                content = line.end;
                label.clear();
                label.extend_from_slice(new.unwrap_or_default());
            } else if is_open && ends(text, &label) {
                if label == b"CERTIFICATE" {
                    return Ok(Some(Section {
                        pem: &self.buffer[start..line.end],
                        content: is_regular.then(|| &self.buffer[content..line.start]),
                    }));
                }
                is_open = false;
            } else {
                // A line like `-----X` is content to rustls.
                is_regular = false;
            }
        }
    }

    /// The next line that starts with five hyphens, with its end, and how much was dropped from
    /// the buffer's start. The buffer still has everything from `keep` on.
    fn marker(&mut self, mut keep: usize) -> io::Result<Option<(Range<usize>, usize)>> {
        let mut dropped = 0;
        loop {
            if let Some(line) = self.find_marker() {
                return Ok(Some((line, dropped)));
            }
            if self.is_read {
                return Ok(None);
            }
            // One byte more tells whether a line starts there.
            let unneeded = keep.min(self.seen).saturating_sub(1);
            self.read_more(unneeded)?;
            dropped += unneeded;
            keep -= unneeded;
        }
    }

    /// The next such line in the buffer, if its end is there too.
    fn find_marker(&mut self) -> Option<Range<usize>> {
        const HYPHENS: &[u8] = b"-----";
        while let Some(found) = memchr(b'-', &self.buffer[self.seen..self.end]) {
            self.seen += found;
            let rest = &self.buffer[self.seen..self.end];
            let is_start = self.seen == 0 || matches!(self.buffer[self.seen - 1], b'\n' | b'\r');
            if !is_start || !HYPHENS.starts_with(&rest[..rest.len().min(HYPHENS.len())]) {
                self.seen += 1;
                continue;
            }
            let end = match memchr2(b'\n', b'\r', rest) {
                Some(end) => end + 1,
                None if self.is_read => rest.len(),
                None => return None,
            };
            let line = self.seen..self.seen + end;
            self.seen = line.end;
            if end >= HYPHENS.len() && rest.starts_with(HYPHENS) {
                return Some(line);
            }
        }
        self.seen = self.end;
        None
    }

    fn read_more(&mut self, unneeded: usize) -> io::Result<()> {
        self.buffer.copy_within(unneeded..self.end, 0);
        self.end -= unneeded;
        self.seen -= unneeded;
        if self.end == self.buffer.len() {
            self.buffer.resize(self.end * 2, 0);
        }
        match self.rest.read(&mut self.buffer[self.end..]) {
            Ok(read) => {
                self.end += read;
                self.is_read = read == 0;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The label of a `BEGIN` line; `None` where the line does not end in five hyphens.
fn begin_label(line: &[u8]) -> Option<&[u8]> {
    let is_blank = |byte: &u8| matches!(byte, b'\n' | b'\r' | b' ');
    let from_end = line.iter().enumerate().rev().filter(|(_, byte)| !is_blank(byte));
    let hyphens = from_end.take_while(|(_, byte)| **byte == b'-').map(|(at, _)| at);
    let (count, first) = hyphens.fold((0, 0), |(count, _), at| (count + 1, at));
    (count == 5).then(|| line.get(b"-----BEGIN ".len()..first)).flatten()
}

fn ends(line: &[u8], label: &[u8]) -> bool {
    let rest = line.strip_prefix(b"-----END ").and_then(|rest| rest.strip_prefix(label));
    rest.is_some_and(|rest| rest.starts_with(b"-----"))
}
