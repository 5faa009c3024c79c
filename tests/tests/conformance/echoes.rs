//! A server repeats the secret that it was sent, in every encoding: neither the secret nor what
//! it was made into is printed, by any backend, for any service, at the most talkative log.

mod aws;
mod azure;
mod google;
mod oidc;

use std::any::Any;
use std::collections::HashSet;

use pullpass_tests::encodings::{ENCODINGS, halves, runs};
use pullpass_tests::fakes::echo::{Echo, Words};
use pullpass_tests::issuer::Issuer;
use pullpass_tests::plugin::PluginCommand;
use pullpass_tests::world::{Trial, World};
use serde_json::Value;

/// So many characters in sequence are not printed by chance.
const RUN: usize = 12;

const ISSUER: &str = "oidc.cluster.example";

/// A plugin and a request for which it sends a secret to a service that repeats it.
struct Place {
    plugin: PluginCommand,
    request: Value,
    echo: Echo,
    /// Servers and files, held for as long as it lasts.
    _held: Vec<Box<dyn Any>>,
}

type Build = fn(&World) -> Place;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for places in [aws::PLACES, azure::PLACES, google::PLACES, oidc::PLACES] {
        for (at, (name, build)) in places.iter().enumerate() {
            let name = format!("echoes::{name}");
            trials.push(Trial::new(name, move |world| build(world).is_never_repeated(at)));
        }
    }
    trials
}

impl Place {
    /// Half of the encodings come in one field of the answer, half are spread over two; the next
    /// place of the same backend has them the other way round.
    fn is_never_repeated(&self, at: usize) {
        let mut leaks = Vec::new();
        for (index, encoding) in ENCODINGS.iter().enumerate() {
            let encode = encoding.encode;
            let (how, words): (_, Words) = match (index + at) % 2 {
                0 => ("one field", Box::new(move |secret| ("refused".into(), encode(secret)))),
                _ => (
                    "two fields",
                    Box::new(move |secret| {
                        let encoded = encode(secret);
                        let (first, second) = halves(&encoded);
                        (first.to_owned(), second.to_owned())
                    }),
                ),
            };
            self.echo.set_words(words);
            leaks.extend(
                self.leak(encode).map(|leak| format!("{} in {how}: {leak:?}", encoding.name)),
            );
        }
        assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
    }

    /// What of the secret, or of what it was made into, a run printed. It is shown: no real
    /// secret is in this world.
    fn leak(&self, encode: fn(&str) -> String) -> Option<String> {
        let run = self.plugin.run(self.request.to_string().as_bytes());
        assert_ne!(run.code, Some(0), "it was refused, and succeeded");
        assert_eq!(run.stdout, b"");
        let sent = self.echo.take_sent();
        assert!(!sent.is_empty(), "the service was not sent its secret: {}", run.stderr);
        let printed: HashSet<String> = runs(&run.stderr, RUN).into_iter().collect();
        sent.iter().find_map(|secret| {
            // What an encoding adds whatever the secret is tells nothing of it.
            let of_no_secret: HashSet<String> =
                runs(&encode(&other(secret)), RUN).into_iter().collect();
            let telling = [runs(secret, RUN), runs(&encode(secret), RUN)].concat();
            telling.into_iter().find(|run| printed.contains(run) && !of_no_secret.contains(run))
        })
    }
}

/// A text of the same length and kind that has nothing in common with this one.
fn other(secret: &str) -> String {
    let next = |c: char| match c {
        'z' => 'a',
        'Z' => 'A',
        '9' => '0',
        c if c.is_ascii_alphanumeric() => char::from(c as u8 + 1),
        c => c,
    };
    secret.chars().map(next).collect()
}

/// A cluster in this world.
fn issuer(world: &World) -> Issuer {
    Issuer::start_at(world.https_socket(ISSUER), world.client())
}
