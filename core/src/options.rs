//! One table of options per plugin, read from the command line, else from the
//! environment, else from the default. `--help` and the documentation print the
//! same table.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::env::Env;
use crate::error::Error;
use pullpass_go_duration::GoDuration;

/// One option.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OptionSpec {
    /// Its name, without the dashes; a single letter is written with one dash, or two.
    pub name: &'static str,
    /// The placeholder for the value in `--help`; `None` for a switch.
    pub value: Option<&'static str>,
    /// Whether it is given by its position on the command line, without a name.
    pub positional: bool,
    /// The environment variable that sets it when the command line does not.
    pub env: Option<&'static str>,
    /// The value when neither sets it.
    pub default: Option<&'static str>,
    /// Whether it may be given several times.
    pub repeated: bool,
    /// Whether it must be set.
    pub required: bool,
    /// Whether it is accepted and ignored: configurations written for another program have it.
    pub ignored: bool,
    /// One line on its meaning.
    pub help: &'static str,
}

impl OptionSpec {
    /// An option with a value.
    pub const fn value(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self { value: Some(value), ..Self::switch(name, help) }
    }

    /// A switch: off unless given.
    pub const fn switch(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            value: None,
            positional: false,
            env: None,
            default: None,
            repeated: false,
            required: false,
            ignored: false,
            help,
        }
    }

    /// An argument that is given without a name on the command line; a plugin has at most one such
    /// option, and takes several arguments if it is [`repeated`](Self::repeated).
    pub const fn positional(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self { positional: true, ..Self::value(name, value, help) }
    }

    /// Also settable by the environment variable `env`.
    #[must_use]
    pub const fn env(self, env: &'static str) -> Self {
        Self { env: Some(env), ..self }
    }

    /// Has the value `default` unless set.
    #[must_use]
    pub const fn default(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    /// Must be given, by the command line or the environment.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// May be given several times.
    #[must_use]
    pub const fn repeated(self) -> Self {
        Self { repeated: true, ..self }
    }

    /// Is accepted and ignored: for configurations that were written for the program
    /// that the plugin replaces.
    #[must_use]
    pub const fn ignored(self) -> Self {
        Self { ignored: true, ..self }
    }

    /// As it is written on the command line, with the placeholder for its value.
    pub fn written(&self) -> String {
        match self.value {
            Some(value) if self.positional => value.to_owned(),
            Some(value) => format!("{} {value}", dashed(self.name)),
            None => dashed(self.name),
        }
    }

    /// Its name in messages.
    fn display_name(&self) -> String {
        match self.positional {
            true => format!("the argument {}", self.value.unwrap_or(self.name)),
            false => format!("`{}`", dashed(self.name)),
        }
    }
}

/// The options that every plugin has. A plugin's own must have other names.
pub(crate) const COMMON: &[OptionSpec] = &[
    OptionSpec::value(
        "timeout",
        "DURATION",
        "give up after this time; the kubelet kills a plugin after 60s",
    )
    .env("PULLPASS_TIMEOUT")
    .default("50s"),
    OptionSpec::value(
        "log",
        "LEVEL",
        "off, error, warn, info, debug or trace; never holds a secret",
    )
    .env("PULLPASS_LOG")
    .default("warn"),
    OptionSpec::value(
        "log-format",
        "FORMAT",
        "text, json or journald (kept when the plugin succeeds)",
    )
    .env("PULLPASS_LOG_FORMAT")
    .default("text"),
    OptionSpec::value(
        "allow-audience",
        "AUDIENCE",
        "send pods' tokens with this audience although the Kubernetes API server may accept them",
    )
    .repeated(),
    OptionSpec::switch("help", "print this and exit"),
    OptionSpec::switch("version", "print the version and exit"),
];

/// The longest time limit of a run: the kubelet's minute, less the time to report an error.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(59);

