//! The command line. Help, completions and manual pages are made from this.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use pullpass_go_duration::GoDuration;
use pullpass_kubelet::{FeatureGates, KubeletVersion, Target};

use crate::command_notes::{
    CHECK, COMPLETIONS, CONFIG, CONFIG_MERGE, CONFIG_REMOVE, DOCTOR, LOOKUP, MAN, MATCH, RECORDS,
};

/// See what the kubelet will do with image credential providers, before it does
#[derive(Debug, Parser)]
#[command(name = "pullpass", version, max_term_width = 80)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Would the kubelet start with this configuration? With warnings about what it accepts
    #[command(after_help = CHECK.after_help())]
    Check(CheckArgs),
    /// Show which providers the kubelet would run for an image, and why not the others
    #[command(
        after_help = MATCH.after_help(),
        override_usage = "pullpass match [OPTIONS] IMAGE... --config PATH\n       \
            pullpass match [OPTIONS] IMAGE... --pattern PATTERN..."
    )]
    Match(MatchArgs),
    /// Run the providers as the kubelet would and show the credentials that it would try
    #[command(after_help = LOOKUP.after_help())]
    Lookup(LookupArgs),
    /// Print a CredentialProviderConfig for Pullpass's plugins, or edit the file of a node
    #[command(
        after_help = CONFIG.after_help(),
        args_conflicts_with_subcommands = true,
        disable_help_subcommand = true,
        override_usage = "pullpass config [OPTIONS] PLUGIN...\n       \
            pullpass config merge [OPTIONS] FILE ENTRY\n       \
            pullpass config remove [OPTIONS] FILE NAME"
    )]
    Config(ConfigArgs),
    /// Show which pods may use the images of a node without a pull, and why others pull again
    #[command(after_help = RECORDS.after_help())]
    Records(RecordsArgs),
    /// Look for faults on a node: flags, files, programs, and what hides or breaks them
    #[command(after_help = DOCTOR.after_help())]
    Doctor(DoctorArgs),
    /// Print a completion script
    #[command(after_help = COMPLETIONS.after_help())]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print a manual page, or write all pages to a directory
    #[command(after_help = MAN.after_help())]
    Man {
        /// A command such as `check`, or a plugin such as `ecr` [default: pullpass itself]
        #[arg(value_name = "NAME", conflicts_with = "dir")]
        name: Option<String>,
        /// Write the pages of pullpass, its commands and the plugins here
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

impl Command {
    /// Whether the exit code alone is an answer, so that a script may run it without a stdout.
    pub(crate) fn answers_by_exit_code(&self) -> bool {
        match self {
            Self::Check(_) | Self::Match(_) | Self::Lookup(_) | Self::Doctor(_) => true,
            Self::Config(args) => args.edit.is_some(),
            Self::Records(_) | Self::Completions { .. } | Self::Man { .. } => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Which kubelet is meant.
#[derive(Debug, clap::Args)]
pub(crate) struct TargetArgs {
    /// The kubelet's version, 1.30 to 1.37
    #[arg(long, value_name = "VERSION", default_value_t)]
    pub(crate) kubelet_version: KubeletVersion,
    /// Feature gates, as in the kubelet's flag of this name; other gates have their defaults
    #[arg(long, value_name = "NAME=true,...")]
    pub(crate) feature_gates: Option<FeatureGates>,
}

impl TargetArgs {
    /// The options as they were given, each with a blank before it: for hints.
    pub(crate) fn written(&self) -> String {
        let mut written = String::new();
        if self.kubelet_version != KubeletVersion::default() {
            written.push_str(&format!(" --kubelet-version {}", self.kubelet_version));
        }
        if let Some(gates) = &self.feature_gates {
            written.push_str(&format!(" --feature-gates {gates}"));
        }
        written
    }

    pub(crate) fn target(&self) -> Target {
        let gates = self.feature_gates.clone().unwrap_or_default();
        Target { version: self.kubelet_version, gates }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// The configuration: a file, or from 1.34 a directory
    pub(crate) path: PathBuf,
    /// Also check the programs in this directory: `--image-credential-provider-bin-dir`
    #[arg(long, value_name = "DIR")]
    pub(crate) bin_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Exit with 1 if there is a warning; advice is not a warning
    #[arg(long)]
    pub(crate) strict: bool,
    /// The output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("patterns").args(["config", "pattern"]).required(true)))]
pub(crate) struct MatchArgs {
    /// Images, as in the pod's `image`
    #[arg(required = true, value_name = "IMAGE")]
    pub(crate) images: Vec<String>,
    /// The configuration to take patterns from: a file, or from 1.34 a directory
    #[arg(long, value_name = "PATH")]
    pub(crate) config: Option<PathBuf>,
    /// Patterns to try instead of a configuration
    #[arg(long, value_name = "PATTERN", num_args = 1..)]
    pub(crate) pattern: Vec<String>,
    /// Compare IMAGE as it is: with its registry, without tag and digest
    #[arg(long)]
    pub(crate) raw: bool,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// The output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct LookupArgs {
    /// The image, as in the pod's `image`
    pub(crate) image: String,
    /// The configuration: a file, or from 1.34 a directory
    #[arg(long, value_name = "PATH")]
    pub(crate) config: PathBuf,
    /// The directory of the programs: `--image-credential-provider-bin-dir`
    #[arg(long, value_name = "DIR")]
    pub(crate) bin_dir: PathBuf,
    /// The token that providers with `tokenAttributes` get, whatever their audience
    #[arg(long, value_name = "FILE", requires = "service_account")]
    pub(crate) token_file: Option<PathBuf>,
    /// The pod's service account; without this option it is a static pod, which has none
    #[arg(long, value_name = "NS/NAME", value_parser = service_account)]
    pub(crate) service_account: Option<(String, String)>,
    /// An annotation of the service account; may be repeated
    #[arg(long = "annotation", value_name = "K=V", requires = "service_account",
        value_parser = annotation)]
    pub(crate) annotations: Vec<(String, String)>,
    /// Compare IMAGE as it is: with its registry, without tag and digest
    #[arg(long)]
    pub(crate) raw: bool,
    /// Print passwords, and the token where a plugin repeats it
    #[arg(long)]
    pub(crate) show_secrets: bool,
    /// Exit with 1 unless there are credentials for the image
    #[arg(long)]
    pub(crate) strict: bool,
    /// Kill a plugin after this time; the kubelet always allows one minute
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = timeout)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// The output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("audiences").args(["service_account_audience", "profiles"])))]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    pub(crate) edit: Option<ConfigEdit>,
    /// Plugins by name, such as `ecr` or `ecr-credential-provider`; may be left out with `--rbac`
    /// and `--access-review`
    #[arg(value_name = "PLUGIN")]
    pub(crate) plugins: Vec<String>,
    /// The version of the kubelet that will read it, 1.30 to 1.37
    #[arg(long, value_name = "VERSION", default_value_t)]
    pub(crate) kubelet_version: KubeletVersion,
    /// Give the plugins the pod's token for this audience (1.33 or later)
    #[arg(long, value_name = "AUDIENCE")]
    pub(crate) service_account_audience: Option<String>,
    /// A pattern for `matchImages` instead of the plugin's own; with several plugins it is for
    /// those that have no patterns of their own. May be repeated
    #[arg(long = "match-image", value_name = "PATTERN")]
    pub(crate) match_images: Vec<String>,
    /// An argument for the plugins, such as `--arg=--config=/etc/pullpass/oidc.yaml`; may be
    /// repeated
    #[arg(long = "arg", value_name = "ARG", allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
    /// A profile file of the oidc plugin: print the entries that its profiles need
    #[arg(long, value_name = "FILE", conflicts_with = "match_images")]
    pub(crate) profiles: Option<PathBuf>,
    /// Print only the RBAC manifests for the audiences, to pipe to `kubectl apply -f -`
    #[arg(long, requires = "audiences")]
    pub(crate) rbac: bool,
    /// Print only a SubjectAccessReview, which asks the cluster whether it has that RBAC, to
    /// pipe to `kubectl create -o yaml -f - | grep allowed:`
    #[arg(long, requires = "audiences", conflicts_with = "rbac")]
    pub(crate) access_review: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigEdit {
    /// Put one provider into a configuration file; all else in it stays as it is
    #[command(after_help = CONFIG_MERGE.after_help())]
    Merge {
        #[command(flatten)]
        options: ConfigEditOptions,
        /// The provider: a file, or `-` for stdin, with one provider as a mapping, a list of one,
        /// or a whole CredentialProviderConfig, in YAML or JSON
        entry: PathBuf,
    },
    /// Take a provider out of a configuration file; all else in it stays as it is
    #[command(after_help = CONFIG_REMOVE.after_help())]
    Remove {
        #[command(flatten)]
        options: ConfigEditOptions,
        /// The provider's name
        name: String,
        /// Also take the last provider out; no kubelet starts with the list that is left
        #[arg(long)]
        allow_empty: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct ConfigEditOptions {
    /// The configuration file of the node
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Only print what would change, as a diff in which nothing shows that may be secret
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RecordsArgs {
    /// An image as pods name it [default: all images of the records]
    pub(crate) image: Option<String>,
    /// The root of the node's file system
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub(crate) root: PathBuf,
    /// The kubelet's directory in it, as the kubelet's `--root-dir`
    #[arg(long, value_name = "DIR", default_value = "/var/lib/kubelet")]
    pub(crate) kubelet_dir: PathBuf,
    /// Decide for a pod of this service account
    #[arg(long, value_name = "NS/NAME", value_parser = service_account, requires = "image")]
    pub(crate) service_account: Option<(String, String)>,
    /// Decide for a pod with this pull secret; may be repeated
    #[arg(long = "secret", value_name = "NS/NAME", value_parser = service_account,
        requires = "image")]
    pub(crate) secrets: Vec<(String, String)>,
    /// `imagePullCredentialsVerificationPolicy` of the kubelet's configuration
    #[arg(long, value_name = "NAME", default_value = "NeverVerifyPreloadedImages")]
    pub(crate) policy: String,
    /// A pattern of `preloadedImagesVerificationAllowlist`; may be repeated
    #[arg(long = "allowlist", value_name = "PATTERN")]
    pub(crate) allowlist: Vec<String>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// The root of the node's file system, with its `/proc`
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub(crate) root: PathBuf,
    /// The kubelet's version, 1.30 to 1.37 [default: that of the node's package or program]
    #[arg(long, value_name = "VERSION")]
    pub(crate) kubelet_version: Option<KubeletVersion>,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

fn service_account(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((namespace, name))
            if !namespace.is_empty() && !name.is_empty() && !name.contains('/') =>
        {
            Ok((namespace.to_owned(), name.to_owned()))
        }
        _ => Err("write it as NAMESPACE/NAME".to_owned()),
    }
}

fn annotation(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE".to_owned()),
    }
}

fn timeout(text: &str) -> Result<Duration, String> {
    let duration: GoDuration = text.parse().map_err(|error| format!("{error}"))?;
    duration
        .to_std()
        .filter(|time| !time.is_zero())
        .ok_or_else(|| "must be more than 0s".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn patterns_may_follow_one_flag_or_several() {
        for line in [
            &["pullpass", "match", "r.io/x", "--pattern", "a", "b", "--raw"][..],
            &["pullpass", "match", "r.io/x", "--pattern", "a", "--pattern=b", "--raw"],
        ] {
            let Ok(Args { command: Command::Match(args) }) = Args::try_parse_from(line) else {
                panic!("{line:?}");
            };
            assert_eq!((args.images.len(), args.pattern.len(), args.raw), (1, 2, true));
        }
    }
}
