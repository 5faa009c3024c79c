//! The files through which programs know names and certificate authorities, put over the machine's
//! own by bind mounts that only this namespace sees.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use super::{nameserver, namespace};

/// Where distributions keep their CA bundle.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Glibc's order of asking.
const NSSWITCH: &str = "/etc/nsswitch.conf";
/// Where nscd listens, which looks names up for glibc's programs in the machine's own network.
const NSCD: &str = "/run/nscd";

/// The table of hosts, which grows.
pub(super) struct Files {
    hosts: PathBuf,
}

impl Files {
    /// Writes them to a folder and mounts them; `ca` becomes the only authority in the system's
    /// bundle.
    pub(super) fn mount(folder: &Path, ca: &Path) -> Self {
        let write = |path: &Path, text: &str| {
            let file = folder.join(path.file_name().unwrap());
            fs::write(&file, text).unwrap();
            cover(path, &file);
            file
        };
        let hosts = write(Path::new("/etc/hosts"), "127.0.0.1 localhost\n::1 localhost\n");
        let nameserver = format!("nameserver {}\noptions timeout:2\n", nameserver::ADDRESS);
        write(Path::new("/etc/resolv.conf"), &nameserver);
        // Where it is missing, as with musl, hosts and then DNS is the rule anyway.
        if Path::new(NSSWITCH).exists() {
            write(Path::new(NSSWITCH), "passwd: files\ngroup: files\nhosts: files dns\n");
        }
        if Path::new(NSCD).exists() {
            namespace::mount(&["-t", "tmpfs", "tmpfs", NSCD]);
        }
        trust(ca);
        Self { hosts }
    }

    /// One name more, which programs see at once.
    pub(super) fn add_host(&self, address: Ipv4Addr, name: &str) {
        // Appended, not rewritten: a reader never finds half a table.
        let mut hosts = OpenOptions::new().append(true).open(&self.hosts).unwrap();
        hosts.write_all(format!("{address} {name}\n").as_bytes()).unwrap();
    }
}

/// Makes `ca` the content of every bundle there is, or else of a new one.
fn trust(ca: &Path) {
    // One may be a link to another.
    let bundles: BTreeSet<PathBuf> =
        BUNDLES.iter().filter_map(|bundle| fs::canonicalize(bundle).ok()).collect();
    for bundle in &bundles {
        cover(bundle, ca);
    }
    if bundles.is_empty() {
        let folder =
            ["/etc/ssl/certs", "/etc/ssl"].into_iter().find(|path| Path::new(path).is_dir());
        let folder =
            folder.expect("`/etc/ssl` is missing on this machine: install ca-certificates");
        namespace::mount(&["-t", "tmpfs", "tmpfs", folder]);
        fs::create_dir_all("/etc/ssl/certs").unwrap();
        fs::copy(ca, BUNDLES[0]).unwrap();
    }
}

fn cover(path: &Path, by: &Path) {
    let (path, by) = (path.to_str().unwrap(), by.to_str().unwrap());
    // A broken link is missing too.
    assert!(Path::new(path).exists(), "`{path}` is missing on this machine: make an empty one");
    namespace::mount(&["--bind", by, path]);
}