/// The values from the command line and the environment.
#[derive(Clone, Debug, Default)]
pub struct Options(BTreeMap<&'static str, Vec<String>>);

impl Options {
    /// Reads `args` (without the program's name) by the table `own` and the options that every plugin has.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) on an unknown option, a missing or doubled value, a
    /// positional argument, text that is not UTF-8, or a required option left out.
    pub fn parse(
        own: &'static [OptionSpec],
        args: impl IntoIterator<Item = OsString>,
        env: &Env,
    ) -> Result<Self, Error> {
        debug_assert!(
            own.iter().all(|option| COMMON.iter().all(|common| common.name != option.name)),
            "an option of the plugin has the name of one that every plugin has"
        );
        let table = || own.iter().chain(COMMON);
        let mut options = Self::default();
        let mut parser = lexopt::Parser::from_args(args);
        // No value is repeated in an error: it may be a secret.
        while let Some(arg) = parser.next().map_err(|_| usage("a switch was given a value"))? {
            let (name, written) = match arg {
                lexopt::Arg::Long(name) => (name.to_owned(), format!("--{name}")),
                lexopt::Arg::Short('h') => ("help".to_owned(), "-h".to_owned()),
                lexopt::Arg::Short('V') => ("version".to_owned(), "-V".to_owned()),
                lexopt::Arg::Short(letter) => (letter.to_string(), format!("-{letter}")),
                lexopt::Arg::Value(value) => {
                    let Some(option) = table().find(|option| option.positional) else {
                        return Err(usage("unexpected argument: options begin with `--`"));
                    };
                    options.add(option, value)?;
                    continue;
                }
            };
            let named = |option: &&OptionSpec| option.name == name && !option.positional;
            let Some(option) = table().find(named) else {
                return Err(usage(format!("unknown option `{written}`")));
            };
            let value = match option.value {
                None => "true".into(),
                Some(_) => parser
                    .value()
                    .map_err(|_| usage(format!("`{written}` is given without a value")))?,
            };
            options.add(option, value)?;
        }
        for option in table().filter(|option| option.value.is_some()) {
            if options.0.contains_key(option.name) {
                continue;
            }
            let from_env = match option.env {
                Some(name) => env.text(name)?,
                None => None,
            };
            if let Some(value) = from_env.or(option.default) {
                options.0.insert(option.name, vec![value.to_owned()]);
            }
        }
        let asks = options.is_set("help") || options.is_set("version");
        match own.iter().find(|option| option.required && options.value(option.name).is_none()) {
            Some(missing) if !asks => Err(usage(format!("{} is missing", missing.display_name()))),
            _ => Ok(options),
        }
    }

    fn add(&mut self, option: &'static OptionSpec, value: OsString) -> Result<(), Error> {
        let shown = option.display_name();
        let value = value.into_string().map_err(|_| usage(format!("{shown} is not UTF-8")))?;
        let values = self.0.entry(option.name).or_default();
        if !option.repeated && !values.is_empty() {
            return Err(usage(format!("{shown} is given twice")));
        }
        values.push(value);
        Ok(())
    }

    /// Whether the switch or value `name` is set.
    pub fn is_set(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The value of `name`, where it is set.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values(name).first().map(String::as_str)
    }

    /// The value of `name`, where it is set and not empty: installers leave options empty.
    pub fn non_empty(&self, name: &str) -> Option<&str> {
        self.value(name).filter(|value| !value.is_empty())
    }

    /// Every value of `name`, in the order given.
    pub fn values(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// The value of `name`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when it is not set.
    pub fn required(&self, name: &str) -> Result<&str, Error> {
        self.non_empty(name).ok_or_else(|| usage(format!("`--{name}` is missing")))
    }

    /// The value of `name` as a path, where it is set.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.value(name).map(PathBuf::from)
    }

    /// The value of `name` as a duration in Go's form, where it is set.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when it is not one, or negative.
    pub fn duration(&self, name: &str) -> Result<Option<Duration>, Error> {
        let Some(text) = self.value(name) else { return Ok(None) };
        // The parser's own error repeats the text, and no value is repeated here.
        let duration: GoDuration = text.parse().map_err(|_| {
            Error::config(format!("`--{name}` is not a duration"))
                .with_hint("write a number and a unit, such as `30s`, `10m` or `1h30m`")
        })?;
        match duration.to_std() {
            Some(duration) => Ok(Some(duration)),
            None => Err(usage(format!("`--{name}` is negative"))),
        }
    }

    /// The limit on the whole run.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when it is not a duration between zero and 59 s.
    pub(crate) fn timeout(&self) -> Result<Duration, Error> {
        let timeout = self.duration("timeout")?.unwrap_or(crate::Deadline::DEFAULT);
        if timeout.is_zero() || timeout > LONGEST_TIMEOUT {
            return Err(usage(format!(
                "`--timeout` must be more than 0s and at most {}",
                GoDuration::from(LONGEST_TIMEOUT)
            )));
        }
        Ok(timeout)
    }
}

/// A name as it is written: a single letter has one dash.
pub(crate) fn dashed(name: &str) -> String {
    match name.len() {
        1 => format!("-{name}"),
        _ => format!("--{name}"),
    }
}

fn usage(message: impl Into<String>) -> Error {
    Error::config(message)
        .with_hint("correct `args` and `env` of this provider in the CredentialProviderConfig, then restart the kubelet; `--help` lists the options")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[OptionSpec] = &[
        OptionSpec::value("config", "FILE", "the file").env("CONFIG"),
        OptionSpec::value("host", "HOST", "a host").repeated(),
        OptionSpec::switch("strict", "strictly"),
    ];

    fn parse(args: &[&str], env: &[(&str, &str)]) -> Result<Options, Error> {
        Options::parse(TABLE, args.iter().map(OsString::from), &Env::from_iter(env.iter().copied()))
    }

    #[test]
    fn the_command_line_wins_over_the_environment_over_the_default() {
        let env = [("CONFIG", "from-env"), ("PULLPASS_TIMEOUT", "3s")];
        let options = parse(&["--config=from-args", "--strict"], &env).unwrap();
        assert_eq!(options.value("config"), Some("from-args"));
        assert!(options.is_set("strict"));
        assert_eq!(options.timeout().unwrap(), Duration::from_secs(3));

        let options = parse(&[], &env).unwrap();
        assert_eq!(options.value("config"), Some("from-env"));
        assert!(!options.is_set("strict"));
        assert_eq!(parse(&[], &[]).unwrap().timeout().unwrap(), crate::Deadline::DEFAULT);
    }

    #[test]
    fn repeated_options_keep_their_order() {
        let options = parse(&["--host", "b", "--host=a"], &[]).unwrap();
        assert_eq!(options.values("host"), ["b", "a"]);
    }

    #[test]
    fn arguments_without_a_name_go_to_the_positional_option() {
        const ONE: &[OptionSpec] = &[
            OptionSpec::positional("file", "FILE", ""),
            OptionSpec::value("v", "N", "").ignored(),
        ];
        const MANY: &[OptionSpec] = &[OptionSpec::positional("words", "WORD", "words").repeated()];
        let parse = |table, args: &[&str]| {
            Options::parse(table, args.iter().map(OsString::from), &Env::default())
        };
        for verbosity in [&["--v=5"][..], &["-v=5"], &["-v5"], &["-v", "5"]] {
            let options = parse(ONE, &[verbosity, &["a.json"]].concat()).unwrap();
            assert_eq!(options.value("file"), Some("a.json"), "{verbosity:?}");
        }
        assert_eq!(parse(MANY, &["a", "b"]).unwrap().values("words"), ["a", "b"]);
        let error = parse(ONE, &["a", "b"]).unwrap_err().render();
        assert!(error.starts_with("error: the argument FILE is given twice"), "{error}");
        assert!(parse(ONE, &["--file=a"]).is_err(), "it has no name");
    }

    #[test]
    fn an_option_is_written_as_it_is_read() {
        for (option, expected) in [
            (OptionSpec::value("config", "FILE", ""), "--config FILE"),
            (OptionSpec::switch("strict", ""), "--strict"),
            (OptionSpec::value("v", "N", ""), "-v N"),
            (OptionSpec::switch("r", ""), "-r"),
            (OptionSpec::positional("file", "FILE", ""), "FILE"),
        ] {
            assert_eq!(option.written(), expected);
        }
    }

    #[test]
    fn mistakes_are_config_errors() {
        for args in [
            &["--unknown"][..],
            &["--config"],
            &["--config=a", "--config=b"],
            &["--strict=yes"],
            &["positional"],
            &["-x"],
        ] {
            let error = parse(args, &[]).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Config, "{args:?}");
            assert!(error.render().contains("hint: "));
        }
        for timeout in ["0s", "-1s", "60s", "1", "soon"] {
            assert!(parse(&["--timeout", timeout], &[]).unwrap().timeout().is_err(), "{timeout}");
        }
        assert!(parse(&[], &[]).unwrap().required("config").is_err());
    }
}
