//! Fuzz targets: one function each, from bytes to a panic or none.
//!
//! They are built with `--cfg fuzzing`, in which `pullpass` answers each HTTP call from the input
//! and starts no process. So the whole way of an answer through a backend, with the vendor's SDK,
//! is fuzzed as it is, and nothing but a temporary file is touched.

#![expect(clippy::panic, reason = "a target stops at what must not be")]

mod files;
mod oracle;
mod run;
mod secrets;
/// The encodings that the tests know.
#[path = "../../tests/src"]
mod tests_of_secrets {
    #[allow(dead_code, reason = "the tests use more of it")]
    pub(crate) mod encodings;
}

use tests_of_secrets::encodings;

/// The targets, each a module with `fn run(&[u8])`.
macro_rules! targets {
    ($($name:ident),* $(,)?) => {
        /// What each target does with an input.
        pub mod targets {
            $(pub mod $name;)*
        }

        /// Every target: its name, and what it does with an input.
        pub const TARGETS: &[(&str, fn(&[u8]))] =
            &[$((stringify!($name), targets::$name::run)),*];
    };
}

targets![
    acr,
    aws_profiles,
    azure_json,
    challenge,
    claims,
    config,
    durations,
    ecr,
    exchange,
    gar,
    google_credentials,
    image,
    image_name,
    keyring,
    keys,
    oidc,
    one_line,
    pattern,
    plugin_answer,
    preset,
    profile,
    request,
    roots,
    sent_secrets,
    times,
];

/// The whole of a target's binary.
#[macro_export]
macro_rules! fuzz {
    ($name:ident) => {
        #[cfg(feature = "libfuzzer")]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::targets::$name::run(data));

        #[cfg(not(feature = "libfuzzer"))]
        fn main() {}
    };
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::TARGETS;

    /// Every input that was worth keeping, once: the corpora, and what was found.
    #[test]
    fn the_corpora_find_nothing() {
        for (name, run) in TARGETS {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
            let inputs: Vec<_> =
                fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path()).collect();
            assert!(!inputs.is_empty(), "{name} has no corpus");
            for input in &inputs {
                println!("{}", input.display());
                run(&fs::read(input).unwrap());
            }
            eprintln!("{name}: {} inputs", inputs.len());
        }
    }

    #[test]
    fn every_target_has_a_binary() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin");
        let mut binaries: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|it| it.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        binaries.sort();
        let targets: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        assert_eq!(binaries, targets);
    }
}
