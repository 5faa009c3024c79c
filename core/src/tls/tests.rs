//! Compares two ways to verify, over the same chains and files: with all roots parsed by
//! rustls, and with only those that a chain can end in. There must be no difference.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, GeneralSubtree, IsCa, Issuer, KeyPair,
    NameConstraints,
};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::bundle::Bundle;
use super::{provider, verifier};

const DEBIAN: &str = "/etc/ssl/certs/ca-certificates.crt";

fn all_roots(pem: &[u8]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).filter_map(Result::ok));
    roots
}

/// Names and lifetimes of authorities: several share a name, one has expired, one is constrained.
fn authority(name: &str, of: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    if of == "dead" {
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    }
    if of == "constrained" {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("other.example".to_owned())],
            excluded_subtrees: Vec::new(),
        });
    }
    params
}

/// Certificates from which files and chains are made.
struct Pool {
    roots: Vec<String>,
    intermediates: Vec<CertificateDer<'static>>,
    leaves: Vec<CertificateDer<'static>>,
}

impl Pool {
    fn new() -> Self {
        let mut pool = Self { roots: Vec::new(), intermediates: Vec::new(), leaves: Vec::new() };
        let mut issuers = Vec::new();
        for (name, of) in
            [("a", ""), ("a", ""), ("b", ""), ("b", "dead"), ("c", "constrained"), ("d", "")]
        {
            let key = KeyPair::generate().unwrap();
            let params = authority(name, of);
            pool.roots.push(params.self_signed(&key).unwrap().pem());
            issuers.push(Issuer::new(params, key));
        }
        let mut below = Vec::new();
        for name in ["x", "y"] {
            let key = KeyPair::generate().unwrap();
            // One key under several authorities: cross-signed.
            for issuer in &issuers {
                let signed = authority(name, "").signed_by(&key, issuer).unwrap();
                pool.roots.push(signed.pem());
                pool.intermediates.push(signed.into());
            }
            below.push(Issuer::new(authority(name, ""), key));
        }
        for issuer in issuers.iter().chain(&below) {
            for dead in [false, true] {
                let mut params = CertificateParams::new(vec!["leaf.example".to_owned()]).unwrap();
                if dead {
                    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
                }
                let key = KeyPair::generate().unwrap();
                pool.leaves.push(params.signed_by(&key, issuer).unwrap().into());
            }
        }
        pool
    }

    /// A file of some roots, twice or not at all, with what files in the field have between.
    fn file(&self, random: &mut fastrand::Rng) -> String {
        let mut file = String::new();
        for _ in 0..random.usize(1..8) {
            let root = random.choice(&self.roots).unwrap();
            let label = "CERTIFICATE-----";
            if random.u8(..4) == 0 {
                // What is read at a time ends somewhere in what follows.
                let columns = *random.choice(&[64, 40_000]).unwrap();
                let padding = "# -----x ----\n-----\n".to_owned() + &"x".repeat(columns) + "\n";
                let length = 32 * 1024 - random.usize(..3000);
                file.extend(padding.chars().cycle().take(length).chain(['\n']));
            }
            file.push_str(&match random.u8(..19) {
                0 => root.replace('\n', "\r\n"),
                1 => root.replace('\n', "\r"),
                2 => root.replace(label, "TRUSTED CERTIFICATE-----"),
                3 => root.replace("-----END CERTIFICATE-----", ""),
                4 => root.replacen('M', "!", 1),
                5 => root.replacen("CERTIFICATE-----", "CERTIFICATE----", 1),
                6 => format!("-----BEGIN X-----\nAAAA\n{root}"),
                7 => {
                    format!("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n{root}")
                }
                8 => format!("# a comment\n\n  {root}"),
                9 => root.trim_end().to_owned(),
                10 => root.chars().filter(|c| *c != '\n').collect(),
                11 => root.replace("-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE----- "),
                12 => root[..root.len() / 2].to_owned(),
                13 => {
                    insert(root, random.usize(28..400), random.choice(["\n", "\r", " "]).unwrap())
                }
                14 => insert(root, random.usize(28..400), "\n-----\n"),
                15 => fold(root, random.usize(1..80)),
                _ => root.clone(),
            });
        }
        file
    }

    fn chain(&self, random: &mut fastrand::Rng) -> Vec<CertificateDer<'static>> {
        let mut chain = vec![random.choice(&self.leaves).unwrap().clone()];
        for _ in 0..random.usize(..4) {
            chain.push(random.choice(&self.intermediates).unwrap().clone());
        }
        if random.u8(..8) == 0 {
            chain.push(CertificateDer::from(vec![0x30, 0x03, 0x02, 0x01, 0x00]));
        }
        chain
    }
}

fn insert(root: &str, at: usize, what: &str) -> String {
    format!("{}{what}{}", &root[..at], &root[at..])
}

/// The same certificate in lines of another length.
fn fold(root: &str, width: usize) -> String {
    let lines: Vec<&str> = root.trim_end().split('\n').collect();
    let (first, last) = (lines[0], lines[lines.len() - 1]);
    let content: Vec<char> = lines[1..lines.len() - 1].concat().chars().collect();
    let content: Vec<String> = content.chunks(width).map(String::from_iter).collect();
    format!("{first}\n{}\n{last}\n", content.join("\n"))
}

fn judge(verifier: &dyn ServerCertVerifier, chain: &[CertificateDer<'_>]) -> String {
    let name = ServerName::try_from("leaf.example").unwrap();
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_795_000_000));
    match verifier.verify_server_cert(&chain[0], &chain[1..], &name, &[], now) {
        Ok(_) => "trusted".to_owned(),
        Err(error) => format!("{error:?}"),
    }
}

#[test]
fn every_chain_is_judged_as_if_all_roots_were_parsed() {
    let pool = Pool::new();
    let folder = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(20_261_127);
    let mut verdicts = BTreeSet::new();
    for round in 0..400 {
        let file = pool.file(&mut random);
        let path = folder.path().join(round.to_string());
        std::fs::write(&path, &file).unwrap();
        let old = Arc::new(all_roots(file.as_bytes()));
        let new = match Bundle::open(&path) {
            Ok(bundle) => verifier::on_demand(vec![bundle]),
            Err(error) => {
                assert!(old.is_empty(), "{error}\n{file}");
                verdicts.insert("no roots".to_owned());
                continue;
            }
        };
        let old = WebPkiServerVerifier::builder_with_provider(old, provider::provider()).build();
        let old = old.unwrap_or_else(|error| panic!("{error}\n{file}"));
        for _ in 0..10 {
            let chain = pool.chain(&mut random);
            let (old, new) = (judge(&*old, &chain), judge(&*new, &chain));
            assert_eq!(old, new, "round {round}:\n{file}");
            verdicts.insert(old.split_once([' ', '(']).map_or(old.clone(), |(it, _)| it.into()));
        }
    }
    // The comparison is worth something only if chains of each kind were in it.
    assert!(verdicts.contains("trusted") && verdicts.contains("no roots"), "{verdicts:?}");
    assert!(verdicts.len() >= 3, "{verdicts:?}");
}

#[test]
fn two_files_are_trusted_together() {
    let pool = Pool::new();
    let folder = tempfile::tempdir().unwrap();
    let paths = ["one", "two"].map(|name| folder.path().join(name));
    for (path, root) in paths.iter().zip([&pool.roots[0], &pool.roots[2]]) {
        std::fs::write(path, root).unwrap();
    }
    let leaf = |of: usize| [pool.leaves[of * 2].clone()];
    let verifier = |paths: &[_]| {
        verifier::on_demand(
            paths.iter().map(|path: &std::path::PathBuf| Bundle::open(path).unwrap()).collect(),
        )
    };
    for (paths, trusted) in
        [(&paths[..1], [true, false]), (&paths[1..], [false, true]), (&paths[..], [true, true])]
    {
        let verifier = verifier(paths);
        for (of, trusted) in [0, 2].into_iter().zip(trusted) {
            assert_eq!(judge(&*verifier, &leaf(of)) == "trusted", trusted, "{paths:?} {of}");
        }
    }
}

#[test]
fn debians_bundle_gives_each_root_by_its_name() {
    let Ok(pem) = crate::file::read(Path::new(DEBIAN)) else { return };
    let all = all_roots(&pem);
    let bundle = Bundle::open(Path::new(DEBIAN)).unwrap();
    for root in &all.roots {
        let subject: &[u8] = &root.subject;
        let found = bundle.roots(&[subject]).unwrap();
        let expected: Vec<_> = all.roots.iter().filter(|it| it.subject == root.subject).collect();
        assert_eq!(found.roots.iter().collect::<Vec<_>>(), expected);
    }
    let none: &[u8] = b"no such name";
    let first = bundle.roots(&[none]).unwrap();
    assert_eq!(first.roots, all.roots[..1]);
}
